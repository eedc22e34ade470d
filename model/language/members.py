"""Sets and bags: which cells say what is in them.

For each value that there could be, a cell says whether it is in a set, or how often it is in a bag. The elements of
sorts in a value are indices of that cell, so that a set of records of sorts is a relation; for all else that a value
may consist of (members of enums, numbers, truths, None) there is a field for each combination, its *pattern*.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, assert_never

from onceproof.model.language.errors import ModelError
from onceproof.model.language.parameters import ModelParameter
from onceproof.model.language.sorts import Choice, Count, Flag, Index, Int, Kind, Maybe, Sort
from onceproof.model.language.value_kinds import Codes, OptionKind, RecordKind, ValueKind, parts_of_value, width

MOST_PATTERNS = 256
Pattern = tuple[int | None, ...]  # for each part of a value its stored number, or None where it is an index


def patterns(kind: ValueKind, optional: bool = False) -> list[Pattern]:
    """All patterns of the values of a kind; ModelError where there are too many."""
    found = list(itertools.islice(_patterns(kind, optional), MOST_PATTERNS + 1))
    if len(found) > MOST_PATTERNS:
        raise ModelError(
            f"a set or a bag of values with more than {MOST_PATTERNS} combinations of enums, numbers and truths: give "
            "the record fewer of them, or smaller ones"
        )
    return found


def _patterns(kind: ValueKind, optional: bool) -> Iterator[Pattern]:
    match kind:
        case RecordKind(_, parts):
            for combination in itertools.product(*(list(_patterns(inner, optional)) for _, inner in parts)):
                yield tuple(code for part in combination for code in part)
        case OptionKind(inner):
            yield (0,) * (1 + width(inner))
            yield from ((1, *rest) for rest in _patterns(inner, True))
        case Index():
            yield (None,)
        case Maybe():
            yield from ((0,), (None,))
        case Flag() | Choice():
            yield from ((code,) for code in range(kind.cardinality({})))
        case Count() | Int():
            low, high = (one.default if isinstance(one, ModelParameter) else one for one in (kind.low, kind.high))
            yield from ((code,) for code in range(high - low + 1))
        case _:
            assert_never(kind)


def axes(kind: ValueKind, pattern: Pattern) -> tuple[type[Sort], ...]:
    """The sorts of the indices of the cells of a pattern."""
    found = []
    for part, code in zip(parts_of_value(kind, "", "", False), pattern, strict=True):
        if code is None:
            assert isinstance(part.kind, Index | Maybe)
            found.append(part.kind.sort)
    return tuple(found)


def row_at(kind: ValueKind, pattern: Pattern, indices: Sequence[int]) -> Codes:
    """The parts of the value that a cell of a pattern stands for."""
    left = iter(indices)
    row = []
    for part, code in zip(parts_of_value(kind, "", "", False), pattern, strict=True):
        row.append(code if code is not None else next(left) + isinstance(part.kind, Maybe))
    return tuple(row)


def rows(kind: ValueKind, sizes: Mapping[str, int]) -> list[Codes]:
    """The parts of all values that there are, in the order of their cells."""
    return [
        row_at(kind, pattern, indices)
        for pattern in patterns(kind)
        for indices in itertools.product(*(range(sizes[sort.__name__]) for sort in axes(kind, pattern)))
    ]


def text_of_pattern(kind: ValueKind, pattern: Pattern) -> str:
    """How a value of a pattern is written, with ``{1}``, ``{2}`` for its indices."""
    numbers = itertools.count(1)
    parts = [
        (part.kind, f"{{{next(numbers)}}}" if code is None else _shown(part.kind, code))
        for part, code in zip(parts_of_value(kind, "", "", False), pattern, strict=True)
    ]
    return _text(kind, [text for _, text in parts])


def _text(kind: ValueKind, texts: list[str]) -> str:
    match kind:
        case RecordKind(cls, parts):
            inside = []
            for _, inner in parts:
                inside.append(_text(inner, texts[: width(inner)]))
                texts = texts[width(inner) :]
            return f"{cls.__name__}({', '.join(inside)})"
        case OptionKind(inner):
            return _text(inner, texts[1:]) if texts[0] == "yes" else "none"
        case Flag() | Choice() | Index() | Maybe() | Count() | Int():
            return texts[0]
        case _:
            assert_never(kind)


def _shown(kind: Kind, code: int) -> str:
    value: Any = kind.show(code)
    if value is None or isinstance(value, bool):
        return "none" if value is None else "yes" if value else "no"
    return str(value)
