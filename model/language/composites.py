"""Composite kinds: sequences, records, optional values of any kind. Below the language each is several scalar cells.

A value of a composite kind is a row of stored numbers, its *parts*: a sequence is its length and a place for each
element that it could hold, a record its attributes one after the other, an optional value a flag and the parts of what
may be there. Where nothing is, all parts hold 0, so that equal values are equal rows; where an element of a sort may
be missing, it is stored as an index or none, as no element of a sort may stand for "nothing" more than another.
"""

from __future__ import annotations

import dataclasses
import inspect
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar, assert_never

from onceproof.model.language.errors import ModelError, OutOfRange, nearest
from onceproof.model.language.parameters import ModelParameter, bound_under
from onceproof.model.language.sorts import Choice, Count, Flag, Holding, Index, Int, Kind, Maybe, Sort, kind_of

if typing.TYPE_CHECKING:
    from typing_extensions import TypeForm

E = TypeVar("E")
C = TypeVar("C", bound=type)
RECORD = "__onceproof_record__"  # the attribute by which a class is known as a record
MOST_PLACES = 64  # of a sequence
FLAG = Flag()


@dataclass(frozen=True, slots=True)
class RecordKind:
    """A record: a class, and what each of its attributes holds."""

    cls: type
    parts: tuple[tuple[str, ValueKind], ...]


@dataclass(frozen=True, slots=True)
class OptionKind:
    """None, or a value of a kind that is no sort (an element of a sort or None is scalar: ``Maybe``)."""

    inner: ValueKind


ValueKind = Kind | RecordKind | OptionKind
"""What is one value: what a cell may hold but for collections, and what an element of a collection may be."""


class Seq(Generic[E]):
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
        self.element: ValueKind = value_kind_of(element, "an element of a sequence")
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


CompositeKind = RecordKind | OptionKind | Seq[Any]
AnyKind = Kind | CompositeKind


COMPOSITE = (RecordKind, OptionKind, Seq)
"""The kinds that are kept as several scalar cells."""


@typing.dataclass_transform(frozen_default=True)
def record(cls: C) -> C:
    """Marks a class as a record: ``@record class Vote: term: Term; voter: Node``. Its instances are values.

    What an attribute may hold: bool, an Enum, a Sort, Count(n), Optional of any of them, another record.
    """
    try:
        hints = inspect.get_annotations(cls, eval_str=True)
    except NameError as error:
        raise ModelError(f"record `{cls.__name__}`: {error}; declare it above the record") from None
    if not hints:
        raise ModelError(f"record `{cls.__name__}` has no attributes: write `name: Kind` in its body")
    parts = tuple((name, value_kind_of(hint, f"`{name}` of record `{cls.__name__}`")) for name, hint in hints.items())
    dataclass(frozen=True)(cls)
    type.__setattr__(cls, "__setattr__", _set_attribute)
    setattr(cls, RECORD, RecordKind(cls, parts))
    return cls


def _set_attribute(self: Any, name: str, value: Any) -> None:
    """``st.last[n].term = t`` writes the cell; a record that is not read from a cell just now never changes."""
    write = self.__dict__.get("_write")
    if write is None:
        raise ModelError(
            f"a {type(self).__name__} is a value and does not change: make another, or write the cell: "
            f"st.field[...].{name} = ..."
        )
    if name not in dict(getattr(type(self), RECORD).parts):
        raise ModelError(f"`{type(self).__name__}` has no attribute `{name}`{nearest(name, vars(self))}")
    write(dataclasses.replace(self, **{name: value}))
    self.__dict__[name] = value


def record_kind(cls: Any) -> RecordKind | None:
    """The kind of a class that is a record; None for all else."""
    return cls.__dict__.get(RECORD) if isinstance(cls, type) else None


EXPECTED = "bool, an Enum, a Sort, Count(n), a record, or Optional of one of these"


def value_kind_of(annotation: Any, what: str) -> ValueKind:
    """The kind of one value; ModelError for a collection and for what has no finite kind."""
    found = record_kind(annotation)
    if found is not None:
        return found
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        inner = [part for part in typing.get_args(annotation) if part is not type(None)]
        if len(inner) == 1 and len(typing.get_args(annotation)) == 2:
            kind = value_kind_of(inner[0], what)
            if isinstance(kind, Index):
                return Maybe(kind.sort)
            return kind if isinstance(kind, Maybe | OptionKind) else OptionKind(kind)
    if annotation is int:
        raise ModelError(f"{what}: a whole number needs an end: write Count(n), for 0 to n")
    if isinstance(annotation, Seq):
        raise ModelError(f"{what} cannot be a collection: give the field one more index instead")
    try:
        return kind_of(annotation)
    except ModelError as error:
        if error.message.startswith("Count"):
            raise
        shown = annotation.__name__ if isinstance(annotation, type) else repr(annotation)
        raise ModelError(f"{what} is {EXPECTED}, not {shown}") from None


def any_kind_of(annotation: Any) -> AnyKind:
    """The kind that a declaration of a field means, scalar or composite."""
    if isinstance(annotation, Seq):
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
        value = self.init(*indices) if callable(self.init) else self.init
        part = parts_of(self.kind)[number]
        return part.kind.decode(encoded(self.kind, value)[number])


@dataclass(frozen=True, slots=True)
class PartOf:
    """What a field is a part of, and how its value is called (see ``Part.text``)."""

    of: CompositeField
    text: str


# -- parts


@dataclass(frozen=True, slots=True)
class Part:
    """One scalar cell of a composite value: its name below the field's, its kind, and how its value is called.

    text: with ``{0}`` for the value that it is a part of: ``{0}[0].term``, ``len({0})``.
    """

    name: str
    kind: Kind
    text: str


def parts_of_value(kind: ValueKind, name: str, text: str, optional: bool) -> Iterator[Part]:
    """The parts of one value. optional: there may be no value, so that elements of sorts are stored as one or none."""
    match kind:
        case RecordKind(_, parts):
            for attribute, inner in parts:
                yield from parts_of_value(inner, f"{name}.{attribute}", f"{text}.{attribute}", optional)
        case OptionKind(inner):
            yield Part(f"{name}.there", FLAG, f"({text} is not None)")
            yield from parts_of_value(inner, name if isinstance(inner, RecordKind) else f"{name}.value", text, True)
        case Index(sort) if optional:
            yield Part(name, Maybe(sort), text)
        case Flag() | Choice() | Index() | Maybe() | Count() | Int():
            yield Part(name, kind, text)
        case _:
            assert_never(kind)


def parts_of(kind: CompositeKind) -> tuple[Part, ...]:
    """All parts of a value of a composite kind, in the order in which they are stored."""
    if not isinstance(kind, Seq):
        return tuple(parts_of_value(kind, "", "{0}", False))
    most = kind.most.default if isinstance(kind.most, ModelParameter) else kind.most
    places = (parts_of_value(kind.element, f".{n}", f"{{0}}[{n}]", True) for n in range(most))
    return (Part(".length", Count(kind.most), "len({0})"), *(part for place in places for part in place))


def width(kind: ValueKind) -> int:
    """How many parts one value has."""
    return sum(1 for _ in parts_of_value(kind, "", "", False))


# -- rows of stored numbers

Codes = tuple[int, ...]


def encoded_value(kind: ValueKind, value: Any, optional: bool) -> Codes:
    """The parts of a Python value; ModelError where it does not fit."""
    match kind:
        case RecordKind(cls, parts):
            if type(value) is not cls:
                raise ModelError(f"expected a {cls.__name__}, found {value!r}")
            rows = []
            for name, inner in parts:
                try:
                    rows.append(encoded_value(inner, getattr(value, name), optional))
                except ModelError as error:
                    raise ModelError(f"`{name}`: {error.message}") from None
            return tuple(code for row in rows for code in row)
        case OptionKind(inner):
            return (0,) * (1 + width(inner)) if value is None else (1, *encoded_value(inner, value, True))
        case Index(sort) if optional:
            kind.encode(value)
            return (Maybe(sort).encode(value),)
        case Flag() | Choice() | Index() | Maybe() | Count() | Int():
            return (kind.encode(value),)
        case _:
            assert_never(kind)


def value_of_parts(kind: ValueKind, parts: Sequence[Any]) -> Any:
    """The Python value that has these parts, each as Python has it."""
    match kind:
        case RecordKind(cls, attributes):
            values, start = {}, 0
            for name, inner in attributes:
                end = start + width(inner)
                values[name] = value_of_parts(inner, parts[start:end])
                start = end
            made: Any = object.__new__(cls)
            made.__dict__.update(values)
            return made
        case OptionKind(inner):
            return value_of_parts(inner, parts[1:]) if parts[0] else None
        case Flag() | Choice() | Index() | Maybe() | Count() | Int():
            return parts[0]
        case _:
            assert_never(kind)


def encoded(kind: CompositeKind, value: Any) -> Codes:
    """The parts of a value of a field; ModelError where it does not fit, or has too many elements."""
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
    """The Python value of a field that has these parts, each as Python has it."""
    if not isinstance(kind, Seq):
        return value_of_parts(kind, parts)
    return [value_of_parts(kind.element, row) for row in rows_of(kind, parts)]


def rows_of(kind: Seq[Any], parts: Sequence[Any]) -> list[Sequence[Any]]:
    """The parts of each element that a sequence holds."""
    size = width(kind.element)
    return [parts[1 + n * size : 1 + (n + 1) * size] for n in range(parts[0])]


def repaired(kind: CompositeKind, codes: Sequence[int]) -> Codes:
    """The nearest row that a value has: what is there has elements, and what is not holds 0."""
    if not isinstance(kind, Seq):
        return _repaired_value(kind, codes, False)
    rows = [_repaired_value(kind.element, row, True) for row in rows_of(kind, codes)]
    found = (codes[0], *(code for row in rows for code in row))
    return (*found, *(0,) * (len(codes) - len(found)))


def _repaired_value(kind: ValueKind, codes: Sequence[int], optional: bool) -> Codes:
    match kind:
        case RecordKind(_, parts):
            found: list[int] = []
            for _, inner in parts:
                found += _repaired_value(inner, codes[len(found) : len(found) + width(inner)], optional)
            return tuple(found)
        case OptionKind(inner):
            return (1, *_repaired_value(inner, codes[1:], True)) if codes[0] else (0,) * len(codes)
        case Index() if optional:
            return (max(codes[0], 1),)
        case Flag() | Choice() | Index() | Maybe() | Count() | Int():
            return tuple(codes)
        case _:
            assert_never(kind)
