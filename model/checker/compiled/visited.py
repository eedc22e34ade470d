"""The visited set of a search: its memory, and how it grows in place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from onceproof.model.checker.compiled.frontier import Ranges, pieces
from onceproof.model.checker.compiled.kernels import visited as kernels
from onceproof.model.checker.compiled.memory import ENTRY_BYTES, WORD_BYTES, reserve, table_bits

FIRST_BITS = 21  # 8 MiB
AllWorkers = Callable[[Callable[[Any], Any], list[Any]], list[Any]]


class VisitedSet:
    """The numbers of the states that were found, by their hashes; ``kernels.visited`` says how.

    all_workers: does some work for each of some parts, all workers at once, and returns what it returned.
    """

    def __init__(self, states: Any, words: int, capacity: int, all_workers: AllWorkers, *, alone: bool) -> None:
        self.states, self.words, self.all_workers, self.alone = states, words, all_workers, alone
        self.bits = min(FIRST_BITS, table_bits(capacity))
        self._room = reserve((ENTRY_BYTES << table_bits(capacity) + 1) // WORD_BYTES).view(np.uint32)

    @property
    def extent(self) -> int:
        """Its size as kernels take it: a power of two."""
        return self.bits

    @property
    def entries(self) -> Any:
        """The entries."""
        return self._room[: 1 << self.bits]

    @property
    def bytes(self) -> int:
        """How much memory it takes."""
        return ENTRY_BYTES << self.bits

    def make_room(self, states: int) -> None:
        """Makes the empty table large enough for so many states."""
        self.bits = max(self.bits, table_bits(states))

    def enter(self, ranges: Ranges) -> None:
        """Enters the states of these ranges, which are not in the table and all different."""

        def work(part: tuple[int, int]) -> None:
            kernels.enter(self.states, self.words, self.entries, self.bits, *part, np.empty(256, np.uint64), self.alone)

        self.all_workers(work, pieces(ranges))

    def grow(self, bits: int, ranges: Ranges) -> None:
        """Makes it larger, where it stands. ranges: all states that are in it."""
        self.entries[:] = 0
        self.bits = bits
        self.enter(ranges)
