"""Lists, records, sets and bags as one value each, where they are not taken apart into cells: for an export.

Engines see the scalar parts of a composite value only. A reading for an export (``Reader(..., whole=True)``) is of the
same functions, and says of each value what the function does to it as a whole: ``Append``, a record, an attribute.
``row_of_whole`` and ``whole_of_row`` lead from one view to the other, and are inverse to each other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import assert_never

from onceproof.model.language.operations import Operation
from onceproof.model.language.sorts import Choice, Count, Flag, Index, Int, Kind, Maybe
from onceproof.model.language.terms import (
    BOOL,
    FALSE,
    NUMBER,
    TRUE,
    Const,
    Ite,
    Some,
    Term,
    Whole,
    deref,
    ite,
    minus,
    number,
    plus,
)
from onceproof.model.language.value_kinds import OptionKind, RecordKind, ValueKind, width

EMPTY = Whole(Operation.LIST, (), None, None)
NONE = Whole(Operation.NONE, (), None, None)
Row = tuple[Term, ...]


def cell(name: str, indices: tuple[Term, ...]) -> Term:
    """The value of a cell of a composite kind before the step."""
    return Whole(Operation.CELL, indices, name, None)


def field_read(term: Term) -> tuple[str, tuple[Term, ...]] | None:
    """The field and the indices of a ``cell``; None for any other term."""
    if isinstance(term, Whole) and term.operation is Operation.CELL:
        return term.detail, term.operands
    return None


def _scalar(kind: ValueKind) -> Kind | None:
    return None if isinstance(kind, RecordKind | OptionKind) else kind


def _of_either(term: Term, operation: Callable[[Term], Term]) -> Term | None:
    """What an operation makes of an alternative: the alternative of what it makes of both, but never of None."""
    if not isinstance(term, Ite):
        return None
    if NONE in (term.then, term.other):
        return operation(term.other if term.then is NONE else term.then)
    return ite(term.condition, operation(term.then), operation(term.other))


# -- lists


def appended(values: Term, value: Term) -> Term:
    """A list with one more value at its end."""
    if isinstance(values, Whole) and values.operation is Operation.LIST:
        return Whole(Operation.LIST, (*values.operands, value), None, None)
    return Whole(Operation.APPEND, (values, value), None, None)


def tail(values: Term) -> Term:
    """A list without its first value."""
    return Whole(Operation.TAIL, (values,), None, None)


def sliced(values: Term, start: Term, end: Term) -> Term:
    """The values from one place on, up to another one that is no more in it; empty where that is not after it."""
    if start == number(0) and end == length(values):
        return values
    return Whole(Operation.SLICE, (values, start, end), None, None)


def joined(*lists: Term) -> Term:
    """Lists one after the other."""
    found = [one for one in lists if one is not EMPTY]
    return Whole(Operation.JOIN, tuple(found), None, None) if len(found) > 1 else found[0] if found else EMPTY


def put(values: Term, place: Term, value: Term) -> Term:
    """A list with another value at a place that is there."""
    return Whole(Operation.PUT, (values, place, value), None, None)


def length(values: Term) -> Term:
    """How many values are in a list."""
    either = _of_either(values, length)
    if either is not None:
        return either
    if isinstance(values, Whole):
        match values.operation:
            case Operation.LIST:
                return number(len(values.operands))
            case Operation.APPEND:
                return plus(length(values.operands[0]), number(1))
            case Operation.TAIL:
                return minus(length(values.operands[0]), number(1))
            case Operation.PUT:
                return length(values.operands[0])
            case _:
                pass
    return Whole(Operation.LENGTH, (values,), None, NUMBER)


def item(values: Term, place: Term, element: ValueKind) -> Term:
    """The value at a place of a list that is there."""
    known = values.operands if isinstance(values, Whole) and values.operation is Operation.LIST else ()
    if isinstance(place, Const) and 0 <= place.code < len(known):
        return known[place.code]
    return Whole(Operation.ITEM, (values, place), None, _scalar(element))


def in_list(values: Term, value: Term) -> Term:
    """Whether a value is in a list."""
    return Whole(Operation.IN_LIST, (values, value), None, BOOL)


# -- records and optional values


def attribute(record: Term, name: str, kind: RecordKind) -> Term:
    """An attribute of a record."""
    either = _of_either(record, lambda one: attribute(one, name, kind))
    if either is not None:
        return either
    if isinstance(record, Whole) and record.operation is Operation.RECORD:
        return record.operands[[part for part, _ in kind.parts].index(name)]
    return Whole(Operation.ATTRIBUTE, (record,), name, _scalar(dict(kind.parts)[name]))


def record(kind: RecordKind, values: Sequence[Term]) -> Term:
    """A record; the very one of which these are all attributes, where there is one."""
    parts = [
        one.operands[0]
        for one, (name, _) in zip(values, kind.parts, strict=True)
        if isinstance(one, Whole) and one.operation is Operation.ATTRIBUTE and one.detail == name
    ]
    if len(parts) == len(values) and all(one is parts[0] for one in parts):
        return parts[0]
    return Whole(Operation.RECORD, tuple(values), kind, None)


def is_there(value: Term) -> Term:
    """Whether an optional value is not None."""
    if isinstance(value, Ite):
        return ite(value.condition, is_there(value.then), is_there(value.other))
    if value is NONE:
        return FALSE
    if not isinstance(value, Whole) or value.kind is not None or value.operation is Operation.RECORD:
        return TRUE
    return Whole(Operation.THERE, (value,), None, BOOL)


def _present(value: Term, kind: ValueKind) -> Term:
    """The value in an optional one that is not None."""
    either = _of_either(value, lambda one: _present(one, kind))
    if either is not None:
        return either
    if isinstance(kind, RecordKind) or not isinstance(value, Whole) or value.kind is not None:
        return value
    return Whole(Operation.VALUE, (value,), None, _scalar(kind))


# -- sets and bags


def with_member(values: Term, value: Term) -> Term:
    """A set with one more value."""
    return Whole(Operation.ADD, (values, value), None, None)


def without_member(values: Term, value: Term) -> Term:
    """A set without a value."""
    return Whole(Operation.DISCARD, (values, value), None, None)


def is_member(values: Term, value: Term) -> Term:
    """Whether a value is in a set."""
    return Whole(Operation.IN, (values, value), None, BOOL)


def size(values: Term) -> Term:
    """How many values are in a set."""
    return Whole(Operation.SIZE, (values,), None, NUMBER)


def no_members(bag_of: ValueKind | None) -> Term:
    """The empty set; or, of values of a kind, the empty bag."""
    return Whole(Operation.NO_MEMBERS, (), bag_of, None)


def times(values: Term, value: Term) -> Term:
    """How often a value is in a bag."""
    return Whole(Operation.TIMES, (values, value), None, NUMBER)


def with_times(values: Term, value: Term, count: Term) -> Term:
    """A bag in which a value is another number of times."""
    return Whole(Operation.PUT_TIMES, (values, value, count), None, None)


def count(some: Term, elements: int) -> Term:
    """How many elements there are of which a condition is true. some: that it is true of some element."""
    if isinstance(some, Const):
        return number(elements * some.code)
    return Whole(Operation.COUNT, (some,), None, NUMBER)


# -- rows of scalar parts


def row_of_whole(kind: ValueKind, value: Term, optional: bool) -> Row:
    """The scalar parts of a value, as ``parts_of_value`` has them."""
    match kind:
        case RecordKind(_, parts):
            rows = [row_of_whole(inner, attribute(value, name, kind), optional) for name, inner in parts]
            return tuple(term for row in rows for term in row)
        case OptionKind(inner):
            return (is_there(value), *row_of_whole(inner, _present(value, inner), True))
        case Index(sort) if optional:
            return (Some(value, sort),)
        case Flag() | Choice() | Index() | Maybe() | Count() | Int():
            return (value,)
        case _:
            assert_never(kind)


def whole_of_row(kind: ValueKind, row: Sequence[Term], optional: bool) -> Term:
    """The value that has these scalar parts."""
    match kind:
        case RecordKind(_, parts):
            values = []
            for _, inner in parts:
                values.append(whole_of_row(inner, row[: width(inner)], optional))
                row = row[width(inner) :]
            return record(kind, values)
        case OptionKind(inner):
            there, value = row[0], whole_of_row(inner, row[1:], True)
            if there is FALSE:
                return NONE
            if there is is_there(_optional_of(value)):
                return _optional_of(value)
            return ite(there, value, NONE)
        case Index(sort) if optional:
            return deref(row[0], sort)
        case Flag() | Choice() | Index() | Maybe() | Count() | Int():
            return row[0]
        case _:
            assert_never(kind)


def _optional_of(value: Term) -> Term:
    """The optional value of which this is the present one."""
    return value.operands[0] if isinstance(value, Whole) and value.operation is Operation.VALUE else value
