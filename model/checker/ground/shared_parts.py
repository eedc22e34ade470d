"""Parts of formulas that stand in several places: in generated code they are worked out once, and go by a name then.

A formula that branches again and again on what was carried from before is small as a graph of shared parts, and grows
without bound where each part is written out wherever it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from onceproof.model.checker.ground.formula import (
    Below,
    Both,
    Either,
    Formula,
    In,
    Opposite,
    Same,
    Value,
    parts_of,
)

LARGE = 12  # tests and operations: what has more is worth a name


class Weights:
    """How many tests and operations parts have when they are written out: those that they share, each time."""

    def __init__(self) -> None:
        self._known: dict[Formula | Value, int] = {}

    def of(self, part: Formula | Value) -> int:
        """About how many there are."""
        inner = parts_of(part)
        if not inner:
            return 1
        found = self._known.get(part)
        if found is None:
            found = self._known[part] = sum(map(self.of, inner))
        return found


def shared_parts(wholes: Iterable[Formula | Value]) -> list[Formula | Value]:
    """The large parts that stand in several places of what is to be written; a part comes before those it is in."""
    return [part for part, places in _large_parts(wholes).items() if places > 1]


def weight(wholes: Iterable[Formula | Value]) -> int:
    """How many tests and operations there are to write, if shared parts are written once."""
    large, weights = _large_parts(wholes), Weights()
    return sum(1 if inner in large else weights.of(inner) for part in large for inner in parts_of(part))


def _large_parts(wholes: Iterable[Formula | Value]) -> dict[Formula | Value, int]:
    """In how many places each large part stands; inner parts first."""
    places: dict[Formula | Value, int] = {}
    order: dict[Formula | Value, int] = {}
    weights = Weights()

    def visit(part: Formula | Value) -> None:
        places[part] = places.get(part, 0) + 1
        if places[part] == 1:
            for inner in parts_of(part):
                if weights.of(inner) > LARGE:
                    visit(inner)
            order[part] = 0

    for whole in wholes:
        if weights.of(whole) > LARGE:
            visit(whole)
    return {part: places[part] for part in order}


class NamedParts:
    """Names of parts that are worked out already. prefix: what names begin with, before their number."""

    def __init__(self, prefix: str, condition: Callable[[Formula], str], value: Callable[[Value], str]) -> None:
        self._prefix, self._condition, self._value = prefix, condition, value
        self.of: dict[Formula | Value, str] = {}

    @contextmanager
    def once(self, wholes: Iterable[Formula | Value]) -> Iterator[list[str]]:
        """The lines that work out what the wholes share; within this, it is written by its names."""
        before, lines = set(self.of), list[str]()
        for part in shared_parts(wholes):
            if part in self.of:
                continue
            if isinstance(part, bool | In | Both | Either | Same | Below | Opposite):
                text = self._condition(part)
            else:
                text = self._value(part)
            self.of[part] = f"{self._prefix}{len(self.of)}"
            lines.append(f"{self.of[part]} = {text}")
        yield lines
        for part in set(self.of) - before:
            del self.of[part]
