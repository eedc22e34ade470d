"""What one value is: a scalar, a record, an optional value; and the scalar parts that it is kept as.

Where there is no value, all parts hold 0, so that equal values are equal rows; where an element of a sort may be
missing, it is stored as an index or none, as no element of a sort may stand for "nothing" more than another.
"""

from __future__ import annotations

import dataclasses
import inspect
import types
import typing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, assert_never

from onceproof.model.language.errors import ModelError, nearest
from onceproof.model.language.sorts import Choice, Count, Flag, Index, Int, Kind, Maybe, Sort, kind_of

E = TypeVar("E")
C = TypeVar("C", bound=type)
RECORD = "__onceproof_record__"  # the attribute by which a class is known as a record
FLAG = Flag()


class Collection(Generic[E]):
    """A kind of cells that hold several values: a sequence, a set, a bag."""

    element: ValueKind


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


EXPECTED = "bool, an Enum, a Sort, Count(n), Int(low, high), a record, or Optional of one of these"


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
        raise ModelError(f"{what}: a whole number needs an end: write Count(n), for 0 to n, or Int(low, high)")
    if isinstance(annotation, Collection):
        raise ModelError(f"{what} cannot be a collection: give the field one more index instead")
    try:
        return kind_of(annotation)
    except ModelError as error:
        if error.message.startswith("Count"):
            raise
        shown = annotation.__name__ if isinstance(annotation, type) else repr(annotation)
        raise ModelError(f"{what} is {EXPECTED}, not {shown}") from None


# -- parts


@dataclass(frozen=True, slots=True)
class Part:
    """One scalar cell of a composite value: its name below the field's, its kind, and how its value is called.

    text: with ``{0}`` for the value that it is a part of: ``{0}[0].term``, ``len({0})``.
    """

    name: str
    kind: Kind
    text: str
    sorts: tuple[type[Sort], ...] = ()  # of its indices, beside those of the field


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


def width(kind: ValueKind) -> int:
    """How many parts one value has."""
    return sum(1 for _ in parts_of_value(kind, "", "", False))


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


def repaired_value(kind: ValueKind, codes: Sequence[int], optional: bool) -> Codes:
    """The nearest row of parts that a value has."""
    match kind:
        case RecordKind(_, parts):
            found: list[int] = []
            for _, inner in parts:
                found += repaired_value(inner, codes[len(found) : len(found) + width(inner)], optional)
            return tuple(found)
        case OptionKind(inner):
            return (1, *repaired_value(inner, codes[1:], True)) if codes[0] else (0,) * len(codes)
        case Index() if optional:
            return (max(codes[0], 1),)
        case Flag() | Choice() | Index() | Maybe() | Count() | Int():
            return tuple(codes)
        case _:
            assert_never(kind)
