"""States that differ by which element is which count as one only where no step and no property tells them apart."""

from collections.abc import Callable
from enum import Enum
from math import factorial
from typing import Any

import pytest

from onceproof.model.checker import compiled
from onceproof.model.checker.compiled.codegen.representative import plain_changes
from onceproof.model.checker.explicit import engine as explicit
from onceproof.model.checker.ground.python_code import generated
from onceproof.model.checker.ground.symmetry import symmetric_ground
from onceproof.model.language import (
    Model,
    Optional,
    Sort,
    System,
    action,
    always,
    build,
    eventually,
    field,
    given,
    require,
)
from onceproof.model.language.declare import Property
from onceproof.model.language.layout import State as PackedState
from onceproof.model.protocol.system import PROTOCOL
from tests.helpers.random_models import random_system
from tests.helpers.written_models import written_model


class Node(Sort, default=3, symmetric=True):
    """One that votes, and then acts."""


def vote(st: Any, node: Node) -> None:
    st.voted[node] = True


def act(st: Any, node: Node) -> None:
    require(st.voted[node])
    st.acted[node] = True


def the_last_one_acts_alone(st: Any) -> bool:
    last = None
    for node in Node:
        if st.voted[node]:
            last = node
    given(sum(st.voted[node] for node in Node) == 3)
    given(sum(st.acted[node] for node in Node) == 1)
    return last is None or not st.acted[last]


def two_act(st: Any) -> bool:
    return sum(st.acted[node] for node in Node) <= 2


def system(claim: Property) -> System:
    fields = {"voted": field(Node, bool), "acted": field(Node, bool)}
    return build(Model("votes", {**fields, "vote": action(vote), "act": action(act), "claim": claim}))


@pytest.mark.parametrize(
    ("claim", "symmetry", "states", "length"),
    [
        (the_last_one_acts_alone, "none", 27, 4),  # it tells the third node from the others
        (two_act, "node", 10, 6),  # a sum does not
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_property_that_tells_elements_apart_limits_symmetry(
    claim: Callable[..., bool], symmetry: str, states: int, length: int
) -> None:
    built = system(always(claim))
    plain, found = explicit.check(built), compiled.check(built, symmetry=True)
    assert plain.states == 27
    assert (found.symmetry, found.states) == (symmetry, states)
    for result in (plain, found):
        judged = result.property("claim")
        assert judged is not None and judged.counterexample is not None
        assert len(judged.counterexample.trace) == length


def vote_for_itself(st: Any, node: Node) -> None:
    st.choice[node] = node


def nobody_votes_for_another(st: Any, node: Node) -> bool:
    return st.choice[node] is None or st.choice[node] == node


def test_cells_that_hold_only_their_own_index_are_exchanged() -> None:
    """The first node's cell is 0 or 1, the third node's 0 or 3: they must be packed alike all the same."""
    fields = {"choice": field(Node, Optional[Node]), "vote": action(vote_for_itself)}
    built = build(Model("votes", {**fields, "claim": always(nobody_votes_for_another)}))
    plain, found = explicit.check(built), compiled.check(built, symmetry=True)
    assert (plain.states, found.states, found.symmetry) == (8, 4, "node")
    assert plain.verdict is found.verdict


class Stage(Enum):
    """How far a task is."""

    NEW = 0
    ASKED = 1
    LEFT = 2
    DONE = 3


class Task(Sort, default=2, symmetric=True):
    """One is asked for and left; then all others end by themselves."""


def ask(st: Any, task: Task) -> None:
    require(st.stage[task] == Stage.NEW)
    require(not any(st.stage[other] in (Stage.ASKED, Stage.LEFT) for other in Task))
    st.stage[task] = Stage.ASKED


def leave(st: Any, task: Task) -> None:
    require(st.stage[task] == Stage.ASKED)
    st.stage[task] = Stage.LEFT


def end(st: Any, task: Task) -> None:
    require(st.stage[task] == Stage.NEW)
    require(any(st.stage[other] == Stage.LEFT for other in Task))
    st.stage[task] = Stage.DONE


def what_is_asked_is_done(st: Any, task: Task) -> bool:
    given(st.stage[task] == Stage.ASKED)
    return st.stage[task] == Stage.DONE


def what_is_asked_is_left(st: Any, task: Task) -> bool:
    given(st.stage[task] == Stage.ASKED)
    return st.stage[task] == Stage.LEFT


def all_is_left(st: Any) -> bool:
    return all(st.stage[task] == Stage.LEFT for task in Task)


@pytest.mark.parametrize(
    ("claim", "verdict", "symmetry"),
    [
        # at rest one task is left and one is done: which one was asked for shows only if it is followed through changes
        # of place
        (what_is_asked_is_done, "violated", "none"),
        (what_is_asked_is_left, "holds", "task"),
        (all_is_left, "violated", "none"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_liveness_obligations_follow_elements_that_are_permuted(
    claim: Callable[..., bool], verdict: str, symmetry: str
) -> None:
    declared = {"stage": field(Task, Stage), "ask": action(ask), "leave": action(leave), "end": action(end)}
    built = build(Model("tasks", {**declared, "claim": eventually(claim)}))
    claims = built.properties(["claim"])
    plain, found = explicit.check(built, claims), compiled.check(built, claims, symmetry=True)
    assert plain.verdict.value == found.verdict.value == verdict
    assert found.symmetry == symmetry
    assert found.states == (plain.states if symmetry == "none" else 4)


def start(st: Any, task: Task) -> None:
    require(not st.started)
    st.started = True
    st.token[task] = True


def hand_on(st: Any, task: Task, other: Task) -> None:
    require(st.token[task])
    require(not st.token[other])
    st.token[task] = False
    st.token[other] = True


def stop(st: Any, task: Task) -> None:
    require(st.token[task])
    st.stopped = True


def in_the_end_one_stops(st: Any) -> bool:
    given(st.started)
    return st.stopped


def test_cycle_closed_by_a_permutation_is_checked_without_symmetry() -> None:
    """Whoever has the token may hand it on before it stops, for ever: to states that one state stands for."""
    fields = {"token": field(Task, bool), "started": field(bool), "stopped": field(bool)}
    moves = {"start": action(start), "hand_on": action(hand_on), "stop": action(stop)}
    built = build(Model("token", {**fields, **moves, "claim": eventually(in_the_end_one_stops)}))
    plain, found = explicit.check(built), compiled.check(built, symmetry=True, max_memory=1 << 28)
    assert plain.verdict.value == found.verdict.value == "violated"
    assert found.symmetry == "none"
    assert any("explored without symmetry reduction" in note for note in found.notes)


def orbits(built: System) -> int | None:
    """How many kinds of reachable states there are, up to symmetry: the least of all that exchanges make of each.

    None where a ``Fresh`` parameter takes the first of elements that are not alike, which its declaration rules out.
    """
    _, exchanges = symmetric_ground(built, built.properties())
    code = generated(built)

    def least(state: PackedState) -> PackedState:
        alike = [state]
        for one in alike:
            alike += [other for other in (exchange.apply(one) for exchange in exchanges) if other not in alike]
        return min(alike)

    def candidates_are_alike(state: PackedState) -> bool:
        for name in built.actions:
            for group in built.candidates(name):
                afters = [built._run(name, state, arguments) for arguments in group]
                if len({least(after) for after in afters if after is not None}) > 1:
                    return False
        return True

    queue = [built.initial]
    seen = {built.initial}
    for state in queue:
        if not candidates_are_alike(state):
            return None
        for _, after in code.successors(state):
            if after not in seen:
                seen.add(after)
                queue.append(after)
    return len({least(state) for state in queue})


@pytest.mark.parametrize("start", range(0, 60, 20))
def test_symmetry_counts_one_state_for_each_orbit_of_random_models(start: int) -> None:
    counted = 0
    for seed in range(start, start + 20):
        built = random_system(seed)
        expected = orbits(built)
        claims = [claim for claim in built.properties() if not claim.is_liveness]
        found = compiled.check(built, claims, symmetry=True)
        if expected is None or any("and some that will do differ" in note for note in found.notes):
            assert found.states == compiled.check(built, claims).states, seed
        else:
            assert found.states == expected, seed
            counted += 1
    assert counted > 12


FRESH = """
from onceproof import *


class Thing(Sort, default=3, symmetric=True):
    \"\"\"Things that are alike at first.\"\"\"


mark = field(Thing, bool)
used = field(Thing, bool)
turned = field(Count(3, saturate=True))


@action
def touch(st, x: Thing):
    st.mark[x] = True


@action
def take(st, x: Fresh[Thing]):
    require(not st.used[x])
    st.used[x] = True
    if st.mark[x]:
        st.turned += 1
"""


def test_fresh_elements_that_differ_are_explored_without_symmetry_reduction() -> None:
    built = build(written_model(FRESH, "fresh"))
    whole, found = (compiled.check(built, symmetry=symmetry) for symmetry in (False, True))
    assert (found.states, found.transitions, found.symmetry) == (whole.states, whole.transitions, "none")
    assert "`take` takes the first `x` that will do, and some that will do differ" in found.notes[0]


def test_fresh_elements_that_are_alike_are_reduced() -> None:
    guarded = FRESH.replace("require(not st.used[x])", "require(not st.used[x] and not st.mark[x])")
    built = build(written_model(guarded, "fresh"))
    found = compiled.check(built, symmetry=True)
    assert (found.states, found.symmetry) == (20, "thing")
    assert found.states < compiled.check(built).states


@pytest.mark.parametrize(("sizes", "budgets"), [({}, {"reply_loss": 1}), ({"tasks": 2, "schedulers": 1}, {})])
def test_symmetry_counts_one_state_for_each_orbit_of_the_protocol(
    sizes: dict[str, int], budgets: dict[str, int]
) -> None:
    built = build(PROTOCOL, PROTOCOL.configure(sizes, {}, budgets))
    found = compiled.check(built, symmetry=True)
    assert found.states == orbits(built)
    assert found.states < compiled.check(built).states


@pytest.mark.parametrize("size", range(1, 6))
def test_exchanges_of_neighbours_reach_all_permutations(size: int) -> None:
    order = list(range(size))
    seen = {tuple(order)}
    for at in plain_changes(size):
        order[at : at + 2] = order[at + 1], order[at]
        seen.add(tuple(order))
    assert len(seen) == len(plain_changes(size)) + 1 == factorial(size)


@pytest.mark.parametrize("seed", range(40))
def test_symmetry_gives_the_same_liveness_verdicts_on_random_models(seed: int) -> None:
    built = random_system(seed)
    plain, found = explicit.check(built), compiled.check(built, symmetry=True)
    assert {p.name: p.verdict for p in plain.properties} == {p.name: p.verdict for p in found.properties}


def test_symmetry_judges_the_liveness_of_the_protocol() -> None:
    built = build(PROTOCOL, PROTOCOL.configure({"tasks": 2}, {}, {"scheduler_crash": 1}))
    whole, found = compiled.check(built), compiled.check(built, symmetry=True)
    assert (whole.states, found.states) == (1260480, 80654)
    assert found.symmetry == "task, message, scheduler, agent"
    assert {p.name: p.verdict for p in whole.properties} == {p.name: p.verdict for p in found.properties}
    assert found.verdict.value == "holds"
