"""Values of composite kinds as they are stored, row by row of scalar parts: from parts to values, and from cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

from onceproof.model.language.composites import Bag, CompositeField, Seq, Set, parts_of
from onceproof.model.language.declare import Field
from onceproof.model.language.errors import ModelError
from onceproof.model.language.reading.interpreter import Interpreter
from onceproof.model.language.reading.values import (
    BoundedList,
    Cases,
    Item,
    MembersView,
    RecordValue,
    Reference,
    SequenceView,
    Value,
    value_of,
)
from onceproof.model.language.reading.world import listed
from onceproof.model.language.sorts import Choice, Count, Flag, Index, Int, Maybe
from onceproof.model.language.terms import FALSE, TRUE, Term, deref, less, not_, number
from onceproof.model.language.value_kinds import OptionKind, RecordKind, ValueKind, width
from onceproof.model.language.wholes import row_of_whole

STALE = (
    "`{name}` was assigned after it was read here: Python would go on with the old {what}. Read it again, or keep a "
    "copy of it: list(...)"
)


def value_of_row(interpreter: Interpreter, kind: ValueKind, terms: Sequence[Term], optional: bool) -> Value:
    """The value that parts stand for. optional: elements of sorts are stored as one or none, and here there is one."""
    simpler = interpreter.world.facts.simpler
    match kind:
        case RecordKind(_, parts):
            values, start = [], 0
            for _, inner in parts:
                end = start + width(inner)
                values.append(value_of_row(interpreter, inner, terms[start:end], optional))
                start = end
            return RecordValue(kind, tuple(values))
        case OptionKind(inner):
            there = simpler(terms[0])
            value = value_of_row(interpreter, inner, terms[1:], True) if there is not FALSE else None
            return value if there is TRUE or there is FALSE else Cases(((there, value), (not_(there), None)))
        case Index(sort) if optional:
            return value_of(simpler(deref(terms[0], sort)))
        case Flag() | Choice() | Index() | Maybe() | Count() | Int():
            return interpreter.narrowed(value_of(simpler(terms[0])))
        case _:
            assert_never(kind)


def part_fields(interpreter: Interpreter, declared: CompositeField) -> list[Field]:
    """The fields that hold the parts of a field of a composite kind."""
    return [interpreter.model.fields[declared.name + part.name] for part in parts_of(declared.kind)]


def read_cell(interpreter: Interpreter, declared: Field | CompositeField, indices: tuple[Term, ...]) -> Value:
    """The value of a cell."""
    if isinstance(declared, Field):
        return interpreter.read(declared, indices)
    if isinstance(declared.kind, Seq):
        return SequenceView(declared, indices, interpreter.now())
    if isinstance(declared.kind, Set | Bag):
        return MembersView(declared, indices, interpreter.now())
    terms = _row_in(interpreter, declared, indices)
    value = value_of_row(interpreter, declared.kind, terms, False)
    reads = ((declared.name, interpreter.now()),)

    def marked(one: Value) -> Value:
        return replace(one, reads=reads) if isinstance(one, RecordValue) else one

    if isinstance(value, Cases):
        return Cases(tuple((condition, marked(one)) for condition, one in value.alternatives))
    return marked(value)


def _row_in(interpreter: Interpreter, declared: CompositeField, indices: tuple[Term, ...]) -> Sequence[Term]:
    """The parts of what a cell holds, no list, set or bag."""
    if interpreter.whole:
        assert isinstance(declared.kind, RecordKind | OptionKind)
        return row_of_whole(declared.kind, interpreter.cell_term(declared, indices), False)
    return [interpreter.cell_term(part, indices) for part in part_fields(interpreter, declared)]


def current_record(interpreter: Interpreter, value: RecordValue) -> RecordValue:
    """A record as it is; ModelError for one from a cell of which an attribute was assigned since."""
    for name, when in value.reads:
        if when < interpreter.changed_attributes.get(name, 0):
            raise ModelError(
                f"an attribute of `{name}` was assigned after this record was read: Python would show the new one in "
                "both. Read it again"
            )
    return value


def sequence_now(interpreter: Interpreter, view: SequenceView) -> BoundedList:
    """What the sequence in a cell holds just now; ModelError for a cell that was assigned since it was looked at."""
    declared = view.declared
    if view.read < interpreter.assigned.get(declared.name, 0):
        raise ModelError(STALE.format(name=declared.name, what="list"))
    if interpreter.whole:
        return listed(view.kind.element, interpreter.cell_term(declared, view.indices), view.kind.most)
    length, *terms = (interpreter.cell_term(part, view.indices) for part in part_fields(interpreter, declared))
    size = width(view.kind.element)
    rows = tuple(tuple(terms[start : start + size]) for start in range(0, len(terms), size))
    return BoundedList(view.kind.element, rows, length)


def bounded_of(interpreter: Interpreter, value: Value) -> BoundedList | None:
    """What a list from the state holds, whether it is still there or a copy; None for any other value."""
    if isinstance(value, SequenceView):
        return sequence_now(interpreter, value)
    content = interpreter.content(value.identity) if isinstance(value, Reference) else None
    return content if isinstance(content, BoundedList) else None


def items_of_bounded(interpreter: Interpreter, content: BoundedList) -> tuple[Item, ...]:
    """Its elements, each with the condition under which it is there."""
    simpler = interpreter.world.facts.simpler
    return tuple(
        (present, value_of_row(interpreter, content.element, row, True))
        for place, row in enumerate(content.rows)
        if (present := simpler(less(number(place), content.length))) is not FALSE
    )
