"""Breadth-first search that keeps a hash of each state instead of the state: at most 12 bytes for each, in all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from onceproof.model.checker.compiled.codegen.functions import Functions
from onceproof.model.checker.compiled.frontier import Ranges, expected_states
from onceproof.model.checker.compiled.kernels import batch
from onceproof.model.checker.compiled.kernels.fingerprint import enter_fingerprints, first_unused, spread
from onceproof.model.checker.compiled.llvm.machine import Library
from onceproof.model.checker.compiled.memory import WORD_BYTES, release, reserve
from onceproof.model.checker.compiled.search import Search
from onceproof.model.checker.results import Limits, Stop, StopReason

FINGERPRINT_BYTES = 8
FULLEST = 0.85  # of the slots; what is then found after 22 of them on average is new
FEW_SLOTS, MANY_SLOTS = 1 << 14, 1 << 17  # 128 KiB to begin with; below 1 MiB it is doubled
TAIL = 1 << 16  # slots behind the last home, for fingerprints that found no room before
WORTH_IT = 1 << 16  # states whose memory is given back at once, at least


class FingerprintSet:
    """The fingerprints of the states that were found. ``most_bytes``: how large it may ever be."""

    def __init__(self, states: Any, words: int, most_bytes: int) -> None:
        self.states, self.words = states, words
        self.most = max(most_bytes // FINGERPRINT_BYTES, FEW_SLOTS)
        self.entries = reserve(self.most + TAIL).view(np.uint64)
        self.extent = FEW_SLOTS

    @property
    def bytes(self) -> int:
        """How much memory it takes."""
        return FINGERPRINT_BYTES * self.extent

    @property
    def room(self) -> int:
        """How many states it holds as it is."""
        return int(FULLEST * self.extent)

    def larger(self, expected: int = 0) -> int:
        """The number of slots to grow to: by an eighth, or more where so many more states are expected; at most twice.

        Of what is expected a quarter is left out: it is an estimate, and what is not used is wasted.
        """
        wanted = max(self.extent * 9 // 8, min(int(0.75 * expected / FULLEST), self.extent * 2))
        return (self.extent * 2 if self.extent < MANY_SLOTS else wanted) >> 8 << 8

    def enter(self, ranges: Ranges) -> None:
        """Enters the states of these ranges."""
        for start, stop in ranges:
            enter_fingerprints(self.states, self.words, self.entries, self.extent, start, stop)

    def make_room(self, states: int) -> None:
        """Makes it large enough for so many states."""
        while self.room < states:
            self.grow(self.larger())

    def grow(self, slots: int) -> None:
        """Makes it larger where it stands."""
        end, run = first_unused(self.entries, self.extent), np.zeros(1 << 12, np.uint64)
        self.extent = slots
        while end := spread(self.entries, end, self.extent, run):
            run = np.zeros(4 * len(run), np.uint64)


@dataclass
class Half:
    """A half of the arena: the states from ``first`` on, of which some are still in memory."""

    first: int
    used: int = 0  # states that were written there, at most
    gone: int = 0  # of these, how many were given back

    @property
    def size(self) -> int:
        """How many states are in memory."""
        return self.used - self.gone


class FingerprintSearch(Search):
    """A search whose table holds fingerprints.

    States live in two halves of an arena, this level's and the next's, and are given back once they are expanded;
    except where the model itself may fail in a step, which is then looked at again.
    """

    fingerprints, keeps_states = True, False

    def __init__(self, functions: Functions, library: Library, workers: int, max_memory: int) -> None:
        super().__init__(functions, library, workers, max_memory)
        half = len(self.states) // self.words // 2
        self.capacity = half - (workers + 1) * batch.BLOCK - self._slack  # of a half
        self.visited = FingerprintSet(self.states, self.words, max_memory)
        self.expanded, self.found = Half(0), Half(half)
        self._peak = 0

    can_be_kept = False  # a checkpoint needs whole states

    @property
    def peak_bytes(self) -> int:
        """The most that ``bytes_used`` was."""
        self._peak = max(self._peak, self.bytes_used)
        return self._peak

    @property
    def bytes_used(self) -> int:
        """The memory of the table and of the states that wait."""
        self._note_use()
        waiting = self.expanded.size + self.found.size
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
        self._note_use()
        halves = sorted((self.expanded, self.found), key=lambda half: half.first)
        self.expanded, self.found = reversed(halves) if ranges and ranges[0][0] >= halves[1].first else halves
        self._give_back(self.found, self.found.used)
        self.found.used = self.found.gone = 0
        self.shared[batch.NEXT_BLOCK] = self.found.first
        for worker in self.workers:
            worker.mine[batch.CURSOR] = worker.mine[batch.BLOCK_END] = 0
            worker.blocks.clear()
        return super().expand(ranges, depth, limits, faults, found, sleep)

    def _note_use(self) -> None:
        last = int(self.shared[batch.NEXT_BLOCK])
        half = max((self.expanded, self.found), key=lambda one: (one.first <= last, one.first))
        half.used = max(half.used, last - half.first)

    def _look_around(self, limits: Limits) -> None:
        super()._look_around(limits)
        self._peak = self.peak_bytes
        at_work = [int(w.mine[batch.FROM]) for w in self.workers if w.mine[batch.FROM] < w.mine[batch.TO]]
        if at_work and not self.functions.steps_fail:
            self._give_back(self.expanded, min(at_work) - self.expanded.first)

    def _give_back(self, half: Half, upto: int) -> None:
        """Gives back the memory of the states of a half before the one with this place in it, if it is worth it."""
        if upto - half.gone < WORTH_IT:
            return
        for numbers, words in ((self.states, self.words), (self.sleep_sets.sleeping, self.sleep_sets.words)):
            if words:
                release(numbers, (half.first + half.gone) * words, (half.first + upto) * words)
        half.gone = upto

    def _begin_sleep_sets(self) -> None:
        self.sleep_sets.begin_anywhere()

    def _make_room(self, limits: Limits) -> None:
        """Sets how many states may be found before the next call; enlarges the set first where it is that full."""
        slack = self._slack
        before = sum(level.size for level in self.levels)
        expected = expected_states([level.size for level in self.levels])
        while self.count + 2 * slack > self.visited.room:
            fitting = [slots for slots in (self.visited.larger(expected), self.visited.larger()) if self._fits(slots)]
            if not fitting:
                self.stopped = Stop(StopReason.MEMORY, self.max_memory)
                return
            self.visited.grow(fitting[0])
        if self.bytes_used > self.max_memory or self.count - before >= self.capacity:
            self.stopped = Stop(StopReason.MEMORY, self.max_memory)
        self._allow(min(self.visited.room - slack, before + self.capacity), limits)

    def _fits(self, slots: int) -> bool:
        """Whether there is memory for so large a table."""
        more = (slots - self.visited.extent) * FINGERPRINT_BYTES
        return bool(slots <= self.visited.most and self.bytes_used + more <= self.max_memory)
