"""What can be gone through: sorts, lists, tuples, ranges. Each member with the condition under which it is there."""

from __future__ import annotations

from enum import EnumMeta
from typing import Any

from onceproof.model.language.errors import ModelError
from onceproof.model.language.index_sets import is_sort
from onceproof.model.language.reading.elements import elements_of
from onceproof.model.language.reading.interpreter import Interpreter
from onceproof.model.language.reading.member_cells import items_of_members
from onceproof.model.language.reading.rows import bounded_of, items_of_bounded
from onceproof.model.language.reading.values import (
    BoundedList,
    DictObject,
    FieldValue,
    Item,
    Iterator,
    ListObject,
    Members,
    MembersView,
    Reference,
    SequenceView,
    Value,
    name_of,
)
from onceproof.model.language.terms import TRUE

MOST_ITEMS = 10_000


def changes_of(interpreter: Interpreter, value: Value) -> Any:
    """What is another one once a list that is gone through was changed, or one that an iterator is made of."""
    if isinstance(value, Iterator):
        return [changes_of(interpreter, one) for one in value.sources]
    if isinstance(value, SequenceView | MembersView):
        return interpreter.changed.get(value.declared.name, 0)
    return interpreter.content(value.identity) if isinstance(value, Reference) else None


def check_unchanged(interpreter: Interpreter, value: Value, before: Any) -> None:
    """ModelError where a list was changed while it is gone through. before: its ``changes_of`` at the beginning."""
    if changes_of(interpreter, value) != before:
        raise ModelError("a loop changes the list that it goes through: go through a copy, `list(...)`")


def items_of(interpreter: Interpreter, value: Value) -> tuple[Item, ...]:
    """The members of what Python goes through, in order; ModelError for what has none."""
    if is_sort(value):
        return elements_of(interpreter, value)
    if isinstance(value, EnumMeta):
        members: list[Value] = list(value)
        return tuple((TRUE, member) for member in members)
    if isinstance(value, tuple):
        return tuple((TRUE, one) for one in value)
    if isinstance(value, range):
        if len(value) > MOST_ITEMS:
            raise ModelError(f"more than {MOST_ITEMS:,} passes")
        return tuple((TRUE, number) for number in value)
    if isinstance(value, Members):
        return tuple((TRUE, one) for one in value.values)
    if isinstance(value, FieldValue):
        raise ModelError(value.refusal)
    if isinstance(value, MembersView):
        return items_of_members(interpreter, value)
    bounded = bounded_of(interpreter, value)
    if bounded is not None:
        return items_of_bounded(interpreter, bounded)
    if isinstance(value, Reference):
        content = interpreter.content(value.identity)
        if isinstance(content, ListObject):
            return content.items
        if isinstance(content, DictObject):
            return tuple((present, key) for key, (present, _) in content.items.items())
    raise ModelError(f"{name_of(value)} has no members to go through")


def passes_of(interpreter: Interpreter, value: Value) -> tuple[Item, ...]:
    """The same for a loop, in which the order counts: not for sets."""
    if isinstance(value, Members):
        raise ModelError("a set has no order to go through: write a tuple or a list")
    return items_of(interpreter, value)


def changeable(interpreter: Interpreter, owner: Reference) -> ListObject | DictObject:
    """The contents of a list or dictionary that the function made itself; ModelError for one from outside."""
    content: ListObject | DictObject = interpreter.content(owner.identity)
    may_change(interpreter, owner, content)
    return content


def may_change(interpreter: Interpreter, owner: Reference, content: ListObject | DictObject | BoundedList) -> None:
    """ModelError for a list or dictionary that the function did not make itself, or that was put into the state."""
    if content.outside:
        raise ModelError(
            f"`{content.outside}` is made outside the function and changed here: what an action changes is a field of "
            "the state"
        )
    if owner.identity in interpreter.stored:
        raise ModelError(
            "this list was put into the state, which holds a copy of it: change it before that, or change the state's"
        )
