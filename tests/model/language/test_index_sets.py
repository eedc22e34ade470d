"""Numbers with bounds, fields that enums and numbers index, ordered sorts: alike in every engine, or refused."""

import functools
import itertools
from collections.abc import Callable
from enum import Enum
from typing import Any, cast

import pytest

from onceproof.model.checker import compiled
from onceproof.model.checker.agreement.comparison import check_agreement
from onceproof.model.checker.explicit import engine as explicit
from onceproof.model.checker.prover.induction import prove
from onceproof.model.checker.results import CheckResult, Verdict
from onceproof.model.checker.tla.export import export
from onceproof.model.language import (
    Count,
    Fresh,
    Int,
    Model,
    ModelError,
    Ordered,
    Sort,
    action,
    always,
    build,
    field,
    first,
    last,
)
from onceproof.model.language.sorts import SortType
from tests.model.checker.tla import tlc
from tests.models.thermometer import THERMOMETER


class Node(Ordered, default=3):
    """A node in a row."""


class Colour(Enum):
    """A colour."""

    RED, GREEN = range(2)


NAMESAKE = SortType("Colour", (Sort,), {})


def by_hand(coats: int, floors: int) -> tuple[int, int]:
    """States and transitions of the thermometer, from a program that shares no code with onceproof."""
    initial: tuple[Any, ...] = (-2, -6, (False,) * 3, (0, 0), 0, 0)
    seen, queue, transitions = {initial}, [initial], 0
    for degrees, felt, noted, painted, lit, lift in queue:
        found = []
        if degrees < 3:
            found.append((degrees + 1, felt, noted, painted, lit, lift))
        if degrees > -2:
            found.append((degrees - 1, felt, noted, painted, lit, lift))
        if -1 <= degrees <= 1:
            struck = tuple(one != (place == degrees + 1) for place, one in enumerate(noted))
            found.append((degrees, felt, struck, painted, lit, lift))
        if degrees != 0:
            now = degrees * degrees // degrees * 2 % 5 - abs(degrees) + min(degrees, 1)
            found.append((degrees, now, noted, painted, lit, lift))
        found.append((degrees, felt, noted, painted, 1 - lit, lift))
        if painted[lit] < coats:
            more = tuple(one + (place == lit) for place, one in enumerate(painted))
            found.append((degrees, felt, noted, more, lit, lift))
        if lift < floors - 1:
            found.append((degrees, felt, noted, painted, lit, lift + 1))
        if lift > 0:
            found.append((degrees, felt, noted, painted, lit, lift - 1))
        transitions += len(found)
        for after in found:
            if after not in seen:
                seen.add(after)
                queue.append(after)
    return len(seen), transitions


@functools.cache
def results(coats: int, floors: int) -> list[CheckResult]:
    system = build(THERMOMETER, THERMOMETER.configure({"floors": floors}, parameters={"coats": coats}))
    check_agreement(system, system.properties())
    found = [explicit.check(system, engine=engine) for engine in ("plain", "direct")]
    return [*found, compiled.check(system), compiled.check(system, symmetry=True)]


@pytest.mark.parametrize(("coats", "floors"), [(1, 2), (2, 1)])
def test_every_engine_counts_what_a_program_by_hand_counts(coats: int, floors: int) -> None:
    counted = by_hand(coats, floors)
    for found in results(coats, floors):
        assert (found.states, found.transitions) == counted
        assert all(one.verdict is Verdict.HOLDS for one in found.properties), found


@pytest.mark.skipif(bool(tlc.why_not()), reason=tlc.why_not())
def test_tlc_counts_the_same() -> None:
    system = build(THERMOMETER, THERMOMETER.configure({"floors": 2}, parameters={"coats": 1}))
    exported = export(system, "thermometer", system.properties())
    (found,) = tlc.checked([("thermometer", exported.module, exported.configuration)])
    assert (found.error, found.violated) == ("", "")
    assert (found.states, found.transitions) == by_hand(1, 2)


def failing(body: Callable[[Any], None], **fields: Any) -> str:
    """What an engine says of a model whose only action fails in its first state."""
    model = Model("failing", {"__name__": "failing", "step": action(body), **fields})
    said = set()
    for engine in ("plain", "direct", "compiled"):
        with pytest.raises(ModelError) as caught:
            if engine == "compiled":
                compiled.check(build(model))
            else:
                explicit.check(build(model), engine=engine)
        said.add(caught.value.message)
    assert len(said) == 1, said
    return said.pop()


def beyond_the_end(st: Any) -> None:
    st.node = st.node + 1 if st.node == last(Node) else last(Node)


def before_the_start(st: Any) -> None:
    st.node = st.node - 1


def out_of_the_array(st: Any) -> None:
    st.cells[st.number * 2] = True


def divided_by_zero(st: Any) -> None:
    st.number = 1 // st.number


def rest_by_zero(st: Any) -> None:
    st.number = 1 % st.number


def too_large(st: Any) -> None:
    st.number = st.number * 3 + 3


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (beyond_the_end, "there is no Node after the last: ask `== last(Node)` before you add"),
        (before_the_start, "there is no Node before the first"),
        (out_of_the_array, "`cells` is indexed by [Int(0, 1)], found 2"),
        (divided_by_zero, "ZeroDivisionError"),
        (rest_by_zero, "ZeroDivisionError"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_step_out_of_range_fails_alike_in_every_engine(body: Callable[[Any], None], message: str) -> None:
    number = field(Int(0, 2), init=0 if "zero" in body.__name__ else 1)
    assert message in failing(body, node=field(Node), number=number, cells=field(Int(0, 1), bool))


def test_number_that_leaves_its_range_is_a_violation_in_every_engine() -> None:
    model = Model("large", {"__name__": "large", "number": field(Int(0, 2)), "step": action(too_large)})
    engines = [explicit.check(build(model), engine=engine) for engine in ("plain", "direct")]
    for found in (*engines, compiled.check(build(model))):
        (range_of,) = (one for one in found.properties if one.name == "range of number")
        assert range_of.verdict is Verdict.VIOLATED


def declared(**members: Any) -> Model:
    return Model("declared", {"__name__": "declared", **members})


@pytest.mark.parametrize(
    ("declare", "message"),
    [
        (lambda: field(Int(3, 1)), "3 is more than 1, so that there is no value"),
        (lambda: field(Int(0, 100_000)), "expected whole numbers from -10,000 to 10,000, found 100000"),
        (
            lambda: field(cast(Any, "Node"), bool),
            "a field is indexed by a Sort, an Enum or Int(low, high), not by 'Node'",
        ),
        (
            lambda: field(cast(Any, Count(2)), bool),
            "a field is indexed by a Sort, an Enum or Int(low, high), not by Count",
        ),
        (lambda: field(Node, Int(1, 2), network=True), "declare Int(0, high)"),
        (lambda: build(declared(x=field(Int(1, 3), init=0))), "field `x`, its init: 0 is not within 1 to 3"),
        (lambda: SortType("Both", (Sort,), {}, symmetric=True, ordered=True), "symmetric or ordered, not both"),
        (
            lambda: declared(x=field(Colour, bool), y=field(NAMESAKE)),
            "`Colour` is the name of a sort",
        ),
    ],
)
def test_meaningless_declaration_is_refused(declare: Callable[[], object], message: str) -> None:
    with pytest.raises(ModelError) as caught:
        declare()
    assert message in str(caught.value)


def test_ordered_elements_are_never_fresh() -> None:
    def take(st: Any, node: Fresh[Node]) -> None:
        st.node = node

    with pytest.raises(ModelError, match="elements of Node are ordered, and so never alike"):
        action(take)


def is_small(st: Any) -> bool:
    return bool(st.number <= 2)


def halve(st: Any, node: Node) -> None:
    st.number = st.number * st.number % 3
    st.owner[node] = node


def ordered(st: Any, node: Node) -> bool:
    return node >= first(Node)


def test_proof_takes_numbers_and_refuses_what_it_has_no_meaning_for() -> None:
    members = {"number": field(Int(-1, 5)), "owner": field(Node, Node), "halve": action(halve)}
    model = declared(small=always(is_small), **members)
    assert prove(model, model.configure()).proved
    for more, message in (
        ({"painted": field(Colour, bool), "small": always(is_small)}, "declare a field for each of its members"),
        ({"cells": field(Int(0, 3), bool), "small": always(is_small)}, "declare a sort"),
        ({"small": always(ordered)}, "its elements are gone through one after the other"),
    ):
        refused = declared(**members, **more)
        with pytest.raises(ModelError) as caught:
            prove(refused, refused.configure())
        assert message in str(caught.value)


def test_state_is_shown_and_parsed_by_values() -> None:
    layout = build(THERMOMETER).layout
    shown = layout.show(layout.initial)
    assert shown["degrees"] == -2
    assert shown["noted"] == {"-1": False, "0": False, "1": False}
    assert shown["painted"] == {"GREEN": 0, "RED": 0}
    for codes in itertools.product(range(2), repeat=2):
        state = (codes[0], codes[1], *layout.initial[2:])
        assert layout.parse(layout.show(state)) == state
