"""``@initial`` functions: what they may say, how several go together, and what is refused in one line."""

from collections.abc import Callable
from typing import Any

import pytest

from onceproof.model.checker.agreement.comparison import check_agreement
from onceproof.model.language import (
    Int,
    Model,
    ModelError,
    Optional,
    Seq,
    Set,
    Sort,
    action,
    build,
    choose,
    choose_from,
    field,
    initial,
    parameter,
    require,
    switch,
)


class Node(Sort, default=3):
    """A node."""


def start_of(declared: type, **switches: bool) -> list[tuple[dict[str, Any], dict[str, str]]]:
    """The initial states as people read them, each with its choices."""
    model = Model("start", declared)
    system = build(model, model.configure({}, switches))
    check_agreement(system)
    return [(system.layout.show(state), system.named_arguments(step)) for state, step in system.starts.items()]


def test_without_one_each_field_starts_as_it_is_declared() -> None:
    class Still:
        level = field(Int(0, 3), init=2)

    assert start_of(Still) == [({"level": 2}, {})]


def test_each_way_to_choose_is_an_initial_state_and_the_first_way_counts() -> None:
    class Pair:
        one = field(Int(0, 3))
        other = field(Int(0, 3), init=3)

        @initial
        def unequal(st: Any) -> None:
            a, b = choose_from([0, 1]), choose_from([0, 1])
            require(a != b)
            st.one = a + b
            if a == 0:
                st.other = choose_from([1, 2])

    assert start_of(Pair) == [
        ({"one": 1, "other": 1}, {"choice": "0", "choice_2": "1", "other": "1"}),
        ({"one": 1, "other": 2}, {"choice": "0", "choice_2": "1", "other": "2"}),
        ({"one": 1, "other": 3}, {"choice": "1", "choice_2": "0"}),
    ]


def test_what_it_wrote_can_be_read_and_all_kinds_of_fields_can_be_filled() -> None:
    class Full:
        most = parameter(default=2)
        early = switch(on="it leads from the start", off="nobody leads", default=True)
        leader = field(Optional[Node])
        dead = field(Node, bool, init=lambda node: node == 1)
        log = field(Node, Seq(Node, 2))
        votes = field(Node, Set(Node))
        term = field(Int(0, 5))

        @initial
        def led(st: Any) -> None:
            if st.early:
                st.leader = choose(Node, lambda node: not st.dead[node])
                for node in Node:
                    if st.leader == node:
                        st.log[node].append(node)
                        st.votes[node].add(node)
            st.term = st.most + st.most

    found = [state for state, _ in start_of(Full)]
    assert [state["leader"] for state in found] == ["node1", "node3"]
    assert found[1]["log"] == {"node1": [], "node2": [], "node3": ["node3"]}
    assert found[1]["votes"] == {"node1": [], "node2": [], "node3": ["node3"]}
    assert {state["term"] for state in found} == {4}
    assert [state["leader"] for state, _ in start_of(Full, early=False)] == [None]


def test_several_functions_are_all_taken_each_for_its_own_fields() -> None:
    class Both:
        lit = field(Node, bool)
        holder = field(Node)

        @initial
        def lamps(st: Any) -> None:
            some = choose(Node)
            st.lit[some] = True

        @initial
        def holds(st: Any) -> None:
            some = choose(Node)
            st.holder = some

    found = start_of(Both)
    assert len(found) == 9
    assert found[5] == (
        {"lit": {"node1": False, "node2": True, "node3": False}, "holder": "node3"},
        {"some": "node2", "some_2": "node3"},
    )


def named(name: str, function: Callable[..., None]) -> Callable[..., None]:
    function.__name__ = name
    return function


def writes_two(st: Any) -> None:
    st.two = st.one


def writes_one(st: Any) -> None:
    st.one = choose_from([1, 2])


def writes_one_too(st: Any) -> None:
    st.one = 2


def nothing_allowed(st: Any) -> None:
    st.one = choose_from([1, 2])
    require(st.one > 2)


def too_much(st: Any) -> None:
    st.one = choose_from(range(7))


def fails(st: Any) -> None:
    st.one = choose_from([1, 2])
    assert st.one != 2


def writes_a_constant(st: Any) -> None:
    st.fixed = 2


def a_step_of_that_name(st: Any) -> None:
    st.two = 1


def broken(*functions: Any) -> None:
    """Builds a model of these functions and asks for its initial states."""
    declared = {function.name: function for function in functions}
    fields = {
        "one": field(Int(0, 3)),
        "two": field(Int(0, 3)),
        "fixed": field(Int(0, 3), constant=True),
    }
    assert build(Model("start", {**fields, **declared})).initials


@pytest.mark.parametrize(
    ("functions", "said"),
    [
        ((writes_two, writes_one), "@initial `writes_two`, test_initials.py:.*: it reads `one`, which `writes_one`"),
        ((writes_one, writes_one_too), "it writes `one`, which `writes_one_too` writes: it would matter"),
        ((nothing_allowed,), "@initial `nothing_allowed`, test_initials.py:.*: there is no initial state"),
        ((too_much,), r"@initial `too_much`, test_initials.py:.*: `one`: "),
        ((fails,), "@initial `fails`, test_initials.py:.*: AssertionError"),
        ((writes_a_constant,), "@initial `writes_a_constant`, test_initials.py:.*: `fixed` is constant"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_with_its_line(functions: tuple[Any, ...], said: str) -> None:
    with pytest.raises(ModelError) as found:
        broken(*map(initial, functions))
    assert type(found.value) is ModelError  # a violation of a range has a run, and here there is none
    assert found.match(said)


def test_it_takes_the_state_alone() -> None:
    def lit(st: Any, node: Node) -> None:
        st.lit[node] = True

    with pytest.raises(ModelError, match=r"`lit` is an @initial function, and takes the state alone: .*choose"):
        initial(lit)


def test_no_action_is_called_as_the_start_is() -> None:
    with pytest.raises(ModelError, match="an action cannot be called `initially`"):
        Model("start", {"two": field(Int(0, 3)), "initially": action(named("initially", a_step_of_that_name))})


def test_the_start_is_no_action() -> None:
    class Idle:
        level = field(Int(0, 3))

        @initial
        def any_level(st: Any) -> None:
            st.level = choose_from(range(4))

    system = build(Model("idle", Idle))
    assert not system.actions and [list(system.successors(state)) for state in system.initials] == [[]] * 4
    with pytest.raises(ModelError, match="unknown action `any_level`"):
        system.parse_step("any_level", {})
