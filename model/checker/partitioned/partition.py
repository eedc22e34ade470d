"""One partition of a search: the states that it owns, and what it does in a level."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from onceproof.model.checker.compiled.codegen.packing import WORD
from onceproof.model.checker.compiled.frontier import Ranges, chunks_of, expected_states, merged
from onceproof.model.checker.compiled.kernels import batch, partition
from onceproof.model.checker.compiled.llvm import cache
from onceproof.model.checker.compiled.llvm.machine import Library
from onceproof.model.checker.compiled.memory import (
    FULL,
    HEADROOM,
    WORD_BYTES,
    free_memory,
    most_states,
    reserve,
    table_bits,
)
from onceproof.model.checker.compiled.search import NAMES, NO_LIMIT
from onceproof.model.checker.compiled.sleep_sets import SleepSets
from onceproof.model.checker.compiled.visited import VisitedSet
from onceproof.model.checker.compiled.worker import Worker, since
from onceproof.model.checker.partitioned.checkpoint import level_file, read_rows, write_rows
from onceproof.model.checker.partitioned.plan import Plan

MESSAGE_BYTES = 6 << 20  # of the box for each partition
MOST_ABSORBED = 1 << 17  # records between two looks at the room in the table
ROUNDS = 1 << 20
WORTH_NEW_BLOCKS = 64 * batch.BLOCK  # states of a level, for each worker, beside which the rest of a block is little


class ModelFails(Exception):
    """The model itself fails in a state; ``args[0]`` has its words."""


class PartitionFull(Exception):
    """A partition has no memory for more states; ``args[0]`` is its limit in bytes."""


@dataclass(frozen=True)
class LevelReport:
    """What a partition knows when a level is finished.

    found: states of this level that are new; count: states in all. fired, best, pending, looked_up: as in ``Search``,
    since the partition began. failures: states in which the model fails in a step; failing: the words of one.
    """

    found: int
    count: int
    fired: Any
    best: Any
    pending: int
    looked_up: int
    failures: int
    failing: tuple[int, ...]
    bytes_used: int


@dataclass(frozen=True)
class Emitted:
    """What one call of ``emit`` did: whether the level is done, the states that still wait, and bytes for others."""

    done: bool
    count: int
    waiting: int
    sent: int
    bytes_used: int


class Partition:
    """The states of partition number ``mine`` of ``partitions``, and the search in them, by some threads."""

    def __init__(self, plan: Plan, mine: int, partitions: int, threads: int, max_memory: int | None) -> None:
        self.plan, self.mine, self.partitions = plan, mine, partitions
        self.words = plan.words
        self.max_memory = max_memory or int(free_memory() * HEADROOM)
        self.library = Library(cache.machine_code(plan.text)[0])
        self.addresses = np.array([self.library.address(name) for name in NAMES], np.int64)
        self.capacity = most_states(self.max_memory, self.words)
        room = self.capacity + (threads + 1) * batch.BLOCK
        self.states = reserve(room * self.words)
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None
        self.visited = VisitedSet(self.states, self.words, self.capacity, self._all, alone=threads == 1)
        self.shared = np.zeros(16, np.int64)
        self.shared[batch.ALONE], self.shared[batch.MOVE_WORDS] = threads == 1, plan.move_words
        self.shared[batch.MOST_STATES], self.shared[batch.MOST_SOURCES] = NO_LIMIT, batch.BATCH
        self.shared[batch.LIMIT] = NO_LIMIT
        self.sleep_sets = SleepSets(plan.sleep, self.shared, room)
        self.workers = [_new_worker(plan) for _ in range(threads)]
        self._boxes = [Boxes(plan, partitions, threads) for _ in range(threads)]
        self._kinds = np.array(plan.kinds, np.int64)
        self._chunks = chunks_of([])
        self.levels: list[Ranges] = []
        self._marks = [(0, 0)] * threads
        self._found_before: Ranges = []  # of the level that is found now, where it is expanded again

    def ready(self) -> int:
        """Its number: an answer means that it was built."""
        return self.mine

    # -- a level

    def begin_level(self, depth: int, sleep: bool = True, again: bool = False) -> None:
        """Prepares the level at ``depth``; its states are found from those at ``depth`` - 1, if there is such a level.

        sleep: whether steps that are sleeping are left out. again: goes on with the level that was finished last.
        """
        shared = self.shared
        self._found_before = self.levels.pop() if again else []
        self._chunks = chunks_of(self.levels[-1] if depth else [])
        shared[batch.NEXT_CHUNK], shared[batch.CHUNKS], shared[batch.DEPTH] = 0, len(self._chunks), depth
        alone = len(self.workers) == 1
        if not alone and self.levels and _size(self.levels[-1]) > WORTH_NEW_BLOCKS * len(self.workers):
            for worker in self.workers:  # only states behind all of the last level have sleep sets
                worker.mine[batch.CURSOR] = worker.mine[batch.BLOCK_END]
        self._marks = [(len(worker.blocks), int(worker.mine[batch.CURSOR])) for worker in self.workers]
        if sleep:
            sizes = [_size(level) for level in self.levels[-2:]] or [0]
            growth = max(sizes[-1] / max(sizes[0], 1), 1)
            room = max(self.max_memory - self.bytes_used, 0) // 4
            fresh_from = self.workers[0].mine[batch.CURSOR] if alone else shared[batch.NEXT_BLOCK]
            self.sleep_sets.begin(int(fresh_from), growth, room)
        else:
            self.sleep_sets.pause()

    def emit(self) -> tuple[Emitted, list[Any]]:
        """Takes steps until the level is done or a box is full; what is its own is added at once.

        Returns the messages for the partitions, None for itself. PartitionFull, ModelFails.
        """
        for boxes in self._boxes:
            boxes.filled[:] = 0
        reasons = self._all(self._emit, list(zip(self.workers, self._boxes, strict=True)))
        for boxes in self._boxes:
            self._add(boxes.of(self.mine))
        messages = [self._message(one) if one != self.mine else None for one in range(self.partitions)]
        sent = sum(message.nbytes for message in messages if message is not None)
        taken = min(int(self.shared[batch.NEXT_CHUNK]), len(self._chunks))
        waiting = sum(int(last - first) for first, last in self._chunks[taken:])
        done = all(reason == batch.FINISHED for reason in reasons)
        return Emitted(done, self.count, waiting, sent, self.bytes_used), messages

    def absorb(self, *messages: Any) -> None:
        """Adds what other partitions found for this one. PartitionFull, ModelFails."""
        for message in messages:
            if message is None or not message.nbytes:
                continue
            self._add(self.plan.records.unpacked(message))

    def enter(self, rows: Any) -> None:
        """Adds those of some states that are its own; nothing is sleeping in them."""
        self._add(self.plan.records.numbered(rows[self.owners(rows) == self.mine], self.plan.moves))

    def finish_level(self) -> LevelReport:
        """Ends a level: all messages for it have been added."""
        self.levels.append(merged([*self._found_before, *self._new()]))
        workers = self.workers
        failing = next((worker for worker in workers if worker.mine[batch.FAILURES]), None)
        return LevelReport(
            found=_size(self.levels[-1]),
            count=self.count,
            fired=sum(worker.fired for worker in workers),
            best=np.minimum.reduce([worker.best for worker in workers]),
            pending=int(np.bitwise_and.reduce([worker.mine[batch.PENDING] for worker in workers])),
            looked_up=sum(int(worker.mine[batch.LOOKED_UP]) for worker in workers),
            failures=sum(int(worker.mine[batch.FAILURES]) for worker in workers),
            failing=self._row(int(failing.mine[batch.ERROR])) if failing else (),
            bytes_used=self.bytes_used,
        )

    def forget_fired(self, fired: Any) -> None:
        """Sets how often each move was made: where a level was expanded again."""
        for worker in self.workers:
            worker.fired[:] = 0
        self.workers[0].fired[:] = fired

    def restore_level(self, depth: int, paths: list[str]) -> None:
        """Takes its own of the states of a whole level from files, in a partition that has only earlier ones."""
        self.begin_level(0, sleep=False)
        self.shared[batch.DEPTH] = depth
        for path in paths:
            self.enter(read_rows(Path(path), self.words))
        self.levels.append(self._new())

    def restored(self) -> None:
        """All levels were restored: what was counted up to there is known to the search."""
        for worker in self.workers:
            worker.mine[batch.LOOKED_UP] = 0

    def save_level(self, depth: int, folder: str) -> None:
        """Writes the states of a level to a file in a folder."""
        write_rows(level_file(Path(folder), depth, self.mine), self.rows(depth))

    # -- what was found

    @property
    def count(self) -> int:
        """How many states were found."""
        return int(self.shared[batch.COUNT])

    @property
    def bytes_used(self) -> int:
        """The memory of the states, of the table, of the sleep sets of states that wait, and of the boxes."""
        states = int(self.shared[batch.NEXT_BLOCK]) * self.words * WORD_BYTES
        return states + self.visited.bytes + self.sleep_sets.bytes_used + sum(one.bytes for one in self._boxes)

    def rows(self, depth: int) -> Any:
        """The states that were found at a depth, one in each row."""
        rows = self.states.reshape(-1, self.words)
        parts = [rows[first:last] for first, last in self.levels[depth]]
        return np.concatenate(parts) if parts else np.zeros((0, self.words), np.int64)

    def owners(self, rows: Any) -> Any:
        """Which partition each of some states belongs to."""
        found = np.zeros(len(rows), np.int64)
        partition.owners(np.ascontiguousarray(rows).reshape(-1), self.words, self.partitions, found)
        return found

    def close(self) -> None:
        """Gives the memory back."""
        if self._pool:
            self._pool.shutdown()
        self.states = np.zeros(0, np.int64)
        self.sleep_sets.stop()

    # -- inside

    def _all(self, work: Any, parts: list[Any]) -> list[Any]:
        return list((self._pool.map if self._pool else map)(work, parts))

    def _emit(self, pair: tuple[Worker, Boxes]) -> int:
        worker, boxes = pair
        form = self.plan.records
        return int(
            partition.emit(
                self.addresses,
                self.states,
                self.words,
                self.shared,
                worker.mine,
                self._chunks,
                worker.fired,
                self._kinds,
                worker.best,
                worker.out,
                self.sleep_sets.sleeping,
                self.sleep_sets.renamed,
                worker.moves,
                boxes.records,
                boxes.filled,
                form.words,
                form.number_word,
                form.number_shift,
                batch.BATCH + self.plan.most_records + 1,
                self.plan.moves,
                ROUNDS,
            )
        )

    def _message(self, to: int) -> Any:
        """All records for a partition, as bytes."""
        return self.plan.records.packed([boxes.of(to) for boxes in self._boxes])

    def _add(self, records: Any) -> None:
        count = len(records)
        flat = records.reshape(-1)
        for start in range(0, count, MOST_ABSORBED):
            stop = min(start + MOST_ABSORBED, count)
            self._make_room(stop - start)
            each = -(-(stop - start) // len(self.workers))
            bounds = [(first, min(first + each, stop)) for first in range(start, stop, each)]
            parts = [(worker, flat, *part) for worker, part in zip(self.workers, bounds, strict=False)]
            self._all(self._absorb, parts)

    def _absorb(self, part: tuple[Worker, Any, int, int]) -> None:
        worker, records, start, stop = part
        form = self.plan.records
        worker.mine[batch.LOGGED] = 0
        reason = partition.absorb(
            self.addresses,
            self.states,
            self.words,
            self.visited.entries,
            self.visited.extent,
            self.shared,
            worker.mine,
            worker.log,
            worker.best,
            worker.out,
            worker.hashes,
            self.sleep_sets.sleeping,
            self.sleep_sets.sleep_after,
            self.sleep_sets.renamed,
            worker.moves,
            records,
            form.words,
            form.number_word,
            form.number_shift,
            (1 << form.number_bits) - 1,
            start,
            stop,
        )
        for first in worker.log[: worker.mine[batch.LOGGED]].tolist():
            worker.blocks.append((first, first + batch.BLOCK))
        if reason == batch.FAILED:
            raise ModelFails(self._row(int(worker.mine[batch.ERROR])))

    def _make_room(self, more: int) -> None:
        """Enlarges the table where it could be too full after so many more states. PartitionFull."""
        last = int(self.shared[batch.NEXT_BLOCK]) + more  # no number of a state is greater, but for blocks begun
        if last > self.capacity:
            raise PartitionFull(self.max_memory)
        if self.sleep_sets.words and self.bytes_used > self.max_memory:
            self.sleep_sets.stop()
        last += (len(self.workers) + 1) * batch.BLOCK
        if self.count + more <= FULL * (1 << self.visited.bits) and last < 1 << self.visited.bits:
            return
        known = merged(part for level in [*self.levels, self._found_before, self._new()] for part in level)
        expected = min(expected_states([_size(level) for level in self.levels]), self.capacity)
        larger = 2 if table_bits(expected) > self.visited.bits + 1 else 1
        self.visited.grow(max(self.visited.bits + larger, table_bits(last)), known)

    def _new(self) -> Ranges:
        """The states of the level that is found now."""
        return merged(part for w, mark in zip(self.workers, self._marks, strict=True) for part in since(w, *mark))

    def _row(self, number: int) -> tuple[int, ...]:
        return tuple(self.states[number * self.words : (number + 1) * self.words].tolist())


class Boxes:
    """What one worker found for each partition."""

    def __init__(self, plan: Plan, partitions: int, threads: int) -> None:
        least = 4 * (batch.BATCH + plan.most_records + 1)
        self.words = plan.records.words
        self.room = max(MESSAGE_BYTES // plan.records.wire_bytes // threads, least)
        self.records = reserve(self.room * partitions * self.words)
        self.filled = np.zeros(partitions, np.int64)

    @property
    def bytes(self) -> int:
        """The memory that they take."""
        return int(self.records.nbytes)

    def of(self, partition: int) -> Any:
        """The records for a partition, one in each row."""
        count, first = int(self.filled[partition]), partition * self.room
        return self.records[first * self.words : (first + count) * self.words].reshape(-1, self.words)


def _new_worker(plan: Plan) -> Worker:
    records = batch.BATCH + plan.most_records + 1
    worker = Worker(
        mine=np.zeros(16, np.int64),
        log=np.zeros(1 << 12, np.int64),
        fired=np.zeros(plan.move_words * WORD, np.int64),
        best=np.full(plan.bits + 1, batch.FAR, np.int64),
        out=np.zeros(records * (plan.words + 1), np.int64),
        hashes=np.zeros(records, np.uint64),
        moves=np.zeros((batch.BATCH + 1) * plan.row, np.int64),
    )
    worker.mine[batch.PENDING] = (1 << plan.claims) - 1
    worker.moves[plan.move_words : 2 * plan.move_words] = -1  # see ``kernels.partition.absorb``
    return worker


def _size(ranges: Ranges) -> int:
    return sum(stop - start for start, stop in ranges)
