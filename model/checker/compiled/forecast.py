"""How many states there will be: a guess from the sizes of the levels so far, good enough to make room by."""

from __future__ import annotations

from collections.abc import Sequence


def expected_states(sizes: Sequence[int]) -> int:
    """The number of states of all levels, those to come included.

    sizes: of the levels that are complete. Levels grow by a factor that itself falls by about as much from each to the
    next; so it is taken to go on falling as it did last, until nothing is left.
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
