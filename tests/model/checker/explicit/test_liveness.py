"""Fair runs on random small graphs: the search against trying every set of states that a run could go round in."""

from __future__ import annotations

import itertools

from hypothesis import event, given, settings
from hypothesis import strategies as draw

from onceproof.model.checker.explicit.engine import check
from onceproof.model.checker.results import Trace, Verdict
from onceproof.model.language import Count, Fairness, Model, State, action, build, eventually, fault, field, require
from onceproof.model.language import given as presuppose
from onceproof.model.language.declare import Action
from tests.helpers.present import present
from tests.helpers.results import result_of

NODES = 6
KINDS = ["fault", "none", "weak", "strong"]
Edge = tuple[int, int, int]  # from, to, action


def model_of(edges: list[Edge], kinds: list[str], asked: set[int], kept: set[int]) -> Model:
    """A walk on a graph; all edges of one action are alternatives that its ``require`` chooses by where it is."""
    names: dict[str, object] = {"__name__": "graph", "at": field(Count(NODES))}
    targets: dict[int, dict[int, int]] = {}
    for source, target, number in edges:
        targets.setdefault(number, {}).setdefault(source, target)
    for number, leads in targets.items():
        names[f"move{number}"] = declared(number, leads, kinds[number])

    @eventually
    def promise(st: State) -> bool:
        presuppose(any_of(st, asked))
        return any_of(st, kept)

    names["promise"] = promise
    return Model("graph", names)


def declared(number: int, leads: dict[int, int], kind: str) -> Action:
    def move(st: State) -> None:
        require(any_of(st, set(leads)))
        for_each(st, leads)

    move.__name__ = f"move{number}"
    if kind == "fault":
        return fault(move)
    return action(move) if kind == "weak" else action(fairness=Fairness(kind))(move)


def for_each(st: State, leads: dict[int, int]) -> None:
    here = st.at
    for source, target in leads.items():
        if here == source:
            st.at = target


def any_of(st: State, places: set[int]) -> bool:
    return any(st.at == place for place in sorted(places))


def broken_by_brute_force(edges: list[Edge], kinds: list[str], asked: set[int], kept: set[int]) -> bool:
    """Whether some set of states can be gone round fairly for ever after the promise was made and not kept."""
    moves: dict[tuple[int, int], int] = {}
    for source, target, number in edges:
        moves.setdefault((source, number), target)
    reached = {(0, 0 in asked - kept)}
    while True:
        more = {
            (target, (is_open or target in asked) and target not in kept)
            for here, is_open in reached
            for (source, _), target in moves.items()
            if source == here
        }
        if more <= reached:
            break
        reached |= more
    open_states = sorted(state for state, is_open in reached if is_open)
    for size in range(1, len(open_states) + 1):
        for group in itertools.combinations(open_states, size):
            if goes_round(set(group), moves, kinds):
                return True
    return False


def goes_round(group: set[int], moves: dict[tuple[int, int], int], kinds: list[str]) -> bool:
    inside = {(s, n, t) for (s, n), t in moves.items() if s in group and t in group and kinds[n] != "fault"}
    for start in group:
        found = {start}
        while more := {t for s, _, t in inside if s in found} - found:
            found |= more
        if found != group:
            return False
    taken = {n for _, n, _ in inside}
    for number, kind in enumerate(kinds):
        enabled = {s for s in group if (s, number) in moves}
        if kind == "weak" and enabled == group and number not in taken:
            return False
        if kind == "strong" and enabled and number not in taken:
            return False
    return True


@settings(max_examples=150, deadline=None, derandomize=True)
@given(draw.data())
def test_liveness_agrees_with_brute_force_on_random_graphs(data: draw.DataObject) -> None:
    places = draw.integers(0, NODES - 1)
    edges = data.draw(draw.lists(draw.tuples(places, places, draw.integers(0, 4)), min_size=2, max_size=12))
    kinds = data.draw(draw.lists(draw.sampled_from(KINDS), min_size=5, max_size=5))
    asked = data.draw(draw.sets(places, min_size=1))
    kept = data.draw(draw.sets(places, max_size=3))
    model = model_of(edges, kinds, asked, kept)
    budgets = dict.fromkeys(model.faults)
    result = check(build(model, model.configure({}, {}, budgets)))
    found = result_of(result, "promise")
    expected = broken_by_brute_force(edges, kinds, asked, kept)
    event(f"broken: {expected}")
    assert (found.verdict is Verdict.VIOLATED) == expected
    if found.counterexample:
        assert_fair(found.counterexample.trace, kinds, kept)


def assert_fair(trace: Trace, kinds: list[str], kept: set[int]) -> None:
    """The lasso is what it claims: a run of the system whose loop closes, is fair, and never keeps the promise."""
    system, loop = trace.system, present(trace.loop)
    for state, step, after in zip(trace.states, trace.steps, trace.states[1:], strict=False):
        assert system.step(state, step) == after
    assert trace.states[loop] == trace.states[-1]
    states = trace.states[loop:]
    taken = {step.action for step in trace.steps[loop:]}
    assert not any(system.actions[name].fault for name in taken)
    enabled = [{step.action for step, _ in system.successors(state)} for state in states]
    for name, action_ in system.actions.items():
        if action_.fairness is Fairness.WEAK and not action_.fault:
            assert name in taken or any(name not in here for here in enabled)
        if action_.fairness is Fairness.STRONG:
            assert name in taken or not any(name in here for here in enabled)
    assert all(state[0] not in kept for state in states)
