"""Sets and bags in the state: the cells that say what is in them."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from onceproof.model.language import wholes
from onceproof.model.language.composites import Bag, CompositeField, Set
from onceproof.model.language.declare import Field
from onceproof.model.language.errors import ModelError
from onceproof.model.language.members import Pattern, axes, patterns
from onceproof.model.language.reading.cells import row_of
from onceproof.model.language.reading.elements import elements_of
from onceproof.model.language.reading.interpreter import Interpreter
from onceproof.model.language.reading.rows import STALE, part_fields, value_of_row
from onceproof.model.language.reading.values import Item, MembersView, Value, name_of
from onceproof.model.language.sorts import Maybe, Sort
from onceproof.model.language.terms import (
    FALSE,
    TRUE,
    Const,
    Some,
    Term,
    and_,
    constant_of,
    deref,
    eq,
    is_none,
    ite,
    less,
    not_,
    number,
    or_,
    plus,
)
from onceproof.model.language.value_kinds import parts_of_value
from onceproof.model.language.wholes import whole_of_row


@dataclass(frozen=True, slots=True)
class Place:
    """A cell that says whether a value is in, or how often: where a value is kept if ``condition`` holds.

    Where values are read as wholes it is the set or the bag itself, and ``value`` is what is asked of it.
    """

    field: Field | CompositeField
    indices: tuple[Term, ...]
    condition: Term
    value: Term | None = None


def current(interpreter: Interpreter, view: MembersView) -> MembersView:
    """The view; ModelError for a cell that was assigned since it was looked at."""
    if view.read < interpreter.assigned.get(view.declared.name, 0):
        raise ModelError(STALE.format(name=view.declared.name, what="set"))
    return view


def places_of(interpreter: Interpreter, view: MembersView, value: Value) -> list[Place]:
    """The cells in which a value may be kept, of which one is that of the value."""
    element = view.kind.element
    row = row_of(interpreter, element, value, False)
    if interpreter.whole:
        return [Place(view.declared, view.indices, TRUE, whole_of_row(element, row, False))]
    kinds = [part.kind for part in parts_of_value(element, "", "", False)]
    found = []
    for pattern, field in zip(patterns(element), part_fields(interpreter, view.declared), strict=True):
        tests, indices = [], []
        for term, code, kind in zip(row, pattern, kinds, strict=True):
            if code is not None:
                tests.append(is_none(term) if isinstance(kind, Maybe) else _is(term, constant_of(kind, code)))
            elif isinstance(kind, Maybe):
                tests.append(not_(is_none(term)))
                indices.append(deref(term, kind.sort))
            else:
                indices.append(term)
        condition = interpreter.world.facts.simpler(and_(*tests))
        if condition is not FALSE:
            found.append(Place(field, (*view.indices, *indices), condition))
    return found


def _is(term: Term, constant: Const) -> Term:
    return eq(term, constant)


def times_at(interpreter: Interpreter, view: MembersView, place: Place) -> Term:
    """How often the value of a cell is in, as a number."""
    term = _asked(interpreter, view, place)
    return ite(term, number(1), number(0)) if isinstance(view.kind, Set) else term


def _asked(interpreter: Interpreter, view: MembersView, place: Place) -> Term:
    """Whether the value of a place is in a set, or how often it is in a bag."""
    term = interpreter.cell_term(place.field, place.indices)
    if place.value is None:
        return term
    return (wholes.is_member if isinstance(view.kind, Set) else wholes.times)(term, place.value)


def is_in(interpreter: Interpreter, view: MembersView, place: Place) -> Term:
    """Whether the value of a cell is in."""
    term = _asked(interpreter, view, place)
    return interpreter.world.facts.simpler(term if isinstance(view.kind, Set) else less(number(0), term))


def contains(interpreter: Interpreter, view: MembersView, value: Value) -> Term:
    """``value in view``."""
    current(interpreter, view)
    return or_(
        *(and_(place.condition, is_in(interpreter, view, place)) for place in places_of(interpreter, view, value))
    )


COMPARED = "a set or a bag is compared with another field's of one kind with it; else ask what is in it"
Made = Callable[[tuple[Term, ...]], tuple[Place, Value]]


def relations(interpreter: Interpreter, view: MembersView) -> Iterator[tuple[tuple[type[Sort], ...], Made]]:
    """The fields that say what is in: over which sorts, and the cell with given indices and the value it stands for."""
    element = current(interpreter, view).kind.element
    kinds = [part.kind for part in parts_of_value(element, "", "", False)]
    for pattern, field in zip(patterns(element), part_fields(interpreter, view.declared), strict=True):

        def made(indices: tuple[Term, ...], pattern: Pattern = pattern, field: Field = field) -> tuple[Place, Value]:
            row = row_at(pattern, indices, kinds)
            value = value_of_row(interpreter, element, row, False)
            if interpreter.whole:
                return Place(view.declared, view.indices, TRUE, whole_of_row(element, row, False)), value
            return Place(field, (*view.indices, *indices), TRUE), value

        yield axes(element, pattern), made


def every_place(interpreter: Interpreter, view: MembersView) -> Iterator[tuple[Place, Value]]:
    """All cells, each with the value that it stands for; ModelError where there may be any number."""
    for sorts, made in relations(interpreter, view):
        for chosen in itertools.product(*(elements_of(interpreter, sort) for sort in sorts)):
            yield made(tuple(symbol.term for _, symbol in chosen))


def row_at(pattern: Pattern, indices: tuple[Term, ...], kinds: list[Any]) -> list[Term]:
    """The parts of the value that a cell of a pattern stands for."""
    left = iter(indices)
    terms: list[Term] = []
    for code, kind in zip(pattern, kinds, strict=True):
        if code is not None:
            terms.append(constant_of(kind, code))
        else:
            terms.append(Some(next(left), kind.sort) if isinstance(kind, Maybe) else next(left))
    return terms


def alike(one: MembersView, other: MembersView) -> bool:
    """Whether two sets, or two bags, hold values of one kind."""
    return type(one.kind) is type(other.kind) and one.kind.element == other.kind.element


def assign(interpreter: Interpreter, view: MembersView, other: MembersView) -> None:
    """``st.field = other``: the cell is given what the other one holds now, as what the state holds are values."""
    most = [one.kind.most if isinstance(one.kind, Bag) else 1 for one in (view, other)]
    if not alike(view, other) or most[0] != most[1]:
        raise ModelError(f"`{view.declared.name}` is given {name_of(other)}, which holds values of another kind")
    current(interpreter, other)
    if interpreter.whole:
        whole = interpreter.cell_term(other.declared, other.indices)
        interpreter.write(view.declared, view.indices, whole)
    else:
        pairs = zip(list(every_place(interpreter, view)), list(every_place(interpreter, other)), strict=True)
        terms = [(mine, interpreter.cell_term(its.field, its.indices)) for (mine, _), (its, _) in pairs]
        for mine, term in terms:
            interpreter.write(mine.field, mine.indices, term)
    interpreter.shared |= {view.declared.name, other.declared.name}
    interpreter.assigned[view.declared.name] = interpreter.changed[view.declared.name] = interpreter.now()


def compared_members(interpreter: Interpreter, operation: ast.cmpop, one: MembersView, other: Value) -> Term:
    """``one == other``, ``!=``; of sets ``<=`` and ``>=`` too. ModelError for all else that a set is compared with."""
    if not isinstance(other, MembersView):
        raise ModelError(f"{name_of(one)} is compared with {name_of(other)}: {COMPARED}")
    match operation:
        case ast.Eq():
            return _equal_members(interpreter, one, other)
        case ast.NotEq():
            return not_(_equal_members(interpreter, one, other))
        case ast.LtE() if isinstance(one.kind, Set):
            return _within_members(interpreter, one, other)
        case ast.GtE() if isinstance(one.kind, Set):
            return _within_members(interpreter, other, one)
        case _:
            raise ModelError("sets are compared by `<=`, `>=`, `==` and `!=`, and bags by `==` and `!=`")


def _equal_members(interpreter: Interpreter, one: MembersView, other: MembersView) -> Term:
    """The same values, in a bag as often."""
    tests = []
    for mine, its in _pairs(interpreter, one, other):
        times = times_at(interpreter, one, mine), times_at(interpreter, other, its)
        tests.append(interpreter.world.facts.simpler(eq(*times)))
    return and_(*tests)


def _within_members(interpreter: Interpreter, one: MembersView, other: MembersView) -> Term:
    """All that is in one set is in the other."""
    return and_(
        *(
            or_(not_(is_in(interpreter, one, mine)), is_in(interpreter, other, its))
            for mine, its in _pairs(interpreter, one, other)
        )
    )


def _pairs(interpreter: Interpreter, one: MembersView, other: MembersView) -> Iterator[tuple[Place, Place]]:
    if not alike(one, other):
        raise ModelError(f"{name_of(one)} is compared with {name_of(other)}, which holds values of another kind")
    both = zip(every_place(interpreter, one), every_place(interpreter, other), strict=True)
    return ((mine, its) for (mine, _), (its, _) in both)


def items_of_members(interpreter: Interpreter, view: MembersView) -> tuple[Item, ...]:
    """What is in, each with the condition under which it is there, in the order of the cells."""
    items: list[Item] = []
    for place, value in every_place(interpreter, view):
        if isinstance(view.kind, Set):
            items.append((is_in(interpreter, view, place), value))
            continue
        times = times_at(interpreter, view, place)
        simpler = interpreter.world.facts.simpler
        items += [(simpler(less(number(n), times)), value) for n in range(view.kind.most)]
    return tuple(item for item in items if item[0] is not FALSE)


def size(interpreter: Interpreter, view: MembersView) -> Term:
    """``len(view)``."""
    if interpreter.whole and isinstance(view.kind, Set):
        current(interpreter, view)
        return wholes.size(interpreter.cell_term(view.declared, view.indices))
    total: Term = number(0)
    for place, _ in every_place(interpreter, view):
        total = plus(total, times_at(interpreter, view, place))
    return total
