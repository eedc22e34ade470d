"""Sequences, records and optional values: how they are declared, kept, shown, and what plain Python makes of them."""

from __future__ import annotations

import copy
import itertools
import random
from collections import Counter
from enum import Enum
from types import SimpleNamespace
from typing import Any

import pytest

from onceproof import Bag, Count, Model, ModelError, Optional, Seq, Set, Sort, System, action, build, field, record
from onceproof.model.language.composites import COMPOSITE, parts_of, value_of_all_parts
from onceproof.model.language.declare import Action
from onceproof.model.language.errors import Disabled
from onceproof.model.language.members import rows
from onceproof.model.language.mode import enter, leave
from onceproof.model.language.run import RunMode
from onceproof.model.language.value_kinds import parts_of_value, value_of_parts
from tests.helpers.snippets import KINDS, blocks, model_of


class Node(Sort, default=2):
    """A node."""


class Color(Enum):
    RED, GREEN = range(2)


@record
class Vote:
    term: Count(2)  # type: ignore[valid-type]
    voter: Node
    color: Optional[Color]


chan = field(Node, Seq(Vote, 2))
last = field(Optional[Vote])
log = field(Seq(Node, 2))


@action
def step(st: Any, node: Node) -> None:
    """A vote is cast."""
    st.last = Vote(1, node, None)
    st.chan[node].append(Vote(2, node, Color.GREEN))
    st.log.append(node)


def system() -> System:
    return build(Model("votes", {"chan": chan, "last": last, "log": log, "step": step, "__name__": "votes"}))


# -- as the author sees it


def test_a_state_is_shown_as_the_author_declared_it() -> None:
    model = system()
    after = model.step(model.initial, model.parse_step("step", {"node": "node2"}))
    assert after is not None
    assert model.layout.show(after) == {
        "chan": {"node1": [], "node2": [{"term": 2, "voter": "node2", "color": "GREEN"}]},
        "last": {"term": 1, "voter": "node2", "color": None},
        "log": ["node2"],
    }
    assert model.layout.parse(model.layout.show(after)) == after
    assert model.layout.changes(model.initial, after) == {
        "chan[node2]": ([], [{"term": 2, "voter": "node2", "color": "GREEN"}]),
        "last": (None, {"term": 1, "voter": "node2", "color": None}),
        "log": ([], ["node2"]),
    }


@pytest.mark.parametrize(
    "value",
    [
        {"term": 3, "voter": "node1", "color": None},
        {"term": 1, "voter": None, "color": None},
        {"term": 1, "voter": "node3", "color": None},
        {"term": True, "voter": "node1", "color": None},
        {"term": 1, "voter": "node1"},
        {"term": 1, "voter": "node1", "color": None, "more": 1},
        ["node1"],
        "node1",
    ],
)
def test_what_no_state_shows_is_no_state(value: Any) -> None:
    model = system()
    shown = {**model.layout.show(model.initial), "last": value}
    with pytest.raises(ModelError, match="no proper value for `last`"):
        model.layout.parse(shown)


def test_a_sequence_that_is_too_long_is_no_state() -> None:
    model = system()
    shown = {**model.layout.show(model.initial), "log": ["node1"] * 3}
    with pytest.raises(ModelError, match="no proper value for `log`"):
        model.layout.parse(shown)


def test_parts_are_named_as_an_author_would_write_them() -> None:
    model = system()
    labels = [place.label(key) for place, key in model.layout.labels]
    assert "len(chan[node1])" in labels
    assert "chan[node2][1].voter" in labels
    assert "(chan[node2][1].color is not None)" in labels
    assert "last.term" in labels
    assert model.model.field_names == ("chan", "last", "log")


# -- declarations


@pytest.mark.parametrize(
    ("declare", "message"),
    [
        (lambda: Seq(Node, 0), "a whole number from 1 to 64, found 0"),
        (lambda: Seq(Node, 2, drop="oldest"), 'expected "new" or "old"'),  # type: ignore[arg-type]
        (lambda: Seq(int, 2), "an element of a sequence: a whole number needs an end: write Count\\(n\\), for 0 to n"),
        (lambda: Seq(str, 2), "an element of a sequence is bool, an Enum, a Sort, .* not str"),
        (lambda: Seq(Seq(Node, 2), 2), "cannot be a collection: give the field one more index"),
        (lambda: field(Optional[int]), "a whole number needs an end"),
        (lambda: field(str), "a field holds"),
    ],
)
def test_what_has_no_finite_kind_is_refused(declare: Any, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        declare()


def test_a_record_with_an_unbounded_part_is_refused() -> None:
    with pytest.raises(ModelError, match="`term` of record `Bad`: a whole number needs an end: write Count"):

        @record
        class Bad:
            term: int

    with pytest.raises(ModelError, match=r"`names` of record `Worse` is bool, an Enum, .* not"):

        @record
        class Worse:
            names: list[str]

    with pytest.raises(ModelError, match="record `Empty` has no attributes"):

        @record
        class Empty:
            pass


def test_an_initial_value_that_does_not_fit_is_refused() -> None:
    for init, message in (([0, 1, 2], "it is full with 2"), ([5], "out of range"), (3, "expected a list")):
        names = {"log": field(Seq(Node, 2), init=init), "step": step, "chan": chan, "last": last, "__name__": "m"}
        with pytest.raises(ModelError, match=message):
            build(Model("m", names))


def test_initial_values_may_depend_on_the_indices() -> None:
    make: Any = Vote  # of a number in place of an element
    names = {
        "chan": field(Node, Seq(Vote, 2), init=lambda node: [make(1, node, Color.GREEN)]),
        "last": last,
        "log": log,
        "step": step,
        "__name__": "m",
    }
    model = build(Model("m", names))
    assert model.layout.show(model.initial)["chan"]["node2"] == [{"term": 1, "voter": "node2", "color": "GREEN"}]


def test_a_record_is_a_value() -> None:
    first: Any = 0
    vote = Vote(1, first, None)
    with pytest.raises(ModelError, match="a Vote is a value and does not change"):
        vote.term = 2  # type: ignore[misc]
    assert vote == Vote(1, first, None)
    assert len({vote, Vote(1, first, None)}) == 1


# -- plain Python: the same function on lists, records and numbers that know nothing of the state


class Plain(SimpleNamespace):
    """A state of plain lists and records: attributes, or dictionaries from an element to one."""


class PlainBag:
    """A set or a bag without an end, as a plain list of what is in it."""

    def __init__(self, values: list[Any], once: bool) -> None:
        self.values, self.once = values, once

    def __iter__(self) -> Any:
        return iter(self.values)

    def __len__(self) -> int:
        return len(self.values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PlainBag) and Counter(self.values) == Counter(other.values)

    __hash__ = None  # type: ignore[assignment]

    def add(self, value: Any) -> None:
        if not self.once or value not in self.values:
            self.values.append(value)

    send = add

    def remove(self, value: Any) -> None:
        self.values.remove(value)

    def discard(self, value: Any) -> None:
        if value in self.values:
            self.values.remove(value)

    def receive(self, value: Any) -> None:
        if value not in self.values:
            raise Disabled
        self.values.remove(value)

    def clear(self) -> None:
        self.values.clear()

    def count(self, value: Any) -> int:
        return self.values.count(value)

    def update(self, more: Any) -> None:
        for value in more:
            self.add(value)


def members(kind: Any, codes: list[int], model: System) -> list[Any]:
    """What is in a set or a bag, by its cells."""
    kinds = [part.kind for part in parts_of_value(kind.element, "", "", False)]
    found = []
    for row, times in zip(rows(kind.element, model.sizes), codes, strict=True):
        parts = [one.decode(code) for one, code in zip(kinds, row, strict=True)]
        found += [value_of_parts(kind.element, parts)] * times
    return found


def plain(model: System, state: tuple[int, ...]) -> Plain:
    """The state as plain values."""
    found: dict[str, Any] = {}
    for name, cells in model.layout.cells.items():
        values: list[Any] = []
        for cell in cells:
            codes = [state[slot] for slot in cell.slots]
            kind = cell.kind
            if isinstance(kind, Set | Bag):
                values.append(PlainBag(members(kind, codes, model), isinstance(kind, Set)))
            elif isinstance(kind, COMPOSITE):
                parts = [part.kind.decode(code) for part, code in zip(parts_of(kind), codes, strict=True)]
                values.append(value_of_all_parts(kind, parts))
            else:
                values.append(kind.decode(codes[0]))
        found[name] = dict(enumerate(values)) if cells[0].key else values[0]
    return Plain(**found)


def outcome(taken: Action, st: Plain, arguments: tuple[int, ...]) -> Plain | str | None:
    """The state after the function ran on plain values; None where a guard is false; where it fails, how."""
    try:
        taken.function(st, *arguments)
    except Disabled:
        return None
    except Exception as error:
        return type(error).__name__
    return st


def changes_a_record(body: str) -> bool:
    return any(f".{name} {sign}" in body for name in ("term", "to", "voter", "color", "vote") for sign in ("= ", "+= "))


WHOLE = blocks(KINDS["composite values"].right)


@pytest.mark.parametrize("body", [one for one in WHOLE if not changes_a_record(one) and "choose_from" not in one])
def test_snippet_does_what_plain_python_does(body: str) -> None:
    model = model_of("plain", body, KINDS["composite values"])
    taken = model.actions["step"] if "step" in model.actions else model.model.actions["step"]
    chance = random.Random(7)
    ranges = [place.cardinality for place in model.layout.places.values() for _ in range(place.cells)]
    fixed = {slot for slot, (place, _) in enumerate(model.layout.labels) if place.field and place.field.constant}
    mode = RunMode(model.sizes)
    for _, arguments in itertools.product(range(8), itertools.product(range(2), repeat=2)):
        drawn = [model.initial[s] if s in fixed else chance.randrange(n) for s, n in enumerate(ranges)]
        state = model.layout.repaired(tuple(drawn))
        enter(mode)
        try:
            expected = outcome(taken, copy.deepcopy(plain(model, state)), arguments)
        finally:
            leave()
        try:
            after = model.run_action(taken, state, arguments)
        except ModelError as error:
            # It may be full, or leave a range, which plain lists and numbers know nothing of.
            assert (
                isinstance(expected, str)
                or "full" in error.message
                or "times already" in error.message
                or "is not within" in error.message
                or ("expected a" in error.message)
            ), error
            continue
        if after is None:
            assert expected is None
            continue
        assert isinstance(expected, Plain)
        found = plain(model, after)
        for name, cells in model.layout.cells.items():
            kind = cells[0].kind
            mine, theirs = getattr(found, name), getattr(expected, name)
            if isinstance(kind, Count):
                theirs = kind.clipped(theirs)
            if isinstance(kind, Seq | Bag) and kind.drop is not None:
                continue
            assert mine == theirs, (name, state, arguments)
