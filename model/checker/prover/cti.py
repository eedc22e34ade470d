"""A failed induction step as a state and a step: shrunk to the fewest elements, and to the fewest facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from onceproof.model.checker.prover import sexpr
from onceproof.model.checker.prover.encoding import START, Update
from onceproof.model.checker.prover.finite import Structure, state_of, step
from onceproof.model.checker.prover.induction import SECONDS_PER_QUERY, Stage
from onceproof.model.checker.prover.names import before_symbol
from onceproof.model.checker.prover.sexpr import Sexpr
from onceproof.model.checker.prover.solver import Outcome, Session
from onceproof.model.checker.prover.verification_conditions import VerificationCondition
from onceproof.model.checker.results import Trace
from onceproof.model.language.layout import State
from onceproof.model.language.system import Arguments, Step, System

ELEMENTS_MAX = 6  # of one sort; beyond it a counterexample is not shrunk but taken as it comes


@dataclass(frozen=True)
class CounterexampleToInduction:
    """A state in which all of the invariant holds, and a step after which a claim is false for these elements.

    The state need not be reachable. ``trace`` has no step where the claim is false at the start.
    """

    claim: str
    arguments: Arguments
    trace: Trace

    @property
    def sizes(self) -> Mapping[str, int]:
        """How many elements of each sort it takes, by the names of the sizes."""
        return {sort.size_name: self.trace.system.sizes[name] for name, sort in self.trace.system.model.sorts.items()}


def find_cti(
    stage: Stage,
    failure: Outcome,
    hypotheses: list[str],
    timeout: float = SECONDS_PER_QUERY,
    fewest_facts: bool = True,
) -> CounterexampleToInduction | None:
    """The counterexample behind a failed query, as small as can be; None where the solver finds none in time.

    hypotheses: the names of the conjuncts that were assumed when it failed; fewest_facts: whether it is also to be
    shrunk to as many fields as possible that are as at the start (of elements there are always the fewest).
    """
    query = failure.query
    if query.transition is None:
        return None
    given = [stage.encoding.conjuncts[name] for name in hypotheses] if query.assumes else []
    session = Session(stage.encoding, query.transition, given, timeout)
    found = session.counterexample(query)
    if found is None:
        return None
    bounds = _fewest(session, query, found)
    least = session.counterexample(query, bounds) or found
    if not fewest_facts:
        return _replayed(stage, query, least)
    initial = _initial_values(stage, session, query, bounds)
    return _replayed(stage, query, session.counterexample(query, [*bounds, *initial]) or least)


def _at_most(sort: str, number: int) -> Sexpr:
    names = [f"only{place}" for place in range(number)]
    covered = sexpr.disjunction([("=", "any", name) for name in names])
    return ("exists", tuple((name, sort) for name in names), ("forall", (("any", sort),), covered))


def _fewest(session: Session, query: VerificationCondition, found: Structure) -> list[Sexpr]:
    """Bounds for every sort that still allow a counterexample; each sort in turn as small as the ones before let it."""
    bounds: dict[str, Sexpr] = {
        sort: _at_most(sort, size) for sort, size in found.sizes.items() if size <= ELEMENTS_MAX
    }
    for sort in list(bounds):
        for number in range(1, found.sizes[sort]):
            tried = {**bounds, sort: _at_most(sort, number)}
            if session.allows(query, list(tried.values())):
                bounds = tried
                break
    return list(bounds.values())


def _initial_values(stage: Stage, session: Session, query: VerificationCondition, bounds: list[Sexpr]) -> list[Sexpr]:
    """For as many fields as possible: all of its cells are as at the start."""
    initial: list[Sexpr] = []
    start = stage.encoding.start
    chosen = {name for name, _ in start.constants}
    for update in start.updates:
        if chosen & set(sexpr.symbols(update.value)):  # its cells do not all start alike
            continue
        unchanged = _as_at_start(update)
        if session.allows(query, [*bounds, *initial, unchanged]):
            initial.append(unchanged)
    return initial


def _as_at_start(update: Update) -> Sexpr:
    names = [name for name, _ in update.parameters]
    symbol = before_symbol(update.symbol)
    cell: Sexpr = (symbol, *names) if names else symbol
    return sexpr.closed("forall", list(update.parameters), ("=", cell, update.value))


def _replayed(stage: Stage, query: VerificationCondition, structure: Structure) -> CounterexampleToInduction:
    system, names = _system(stage, structure), stage.encoding.names
    transition = query.transition
    assert transition is not None
    values = tuple(structure.tables[name][()] for name, _ in transition.constants)
    after = step(transition, structure, values)
    assert after is not None, "a counterexample's step is enabled"
    if transition.name == START:
        trace = Trace(system, (state_of(names, system.layout, after),), ())
    else:
        states = (state_of(names, system.layout, structure), state_of(names, system.layout, after))
        aligned = system.aligned(system.all_readings[transition.name], states[0], tuple(map(int, values)))
        trace = Trace(system, states, (Step(transition.name, aligned),))
    return CounterexampleToInduction(query.subject, _false_for(system, query.subject, trace.states), trace)


def _system(stage: Stage, structure: Structure) -> System:
    """The model with as many elements as the structure has; its budgets are without bound, so not in the state.

    Its axioms are those of the structure's own constants, not of what the constants start with.
    """
    model, config = stage.encoding.model, stage.encoding.config
    sizes = {sort.size_name: structure.sizes[stage.encoding.names.sort(sort)] for sort in model.sorts.values()}
    budgets = dict.fromkeys(name for name, left in config.budgets.items() if left != 0)
    return System(model, model.configure(sizes, config.switches, budgets, config.parameters), axioms=False)


def _false_for(system: System, claim: str, states: Sequence[State]) -> Arguments:
    declared = system.model.properties.get(claim)
    if declared is None:
        return ()

    def truth(one: Arguments) -> bool | None:
        if declared.kind == "step":
            return system.run_step_claim(declared, states[0], states[-1], one)
        return system.holds(declared, states[-1], one)

    return next((one for one in system.instances(declared) if truth(one) is False), ())
