"""Lists of a bounded length as terms: what Python's list does to them, place by place.

Everything is worked out for all lengths at once. Places from the length on hold what is stored where nothing is.
"""

from __future__ import annotations

from dataclasses import replace

from onceproof.model.language import wholes
from onceproof.model.language.reading.values import BoundedList, rows_ite
from onceproof.model.language.reading.world import listed, nothing
from onceproof.model.language.terms import (
    Const,
    Minus,
    Term,
    and_,
    eq,
    ite,
    less,
    minus,
    not_,
    number,
    or_,
    plus,
)

RowOfTerms = tuple[Term, ...]


def is_empty(content: BoundedList) -> Term:
    """Whether there is no element."""
    return not_(less(number(0), content.length))


def is_full(content: BoundedList, most: int) -> Term:
    """Whether there is no place for one more."""
    return not_(less(content.length, number(most)))


def place_of(content: BoundedList, index: Term) -> Term:
    """The place that an index means: one below 0 counts from the end."""
    if isinstance(index, Const):
        return index if index.code >= 0 else minus(content.length, number(-index.code))
    return ite(less(index, number(0)), plus(content.length, index), index)


def is_outside(content: BoundedList, place: Term) -> Term:
    """Whether there is no element at a place."""
    return or_(less(place, number(0)), not_(less(place, content.length)))


def at(content: BoundedList, place: Term) -> RowOfTerms:
    """The element at a place that is there."""
    if content.whole is not None:
        return wholes.row_of_whole(content.element, wholes.item(content.whole, place, content.element), True)
    found = content.rows[-1]
    for number_of, row in reversed(list(enumerate(content.rows[:-1]))):
        found = rows_ite(_same(place, number_of), row, found)
    return found


def _same(place: Term, other: int) -> Term:
    """``place == other``; where the place is a length less one, asked of the length itself."""
    if isinstance(place, Minus) and isinstance(place.right, Const):
        return eq(place.left, number(other + place.right.code))
    return eq(place, number(other))


def put(content: BoundedList, place: Term, new: RowOfTerms) -> BoundedList:
    """With another element at a place that is there."""
    if content.whole is not None:
        return _again(content, wholes.put(content.whole, place, _value(content, new)), 0)
    rows = tuple(rows_ite(_same(place, n), new, row) for n, row in enumerate(content.rows))
    return replace(content, rows=rows)


def appended(content: BoundedList, new: RowOfTerms, present: Term) -> BoundedList:
    """With one more element at the end, where ``present`` holds and there is a place for it."""
    if content.whole is not None:
        return _again(content, ite(present, wholes.appended(content.whole, _value(content, new)), content.whole), 0)
    rows = tuple(rows_ite(and_(present, eq(content.length, number(n))), new, row) for n, row in enumerate(content.rows))
    grown = plus(content.length, number(1))
    return replace(content, rows=rows, length=ite(present, grown, content.length))


def with_places(content: BoundedList, more: int) -> BoundedList:
    """With more places at the end."""
    if content.whole is not None:
        return _again(content, content.whole, more)
    return replace(content, rows=(*content.rows, *(nothing(content.element),) * more))


def without(content: BoundedList, place: Term) -> BoundedList:
    """Without the element at a place that is there."""
    if content.whole is not None:
        return _again(content, _whole_without(content.whole, place), 0)
    empty = nothing(content.element)
    following = (*content.rows[1:], empty)
    if place == number(0):
        rows = following
    elif isinstance(place, Minus) and place.left is content.length and place.right == number(1):
        rows = tuple(rows_ite(_same(place, n), empty, row) for n, row in enumerate(content.rows))
    else:
        rows = tuple(
            rows_ite(less(number(n), place), row, after)
            for n, (row, after) in enumerate(zip(content.rows, following, strict=True))
        )
    return replace(content, rows=rows, length=minus(content.length, number(1)))


def inserted(content: BoundedList, place: Term, new: RowOfTerms, present: Term) -> BoundedList:
    """With one more element before a place, where ``present`` holds; the last place must be free."""
    if content.whole is not None:
        values, end = content.whole, content.length
        start, rest = wholes.sliced(values, number(0), place), wholes.sliced(values, place, end)
        grown = wholes.joined(start, wholes.appended(wholes.EMPTY, _value(content, new)), rest)
        return _again(content, ite(present, grown, values), 0)
    before = (content.rows[0], *content.rows[:-1])
    rows = tuple(
        rows_ite(
            and_(present, not_(less(number(n), place))),
            rows_ite(_same(place, n), new, earlier),
            row,
        )
        for n, (row, earlier) in enumerate(zip(content.rows, before, strict=True))
    )
    return replace(content, rows=rows, length=ite(present, plus(content.length, number(1)), content.length))


def _again(content: BoundedList, whole: Term, more: int) -> BoundedList:
    """Another list in place of one that is read as a whole; more: places than that has."""
    return listed(content.element, whole, len(content.rows) + more)


def _value(content: BoundedList, row: RowOfTerms) -> Term:
    return wholes.whole_of_row(content.element, row, True)


def _whole_without(values: Term, place: Term) -> Term:
    end = wholes.length(values)
    if place == number(0):
        return wholes.tail(values)
    if isinstance(place, Minus) and place.left is end and place.right == number(1):
        return wholes.sliced(values, number(0), place)
    return wholes.joined(wholes.sliced(values, number(0), place), wholes.sliced(values, plus(place, number(1)), end))


def slice_end(content: BoundedList, bound: Term | None, default: Term) -> Term:
    """Where a slice begins or ends: within the list, counted from its end if below 0."""
    if bound is None:
        return default
    length = content.length
    if isinstance(bound, Const) and bound.code >= len(content.rows):
        return length
    place = place_of(content, bound)
    if isinstance(bound, Const) and bound.code >= 0:
        return ite(less(place, length), place, length) if bound.code else place
    if isinstance(bound, Const):
        return ite(less(number(-bound.code - 1), length), place, number(0))
    low = ite(less(place, number(0)), number(0), place)
    return ite(less(low, length), low, length)


def sliced(content: BoundedList, lower: Term | None, upper: Term | None) -> BoundedList:
    """``list[lower:upper]``."""
    fixed = lower.code if isinstance(lower, Const) and lower.code >= 0 else 0 if lower is None else None
    start = slice_end(content, lower, number(0))
    end = slice_end(content, upper, content.length)
    if content.whole is not None:
        return _again(content, wholes.sliced(content.whole, start, end), 0)
    if fixed == 0:
        length = end
    elif fixed is not None and upper is None:
        length = ite(less(number(fixed - 1), content.length), minus(content.length, number(fixed)), number(0))
    else:
        length = ite(less(start, end), minus(end, start), number(0))
    empty = nothing(content.element)
    rows: list[RowOfTerms] = []
    for place in range(len(content.rows)):
        if fixed is not None:
            row = content.rows[place + fixed] if place + fixed < len(content.rows) else empty
        else:
            row = at(content, plus(start, number(place)))
        if upper is not None or fixed is None:
            row = rows_ite(less(number(place), length), row, empty)
        rows.append(row)
    return replace(content, rows=tuple(rows), length=length)
