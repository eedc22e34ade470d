"""Breadth-first search that keeps eight bytes a state: a hash of it instead of the state itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from model.checker.compiled import kernels_batch as k
from model.checker.compiled.functions import Functions
from model.checker.compiled.kernels_fingerprint import enter_again, explore_fingerprints
from model.checker.compiled.levels import Ranges
from model.checker.compiled.machine import Library
from model.checker.compiled.memory import FULL, WORD_BYTES
from model.checker.compiled.search import Search
from model.checker.results import Limits

FINGERPRINT_BYTES = 8


class FingerprintSearch(Search):
    """A search whose table holds fingerprints; states live in two halves of an arena, this level's and the next's."""

    def __init__(self, functions: Functions, library: Library, workers: int, max_memory: int) -> None:
        super().__init__(functions, library, workers, max_memory)
        self.half = len(self.states) // self.words // 2
        self.table = np.zeros(1 << self.bits, np.uint64)
        self._explore = explore_fingerprints

    @property
    def bytes_used(self) -> int:
        """The memory of the table and of the states that wait."""
        waiting = sum(level.size for level in self.levels[-2:])
        return (
            (FINGERPRINT_BYTES << self.bits)
            + waiting * self.words * WORD_BYTES
            + waiting * self.settling.words * WORD_BYTES
        )

    def _enter(self, part: tuple[int, int]) -> None:
        """Enters a range of states into the table: the initial state, before anything else."""
        for number in range(*part):
            value = fingerprint(self.states[number * self.words : (number + 1) * self.words].tolist())
            self.table[value >> (64 - self.bits)] = value

    def expand(self, ranges: Ranges, depth: int, limits: Limits, faults: bool | None = None, found: Any = ()) -> Ranges:
        """As in ``Search``; the states found go into the half of the arena that ``ranges`` is not in."""
        base = self.half if ranges and ranges[0][0] < self.half else 0
        self.shared[k.NEXT_BLOCK] = base
        for worker in self.workers:
            worker.mine[k.CURSOR] = worker.mine[k.BLOCK_END] = 0
            worker.blocks.clear()
        return super().expand(ranges, depth, limits, faults, found)

    def _begin_settling(self) -> None:
        self.settling.begin_anywhere()

    def _make_room(self) -> None:
        """Sets how many fingerprints the table may take; doubles it first where it is that full."""
        slack = len(self.workers) * (k.BATCH + self.functions.most_records) + 1
        if self.count + 2 * slack > FULL * (1 << self.bits):
            if 3 * (FINGERPRINT_BYTES << self.bits) > self.max_memory:  # the old table and one of twice its size
                self.stopped = "--max-memory"
                return
            self.bits += 1
            table: Any = np.zeros(1 << self.bits, np.uint64)
            enter_again(self.table, table, self.bits)
            self.table = table
        if self.bytes_used > self.max_memory:
            self.stopped = "--max-memory"
        self.shared[k.LIMIT] = int(FULL * (1 << self.bits)) - slack


def fingerprint(words: list[int]) -> int:
    """The fingerprint of a state, as the compiled search makes it."""
    full = (1 << 64) - 1
    value = 0
    for word in words:
        value = ((value ^ (word & full)) * 0x9E3779B97F4A7C15) & full
        value ^= value >> 32
    value = (value * 0xD6E8FEB86659FD93) & full
    return max(value ^ (value >> 31), 1)
