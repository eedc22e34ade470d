"""Cells of the state: how they are indexed, read and written."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import Any, assert_never

from onceproof.model.language.composites import Bag, CompositeField, Seq, Set
from onceproof.model.language.declare import Field
from onceproof.model.language.errors import ModelError
from onceproof.model.language.primes import unprimed
from onceproof.model.language.reading.bounded_lists import appended, sliced, with_places
from onceproof.model.language.reading.interpreter import Interpreter
from onceproof.model.language.reading.operators import condition, number_term
from onceproof.model.language.reading.rows import bounded_of, current_record, items_of_bounded, part_fields, read_cell
from onceproof.model.language.reading.values import (
    BoundedList,
    Cases,
    FieldValue,
    ListObject,
    RecordValue,
    Reference,
    Row,
    SequenceView,
    Symbol,
    Value,
    as_maybe,
    name_of,
    none_of,
)
from onceproof.model.language.reading.world import listed, nothing
from onceproof.model.language.sorts import Choice, Count, Flag, Index, Int, Kind, Maybe, Sort
from onceproof.model.language.terms import (
    FALSE,
    TRUE,
    Clamp,
    Const,
    Some,
    Term,
    constant_of,
    ite,
    less,
    minus,
    number,
    or_,
    plus,
)
from onceproof.model.language.traversal import extent
from onceproof.model.language.value_kinds import OptionKind, RecordKind, ValueKind
from onceproof.model.language.wholes import EMPTY, whole_of_row

ASSIGNED = (
    "`{name}` is a set or a bag, which is given another field's of one kind with it, or changed by `clear()`, "
    "`add(...)`, `discard(...)`"
)


def cell_read(interpreter: Interpreter, declared: Field | CompositeField, key: Value) -> Value:
    """The value of the cell with these indices."""
    return with_indices(interpreter, declared, key, lambda indices: read_cell(interpreter, declared, indices))


def cell_write(interpreter: Interpreter, declared: Field | CompositeField, key: Value, value: Value) -> None:
    """Writes a cell; ModelError where the value does not fit."""
    if declared.constant:
        raise ModelError(f"`{declared.name}` is constant")
    with_indices(interpreter, declared, key, lambda indices: _write(interpreter, declared, indices, value))


def _write(interpreter: Interpreter, declared: Field | CompositeField, indices: tuple[Term, ...], value: Value) -> None:
    several = isinstance(value, Cases)

    def one(value: Value) -> None:
        if value is None and several and isinstance(declared.kind, Flag | Choice | Count | Int):
            interpreter.fail(f"`{declared.name}`: a value is expected, found None")
        if isinstance(declared, CompositeField):
            write_composite(interpreter, declared, indices, value)
            return
        try:
            term = stored(interpreter, declared.kind, value)
        except ModelError as error:
            raise ModelError(f"`{declared.name}`: {error.message}") from None
        interpreter.write(declared, indices, term)

    interpreter.split(value, one)


def with_indices(
    interpreter: Interpreter,
    declared: Field | CompositeField,
    key: Value,
    operation: Callable[[tuple[Term, ...]], Value],
) -> Value:
    """What an operation makes of the terms of the indices ``key``; where one is None the function fails."""
    sorts = ", ".join(sort.__name__ for sort in declared.indices)
    wanted = f"`{unprimed(declared.name)}` is indexed by [{sorts}]"
    if isinstance(key, tuple) and len(key) == 1:  # `st.on[node,]` and `st.on[*[node]]`: not `st.on[node]` in Python
        raise ModelError(f"{wanted}, found a tuple of one; write the index without a comma and without `*`")
    keys = key if isinstance(key, tuple) else (key,)
    if len(keys) != len(declared.indices):
        raise ModelError(f"{wanted}, found {len(keys)} indices")

    def index(place: int, terms: tuple[Term, ...]) -> Value:
        if place == len(keys):
            return operation(terms)

        def one(value: Value) -> Value:
            term = _index_term(interpreter, value, declared.indices[place], wanted)
            return index(place + 1, (*terms, term))

        return interpreter.split(keys[place], one)

    return index(0, ())


def _index_term(interpreter: Interpreter, value: Value, sort: type[Sort], wanted: str) -> Term:
    match sort.values:
        case Choice(enum):
            if not isinstance(value, enum) and not (isinstance(value, Symbol) and value.kind == sort.values):
                raise ModelError(f"{wanted}, found {name_of(value)}")
            return interpreter.world.facts.simpler(stored(interpreter, sort.values, value))
        case Int(low, high) as kind:
            return _number_index(interpreter, value, low, high, f"{wanted}, found a number that {kind.outside}")
        case _:
            return _element_index(interpreter, value, sort, wanted)


def _number_index(interpreter: Interpreter, value: Value, low: int, high: int, message: str) -> Term:
    """A number as an index; where it is out of range the function fails."""
    term = number_term(value)
    interpreter.fail_where(or_(less(term, number(low)), less(number(high), term)), message)
    return interpreter.world.facts.simpler(minus(term, number(low)))


def _element_index(interpreter: Interpreter, value: Value, sort: type[Sort], wanted: str) -> Term:
    if value is None:
        interpreter.fail(f"{wanted}, found None")
    if not (isinstance(value, Symbol) and isinstance(value.kind, Index | Maybe) and value.kind.sort is sort):
        raise ModelError(f"{wanted}, found {name_of(value)}")
    return interpreter.world.facts.simpler(interpreter.present(value, f"{wanted}, found None").term)


def stored(interpreter: Interpreter, kind: Kind, value: Value) -> Term:
    """The term that a write puts into a cell of this kind; ModelError where the value does not fit."""
    if isinstance(value, FieldValue):
        raise ModelError(value.refusal)
    match kind:
        case Flag():
            return condition(interpreter, value)
        case Count(most):
            term = number_term(value)
            if isinstance(term, Const):
                return Const(kind, kind.encode(term.code))
            if not kind.saturate:
                _keep_within(interpreter, kind, term)
            return term if interpreter.whole and not kind.saturate else Clamp(term, most)
        case Int(low, high):
            term = number_term(value)
            if isinstance(term, Const):
                return constant_of(kind, kind.encode(term.code))
            _keep_within(interpreter, kind, term)
            if interpreter.whole:
                return term
            return plus(Clamp(minus(term, number(low)), high - low), number(low))
        case Choice(enum):
            if isinstance(value, Symbol) and value.kind == kind:
                return value.term
            if isinstance(value, Symbol) or not isinstance(value, Enum):
                members = ", ".join(member.name for member in enum)
                raise ModelError(f"expected a {enum.__name__} ({members}), found {name_of(value)}")
            return Const(kind, kind.encode(value))
        case Index(sort) | Maybe(sort):
            return _element(interpreter, kind, sort, value)
        case _:
            assert_never(kind)


def _keep_within(interpreter: Interpreter, kind: Count | Int, term: Term) -> None:
    """A number that is to be stored must not leave the range of its cell."""
    least, most = extent(term)
    below = less(term, number(kind.low)) if least < kind.low else FALSE
    above = less(number(kind.high), term) if most > kind.high else FALSE
    outside = or_(below, above)
    interpreter.leave_where(outside, f"a number {kind.out_of_range}")


def write_composite(
    interpreter: Interpreter, declared: CompositeField, indices: tuple[Term, ...], value: Value
) -> None:
    """Gives a cell of a composite kind another value: a copy of it, as what the state holds are values."""
    if isinstance(declared.kind, Set | Bag):
        raise ModelError(ASSIGNED.format(name=declared.name))
    content: BoundedList | None = None
    try:
        if isinstance(declared.kind, Seq):
            content = _stored_list(interpreter, declared, declared.kind, value)
            terms = (content.length, *(term for row in content.rows for term in row))
        else:
            terms = row_of(interpreter, declared.kind, value, False)
    except ModelError as error:
        raise ModelError(f"`{declared.name}`: {error.message}") from None
    if content is not None and content.whole is not None:
        interpreter.write(declared, indices, content.whole)
    elif interpreter.whole and not isinstance(declared.kind, Seq):
        interpreter.write(declared, indices, whole_of_row(declared.kind, terms, False))
    else:
        for field, term in zip(part_fields(interpreter, declared), terms, strict=True):
            interpreter.write(field, indices, term)
    interpreter.assigned[declared.name] = interpreter.changed[declared.name] = interpreter.now()


def _stored_list(interpreter: Interpreter, declared: CompositeField, kind: Seq[Any], value: Value) -> BoundedList:
    if isinstance(value, SequenceView):
        interpreter.shared |= {value.declared.name, declared.name}
    if isinstance(value, Reference):
        interpreter.stored.add(value.identity)
    content = bounded_from(interpreter, kind.element, value)
    return fitted(interpreter, kind, content)


def fitted(interpreter: Interpreter, kind: Seq[Any], content: BoundedList) -> BoundedList:
    """A list in as many places as a kind has; where it is longer, what the kind says."""
    spare = len(content.rows) - kind.most
    if spare <= 0:
        return with_places(content, -spare)
    if kind.drop is None:
        interpreter.leave_where(less(number(kind.most), content.length), kind.full)
    elif kind.drop == "old":
        surplus = ite(less(number(kind.most), content.length), minus(content.length, number(kind.most)), number(0))
        content = sliced(content, surplus, None)
    length = content.length
    simpler = interpreter.world.facts.simpler
    if content.whole is not None:
        longer = less(number(kind.most), length) if kind.drop == "new" else FALSE
        first = sliced(content, None, number(kind.most)).whole
        assert first is not None
        return listed(content.element, simpler(ite(longer, first, content.whole)), kind.most)
    return BoundedList(
        content.element,
        content.rows[: kind.most],
        simpler(ite(less(number(kind.most), length), number(kind.most), length)),
    )


def bounded_from(interpreter: Interpreter, element: ValueKind, value: Value) -> BoundedList:
    """A list as one of a bounded length, of elements of a kind; ModelError for what is no list of such elements."""
    content = bounded_of(interpreter, value)
    if content is not None and content.element == element:
        return content
    known = interpreter.content(value.identity) if isinstance(value, Reference) else None
    if content is None and not isinstance(known, ListObject):
        raise ModelError(f"expected a list, found {name_of(value)}")
    items = items_of_bounded(interpreter, content) if content is not None else known.items  # type: ignore[union-attr]
    made = BoundedList(element, (nothing(element),) * len(items), number(0))
    if interpreter.whole:
        made = listed(element, EMPTY, len(items))
    for present, one in items:
        row = interpreter.branch(
            present,
            partial(element_row, interpreter, element, one),
            lambda: Row(nothing(element)),
        )
        made = appended(made, row.terms, present)
    return made


def element_row(interpreter: Interpreter, element: ValueKind, value: Value) -> Row:
    """The parts of an element of a collection."""
    return Row(row_of(interpreter, element, value, True))


def row_of(interpreter: Interpreter, kind: ValueKind, value: Value, optional: bool) -> tuple[Term, ...]:
    """The parts of a value as they are stored; ModelError where it does not fit.

    optional: there may be no value in this place, so that elements of sorts are stored as one or none.
    """
    found: Row = interpreter.split(value, lambda one: Row(_row(interpreter, kind, one, optional)))
    return found.terms


def _row(interpreter: Interpreter, kind: ValueKind, value: Value, optional: bool) -> tuple[Term, ...]:
    match kind:
        case RecordKind(cls, parts):
            if value is None:
                interpreter.fail(f"expected a {cls.__name__}, found None")
            if not isinstance(value, RecordValue) or value.kind.cls is not cls:
                raise ModelError(f"expected a {cls.__name__}, found {name_of(value)}")
            current_record(interpreter, value)
            row: list[Term] = []
            for (name, inner), part in zip(parts, value.values, strict=True):
                try:
                    row += row_of(interpreter, inner, part, optional)
                except ModelError as error:
                    raise ModelError(f"`{name}`: {error.message}") from None
            return tuple(row)
        case OptionKind(inner):
            if value is None:
                return (FALSE, *nothing(inner))
            return (TRUE, *row_of(interpreter, inner, value, True))
        case Index(sort) if optional:
            return (Some(stored(interpreter, kind, value), sort),)
        case Flag() | Choice() | Index() | Maybe() | Count() | Int():
            return (stored(interpreter, kind, value),)
        case _:
            assert_never(kind)


def _element(interpreter: Interpreter, kind: Kind, sort: type[Sort], value: Value) -> Term:
    wanted = f"expected a {sort.__name__}" + (" or None" if isinstance(kind, Maybe) else "")
    if value is None:
        if isinstance(kind, Maybe):
            return none_of(sort)
        interpreter.fail(f"{wanted}, found None")
    if not (isinstance(value, Symbol) and isinstance(value.kind, Index | Maybe) and value.kind.sort is sort):
        raise ModelError(f"{wanted}, found {name_of(value)}")
    if isinstance(kind, Maybe):
        return as_maybe(value, sort)
    return interpreter.present(value, f"{wanted}, found None").term
