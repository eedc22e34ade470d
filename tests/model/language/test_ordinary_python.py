"""Loops, sums and comprehensions over a sort mean what they mean in Python, in every engine, whoever wrote them how."""

import types
from collections.abc import Callable
from typing import Any

import pytest

from onceproof.model.checker.explicit import engine as plain
from onceproof.model.checker.prover.encoding import encode
from onceproof.model.checker.tla import export
from onceproof.model.language import (
    Count,
    Model,
    ModelError,
    Optional,
    Sort,
    action,
    always,
    build,
    field,
    forall,
    require,
)
from tests.model.checker.tla.tla_reader import Module


class Node(Sort, default=3):
    """One that votes."""


SORTS = types.SimpleNamespace(Node=Node)


def vote(st: Any, node: Node) -> None:
    require(not st.voted[node])
    st.voted[node] = True
    st.weight[node] = st.weight[node] + 1


def sum_with_a_condition(st: Any) -> None:
    require(sum(1 for node in Node if st.voted[node]) >= 2)
    st.leader = True


def sum_of_truths(st: Any) -> None:
    require(2 * sum(st.voted[node] for node in Node) > len(Node))
    st.leader = True


def length_of_a_list(st: Any) -> None:
    require(len([node for node in Node if st.voted[node]]) >= 2)
    st.leader = True


def counted_by_hand(st: Any) -> None:
    votes = 0
    for node in Node:
        if st.voted[node]:
            votes += 1
    require(votes >= 2)
    st.leader = True


def counted_in_a_list(st: Any) -> None:
    seen = []
    for node in Node:
        if st.voted[node]:
            seen.append(node)
    require(len(seen) >= 2)
    st.leader = True


def counted_by_a_helper(st: Any) -> None:
    seen = []  # type: ignore[var-annotated]
    for node in Node:
        if st.voted[node]:
            note(seen, node)
    require(len(seen) >= 2)
    st.leader = True


def note(seen: list[Any], node: Node) -> None:
    seen.append(node)


def counted_by_a_function_inside(st: Any) -> None:
    seen = []

    def look(node: Node) -> None:
        if st.voted[node]:
            seen.append(node)

    for node in Node:
        look(node)
    require(len(seen) >= 2)
    st.leader = True


def counted_over_an_attribute(st: Any) -> None:
    votes = 0
    for node in SORTS.Node:
        if st.voted[node]:
            votes = votes + 1
    require(votes >= 2)
    st.leader = True


def left_early(st: Any) -> None:
    votes = 0
    for node in Node:
        votes = votes + st.voted[node]
        if votes == 2:
            break
    require(votes == 2)
    st.leader = True


def counted_in_a_field(st: Any) -> None:
    require(not st.leader)
    st.most = 0
    for node in Node:
        if st.voted[node]:
            st.most += 1
    if st.most < 2:
        st.most = 0
    st.leader = st.most >= 2
    require(st.leader)
    st.most = 0


MAJORITIES = [
    sum_with_a_condition,
    sum_of_truths,
    length_of_a_list,
    counted_by_hand,
    counted_in_a_list,
    counted_by_a_helper,
    counted_by_a_function_inside,
    counted_over_an_attribute,
    left_early,
    counted_in_a_field,
]


def any_of_them(st: Any) -> None:
    require(any(st.voted[node] for node in Node))
    st.leader = True


def all_of_them(st: Any) -> None:
    require(all(st.voted[node] for node in Node))
    st.leader = True


def guard_in_a_loop(st: Any) -> None:
    for node in Node:
        require(st.voted[node])
    st.leader = True


def greatest(st: Any) -> None:
    st.most = max(st.weight[node] for node in Node)


def first_that_voted(st: Any) -> None:
    require(st.chosen is None)
    st.chosen = next((node for node in Node if st.voted[node]), None)


def one_of_them(st: Any, node: Node) -> None:
    require(node in [other for other in Node if st.voted[other]])
    st.chosen = node


def house(step: Callable[..., Any]) -> Model:
    """Three who vote, once each, and what is to be tried."""
    return Model(
        "votes",
        {
            "__name__": "votes",
            "voted": field(Node, bool),
            "weight": field(Node, Count(1)),
            "most": field(Count(3)),
            "leader": field(bool),
            "chosen": field(Optional[Node]),
            "vote": action(vote),
            "step": action(step),
            "all_voted": always(lambda st: not forall(Node, lambda node: st.voted[node])),
            "few_voted": always(two_votes),
        },
    )


def two_votes(st: Any) -> bool:
    return sum(st.weight[node] for node in Node) <= 2 and sum(st.voted[node] for node in Node) < 3


def counts(step: Callable[..., Any]) -> tuple[int, int]:
    """States and transitions as the functions have it that are run, and as those have it that are reading."""
    system = build(house(step))
    found = [plain.check(system, engine=engine) for engine in ("plain", "direct")]
    assert (found[0].states, found[0].transitions) == (found[1].states, found[1].transitions)
    for one in found:
        assert {p.name: p.counterexample and len(p.counterexample.trace) for p in one.properties[:2]} == {
            "all_voted": 3,
            "few_voted": 3,
        }
    text = export.export(system, "Votes", system.properties()).module
    assert len(Module(text).reachable()) == found[0].states
    return found[0].states, found[0].transitions


@pytest.mark.parametrize("step", MAJORITIES, ids=lambda step: step.__name__)
def test_majority_is_the_same_however_it_is_counted(step: Callable[..., None]) -> None:
    # Eight sets of voters, of which four are a majority and may have a leader.
    states, transitions = counts(step)
    again = 0 if step is counted_in_a_field else 4  # the others may lead again, which changes nothing
    assert (states, transitions) == (12, 12 + 3 + 4 + again)


@pytest.mark.parametrize(
    ("step", "states"),
    [
        (any_of_them, 8 + 7),
        (all_of_them, 8 + 1),
        (guard_in_a_loop, 8 + 1),
        (greatest, 8 + 7),
        (first_that_voted, 8 + 3 * 4),
        (one_of_them, 8 + 3 * 4),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_python_idiom_has_the_expected_states(step: Callable[..., None], states: int) -> None:
    assert counts(step)[0] == states


@pytest.mark.parametrize("step", [*MAJORITIES[:-1], greatest], ids=lambda step: step.__name__)
def test_encoding_for_any_size_refuses_counting_with_its_line(step: Callable[..., None]) -> None:
    model = house(step)
    with pytest.raises(ModelError, match=r"action `step`, test_ordinary_python.py:\d+:\d+: .*any number of elements"):
        encode(model, model.configure(), [])
