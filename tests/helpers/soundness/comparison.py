"""Holds the engines, and the prover, against the evaluator on a random model."""

from __future__ import annotations

import contextlib
import dataclasses
import linecache
import signal
import sys
import types
from collections.abc import Collection, Iterator

from onceproof.model.checker import engines
from onceproof.model.checker.results import CheckResult, Limits, Verdict
from onceproof.model.language import Model, ModelError, System, build
from onceproof.model.language.errors import AxiomError
from tests.helpers.soundness.evaluator import Evaluator, Exploration, TooLarge
from tests.helpers.soundness.texts import BASE
from tests.helpers.soundness.writer import Written, base_name, other_name, write

ENGINES = ("direct", "plain", "compiled")
SYMMETRY = "symmetry"  # the compiled engine again, where states that differ in which thing is which count as one
MOST_STATES = 400


@dataclasses.dataclass
class Outcome:
    """What came of one model: "agrees", "differs", "refused" (the reader says so), or left out: "large" or "slow"."""

    seed: int
    kind: str
    detail: str = ""
    used: frozenset[str] = frozenset()
    states: int = 0
    proved: int = 0  # how many claims the prover calls proved (none of them is refuted)
    compared: tuple[str, ...] = ()


def load(name: str, text: str) -> types.ModuleType:
    """A module from its text; its source can be read, as that of a file can."""
    module = types.ModuleType(name)
    sys.modules[name] = module
    file = f"<{name}.py>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    exec(compile(text, file, "exec"), module.__dict__)
    return module


def model_of(written: Written) -> Model:
    """The model in the language."""
    load(base_name(written.seed), BASE)
    load(other_name(written.seed), written.other)
    name = f"soundness_{written.seed}"
    return Model(name, load(name, written.model))


def system_of(written: Written) -> System:
    """The model under its configuration; ModelError where the reader refuses it."""
    model = model_of(written)
    bounds = {name: left for name, left in written.budgets.items() if left is not None}
    sizes = {name: size for name, size in (written.sizes | bounds).items() if name in model.size_names}
    budgets = {name: left for name, left in written.budgets.items() if name in model.faults}
    return build(model, model.configure(sizes, {"switched": written.switched}, budgets, {"limit": written.limit}))


def forget(written: Written) -> None:
    """Removes the modules of a model again."""
    for name in (base_name(written.seed), other_name(written.seed), f"soundness_{written.seed}"):
        sys.modules.pop(name, None)
        linecache.cache.pop(f"<{name}.py>", None)


def evaluated(written: Written, most: int = MOST_STATES) -> Exploration:
    """What the program says; TooLarge where it has too many states."""
    return Evaluator(written.program, f"<program {written.seed}>", written.budgets).explore(most)


def found(result: CheckResult) -> Exploration:
    """What an engine says, in the same terms."""
    least: dict[str, tuple[int, int] | bool | int | None] = {}
    for one in result.properties:
        trace = one.counterexample.trace if one.counterexample is not None else None
        violated = one.verdict is not Verdict.HOLDS
        if one.kind == "range":
            return Exploration(0, 0, 0, {one.name: len(trace) if trace is not None else violated})
        if one.kind == "sometimes":
            least[one.name] = not violated
        elif one.kind in ("always", "deadlock"):
            least[one.name] = (trace.faults, len(trace)) if trace is not None else True if violated else None
        else:
            least[one.name] = violated
    return Exploration(result.states, result.transitions, result.depth, least)


class _TooSlow(BaseException):
    """The time for one model is over."""


@contextlib.contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Raises _TooSlow in the main thread after so much processor time, wherever it is: a busy machine is no matter."""

    def over(*_: object) -> None:
        raise _TooSlow

    before = signal.signal(signal.SIGVTALRM, over)
    # Again and again: what is raised where Python takes back memory is lost.
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds, 0.1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def compare(
    seed: int, names: Collection[str] = ENGINES, prove: bool = False, most: int = MOST_STATES, seconds: float = 10.0
) -> Outcome:
    """As ``held``, with the prover asked too where the model is made for it.

    A model that takes more seconds of a processor is left out, and called slow.
    """
    written = write(seed)
    try:
        with deadline(seconds):
            return held(written, names, prove, most)
    except _TooSlow:
        return Outcome(seed, "slow")
    except SystemError as error:  # what was lost there was shown, by code that parses while a model is parsed
        if "AST constructor recursion depth mismatch" not in str(error):
            raise
        return Outcome(seed, "slow")
    finally:
        forget(written)  # not before: the prover reads the model's functions once more


def held(written: Written, names: Collection[str], prove: bool, most: int) -> Outcome:
    """Explores a model by all engines and the evaluator, and says what came of it."""
    seed = written.seed
    used = frozenset(written.used)
    try:
        truth = evaluated(written, most)
    except TooLarge:
        return Outcome(seed, "large", used=used)
    try:
        system = system_of(written)
        claims = system.properties()
        for claim in claims:
            system.property_reading(claim)
    except AxiomError as error:
        agrees = truth.found == {"axiom": False}
        return Outcome(seed, "agrees" if agrees else "differs", "" if agrees else str(error), used)
    except ModelError as error:
        return Outcome(seed, "refused", str(error), used)
    asked: list[str] = []
    for name in names:
        try:
            engine = "compiled" if name == SYMMETRY else name
            options = engines.Options(engine, Limits(max_states=2 * most), symmetry=name == SYMMETRY)
            result = engines.check(system, None, options)
        except engines.EngineError as error:
            if engine == "compiled":  # says itself what it cannot do
                continue
            return Outcome(seed, "differs", f"{name}: {error}", used)
        except Exception as error:  # whatever it is, the program had no such failure
            return Outcome(seed, "differs", f"{name}: {type(error).__name__}: {error}", used)
        asked.append(name)
        same = found(result).found == truth.found if name == SYMMETRY else found(result) == truth
        if not same:
            return Outcome(seed, "differs", f"{name}: {found(result)}\nprogram: {truth}", used)
    proved = proved_claims(system) if prove and written.sole else []
    wrong = [name for name in proved if truth.found.get(name) is not None]
    if wrong:
        return Outcome(seed, "differs", f"proved, though violated: {', '.join(wrong)}", used)
    return Outcome(seed, "agrees", "", used, truth.states, len(proved), tuple(asked))


def proved_claims(system: System) -> list[str]:
    """The claims that the prover calls proved for any size; none where it refuses the model."""
    from onceproof.model.checker.prover.induction import prove
    from onceproof.model.checker.prover.solver import Answer

    try:
        proof = prove(system.model, system.config, timeout=0.5, walks=0)
    except ModelError:
        return []
    return [name for name in proof.properties if proof.answer(name) is Answer.PROVED]
