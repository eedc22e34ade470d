"""The frontier of a breadth-first search: its levels as ranges of state numbers, and a forecast of its growth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

CHUNK = 256  # states that a worker takes at a time
PIECE = 1 << 16  # states for work that takes longer to hand out

Ranges = list[tuple[int, int]]


@dataclass
class Level:
    """States that were found together: as ranges of their numbers."""

    ranges: Ranges
    faults: int = 0
    steps: int = 0

    @property
    def size(self) -> int:
        """How many states there are."""
        return sum(stop - start for start, stop in self.ranges)


def chunks_of(ranges: Ranges) -> Any:
    """The ranges in pieces of ``CHUNK`` states: an array of (first, one past the last)."""
    pieces = []
    for start, stop in ranges:
        firsts = np.arange(start, stop, CHUNK, dtype=np.int64)
        pieces.append(np.stack([firsts, np.minimum(firsts + CHUNK, stop)], axis=1))
    return np.concatenate(pieces) if pieces else np.zeros((0, 2), np.int64)


def pieces(ranges: Ranges) -> Ranges:
    """The ranges in pieces that are worth giving to a worker each."""
    return [(a, min(a + PIECE, stop)) for start, stop in ranges for a in range(start, stop, PIECE)]


def merged(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """The same numbers in as few ranges as possible."""
    merged: Ranges = []
    for start, stop in sorted(ranges):
        if merged and merged[-1][1] == start:
            start = merged.pop()[0]
        merged.append((start, stop))
    return merged


def expected_states(sizes: Sequence[int]) -> int:
    """An estimate of the number of states of all levels, future ones included, good enough to size the visited set.

    sizes: of the levels that are complete. Levels grow by a factor that falls by about the same amount from each level
    to the next; so it is assumed to go on falling as it did last, until nothing is left.
    """
    total = sum(sizes)
    if len(sizes) < 3 or not all(sizes[-3:]):
        return total
    factor = sizes[-1] / sizes[-2]
    fall = max(sizes[-2] / sizes[-3] - factor, 0.01)
    size = float(sizes[-1])
    while size >= 1:
        factor = max(factor - fall, 0.0)
        size *= factor
        total += int(size)
    return total
