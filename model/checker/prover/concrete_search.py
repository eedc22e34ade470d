"""Is a claim false in a reachable state? Walks and exhaustive searches of small instances, smallest first."""

from __future__ import annotations

import itertools
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from onceproof.model.checker.explicit.engine import check
from onceproof.model.checker.results import CheckResult, Counterexample, Limits, Trace
from onceproof.model.checker.safety import violated_by, violating_steps
from onceproof.model.language.declare import Action, Property
from onceproof.model.language.errors import AxiomError
from onceproof.model.language.layout import State
from onceproof.model.language.model import Config, Model
from onceproof.model.language.system import Arguments, Step, System, build

FAULT_CHANCE = 0.15  # of a step of a random run
FAULTS_MAX = 3  # different ones in one instance, each once
STATES_MAX = 60_000  # of one instance; what needs more is rarely the first to show a violation
Engine = Callable[[System, Sequence[Property], Limits], CheckResult]


@dataclass
class Search:
    """What was tried and found. ``found`` has a real counterexample for each claim that is false in a reachable state.

    sizes, faults: of the last instance that was explored completely.
    """

    found: dict[str, Counterexample] = field(default_factory=dict)
    instances: int = 0
    states: int = 0
    seconds: float = 0.0
    sizes: dict[str, int] = field(default_factory=dict)
    faults: tuple[str, ...] = ()


def plain_engine(system: System, claims: Sequence[Property], limits: Limits) -> CheckResult:
    """Exhaustive exploration in plain Python."""
    return check(system, claims, limits)


def search(
    model: Model,
    config: Config,
    claims: Sequence[Property],
    at_least: Mapping[str, int] | None = None,
    first: Sequence[str] = (),
    seconds: float = 60.0,
    engine: Engine = plain_engine,
) -> Search:
    """Looks for a reachable state in which a claim is false, with as few faults as possible, each at most once.

    at_least: sizes that are needed to see it; first: faults to try before the others; seconds: when to give up.
    """
    result, began = Search(), time.monotonic()
    missing = list(claims)
    base = _sizes(model, config, at_least or {})
    faults = [name for name, left in config.budgets.items() if left != 0]
    for sizes, chosen in _instances(base, faults, [name for name in first if name in faults]):
        left = seconds - (time.monotonic() - began)
        if left <= 0 or not missing:
            break
        try:
            system = build(model, model.configure(sizes, config.switches, dict.fromkeys(chosen, 1), config.parameters))
        except AxiomError:
            continue  # with these sizes the constants are not as the axioms say: not an instance of the model
        outcome = engine(system, missing, Limits(max_seconds=left, max_states=STATES_MAX))
        result.instances, result.states = result.instances + 1, result.states + outcome.states
        if outcome.complete:
            result.sizes, result.faults = dict(sizes), chosen
        for judged in outcome.properties:
            if judged.counterexample is not None:
                result.found[judged.name] = judged.counterexample
        missing = [claim for claim in missing if claim.name not in result.found]
    result.seconds = time.monotonic() - began
    return result


def _instances(
    base: dict[str, int], faults: list[str], suspects: list[str]
) -> list[tuple[dict[str, int], tuple[str, ...]]]:
    """Sizes and faults to try, what is small or suspected first: a fault costs less than two of something do."""
    larger = [base | {name: 2} for name, size in base.items() if size == 1]

    def cost(instance: tuple[dict[str, int], tuple[str, ...]]) -> float:
        sizes, chosen = instance
        return sum(0.5 if name in suspects else 2.0 for name in chosen) + (3.0 if sizes is not base else 0.0)

    together = [chosen for number in range(FAULTS_MAX + 1) for chosen in itertools.combinations(faults, number)]
    return sorted(itertools.product([base, *larger], together), key=cost)


def _sizes(model: Model, config: Config, at_least: Mapping[str, int]) -> dict[str, int]:
    """The default sizes, raised to what is needed; what the model derives by itself is left to it."""
    derived = (
        set(model.derive(model.configure(switches=config.switches, parameters=config.parameters), {}))
        if model.derive
        else set()
    )
    sizes = {sort.size_name: sort.default_size for sort in model.sorts.values() if sort.size_name not in derived}
    return {name: max(size, at_least.get(name, 1)) for name, size in sizes.items()}


@dataclass(frozen=True)
class Refutation:
    """A claim that a walk found false for these elements, with the walk."""

    claim: str
    arguments: Arguments
    trace: Trace


def walk(
    system: System, steps: int, chance: random.Random, done: Counter[str] | None = None
) -> Iterator[tuple[Step | None, State]]:
    """A random run from the start: the initial state, then each step with the state after it.

    A fault is taken now and then: there are so many that the run would get nowhere if each step were as likely.
    done: how often each action was taken before, in this run and others; what was taken seldom is preferred.
    """
    state = chance.choice(system.initials) if len(system.initials) > 1 else system.initials[0]
    done = Counter() if done is None else done
    faults = {name for name, action in system.actions.items() if _is_seldom(action)}
    yield None, state
    for _ in range(steps):
        seldom: list[tuple[Step, State]] = []
        others: list[tuple[Step, State]] = []
        for one in system.successors(state):
            if one[1] != state:
                (seldom if one[0].action in faults else others).append(one)
        if not others and (not seldom or chance.random() < 0.5):
            return  # all is done: what faults still could do to it does not matter
        choices = seldom if seldom and (not others or chance.random() < FAULT_CHANCE) else others
        names = sorted({step.action for step, _ in choices})
        action = chance.choices(names, [1 / (1 + done[name]) for name in names])[0]
        taken, state = chance.choice([one for one in choices if one[0].action == action])
        done[action] += 1
        yield taken, state


def _is_seldom(action: Action) -> bool:
    """A fault, or another step that has a budget."""
    return action.fault or action.budget is not None


def refute_on_walks(
    model: Model, config: Config, claims: Sequence[Property], walks: int = 30, steps: int = 60, seed: int = 1
) -> tuple[int, list[Refutation]]:
    """Holds claims against the states of random runs of a small instance: how many states, and what was false.

    Cheap, and done before a solver is asked: a wrong conjunct then fails with a run, not with a mystery. Raises
    AxiomError where the model's axioms are false in its instance of default sizes.
    """
    system = _instance_to_walk(model, config)
    chance = random.Random(seed)
    instances = [(claim, arguments) for claim in claims for arguments in system.instances(claim)]
    seen: set[State] = set()
    refuted: dict[str, Refutation] = {}
    done: Counter[str] = Counter()
    for _ in range(walks):
        states: list[State] = []
        taken: list[Step] = []
        for step, state in walk(system, steps, chance, done):
            states.append(state)
            taken += [step] if step else []
            if state in seen:
                continue
            seen.add(state)
            for claim, arguments in instances:
                if claim.name not in refuted and system.holds(claim, state, arguments) is False:
                    trace = Trace(system, tuple(states), tuple(taken))
                    if claim.kind == "step":
                        trace = trace.followed_by(violating_steps(system, claim, state)[0])
                        arguments = violated_by(system, claim, trace.states) or arguments
                    refuted[claim.name] = Refutation(claim.name, arguments, trace)
    return len(seen), list(refuted.values())


def _instance_to_walk(model: Model, config: Config) -> System:
    """An instance with two elements of each sort, or more by default; of default sizes if the axioms want it so."""
    budgets = {name: left if left is not None else 2 for name, left in config.budgets.items()}

    def instance(at_least: Mapping[str, int]) -> System:
        return build(
            model, model.configure(_sizes(model, config, at_least), config.switches, budgets, config.parameters)
        )

    try:
        return instance({sort.size_name: 2 for sort in model.sorts.values()})
    except AxiomError:
        return instance({})
