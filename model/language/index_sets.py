"""What fields are indexed by beside declared sorts: members of an enum and numbers; and elements that have an order.

Engines see an index set as a sort whose size is fixed; ``values`` says which enum or which numbers stand behind it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from functools import cache
from typing import Any, TypeGuard, cast

from onceproof.model.language.errors import ModelError
from onceproof.model.language.sorts import Choice, Index, Int, Kind, Maybe, Ordered, Sort, SortType


class _IndexSet(Sort):
    """The values of an enum or of a range of numbers, as an index."""

    @classmethod
    def element(cls, index: int) -> str:
        """A value as people read it: ``RED``, ``3``."""
        assert cls.values is not None
        return str(cls.values.show(index))


@cache
def index_set(kind: Kind) -> type[Sort]:
    """The set of the values of a kind; always the same one for the same kind."""
    match kind:
        case Choice(enum):
            name = enum.__name__
        case Int(low, high):
            name = f"Int({low}, {high})"
        case _:
            name = repr(kind)
    made = SortType(name, (_IndexSet,), {"values": kind, "__doc__": f"The values of {name}."})
    return cast("type[Sort]", made)


def index_of(annotation: Any) -> type[Sort] | None:
    """The sort that a field is indexed by: a Sort, an Enum or ``Int(low, high)``; None for anything else."""
    if isinstance(annotation, type) and issubclass(annotation, Sort) and annotation not in (Sort, Ordered):
        return annotation
    if isinstance(annotation, type) and issubclass(annotation, Enum) and len(annotation):
        return index_set(Choice(annotation))
    return index_set(annotation) if isinstance(annotation, Int) else None


def domain(kind: Kind) -> type[Sort]:
    """What a variable ranges over that stands for a value of a kind: a sort, or its values, counted from 0."""
    match kind:
        case Index(sort):
            return sort
        case Int(low, high):
            return index_set(Int(0, high - low))
        case _:
            return index_set(kind)


def is_sort(value: Any) -> TypeGuard[type[Sort]]:
    """Whether it is a declared sort."""
    return isinstance(value, type) and issubclass(value, Sort) and value not in (Sort, Ordered)


def size_of(sort: type[Sort], sizes: Mapping[str, int]) -> int:
    """How many elements a sort has, or values the index of a field, in a configuration with these sizes (by key)."""
    if isinstance(sort.values, Maybe):
        return 1 + sizes[sort.values.sort.size_name]
    return sizes[sort.size_name] if sort.values is None else sort.values.cardinality({})


def cardinality(sort: type[Sort], sizes: Mapping[str, int]) -> int:
    """The same by the names of sorts."""
    return sizes[sort.__name__] if sort.values is None else sort.values.cardinality(sizes)


class Element(int):
    """An element of an ordered sort, as model functions get it when they are run: ``n + 1`` is the one after it."""

    sort: type[Sort]
    size: int

    def _at(self, place: int) -> Element:
        if not 0 <= place < self.size:
            raise ModelError(beyond(self.sort, place < 0))
        return type(self)(place)

    def __add__(self, other: Any) -> Element:
        return self._at(int(self) + other) if type(other) is int else NotImplemented

    def __sub__(self, other: Any) -> Element:
        return self._at(int(self) - other) if type(other) is int else NotImplemented

    __radd__ = __add__

    def __rsub__(self, other: Any) -> Any:
        raise ModelError(f"an element of {self.sort.__name__} is not a number")


def beyond(sort: type[Sort], below: bool) -> str:
    """What is said of a step beyond an end of an ordered sort."""
    name = sort.__name__
    if below:
        return f"there is no {name} before the first: ask `== first({name})` before you subtract"
    return f"there is no {name} after the last: ask `== last({name})` before you add"


@cache
def _element_class(sort: type[Sort], size: int) -> type[Element]:
    return type(f"{sort.__name__}Element", (Element,), {"sort": sort, "size": size, "__slots__": ()})


@cache
def values_of(sort: type[Sort], size: int) -> Sequence[Any]:
    """The values that stand for the elements of a sort when functions are run, by their 0-based numbers."""
    if sort.values is not None:
        return [sort.values.decode(code) for code in range(size)]
    return list(map(_element_class(sort, size), range(size))) if sort.ordered else range(size)
