"""The symbolic world at a point of a function: its locals and lists, what was written, and when it is reached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from onceproof.model.language.errors import ModelError
from onceproof.model.language.reading.facts import Facts
from onceproof.model.language.reading.result import Write
from onceproof.model.language.reading.values import (
    UNSET,
    BoundedList,
    DictObject,
    Item,
    ListObject,
    Value,
    merged,
    rows_ite,
)
from onceproof.model.language.terms import FALSE, TRUE, Term, and_, constant_of, ite, not_, number, or_
from onceproof.model.language.value_kinds import ValueKind, parts_of_value
from onceproof.model.language.wholes import item, length, row_of_whole

Frame = dict[str, Value]
ONE_WAY = "a list is one from the state on one way only: make a new list instead of changing it"
HeapObject = Any  # a Frame, a ListObject or a DictObject; never changed in place


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """path: the branches taken since the function began, as conditions. It is what later writes depend on.

    facts: what is known here: the path, and what was assumed on the way (guards, and that nothing failed).
    writes: each holds where its own condition does, given that this world is reached.
    """

    heap: Mapping[int, HeapObject]
    writes: tuple[Write, ...]
    path: tuple[Term, ...]
    facts: Facts

    def under(self, condition: Term) -> World:
        """The world of the branch in which the condition holds."""
        return replace(self, path=(*self.path, condition), facts=self.facts.also(condition))

    def assuming(self, condition: Term) -> World:
        """The same world, where the condition is known to hold: a run in which it does not ends here."""
        return replace(self, facts=self.facts.also(condition))

    def holding(self, identity: int, content: HeapObject) -> World:
        """The world with an object of the heap made or changed."""
        return replace(self, heap={**self.heap, identity: content})

    def since(self, base: World) -> Term:
        """The condition under which this world is reached from ``base``."""
        return and_(*self.path[len(base.path) :])


def joined(base: World, ends: Sequence[tuple[World, Value]], complete: bool) -> tuple[World, Value]:
    """The worlds that ways through a part of a function lead to, put together again, each with its value.

    complete: all other ways end the run, so that whoever goes on may take it that one of these was taken.
    """
    conditions: list[Term] = []
    known = base.facts
    for end, _ in ends:
        conditions.append(known.simpler(end.since(base)))
        known = known.also(not_(conditions[-1]))
    world, value = ends[-1]
    for (other, its_value), condition in zip(reversed(ends[:-1]), reversed(conditions[:-1]), strict=True):
        value = merged(condition, its_value, value)
        world = _merged(base, condition, other, world)
    reached = TRUE if complete else base.facts.simpler(or_(*conditions))
    path = base.path if reached is TRUE else (*base.path, reached)
    facts = world.facts
    if len(ends) > 1 and reached is not TRUE:
        facts = facts.also(reached)
    return replace(world, path=path, facts=facts), value


def _merged(base: World, condition: Term, one: World, other: World) -> World:
    heap = one.heap
    if one.heap is not other.heap:
        heap = dict(one.heap)
        for identity, content in other.heap.items():
            mine = heap.setdefault(identity, content)  # what only one of the ways has made is there after it, too
            if mine is not content:
                heap[identity] = merged_objects(condition, mine, content)
    start = len(base.writes)
    shared = start
    while shared < len(one.writes) and shared < len(other.writes) and one.writes[shared] is other.writes[shared]:
        shared += 1
    writes = (*one.writes[:shared], *_merged_writes(condition, one.writes[shared:], other.writes[shared:]))
    return World(heap, writes, base.path, one.facts.common(base.facts, other.facts))


def merged_objects(condition: Term, one: HeapObject, other: HeapObject) -> HeapObject:
    """The contents of an object of the heap: one where the condition holds, else the other."""
    if isinstance(one, ListObject):
        if isinstance(other, BoundedList):
            raise ModelError(ONE_WAY)
        return _merged_lists(condition, one, other)
    if isinstance(one, BoundedList):
        return _merged_bounded(condition, one, other)
    if isinstance(one, DictObject):
        return _merged_dicts(condition, one, other)
    return {
        name: merged(condition, one.get(name, UNSET), other.get(name, UNSET)) for name in dict.fromkeys([*one, *other])
    }


def _merged_bounded(condition: Term, one: BoundedList, other: HeapObject) -> BoundedList:
    if not isinstance(other, BoundedList) or other.element != one.element:
        raise ModelError(ONE_WAY)
    most = max(len(one.rows), len(other.rows))
    if one.whole is not None and other.whole is not None:
        return listed(one.element, ite(condition, one.whole, other.whole), most)
    empty = nothing(one.element)
    mine, theirs = ((*each.rows, *(empty,) * (most - len(each.rows))) for each in (one, other))
    rows = tuple(rows_ite(condition, a, b) for a, b in zip(mine, theirs, strict=True))
    return BoundedList(one.element, rows, ite(condition, one.length, other.length))


def listed(element: ValueKind, whole: Term, most: int) -> BoundedList:
    """A list that is read as a whole, of at most so many elements."""
    rows = tuple(row_of_whole(element, item(whole, number(n), element), True) for n in range(most))
    return BoundedList(element, rows, length(whole), whole=whole)


def nothing(element: ValueKind) -> tuple[Term, ...]:
    """What the parts of a place hold in which there is no element."""
    return tuple(constant_of(part.kind, 0) for part in parts_of_value(element, "", "", True))


def _merged_lists(condition: Term, one: ListObject, other: ListObject) -> ListObject:
    shared = 0
    while shared < min(len(one.items), len(other.items)) and one.items[shared] is other.items[shared]:
        shared += 1
    mine, theirs = one.items[shared:], other.items[shared:]
    items: list[Item] = list(one.items[:shared])
    if len(mine) == len(theirs) and all(a[0] is b[0] for a, b in zip(mine, theirs, strict=True)):
        items += [(a[0], merged(condition, a[1], b[1])) for a, b in zip(mine, theirs, strict=True)]
    else:
        items += [(and_(condition, present), value) for present, value in mine]
        items += [(and_(not_(condition), present), value) for present, value in theirs]
    return ListObject(tuple(item for item in items if item[0] is not FALSE))


def _merged_dicts(condition: Term, one: DictObject, other: DictObject) -> DictObject:
    items: dict[Any, Item] = {}
    if [key for key in one.items if key in other.items] != [key for key in other.items if key in one.items]:
        raise ModelError("a dictionary whose keys stand in another order on another way: its order would be unknown")
    for key in dict.fromkeys([*one.items, *other.items]):
        present, value = one.items.get(key, (FALSE, UNSET))
        theirs, their_value = other.items.get(key, (FALSE, UNSET))
        if key not in one.items or key not in other.items:
            value = value if key in one.items else their_value
        else:
            value = merged(condition, value, their_value)
        items[key] = ite(condition, present, theirs), value
    return DictObject(items)


def _merged_writes(condition: Term, mine: Sequence[Write], theirs: Sequence[Write]) -> list[Write]:
    """The writes of both branches; those to the same cells in the same order become one."""
    result: list[Write] = []
    for field in dict.fromkeys(write.field for write in (*mine, *theirs)):
        ours = [write for write in mine if write.field == field]
        others = [write for write in theirs if write.field == field]
        if [(w.indices, w.binders) for w in ours] == [(w.indices, w.binders) for w in others]:
            result += [_one(condition, a, b) for a, b in zip(ours, others, strict=True)]
        else:
            result += [replace(write, condition=and_(condition, write.condition)) for write in ours]
            result += [replace(write, condition=and_(not_(condition), write.condition)) for write in others]
    return [write for write in result if write.condition is not FALSE]


def _one(condition: Term, mine: Write, theirs: Write) -> Write:
    if mine is theirs:
        return mine
    value = ite(condition, mine.value, theirs.value)
    if mine.condition is FALSE or theirs.condition is FALSE:
        value = theirs.value if mine.condition is FALSE else mine.value
    return replace(mine, value=value, condition=ite(condition, mine.condition, theirs.condition))
