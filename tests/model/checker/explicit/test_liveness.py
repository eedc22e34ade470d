"""Fair runs on random small graphs: the search against trying every set of states that a run could stay in for ever."""

from __future__ import annotations

import itertools
import random
from enum import Enum
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as draw

from onceproof.model.checker import compiled
from onceproof.model.checker.explicit.engine import check
from onceproof.model.checker.results import CheckResult, Trace, Verdict
from onceproof.model.language import (
    Count,
    Fairness,
    Model,
    action,
    build,
    eventually,
    fault,
    field,
    infinitely_often,
    require,
    stays,
)
from onceproof.model.language import given as presuppose
from tests.helpers.fair_graphs import (
    KINDS,
    NODES,
    Edge,
    any_of,
    can_stay,
    declared,
    least_stem_by_brute_force,
)
from tests.helpers.results import result_of, violation


def model_of(edges: list[Edge], kinds: list[str], incurred: set[int], fulfilled: set[int]) -> Model:
    """A walk on a graph; all edges of one action are alternatives that its ``require`` chooses by where it is."""
    names: dict[str, object] = {"__name__": "graph", "at": field(Count(NODES))}
    targets: dict[int, dict[int, int]] = {}
    for source, target, number in edges:
        targets.setdefault(number, {}).setdefault(source, target)
    for number, leads in targets.items():
        names[f"move{number}"] = declared(number, leads, kinds[number])

    @eventually
    def arrives(st: Any) -> bool:
        presuppose(any_of(st, incurred))
        return any_of(st, fulfilled)

    @eventually
    def arrives_once(st: Any) -> bool:
        return any_of(st, fulfilled)

    @infinitely_often
    def arrives_again(st: Any) -> bool:
        return any_of(st, fulfilled)

    @stays
    def arrives_for_good(st: Any) -> bool:
        return any_of(st, fulfilled)

    names |= {one.name: one for one in (arrives, arrives_once, arrives_again, arrives_for_good)}
    return Model("graph", names)


def violated_by_brute_force(edges: list[Edge], kinds: list[str], fulfilled: set[int]) -> dict[str, bool]:
    """Of what is asked of a run as a whole: whether some fair run does not do it, by trying every set it may end in."""
    moves: dict[tuple[int, int], int] = {}
    for source, target, number in edges:
        moves.setdefault((source, number), target)

    def reached(allowed: set[int]) -> set[int]:
        found = {0} & allowed
        while more := {t for (s, _), t in moves.items() if s in found and t in allowed} - found:
            found |= more
        return found

    def ends(places: set[int]) -> list[set[int]]:
        groups = (set(g) for n in range(1, len(places) + 1) for g in itertools.combinations(sorted(places), n))
        return [group for group in groups if can_stay(group, moves, kinds)]

    everywhere = set(range(NODES))
    return {
        "arrives_once": bool(ends(reached(everywhere - fulfilled))),
        "arrives_again": any(not group & fulfilled for group in ends(reached(everywhere))),
        "arrives_for_good": any(group - fulfilled for group in ends(reached(everywhere))),
    }


@settings(max_examples=150, deadline=None, derandomize=True)
@given(draw.data())
def test_liveness_and_least_stems_agree_with_brute_force_on_random_graphs(data: draw.DataObject) -> None:
    places = draw.integers(0, NODES - 1)
    edges = data.draw(draw.lists(draw.tuples(places, places, draw.integers(0, 4)), min_size=2, max_size=12))
    kinds = data.draw(draw.lists(draw.sampled_from(KINDS), min_size=5, max_size=5))
    incurred = data.draw(draw.sets(places, min_size=1))
    fulfilled = data.draw(draw.sets(places, max_size=3))
    model = model_of(edges, kinds, incurred, fulfilled)
    result = check(build(model, model.configure({}, {}, dict.fromkeys(model.faults))))
    least = least_stem_by_brute_force(edges, kinds, incurred, fulfilled)
    event(f"violated: {least is not None}")
    assert_as_expected(result, least, kinds, fulfilled)
    assert_whole_runs(result, violated_by_brute_force(edges, kinds, fulfilled), kinds, fulfilled)


@pytest.mark.parametrize("seed", range(25))
def test_compiled_liveness_on_random_graphs(seed: int) -> None:
    chance = random.Random(seed)
    places = range(NODES)
    edges = [(chance.choice(places), chance.choice(places), chance.randrange(5)) for _ in range(chance.randint(4, 14))]
    kinds = [chance.choice(KINDS) for _ in range(5)]
    incurred, fulfilled = set(chance.sample(places, 3)), set(chance.sample(places, chance.randint(0, 2)))
    model = model_of(edges, kinds, incurred, fulfilled)
    result = compiled.check(build(model, model.configure({}, {}, dict.fromkeys(model.faults))), workers=1)
    assert_as_expected(result, least_stem_by_brute_force(edges, kinds, incurred, fulfilled), kinds, fulfilled)
    assert_whole_runs(result, violated_by_brute_force(edges, kinds, fulfilled), kinds, fulfilled)


def assert_whole_runs(result: CheckResult, violated: dict[str, bool], kinds: list[str], fulfilled: set[int]) -> None:
    assert {name: result_of(result, name).verdict is Verdict.VIOLATED for name in violated} == violated
    for name in (name for name, wrong in violated.items() if wrong):
        trace = violation(result, name).trace
        assert_fair(trace, kinds)
        places = [state[0] for state in trace.states]
        loop = places[trace.loop :]
        match name:
            case "arrives_once":
                assert not set(places) & fulfilled
            case "arrives_again":
                assert not set(loop) & fulfilled
            case "arrives_for_good":
                assert set(loop) - fulfilled


def assert_as_expected(
    result: CheckResult, least: tuple[int, int] | None, kinds: list[str], fulfilled: set[int]
) -> None:
    found = result.property("arrives")
    assert found is not None
    assert (found.verdict is Verdict.VIOLATED) == (least is not None)
    if found.counterexample:
        trace = found.counterexample.trace
        assert_fair(trace, kinds)
        assert all(state[0] not in fulfilled for state in trace.states[trace.loop :])
        stem = trace.steps[: trace.loop]
        assert (sum(kinds[int(step.action.removeprefix("move"))] == "fault" for step in stem), len(stem)) == least


def assert_fair(trace: Trace, kinds: list[str]) -> None:
    """The lasso is what it claims: a run whose loop closes, and that is fair."""
    system, loop = trace.system, trace.loop
    assert loop is not None
    for state, step, after in zip(trace.states, trace.steps, trace.states[1:], strict=False):
        assert system.step(state, step) == after
    assert trace.states[loop] == trace.states[-1]
    states = trace.states[loop:]
    changing = zip(trace.steps[loop:], states, states[1:], strict=False)
    taken = {step.action for step, before, after in changing if before != after}
    assert not any(system.actions[step.action].fault for step in trace.steps[loop:])
    enabled = [{step.action for step, after in system.successors(state) if after != state} for state in states]
    for name, action_ in system.actions.items():
        if action_.fairness is Fairness.WEAK and not action_.fault:
            assert name in taken or any(name not in here for here in enabled)
        if action_.fairness is Fairness.STRONG:
            assert name in taken or not any(name in here for here in enabled)


class At(Enum):
    LEFT, RIGHT, GOAL = range(3)


def score(st: Any) -> None:
    require(st.at != At.GOAL)
    if st.at == At.RIGHT:
        st.at = At.GOAL


def move(st: Any) -> None:
    require(st.at != At.GOAL)
    if st.at == At.LEFT:
        st.at = At.RIGHT
    else:
        st.at = At.LEFT


def reaches_goal(st: Any) -> bool:
    return st.at == At.GOAL


@pytest.mark.parametrize("engine", ["direct", "plain", "compiled"])
@pytest.mark.parametrize(("fairness", "verdict"), [("strong", Verdict.HOLDS), ("weak", Verdict.VIOLATED)])
def test_a_strongly_fair_step_that_changes_nothing_is_not_taken(engine: str, fairness: str, verdict: Verdict) -> None:
    """In LEFT ``score`` is enabled and does nothing: that must not excuse it from being taken in RIGHT (SF of TLA+)."""
    names = {
        "__name__": "goal",
        "at": field(At),
        "score": action(fairness=Fairness(fairness))(score),
        "move": action(move),
        "reaches_goal": eventually(reaches_goal),
    }
    system = build(Model("goal", names))
    claims = system.properties(["reaches_goal"])
    result = compiled.check(system, claims) if engine == "compiled" else check(system, claims, engine=engine)
    assert result.verdict is verdict


class Place(Enum):
    S0, S1, S2, DONE, A, B, X, G = range(8)


NEXT = [("S0", "S1"), ("S1", "S2"), ("S2", "DONE"), ("A", "B"), ("B", "G"), ("X", "G")]


def go(st: Any) -> None:
    require(st.place != Place.DONE and st.place != Place.G)
    here = st.place
    for before, after in NEXT:
        if here == Place[before]:
            st.place = Place[after]


def slip(st: Any) -> None:
    require(st.place == Place.S0 or st.place == Place.S2)
    st.place = Place.A if st.place == Place.S0 else Place.X


def arrives(st: Any) -> bool:
    return st.place == Place.DONE


@pytest.mark.parametrize("engine", ["direct", "plain", "compiled"])
def test_the_stem_is_least_where_a_fault_is_possible_at_unequal_depths(engine: str) -> None:
    """The run that slips first has 3 steps; the run that slips in S2 has 4."""
    names = {
        "__name__": "slips",
        "place": field(Place),
        "go": action(go),
        "slip": fault(slip),
        "arrives": eventually(arrives),
    }
    model = Model("slips", names)
    system = build(model, model.configure({}, {}, {"slip": 1}))
    claims = system.properties()
    result = compiled.check(system, claims) if engine == "compiled" else check(system, claims, engine=engine)
    found = result.properties[0].counterexample
    assert found is not None and (found.trace.faults, found.trace.loop) == (1, 3)
