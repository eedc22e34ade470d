"""Composite kinds: sequences, sets and bags, records, optional values. Below the language each is scalar cells.

A value of a composite kind is a row of stored numbers, its *parts*: a sequence is its length and a place for each
element that it could hold, a set or a bag a cell for each value that could be in it (see ``members``), a record its
attributes one after the other, an optional value a flag and the parts of what may be there.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from onceproof.model.language.errors import ModelError, OutOfRange
from onceproof.model.language.members import axes, patterns, row_at, text_of_pattern
from onceproof.model.language.parameters import ModelParameter, bound_under
from onceproof.model.language.sorts import Count, Holding, Kind, Sort, kind_of
from onceproof.model.language.value_kinds import (
    FLAG,
    Codes,
    Collection,
    OptionKind,
    Part,
    RecordKind,
    encoded_value,
    parts_of_value,
    record_kind,
    repaired_value,
    value_kind_of,
    value_of_parts,
    width,
)

E = TypeVar("E")

if typing.TYPE_CHECKING:
    from typing_extensions import TypeForm

    class Messages(set[E]):
        """A set or a bag as model functions have it."""

        def send(self, value: E) -> None: ...
        def receive(self, value: E) -> None: ...
        def count(self, value: E) -> int: ...


MOST_PLACES = 64  # of a sequence
MOST_TIMES = 100  # that a bag holds one value


class Seq(Collection[E]):
    """A list of at most ``most`` elements: ``field(Node, Seq(Value, 4))``.

    most: a number, or a parameter of the model until ``kind_under`` says what it is.
    drop: what becomes of an element that finds it full. None: that is a violation; "new": it is dropped; "old": the
        first of the list is, to make room.
    """

    def __init__(
        self, element: TypeForm[E] | Holding[E], most: int, *, drop: Literal["new", "old"] | None = None
    ) -> None:
        if not isinstance(most, ModelParameter) and (type(most) is not int or not 1 <= most <= MOST_PLACES):
            raise ModelError(f"Seq(kind, n): n is a whole number from 1 to {MOST_PLACES}, found {most!r}")
        if drop not in (None, "new", "old"):
            raise ModelError(f'Seq(..., drop=...): expected "new" or "old", found {drop!r}')
        self.element = value_kind_of(element, "an element of a sequence")
        self.most, self.drop = most, drop

    def decode(self, code: int, /) -> list[E]:
        """What a cell holds: for type checkers, as ``signatures`` says."""
        raise NotImplementedError(code)

    @property
    def full(self) -> str:
        """What is said where one more element does not fit, and what can be done about it."""
        return (
            f"it is full with {self.most}: let a guard ask `len(...) < {self.most}`, declare more places, or say with "
            'drop="new" or drop="old" what is lost'
        )

    @property
    def overflow(self) -> OutOfRange:
        """What a step does that puts one more element into a list that is full."""
        return OutOfRange(self.full, value=f"one element more than {self.most}")


class Set(Collection[E]):
    """A set of values: ``field(Set(Vote))``, with ``add``, ``discard``, ``remove``, ``in``; for messages ``send``,
    ``receive``."""

    def __init__(self, element: TypeForm[E] | Holding[E]) -> None:
        self.element = value_kind_of(element, "an element of a set")
        patterns(self.element)

    def decode(self, code: int, /) -> Messages[E]:
        """What a cell holds: for type checkers, as ``signatures`` says."""
        raise NotImplementedError(code)


class Bag(Collection[E]):
    """A set that may hold a value several times, at most ``most``: ``field(Bag(Vote, 2))``.

    drop: "new" where a value that it already holds ``most`` times is dropped; None: that is a violation.
    """

    def __init__(self, element: TypeForm[E] | Holding[E], most: int, *, drop: Literal["new"] | None = None) -> None:
        if type(most) is not int or not 1 <= most <= MOST_TIMES:
            raise ModelError(f"Bag(kind, n): n is a whole number from 1 to {MOST_TIMES}, found {most!r}")
        if drop not in (None, "new"):
            raise ModelError(f'Bag(..., drop=...): expected "new", found {drop!r}')
        self.element = value_kind_of(element, "an element of a bag")
        self.most, self.drop = most, drop
        patterns(self.element)

    def decode(self, code: int, /) -> Messages[E]:
        """What a cell holds: for type checkers, as ``signatures`` says."""
        raise NotImplementedError(code)

    @property
    def full(self) -> str:
        """What is said where one more does not fit, and what can be done about it."""
        return (
            f"it holds this value {self.most} times already: let a guard ask `.count(...) < {self.most}`, declare "
            'more, or say with drop="new" that it is lost'
        )

    @property
    def overflow(self) -> OutOfRange:
        """What a step does that puts a value into a bag that is full of it."""
        return OutOfRange(self.full, value=f"one more than {self.most} of a value")


CompositeKind = RecordKind | OptionKind | Seq[Any] | Set[Any] | Bag[Any]
AnyKind = Kind | CompositeKind


COMPOSITE = (RecordKind, OptionKind, Seq, Set, Bag)
"""The kinds that are kept as several scalar cells."""


def any_kind_of(annotation: Any) -> AnyKind:
    """The kind that a declaration of a field means, scalar or composite."""
    if isinstance(annotation, Seq | Set | Bag):
        return annotation
    if record_kind(annotation) is not None or typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return value_kind_of(annotation, "a cell")
    return kind_of(annotation)


def kind_under(kind: AnyKind, parameters: Mapping[str, int]) -> Any:
    """The same kind with bounds that are parameters replaced by what these are set to."""
    match kind:
        case RecordKind(cls, parts):
            return RecordKind(cls, tuple((name, kind_under(inner, parameters)) for name, inner in parts))
        case OptionKind(inner):
            return OptionKind(kind_under(inner, parameters))
        case Seq():
            element, most = kind_under(kind.element, parameters), bound_under(kind.most, parameters)
            if element == kind.element and most == kind.most:
                return kind
            made: Seq[Any] = Seq(bool, most, drop=kind.drop)
            made.element = element
            return made
        case Set() | Bag():
            element = kind_under(kind.element, parameters)
            if element == kind.element:
                return kind
            other: Set[Any] | Bag[Any] = Set(bool) if isinstance(kind, Set) else Bag(bool, kind.most, drop=kind.drop)
            other.element = element
            return other
        case _:
            return kind.under(parameters)


@dataclass(eq=False)
class CompositeField:
    """A field with cells of a composite kind; see ``declare.Field``. The model keeps its parts as fields."""

    indices: tuple[type[Sort], ...]
    kind: CompositeKind
    init: Any = None
    ghost: bool = False
    network: bool = False
    constant: bool = False
    name: str = ""
    component: str = ""
    doc: str = ""
    line: tuple[str, int] = ("", 0)

    def starts_with(self, number: int, indices: tuple[int, ...]) -> Any:
        """The Python value that one of the parts has in the cell with these indices at the start."""
        own = indices[: len(self.indices)]
        value = self.init(*own) if callable(self.init) else self.init
        part = parts_of(self.kind)[number]
        if isinstance(self.kind, Set | Bag):
            row = row_at(self.kind.element, patterns(self.kind.element)[number], indices[len(own) :])
            held = sum(encoded_value(self.kind.element, one, False) == row for one in value)
            return held > 0 if isinstance(self.kind, Set) else held
        return part.kind.decode(encoded(self.kind, value)[number])


@dataclass(frozen=True, slots=True)
class PartOf:
    """What a field is a part of, and how its value is called (see ``Part.text``)."""

    of: CompositeField
    text: str


# -- parts


def parts_of(kind: CompositeKind) -> tuple[Part, ...]:
    """All parts of a value of a composite kind, in the order in which they are stored."""
    if isinstance(kind, Set | Bag):
        return tuple(_member_parts(kind))
    if not isinstance(kind, Seq):
        return tuple(parts_of_value(kind, "", "{0}", False))
    most = kind.most.default if isinstance(kind.most, ModelParameter) else kind.most
    places = (parts_of_value(kind.element, f".{n}", f"{{0}}[{n}]", True) for n in range(most))
    return (Part(".length", Count(kind.most), "len({0})"), *(part for place in places for part in place))


def _member_parts(kind: Set[Any] | Bag[Any]) -> Iterator[Part]:
    every = patterns(kind.element)
    for pattern in every:
        value = text_of_pattern(kind.element, pattern)
        name = "".join(f".{code}" for code in pattern if code is not None) if len(every) > 1 else ""
        if isinstance(kind, Set):
            yield Part(f".has{name}", FLAG, f"({value} in {{0}})", axes(kind.element, pattern))
        else:
            yield Part(f".times{name}", Count(kind.most), f"{{0}}.count({value})", axes(kind.element, pattern))


# -- rows of stored numbers


def encoded(kind: CompositeKind, value: Any) -> Codes:
    """The parts of a value of a field that is no set or bag; ModelError where it does not fit."""
    assert not isinstance(kind, Set | Bag)
    if not isinstance(kind, Seq):
        return encoded_value(kind, value, False)
    if not isinstance(value, list):
        raise ModelError(f"expected a list, found {value!r}")
    kept = within(kind, value)
    rows = [encoded_value(kind.element, one, True) for one in kept]
    empty = (0,) * width(kind.element)
    rows += [empty] * (kind.most - len(kept))
    return (len(kept), *(code for row in rows for code in row))


def within(kind: Seq[Any], values: list[Any]) -> list[Any]:
    """What a sequence keeps of a list; ModelError where it is too long and nothing may be dropped."""
    if len(values) <= kind.most:
        return values
    if kind.drop is None:
        raise kind.overflow
    return values[: kind.most] if kind.drop == "new" else values[len(values) - kind.most :]


def value_of_all_parts(kind: CompositeKind, parts: Sequence[Any]) -> Any:
    """The Python value of a field, no set or bag, that has these parts, each as Python has it."""
    assert not isinstance(kind, Set | Bag)
    if not isinstance(kind, Seq):
        return value_of_parts(kind, parts)
    return [value_of_parts(kind.element, row) for row in rows_of(kind, parts)]


def rows_of(kind: Seq[Any], parts: Sequence[Any]) -> list[Sequence[Any]]:
    """The parts of each element that a sequence holds."""
    size = width(kind.element)
    return [parts[1 + n * size : 1 + (n + 1) * size] for n in range(parts[0])]


def repaired(kind: CompositeKind, codes: Sequence[int]) -> Codes:
    """The nearest row that a value has: what is there has elements, and what is not holds 0."""
    if isinstance(kind, Set | Bag):
        return tuple(codes)
    if not isinstance(kind, Seq):
        return repaired_value(kind, codes, False)
    rows = [repaired_value(kind.element, row, True) for row in rows_of(kind, codes)]
    found = (codes[0], *(code for row in rows for code in row))
    return (*found, *(0,) * (len(codes) - len(found)))
