"""Breadth-first search whose states are on disk: level by level, in passes over sorted runs."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from onceproof.model.checker.compiled.checkpoint import CheckpointError
from onceproof.model.checker.compiled.codegen.functions import Functions
from onceproof.model.checker.compiled.disk.folder import Folder, Tallies, is_full
from onceproof.model.checker.compiled.disk.runs import (
    WHOLE,
    Index,
    Run,
    distinct,
    fingerprints_of,
    in_memory_run,
    sorted_run,
)
from onceproof.model.checker.compiled.frontier import Level, Ranges
from onceproof.model.checker.compiled.interrupts import interrupts
from onceproof.model.checker.compiled.kernels import batch
from onceproof.model.checker.compiled.llvm.machine import Library
from onceproof.model.checker.compiled.memory import FULL, WORD_BYTES, most_states, table_bits
from onceproof.model.checker.compiled.search import Search
from onceproof.model.checker.compiled.worker import since
from onceproof.model.checker.deadline import time_left
from onceproof.model.checker.results import INTERRUPTED, Limits, Progress, Stop, StopReason
from onceproof.model.language.layout import State

COPIES = 6  # how often a state is in memory while runs are merged, at most
ROOM = 64 << 20  # bytes of addresses that are reserved at least
FEWEST = 1 << 10  # states that are merged together at least
KEEP_SECONDS = 2.0  # between two times that levels are written down
GATHERED = Stop(StopReason.MEMORY, 0)  # memory is full of states that were gathered: they go to disk, and it goes on


class DiskSearch(Search):
    """A search that keeps only what it works on in memory; ``Search`` says what its parts are.

    The arena has some states of the level that is expanded, and behind them what they lead to, each once. When it is
    full, that goes to disk as a sorted run; when the level is done, its runs are merged, and what is known is left out.
    """

    keeps_states = False
    can_be_kept = False  # it is kept already

    def __init__(
        self, functions: Functions, library: Library, workers: int, max_memory: int, path: Path, text: str
    ) -> None:
        super().__init__(functions, library, workers, max(max_memory, ROOM))
        self.max_memory = max_memory
        row = self.words + self.sleep_sets.words
        most = most_states(max_memory // 2, row)
        self.piece = most // 4  # states that are expanded together
        self.most = most - self.piece  # states that are gathered before they go to disk
        self._merge_rows = max(max_memory // 4 // (COPIES * (row + 1) * WORD_BYTES), FEWEST)
        self._aside_bytes = max_memory // 8  # of runs that stay in memory
        self.folder = Folder(path, text, self.words, self.sleep_sets.words)
        self.index = Index(lambda rows: self.folder.aside(rows, 1))
        self.gathered: list[Run] = []  # of the level that is found now
        self._left: Ranges = []
        self._failing: State | None = None
        self._interrupted = False
        self._kept_at = self.began

    # -- what was found

    @property
    def count(self) -> int:
        """How many states were found."""
        return int(sum(level.size for level in self.levels))

    @property
    def failing(self) -> State:
        """A state from which a step fails."""
        assert self._failing is not None
        return self._failing

    @property
    def bytes_used(self) -> int:
        """The memory of the arena and of its table."""
        rows = int(self.shared[batch.NEXT_BLOCK])
        return int(rows * (self.words + self.sleep_sets.words) * WORD_BYTES + self.visited.bytes)

    @property
    def peak_bytes(self) -> int:
        """The memory that it was allowed, or what it found where that is less."""
        return int(self.visited.bytes) + min(self.max_memory, COPIES * self.count * (self.words + 1) * WORD_BYTES)

    def states_at(self, numbers: Any) -> Any:
        """The states with these numbers."""
        found = np.empty((len(numbers), self.words), np.int64)
        firsts = np.array([level.ranges[0][0] for level in self.levels if level.ranges], np.int64)
        kept = [rows for level, rows in zip(self.levels, self.folder.levels, strict=False) if level.ranges]
        of = np.searchsorted(firsts, numbers, "right") - 1
        for level in np.unique(of).tolist():
            here = of == level
            found[here] = kept[level].take(numbers[here] - firsts[level])
        return found

    # -- the search

    def begin(self, limits: Limits | None = None) -> None:
        """Enters the initial states, or goes to where the folder was left."""
        if self.folder.tallies is not None:
            self._go_on(self.folder.tallies)
            return
        super().begin(limits)
        count = self.levels[0].size
        states = self.states[: count * self.words].reshape(-1, self.words).copy()
        fingerprints, states, sleeping = sorted_run(states, np.zeros((count, self.sleep_sets.words), np.int64))
        self.levels.pop()
        self._write([(fingerprints, states, sleeping)])
        self.folder.keep(self._tallies())

    def run(self, limits: Limits, unfinished: Any = None) -> None:
        """As in ``Search``; levels are written down as they are found."""
        if not self.levels:
            self.begin(limits)
        try:
            with interrupts(self._interrupt):
                while not self.stopped and self.levels[-1].size:
                    depth = len(self.levels)
                    if limits.max_depth is not None and depth > limits.max_depth:
                        self.stopped = Stop(StopReason.DEPTH, limits.max_depth)
                        break
                    self._find_level(depth, limits)
        except OSError as error:
            self._drop_gathered()
            if not is_full(error):
                raise CheckpointError(f"{self.folder.path}: {(error.strerror or str(error)).lower()}") from None
            self.stopped = Stop(StopReason.DISK)
        if self.stopped and self.stopped.reason not in (StopReason.STATES, StopReason.RANGE_LEFT):
            with contextlib.suppress(OSError):  # what was kept before stays true
                self.folder.keep(self._tallies())
        if not self.levels[-1].size and len(self.levels) > 1:
            self.levels.pop()

    def _find_level(self, depth: int, limits: Limits) -> None:
        before = [worker.fired.copy() for worker in self.workers]
        found = False
        try:
            self._gather(depth, limits)
            if self.failures and not self.stopped:
                # what sleep sets left to states that were passed over, as the model fails in them
                fired = [worker.fired.copy() for worker in self.workers]
                self._gather(depth, limits, sleep=False)
                self._count_moves(fired)
            if not self.stopped:
                self._merge(limits)
            found = self.stopped is None or self.stopped.reason is StopReason.STATES
        finally:
            if not found:  # moves are counted of whole levels: those of a part would say little
                self._count_moves(before)
        if self.stopped:
            return
        self._drop_gathered()
        self.finished_depth = len(self.levels) - 1
        if self.failures:
            self.stopped = Stop(StopReason.RANGE_LEFT)
        elif not self.levels[-1].size or self._is_time_to_keep():
            self.folder.keep(self._tallies())

    def _count_moves(self, fired: Sequence[Any]) -> None:
        for worker, was in zip(self.workers, fired, strict=True):
            worker.fired[:] = was

    # -- gathering what a level leads to

    def _gather(self, depth: int, limits: Limits, *, sleep: bool = True) -> None:
        """Expands the last level, piece by piece, into sorted runs."""
        level, rows = self.levels[-1], self.folder.levels[-1]
        assert self.folder.sleeping is not None
        for start in range(0, level.size, self.piece):
            stop = min(start + self.piece, level.size)
            self.states[: (stop - start) * self.words] = rows.read(start, stop).reshape(-1)
            asleep = self.folder.sleeping.read(start, stop).reshape(-1)
            self.sleep_sets.sleeping[: len(asleep)] = asleep
            self._left = [(0, stop - start)]
            while self._left:
                left, self._left = self._left, []
                self._clear(stop - start)
                found = self.expand(left, depth, limits, sleep=sleep)
                if self.failures and self._failing is None:
                    self._failing = super().failing
                if self.stopped is GATHERED or (self.stopped and self.stopped.reason is StopReason.RANGE_LEFT):
                    self.stopped = None
                if self._interrupted:
                    self.stopped = INTERRUPTED
                self._set_aside(found, sleep)
                if self.stopped:
                    return

    def _clear(self, sources: int) -> None:
        """Forgets what was gathered, behind the states that are expanded."""
        self.visited.entries[:] = 0
        self.shared[batch.COUNT] = 0
        self.shared[batch.NEXT_BLOCK] = -(-sources // batch.BLOCK) * batch.BLOCK
        for worker in self.workers:
            worker.mine[[batch.CURSOR, batch.BLOCK_END, batch.FROM, batch.TO]] = 0
            worker.blocks.clear()

    def _set_aside(self, found: Ranges, sleep: bool) -> None:
        """Makes a sorted run of what was gathered."""
        if not found:
            return
        words, sleep_words = self.words, self.sleep_sets.words
        states = np.concatenate([self.states[a * words : b * words] for a, b in found]).reshape(-1, words)
        asleep = [self.sleep_sets.sleeping[a * sleep_words : b * sleep_words] for a, b in found]
        sleeping = np.concatenate(asleep).reshape(len(states), sleep_words)
        if not sleep:
            sleeping[:] = 0
        parts = sorted_run(states, sleeping)
        if sum(len(run) for run in self.gathered) * (words + sleep_words + 1) * WORD_BYTES < self._aside_bytes // 2:
            self.gathered.append(in_memory_run(*parts))
            return
        drafts = [self.folder.aside(len(states), width) for width in (1, words, sleep_words)]
        for draft, part in zip(drafts, parts, strict=True):
            draft.add(part.view(np.int64).reshape(len(states), draft.width))
        self.gathered.append(Run(*(draft.done() for draft in drafts)))

    def _drop_gathered(self) -> None:
        for run in self.gathered:
            run.close()
        self.gathered = []

    def _begin_sleep_sets(self) -> None:
        self.sleep_sets.begin_anywhere()

    def _save(self, remaining: Ranges, found: Ranges) -> None:
        self._left = remaining

    def _make_room(self, limits: Limits) -> None:
        """Sets how many states may be gathered before the next call; enlarges the table first where it is full."""
        slack, held = self._slack, int(self.shared[batch.COUNT])
        most = self.most - 2 * slack
        if held and held >= most:
            self.stopped = GATHERED
            return
        if held + 2 * slack > FULL * (1 << self.visited.bits):
            known = [part for worker in self.workers for part in since(worker, 0, 0)]
            self.visited.grow(max(self.visited.bits + 1, table_bits(held + 2 * slack)), known)
        self.shared[batch.LIMIT] = max(min(int(FULL * (1 << self.visited.bits)) - slack, most), held + 1)

    def _look_around(self, limits: Limits) -> None:
        if time_left() == 0:
            self.stopped = Stop(StopReason.SECONDS, limits.max_seconds)
        self._tell(limits, "")

    # -- what of it is new

    def _merge(self, limits: Limits) -> None:
        """The new states of the runs are the next level."""
        many = sum(len(run) for run in self.gathered)
        parts = max(-(-many // self._merge_rows), 1)
        if parts > 1:
            parts = -(-parts // len(self.workers)) * len(self.workers)
        cuts = [part * WHOLE // parts for part in range(parts + 1)]
        self._write(self._new_ones(cuts, limits), limits)

    def _new_ones(self, cuts: Sequence[int], limits: Limits) -> Any:
        """The new states with fingerprints between the cuts, each slice by itself, in order."""
        slices = list(itertools.pairwise(cuts))
        for first in range(0, len(slices), len(self.workers)):
            if time_left() == 0:
                self.stopped = Stop(StopReason.SECONDS, limits.max_seconds)
            if self.stopped:
                return
            self._tell(limits, "looking for what is new")
            yield from self.all_workers(lambda one: self._new_between(*one), slices[first : first + len(self.workers)])

    def _new_between(self, low: int, high: int) -> tuple[Any, Any, Any]:
        parts = [run.between(low, high) for run in self.gathered]
        if not parts:
            return sorted_run(np.empty((0, self.words), np.int64), np.empty((0, self.sleep_sets.words), np.int64))
        fingerprints, states, sleeping = (np.concatenate(part) for part in zip(*parts, strict=True))
        found = distinct(fingerprints.view(np.uint64).reshape(-1), states, sleeping)
        new = ~self.index.known(found[0], found[1], self.states_at)
        return found if new.all() else (found[0][new], found[1][new], found[2][new])

    def _write(self, slices: Any, limits: Limits | None = None) -> None:
        """The slices, in order, are the next level; as much of it as may be, where the number of states is limited."""
        first = self.count
        room = WHOLE if limits is None or limits.max_states is None else limits.max_states - first
        states, sleeping = self.folder.draft("states", self.words), self.folder.draft("sleeping", self.sleep_sets.words)
        fingerprints = self.folder.aside(WHOLE, 1)
        try:
            for part in slices:
                fresh = min(len(part[0]), room)
                if fresh < len(part[0]):
                    self.stopped = Stop(StopReason.STATES, limits.max_states if limits else None)
                fingerprints.add(part[0][:fresh].view(np.int64).reshape(-1, 1))
                states.add(part[1][:fresh])
                sleeping.add(part[2][:fresh])
                room -= fresh
                if self.stopped:
                    break
        except BaseException:
            for draft in (fingerprints, states, sleeping):
                draft.drop()
            raise
        if self.stopped and self.stopped.reason is not StopReason.STATES:
            for draft in (fingerprints, states, sleeping):
                draft.drop()
            return
        self.folder.add(states.done(), sleeping.done())
        size = len(self.folder.levels[-1])
        self.levels.append(Level([(first, first + size)] if size else [], steps=len(self.levels)))
        if size:
            self.index.add(fingerprints.done(), first)

    # -- what is written down, and gone on from

    def _is_time_to_keep(self) -> bool:
        now = time.monotonic()
        if now - self._kept_at < KEEP_SECONDS:
            return False
        self._kept_at = now
        return True

    def _tallies(self) -> Tallies:
        return Tallies(self.fired.tolist(), self.best.tolist(), self.pending, self.looked_up)

    def _go_on(self, tallies: Tallies) -> None:
        """Goes to where the folder was left."""
        first = 0
        for depth, rows in enumerate(self.folder.levels):
            self.levels.append(Level([(first, first + len(rows))] if len(rows) else [], steps=depth))
            self._index_again(rows, first)
            first += len(rows)
        worker = self.workers[0]
        worker.fired[:] = tallies.fired
        worker.best[:] = tallies.best
        worker.mine[batch.LOOKED_UP] = tallies.looked_up
        for worker in self.workers:
            worker.mine[batch.PENDING] = tallies.pending
        self.finished_depth = len(self.levels) - 1

    def _index_again(self, rows: Any, first: int) -> None:
        fingerprints = self.folder.aside(len(rows), 1)
        for start in range(0, len(rows), self._merge_rows):
            states = rows.read(start, min(start + self._merge_rows, len(rows)))
            fingerprints.add(fingerprints_of(states).view(np.int64).reshape(-1, 1))
        if len(rows):
            self.index.add(fingerprints.done(), first)

    def _tell(self, limits: Limits, doing: str) -> None:
        now = time.monotonic()
        if limits.report and now - self._reported > 1:
            self._reported = now
            taken = int(self.shared[batch.COUNT]) + sum(len(run) for run in self.gathered)
            report = Progress(self.count, taken, len(self.levels) - 1, now - self.began, self.bytes_used, doing)
            limits.report(report)

    def _interrupt(self) -> None:
        self._interrupted = True
        self.stopped = INTERRUPTED

    def close(self) -> None:
        """Ends the threads, and gives memory and files back; what was written down stays in the folder."""
        self._drop_gathered()
        self.index.close()
        self.folder.close()
        super().close()
