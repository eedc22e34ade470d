"""Breadth-first search that keeps eight bytes a state: a hash of it instead of the state itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from onceproof.model.checker.compiled.codegen.functions import Functions
from onceproof.model.checker.compiled.frontier import Ranges
from onceproof.model.checker.compiled.kernels import batch
from onceproof.model.checker.compiled.kernels.fingerprint import enter_again, enter_fingerprints
from onceproof.model.checker.compiled.llvm.machine import Library
from onceproof.model.checker.compiled.memory import FULL, WORD_BYTES
from onceproof.model.checker.compiled.search import Search
from onceproof.model.checker.results import Limits, Stop, StopReason

FINGERPRINT_BYTES = 8


class FingerprintSet:
    """The fingerprints of the states that were found."""

    def __init__(self, states: Any, words: int, bits: int) -> None:
        self.states, self.words, self.bits = states, words, bits
        self.entries: Any = np.zeros(1 << bits, np.uint64)

    @property
    def bytes(self) -> int:
        """How much memory it takes."""
        return FINGERPRINT_BYTES << self.bits

    def make_room(self, states: int) -> None:
        """Makes the table large enough for so many states."""
        while states > FULL * (1 << self.bits):
            self.double()

    def enter(self, ranges: Ranges) -> None:
        """Enters the states of these ranges."""
        for start, stop in ranges:
            enter_fingerprints(self.states, self.words, self.entries, self.bits, start, stop)

    def double(self) -> None:
        """Makes it twice as large."""
        entries: Any = np.zeros(2 << self.bits, np.uint64)
        enter_again(self.entries, entries, self.bits + 1)
        self.entries, self.bits = entries, self.bits + 1


class FingerprintSearch(Search):
    """A search whose table holds fingerprints; states live in two halves of an arena, this level's and the next's."""

    fingerprints = True

    def __init__(self, functions: Functions, library: Library, workers: int, max_memory: int) -> None:
        super().__init__(functions, library, workers, max_memory)
        self.half = len(self.states) // self.words // 2
        self.visited = FingerprintSet(self.states, self.words, self.visited.bits)

    @property
    def bytes_used(self) -> int:
        """The memory of the table and of the states that wait."""
        waiting = sum(level.size for level in self.levels[-2:])
        return int(self.visited.bytes + waiting * (self.words + self.sleep_sets.words) * WORD_BYTES)

    def expand(
        self,
        ranges: Ranges,
        depth: int,
        limits: Limits,
        faults: bool | None = None,
        found: Any = (),
        sleep: bool = True,
    ) -> Ranges:
        """As in ``Search``; the states found go into the half of the arena that ``ranges`` is not in."""
        base = self.half if ranges and ranges[0][0] < self.half else 0
        self.shared[batch.NEXT_BLOCK] = base
        for worker in self.workers:
            worker.mine[batch.CURSOR] = worker.mine[batch.BLOCK_END] = 0
            worker.blocks.clear()
        return super().expand(ranges, depth, limits, faults, found, sleep)

    def _begin_sleep_sets(self) -> None:
        self.sleep_sets.begin_anywhere()

    def _make_room(self, limits: Limits) -> None:
        """Sets how many states may be found before the next call; doubles the set first where it is that full."""
        slack = self._slack
        if self.count + 2 * slack > FULL * (1 << self.visited.bits):
            if 3 * self.visited.bytes > self.max_memory:  # the old set and one of twice its size
                self.stopped = Stop(StopReason.MEMORY, self.max_memory)
                return
            self.visited.double()
        if self.bytes_used > self.max_memory:
            self.stopped = Stop(StopReason.MEMORY, self.max_memory)
        self._allow(int(FULL * (1 << self.visited.bits)) - slack, limits)
