"""What Python's lists do, for lists from the state: in its cells, where it writes the state, and for copies of them."""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import partial
from typing import Any

from onceproof.model.language.composites import CompositeField
from onceproof.model.language.declare import Field
from onceproof.model.language.errors import ModelError
from onceproof.model.language.reading.bounded_lists import (
    appended,
    at,
    inserted,
    is_empty,
    is_full,
    is_outside,
    place_of,
    put,
    sliced,
    with_places,
    without,
)
from onceproof.model.language.reading.cells import bounded_from, element_row, row_of
from onceproof.model.language.reading.interpreter import Interpreter
from onceproof.model.language.reading.operators import arithmetic, equal, number_term
from onceproof.model.language.reading.rows import (
    bounded_of,
    items_of_bounded,
    part_fields,
    value_of_row,
)
from onceproof.model.language.reading.sequences import items_of, may_change
from onceproof.model.language.reading.values import (
    BoundedList,
    Reference,
    Row,
    SequenceView,
    Symbol,
    Value,
    name_of,
    value_of,
)
from onceproof.model.language.reading.world import listed, nothing
from onceproof.model.language.sorts import Count, Int
from onceproof.model.language.terms import (
    TRUE,
    Ite,
    Term,
    and_,
    ite,
    less,
    minus,
    not_,
    number,
    or_,
    plus,
)
from onceproof.model.language.wholes import EMPTY

SHARED = (
    "one cell of `{name}` was given the list of another: Python would change both here. Assign a copy, list(...), or "
    "make the change first"
)


def save(interpreter: Interpreter, of: Reference | SequenceView, old: BoundedList, new: BoundedList) -> None:
    """Puts a changed list where it was."""
    if isinstance(of, Reference):
        may_change(interpreter, of, old)
        interpreter.put(of.identity, new)
        return
    declared = of.declared
    if declared.constant:
        raise ModelError(f"`{declared.name}` is constant")
    if declared.name in interpreter.shared:
        raise ModelError(SHARED.format(name=declared.name))
    interpreter.changed[declared.name] = interpreter.now()
    if old.whole is not None and new.whole is not None:
        _write(interpreter, declared, of.indices, old.whole, new.whole)
        return
    before = (old.length, *(term for row in old.rows for term in row))
    after = (new.length, *(term for row in new.rows for term in row))
    for field, earlier, term in zip(part_fields(interpreter, declared), before, after, strict=True):
        _write(interpreter, field, of.indices, earlier, term)


def _write(
    interpreter: Interpreter, field: Field | CompositeField, indices: tuple[Term, ...], earlier: Term, term: Term
) -> None:
    """Writes a cell where it is another value than before."""
    if term is earlier:
        return
    if isinstance(term, Ite) and term.other is earlier:
        interpreter.write(field, indices, term.then, term.condition)
    elif isinstance(term, Ite) and term.then is earlier:
        interpreter.write(field, indices, term.other, not_(term.condition))
    else:
        interpreter.write(field, indices, term)


def content_of(interpreter: Interpreter, of: Value) -> BoundedList:
    """What a list holds that is known to be one from the state."""
    content = bounded_of(interpreter, of)
    assert content is not None
    return content


def _row(interpreter: Interpreter, content: BoundedList, value: Value) -> tuple[Term, ...]:
    return row_of(interpreter, content.element, value, True)


def add(interpreter: Interpreter, of: Reference | SequenceView, value: Value, present: Term = TRUE) -> None:
    """One more at the end, where ``present`` holds; where there is no place, as its kind says."""
    old = content_of(interpreter, of)
    if isinstance(of, Reference):
        new = appended(with_places(old, 1), _row(interpreter, old, value), present)
        save(interpreter, of, old, new)
        return
    row = _row(interpreter, old, value)
    kind = of.kind
    full = interpreter.world.facts.simpler(and_(present, is_full(old, kind.most)))
    if kind.drop is None:
        interpreter.leave_where(full, f"`{of.declared.name}`: {kind.full}")
        save(interpreter, of, old, appended(old, row, present))
    elif kind.drop == "new":
        save(interpreter, of, old, appended(old, row, and_(present, not_(full))))
    else:
        moved = put(without(old, number(0)), number(kind.most - 1), row)
        if old.whole is not None:
            shifted, longer = appended(without(old, number(0)), row, TRUE).whole, appended(old, row, present).whole
            assert shifted is not None and longer is not None
            save(interpreter, of, old, listed(old.element, ite(full, shifted, longer), kind.most))
            return
        grown = appended(old, row, and_(present, not_(full)))
        rows = tuple(
            tuple(ite(full, a, b) for a, b in zip(one, other, strict=True))
            for one, other in zip(moved.rows, grown.rows, strict=True)
        )
        save(interpreter, of, old, BoundedList(old.element, rows, grown.length))


def append(interpreter: Interpreter, of: Reference | SequenceView, value: Value) -> Value:
    """``list.append``."""
    return interpreter.split(value, lambda one: add(interpreter, of, one))


def extend(interpreter: Interpreter, of: Reference | SequenceView, more: Value) -> Value:
    """``list.extend``, and ``+=``."""
    for present, value in items_of(interpreter, more):
        interpreter.branch(present, partial(append, interpreter, of, value), lambda: None)
    return None


def pop(interpreter: Interpreter, of: Reference | SequenceView, *index: Value) -> Value:
    """``list.pop``."""
    old = content_of(interpreter, of)
    if not old.rows:
        return interpreter.fail("IndexError: pop from an empty list")
    interpreter.fail_where(is_empty(old), "IndexError: pop from an empty list")
    place = minus(old.length, number(1))
    if index:
        place = place_of(old, number_term(index[0]))
        interpreter.fail_where(is_outside(old, place), "IndexError: pop from a place where there is no element")
    value = value_of_row(interpreter, old.element, at(old, place), True)
    save(interpreter, of, old, without(old, place))
    return value


def insert(interpreter: Interpreter, of: Reference | SequenceView, index: Value, value: Value) -> Value:
    """``list.insert``."""

    def one(value: Value) -> Value:
        old = content_of(interpreter, of)
        row = _row(interpreter, old, value)
        place = place_of(old, number_term(index))
        place = ite(less(place, number(0)), number(0), ite(less(old.length, place), old.length, place))
        if isinstance(of, Reference):
            save(interpreter, of, old, inserted(with_places(old, 1), place, row, TRUE))
            return None
        full = is_full(old, of.kind.most)
        if of.kind.drop == "new":
            save(interpreter, of, old, inserted(old, place, row, not_(full)))
            return None
        interpreter.leave_where(full, f"`{of.declared.name}`: {of.kind.full}")
        save(interpreter, of, old, inserted(old, place, row, TRUE))
        return None

    return interpreter.split(value, one)


def clear(interpreter: Interpreter, of: Reference | SequenceView) -> Value:
    """``list.clear``."""
    old = content_of(interpreter, of)
    empty = BoundedList(old.element, (), number(0), whole=EMPTY if interpreter.whole else None)
    save(interpreter, of, old, with_places(empty, len(old.rows)))
    return None


def copy(interpreter: Interpreter, of: Reference | SequenceView) -> Value:
    """``list.copy``, and ``list(...)``."""
    return Reference(interpreter.allocate(content_of(interpreter, of)))


def _found(interpreter: Interpreter, of: Value, value: Value) -> tuple[Term, Term]:
    """Whether a value is in a list, and the first place where it is."""
    found: Term = not_(TRUE)
    place: Term = number(0)
    items = items_of_bounded(interpreter, content_of(interpreter, of))
    for n, (present, one) in reversed(list(enumerate(items))):
        here = and_(present, equal(interpreter, one, value))
        place = ite(here, number(n), place)
        found = or_(here, found)
    return found, place


def index(interpreter: Interpreter, of: Value, value: Value) -> Value:
    """``list.index``."""
    found, place = _found(interpreter, of, value)
    interpreter.fail_where(not_(found), "ValueError: it is not in the list")
    return value_of(place)


def remove(interpreter: Interpreter, of: Reference | SequenceView, value: Value) -> Value:
    """``list.remove``."""
    old = content_of(interpreter, of)
    found, place = _found(interpreter, of, value)
    interpreter.fail_where(not_(found), "ValueError: it is not in the list")
    save(interpreter, of, old, without(old, place))
    return None


def count(interpreter: Interpreter, of: Value, value: Value) -> Value:
    """``list.count``."""
    total: Term = number(0)
    for present, one in items_of_bounded(interpreter, content_of(interpreter, of)):
        total = plus(total, ite(and_(present, equal(interpreter, one, value)), number(1), number(0)))
    return value_of(total)


def element_at(interpreter: Interpreter, of: Value, key: Value) -> Value:
    """``list[key]``."""
    content = content_of(interpreter, of)
    if isinstance(key, slice):
        bounds = [number_term(one) if one is not None else None for one in (key.start, key.stop)]
        if key.step not in (None, 1):
            raise ModelError("a slice with a step of a list from the state")
        return Reference(interpreter.allocate(sliced(content, *bounds)))
    place = _existing(interpreter, content, key)
    return value_of_row(interpreter, content.element, at(content, place), True)


def _existing(interpreter: Interpreter, content: BoundedList, key: Value) -> Term:
    if isinstance(key, slice):
        raise ModelError("a slice is assigned: make a new list, and assign that")
    if type(key) is not int and not (isinstance(key, Symbol) and isinstance(key.kind, Count | Int)):
        raise ModelError(f"a list is indexed by a number, found {name_of(key)}")
    place = place_of(content, number_term(key))
    if not content.rows:
        interpreter.fail("IndexError: the list is shorter")
    interpreter.fail_where(is_outside(content, place), "IndexError: the list is shorter")
    return place


def put_element(interpreter: Interpreter, of: Reference | SequenceView, key: Value, value: Value) -> None:
    """``list[key] = value``."""

    def one(value: Value) -> Value:
        old = content_of(interpreter, of)
        place = _existing(interpreter, old, key)
        save(interpreter, of, old, put(old, place, _row(interpreter, old, value)))
        return None

    interpreter.split(value, one)


def summed(interpreter: Interpreter, operation: ast.operator, left: Value, right: Value) -> Value:
    """The value of a binary operator, of lists from the state too."""

    def one(a: Value) -> Value:
        return interpreter.split(right, lambda b: both(a, b))

    def both(a: Value, b: Value) -> Value:
        if bounded_of(interpreter, a) is None and bounded_of(interpreter, b) is None:
            return arithmetic(interpreter, operation, a, b)
        if not isinstance(operation, ast.Add):
            raise ModelError("lists are added, no more")
        return joined_lists(interpreter, a, b)

    return interpreter.split(left, one)


def joined_lists(interpreter: Interpreter, left: Value, right: Value) -> Value:
    """``left + right``, of which at least one is a list from the state."""
    known = bounded_of(interpreter, left) or bounded_of(interpreter, right)
    assert known is not None
    result = bounded_from(interpreter, known.element, left)
    for present, value in items_of(interpreter, right):
        row = interpreter.branch(
            present,
            partial(element_row, interpreter, known.element, value),
            lambda: Row(nothing(known.element)),
        )
        result = appended(with_places(result, 1), row.terms, present)
    return Reference(interpreter.allocate(result))


LIST_METHODS: dict[str, Callable[..., Any]] = {
    "append": append,
    "extend": extend,
    "pop": pop,
    "insert": insert,
    "clear": clear,
    "copy": copy,
    "index": index,
    "remove": remove,
    "count": count,
}
METHODS_OF_BOUNDED: dict[tuple[type, str], Callable[..., Any]] = {
    (kind, name): method for kind in (BoundedList, SequenceView) for name, method in LIST_METHODS.items()
}
