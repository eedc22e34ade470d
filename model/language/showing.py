"""Values of cells as JSON can hold them, and back: names of elements and enum members, numbers, lists, records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any, assert_never

from onceproof.model.language.composites import AnyKind, Bag, CompositeKind, Seq, Set, rows_of
from onceproof.model.language.errors import ModelError
from onceproof.model.language.members import rows
from onceproof.model.language.sorts import Choice, Count, Flag, Index, Int, Kind, Maybe
from onceproof.model.language.value_kinds import Codes, OptionKind, RecordKind, ValueKind, parts_of_value, width


class ShownRecord(dict[str, Any]):
    """A record as JSON holds it, which knows what it is called."""

    def __init__(self, name: str, values: dict[str, Any]) -> None:
        super().__init__(values)
        self.name = name


def shown(kind: CompositeKind, codes: Sequence[int], sizes: Mapping[str, int]) -> Any:
    """A composite value by its parts. What is in a set or a bag is a list, in a fixed order.

    sizes: how many there are of each sort, by its name.
    """
    if isinstance(kind, Set | Bag):
        every = zip(rows(kind.element, sizes), codes, strict=True)
        return [_shown_value(kind.element, row, False) for row, times in every for _ in range(times)]
    if isinstance(kind, Seq):
        return [_shown_value(kind.element, row, True) for row in rows_of(kind, codes)]
    return _shown_value(kind, codes, False)


def _shown_value(kind: ValueKind, codes: Sequence[int], optional: bool) -> Any:
    match kind:
        case RecordKind(cls, parts):
            values, start = {}, 0
            for name, inner in parts:
                values[name] = _shown_value(inner, codes[start : start + width(inner)], optional)
                start += width(inner)
            return ShownRecord(cls.__name__, values)
        case OptionKind(inner):
            return _shown_value(inner, codes[1:], True) if codes[0] else None
        case Index(sort) if optional:
            return Maybe(sort).show(codes[0])
        case Flag() | Choice() | Index() | Maybe() | Count() | Int():
            return kind.show(codes[0])
        case _:
            assert_never(kind)


def text_of(value: object) -> str:
    """A shown value as text: ``none``, ``yes``, ``no``, ``[a, b]``, ``Vote(term1, node1)``, or as Python prints it."""
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case ShownRecord():
            return f"{value.name}({', '.join(map(text_of, value.values()))})"
        case dict():
            return "{" + ", ".join(f"{key}: {text_of(inner)}" for key, inner in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(text_of, value)) + "]"
        case _:
            return str(value)


def expectation(kind: AnyKind) -> str:
    """What JSON must be to be a value of a kind, for people."""
    match kind:
        case Set() | Bag():
            return f"a list of what is in it, each {expectation(kind.element)}"
        case Seq(element=element, most=most):
            return f"a list of at most {most}, each {expectation(element)}"
        case RecordKind(_, parts):
            return "an object with " + ", ".join(f"{name}: {expectation(inner)}" for name, inner in parts)
        case OptionKind(inner):
            return f"null, or {expectation(inner)}"
        case Flag():
            return "true or false"
        case Choice(enum):
            return " or ".join(member.name for member in enum)
        case Index(sort):
            return f"the name of a {sort.__name__}"
        case Maybe(sort):
            return f"null, or the name of a {sort.__name__}"
        case Count() | Int():
            return f"a whole number from {kind.low} to {kind.high}"
        case _:
            assert_never(kind)


# -- back


@lru_cache(maxsize=1000)
def _codes_of(kind: Kind, cardinality: int) -> dict[Any, int]:
    return {kind.show(code): code for code in range(cardinality)}


def parsed(kind: AnyKind, cardinalities: Sequence[int], value: Any, sizes: Mapping[str, int]) -> Codes:
    """The parts of a shown value; ModelError, KeyError or TypeError where no value of the kind is shown like that.

    cardinalities: how many values each of the parts may have.
    """
    if isinstance(kind, Set | Bag):
        return _parsed_members(kind, value, sizes)
    if not isinstance(kind, Seq):
        return _parsed_value(kind, cardinalities, value, False)
    if not isinstance(value, list) or len(value) > kind.most:
        raise ModelError(f"expected a list of at most {kind.most}, found {value!r}")
    size = width(kind.element)
    rows = [_parsed_value(kind.element, cardinalities[1 : 1 + size], one, True) for one in value]
    rows += [(0,) * size] * (kind.most - len(rows))
    return (len(value), *(code for row in rows for code in row))


def _parsed_members(kind: Set[Any] | Bag[Any], value: Any, sizes: Mapping[str, int]) -> Codes:
    if not isinstance(value, list):
        raise ModelError(f"expected a list of what is in it, found {value!r}")
    limits = [part.kind.cardinality(sizes) for part in parts_of_value(kind.element, "", "", False)]
    held = Counter(_parsed_value(kind.element, limits, one, False) for one in value)
    most = 1 if isinstance(kind, Set) else kind.most
    if any(times > most for times in held.values()):
        raise ModelError(f"a value more than {most} times")
    return tuple(held[row] for row in rows(kind.element, sizes))


def _parsed_value(kind: ValueKind, cardinalities: Sequence[int], value: Any, optional: bool) -> Codes:
    match kind:
        case RecordKind(cls, parts):
            names = [name for name, _ in parts]
            if not isinstance(value, dict) or sorted(value) != sorted(names):
                raise ModelError(f"expected a {cls.__name__} with {', '.join(names)}, found {value!r}")
            found: list[int] = []
            for name, inner in parts:
                limits = cardinalities[len(found) : len(found) + width(inner)]
                found += _parsed_value(inner, limits, value[name], optional)
            return tuple(found)
        case OptionKind(inner):
            if value is None:
                return (0,) * (1 + width(inner))
            return (1, *_parsed_value(inner, cardinalities[1:], value, True))
        case Index(sort) if optional:
            code = _codes_of(Maybe(sort), cardinalities[0])[value]
            if not code:
                raise ModelError(f"expected a {sort.__name__}, found None")
            return (code,)
        case Flag() | Choice() | Index() | Maybe() | Count() | Int():
            if type(value) is bool and not isinstance(kind, Flag):
                raise ModelError(f"found {value!r}")
            return (_codes_of(kind, cardinalities[0])[value],)
        case _:
            assert_never(kind)


def call_text(action: str, arguments: Mapping[str, str], chosen: Collection[str] = ()) -> str:
    """``grant(node1, voter=node2)``: a step with its arguments; what it chooses has its name before it."""
    parts = (f"{name}={value}" if name in chosen else value for name, value in arguments.items())
    return f"{action}({', '.join(parts)})"
