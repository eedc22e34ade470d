"""``check``: explore every reachable state of a model, and judge its properties."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from onceproof.api.counterexample import CounterexampleReport
from onceproof.api.sources import Budgets, Source, installed_first, spec_of
from onceproof.errors import InputError
from onceproof.explain.failure import with_run
from onceproof.inputs.specs import Spec
from onceproof.model.checker import engines
from onceproof.model.checker.deadline import OutOfTime, deadline
from onceproof.model.checker.results import Counterexample, Limits, Progress, Stop, Verdict
from onceproof.model.checker.without_effect import without_effect
from onceproof.model.language import ModelError
from onceproof.reports.check_outcome import Outcome, as_json
from onceproof.reports.check_text import outcome_lines, property_row, summary_lines
from onceproof.reports.notebook import Summary, html
from onceproof.reports.style import unstyle


@dataclass(frozen=True)
class PropertyReport:
    """What was found out about one property.

    kind: that of its decorator (``always``, ``leads_to``), ``deadlock`` or ``range``. vacuous: why a "holds" says
    nothing; "" where it says something. counterexample: a run on which the property is false; None where there is none.
    """

    name: str
    kind: str
    verdict: Verdict
    vacuous: str
    counterexample: CounterexampleReport | None

    @property
    def holds(self) -> bool:
        """Whether it holds in every reachable state, and says something."""
        return self.verdict is Verdict.HOLDS and not self.vacuous


class CheckReport:
    """The result of ``check``; ``str()`` of it is the report that the command line prints."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome

    @property
    def spec(self) -> Spec:
        """What was checked: model, sizes, mechanisms, faults, properties."""
        return self.outcome.spec

    @property
    def verdict(self) -> Verdict:
        """``HOLDS``, ``VIOLATED`` or ``UNKNOWN`` (a limit was reached)."""
        return self.outcome.result.verdict

    @property
    def holds(self) -> bool:
        """Whether every property holds, all states were explored, and nothing holds only because it never matters."""
        return self.verdict is Verdict.HOLDS and not self.outcome.vacuous

    @property
    def as_expected(self) -> bool:
        """Whether this is what the spec expects (its ``expect``; without one: that it ``holds``)."""
        return self.outcome.as_expected

    @cached_property
    def properties(self) -> dict[str, PropertyReport]:
        """What was found out about each property, by name."""
        return {
            found.name: PropertyReport(
                found.name,
                found.kind,
                found.verdict,
                found.vacuous,
                self._counterexample(found.counterexample),
            )
            for found in self.outcome.result.properties
        }

    @property
    def counterexample(self) -> CounterexampleReport | None:
        """The counterexample that the report shows; None where no property is violated."""
        return self._counterexample(self.outcome.counterexample)

    def _counterexample(self, found: Counterexample | None) -> CounterexampleReport | None:
        return None if found is None else CounterexampleReport(found, self.spec.source, self.spec.name)

    @property
    def complete(self) -> bool:
        """Whether every reachable state was explored."""
        return self.outcome.result.exhaustive

    @property
    def within(self) -> str:
        """The bounds of exploration beyond which states were left unexplored; "" where none were."""
        return self.outcome.result.within

    @property
    def stopped(self) -> Stop | None:
        """Why the exploration ended early, and at which limit; None where it did not."""
        return self.outcome.result.stopped

    @property
    def states(self) -> int:
        """How many states were found."""
        return self.outcome.result.states

    @property
    def transitions(self) -> int:
        """How many transitions between them were taken."""
        return self.outcome.result.transitions

    @property
    def depth(self) -> int:
        """The most steps that any state needs at least."""
        return self.outcome.result.depth

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.outcome.result.seconds

    @property
    def engine(self) -> str:
        """The engine that explored."""
        return self.outcome.result.engine

    @property
    def vacuous(self) -> list[str]:
        """Why a "holds" says less than it seems, one sentence each."""
        return self.outcome.vacuous

    @property
    def notes(self) -> list[str]:
        """Remarks of the engine, for people."""
        return self.outcome.result.notes

    def __str__(self) -> str:
        outcome = self.outcome
        # What a spec file expects has a table; what was asked for in Python has no such row to compare.
        end = summary_lines([outcome], []) if outcome.spec.from_file else [f"{outcome.spec.name}: {outcome.limits}"]
        return unstyle("\n".join([*outcome_lines(outcome, quiet=False, alone=True), *end]))

    def __repr__(self) -> str:
        broken = [
            f"{found.name} in {len(found.counterexample.trace)} steps" if found.counterexample else found.name
            for found in self.outcome.violated
        ]
        return f"<CheckReport of {self.spec.name}: {' '.join([self.outcome.limits, ', '.join(broken)]).rstrip()}>"

    def _repr_html_(self) -> str:
        """What a notebook shows of it."""
        found = self.counterexample
        judged = self.outcome.result.properties
        rows = [(*property_row(self.outcome, one), one.verdict is Verdict.VIOLATED) for one in judged]
        facts = [f"{self.states:,} states", f"{self.transitions:,} transitions", f"depth {self.depth}"]
        run = None if found is None else found.explanation
        said = self.outcome.limits if self.outcome.result.verdict is not Verdict.VIOLATED else "violated"
        tone = Verdict.UNKNOWN if self.vacuous and self.verdict is Verdict.HOLDS else self.verdict
        return html(Summary(self.spec.name, tone, said, facts, str(self), rows, [*self.vacuous, *self.notes], run))

    def to_json(self) -> dict[str, Any]:
        """The keys of one spec in ``onceproof check --json``."""
        return as_json(self.outcome)


@installed_first
def check(
    source: Source = None,
    *,
    sizes: Mapping[str, int] | None = None,
    mechanisms: Mapping[str, bool] | None = None,
    faults: Budgets | None = None,
    parameters: Mapping[str, int] | None = None,
    properties: Sequence[str] | None = None,
    engine: str = engines.AUTO,
    max_states: int | None = None,
    max_depth: int | None = None,
    max_seconds: float | None = None,
    max_memory: int | None = None,
    workers: int | None = None,
    symmetry: bool = True,
    fingerprint: bool = False,
    checkpoint: Path | None = None,
    resume: Path | None = None,
    checkpoint_seconds: float = 60.0,
    progress: Callable[[Progress], None] | None = None,
    keep_partial: bool = False,
    at_memory_limit: Callable[[int], Path | None] | None = None,
    disk: Path | None = None,
    ray: str | None = None,
) -> CheckReport:
    """Explore every reachable state and judge every property in it.

    source: a Model, a module, a Spec, or a path to a model or spec; None for the protocol of this project.
    sizes, mechanisms, faults, parameters, properties: what to check of it; see ``spec_of``. Without a budget no fault
    happens.
    engine: ``auto``, ``plain``, ``compiled`` or ``direct``. The limits make the verdict unknown when they are reached:
    max_states; max_depth in steps; max_seconds; max_memory in bytes.
    workers, max_memory, fingerprint (at most 12 bytes a state, says how sure that is), checkpoint and resume (files of
    a long search) and disk (a folder for more states than memory holds; an ended search goes on from there) are the
    compiled engine's; symmetry lets it treat states as one that differ only by which element is
    which.
    ray: spreads the search over the Ray cluster at an address (``local``: one that is started on this machine);
    checkpoint is then a folder that all nodes see, from which the search goes on where a node is lost.
    progress: called about once a second. keep_partial: Ctrl-C returns what is known so far, instead of raising.
    at_memory_limit: where memory ends a search without a checkpoint, asked for a file to keep it in (None: in none); it
    is told how many bytes that takes.

    InputError where the source or a setting is wrong; ModelError where the model fails while it
    runs: then it is a ``RunFailed``, which has the ``trace`` that leads there.
    """
    spec = spec_of(
        source, sizes=sizes, mechanisms=mechanisms, faults=faults, parameters=parameters, properties=properties
    )
    # A model without any is asked for deadlocks, and for its ranges.
    declared = [claim for claim in spec.system.model.properties.values() if claim.kind != "ending"]
    if declared and spec.chosen is None and all(claim.kind == "deadlock" for claim in spec.properties):
        raise InputError(
            f"{spec.path}: no property of the model applies to this spec; nothing to check (`properties: [deadlock]` "
            "asks whether a state without a next step can be reached)"
        )
    limits = Limits(max_states, max_depth, max_seconds, progress)
    options = engines.Options(
        engine,
        limits,
        workers,
        max_memory,
        symmetry,
        fingerprint,
        checkpoint,
        resume,
        checkpoint_seconds,
        at_memory_limit,
        disk,
        ray,
    )
    try:
        result = engines.check(spec.system, spec.properties, options)
    except engines.EngineError as error:
        raise InputError(str(error)) from error
    except ModelError as error:
        raise with_run(error, spec.system, spec.properties) from error
    if result.stopped is not None and result.stopped.interrupted and not keep_partial:
        raise KeyboardInterrupt
    if result.exhaustive and result.engine != "compiled":  # that is for spaces too large to be gone through once more
        with contextlib.suppress(OutOfTime), deadline(None if max_seconds is None else max_seconds - result.seconds):
            result.without_effect = without_effect(spec.system)
    return CheckReport(Outcome(spec, result))
