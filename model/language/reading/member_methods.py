"""What the methods of sets and bags in the state do."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from onceproof.model.language import wholes
from onceproof.model.language.composites import Bag, Set
from onceproof.model.language.errors import ModelError, misplaced
from onceproof.model.language.reading.interpreter import Interpreter
from onceproof.model.language.reading.member_cells import (
    Place,
    contains,
    current,
    every_place,
    is_in,
    places_of,
    times_at,
)
from onceproof.model.language.reading.sequences import items_of
from onceproof.model.language.reading.values import MembersView, Value, value_of
from onceproof.model.language.terms import FALSE, TRUE, Term, and_, boolean, ite, less, minus, not_, number, plus

SHARED = "`{name}` shares a set or a bag with another cell here: Python would change both. Make the change first"


def _write(interpreter: Interpreter, view: MembersView, place: Place, more: int, where: Term = TRUE) -> None:
    """Puts the value of a cell in once more, or takes it out once (of a set: at all)."""
    if view.declared.constant:
        raise ModelError(f"`{view.declared.name}` is constant")
    condition = interpreter.world.facts.simpler(and_(place.condition, where))
    if condition is FALSE:
        return
    value: Term = boolean(more > 0)
    if isinstance(view.kind, Bag):
        times = times_at(interpreter, view, place)
        value = plus(times, number(1)) if more > 0 else minus(times, number(1))
    if place.value is not None:
        value = _changed_whole(interpreter, view, place.value, value)
    interpreter.write(place.field, place.indices, value, condition)


def _changed_whole(interpreter: Interpreter, view: MembersView, member: Term, now: Term) -> Term:
    """A set in which a value is or is not, or a bag in which it is so often, where values are read as wholes."""
    whole = interpreter.cell_term(view.declared, view.indices)
    if isinstance(view.kind, Bag):
        return wholes.with_times(whole, member, now)
    return (wholes.with_member if now is TRUE else wholes.without_member)(whole, member)


def _changed(interpreter: Interpreter, view: MembersView) -> None:
    """Notes that a cell is another now; ModelError where in Python another cell would be, too."""
    if view.declared.name in interpreter.shared:
        raise ModelError(SHARED.format(name=view.declared.name))
    interpreter.changed[view.declared.name] = interpreter.now()


def add(interpreter: Interpreter, view: MembersView, value: Value) -> Value:
    """``add``, and ``send``."""

    def one(value: Value) -> Value:
        kind = current(interpreter, view).kind
        for place in places_of(interpreter, view, value):
            room: Term = TRUE
            if isinstance(kind, Bag):
                room = less(times_at(interpreter, view, place), number(kind.most))
                if kind.drop is None:
                    full = and_(place.condition, not_(room))
                    interpreter.leave_where(full, f"`{view.declared.name}`: {kind.full}")
                    room = TRUE
            _write(interpreter, view, place, 1, room)
        _changed(interpreter, view)
        return None

    return interpreter.split(value, one)


def discard(interpreter: Interpreter, view: MembersView, value: Value) -> Value:
    """``discard``."""

    def one(value: Value) -> Value:
        current(interpreter, view)
        for place in places_of(interpreter, view, value):
            there = is_in(interpreter, view, place) if isinstance(view.kind, Bag) else TRUE
            _write(interpreter, view, place, -1, there)
        _changed(interpreter, view)
        return None

    return interpreter.split(value, one)


def remove(interpreter: Interpreter, view: MembersView, value: Value) -> Value:
    """``remove``."""

    def one(value: Value) -> Value:
        interpreter.fail_where(not_(contains(interpreter, view, value)), "KeyError: it is not there")
        return discard(interpreter, view, value)

    return interpreter.split(value, one)


def receive(interpreter: Interpreter, view: MembersView, value: Value) -> Value:
    """``receive``: the guard of an action, and what it takes out."""

    def one(value: Value) -> Value:
        if interpreter.guard_word != "require":
            raise ModelError(misplaced("require", interpreter.guard_word))
        if interpreter.quantifiers or interpreter.open_loops:
            raise ModelError("a message is received inside a quantifier or a loop over a sort of any size")
        interpreter.guard_by(contains(interpreter, view, value))
        return discard(interpreter, view, value)

    return interpreter.split(value, one)


def clear(interpreter: Interpreter, view: MembersView) -> Value:
    """``clear``."""
    if view.declared.constant:
        raise ModelError(f"`{view.declared.name}` is constant")
    if interpreter.whole:
        current(interpreter, view)
        nothing = wholes.no_members(view.kind.element if isinstance(view.kind, Bag) else None)
        interpreter.write(view.declared, view.indices, nothing)
        _changed(interpreter, view)
        return None
    empty: Term = FALSE if isinstance(view.kind, Set) else number(0)
    for place, _ in list(every_place(interpreter, view)):
        interpreter.write(place.field, place.indices, empty)
    _changed(interpreter, view)
    return None


def count(interpreter: Interpreter, view: MembersView, value: Value) -> Value:
    """``count``, of a bag."""

    def one(value: Value) -> Value:
        total: Term = number(0)
        for place in places_of(interpreter, current(interpreter, view), value):
            total = ite(place.condition, times_at(interpreter, view, place), total)
        return value_of(interpreter.world.facts.simpler(total))

    return interpreter.split(value, one)


def update(interpreter: Interpreter, view: MembersView, more: Value) -> Value:
    """``update``: all of a list."""
    for present, value in items_of(interpreter, more):
        interpreter.branch(present, partial(add, interpreter, view, value), lambda: None)
    return None


MEMBER_METHODS: dict[str, Callable[..., Any]] = {
    "add": add,
    "send": add,
    "discard": discard,
    "remove": remove,
    "receive": receive,
    "clear": clear,
}
OF_SETS: dict[str, Callable[..., Any]] = {**MEMBER_METHODS, "update": update}
OF_BAGS: dict[str, Callable[..., Any]] = {**MEMBER_METHODS, "count": count}


def method_of(view: MembersView, name: str) -> Callable[..., Any] | None:
    """A method of a set or a bag; None for one that it lacks."""
    return (OF_SETS if isinstance(view.kind, Set) else OF_BAGS).get(name)
