"""Breadth-first search by compiled code: levels, workers, the growth of the visited set, limits."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from onceproof.model.checker.compiled.checkpoint import Checkpoint, Snapshot
from onceproof.model.checker.compiled.codegen.functions import Functions
from onceproof.model.checker.compiled.frontier import CHUNK, Level, Ranges, chunks_of, expected_states, merged
from onceproof.model.checker.compiled.interrupts import interrupts
from onceproof.model.checker.compiled.kernels import batch, explore
from onceproof.model.checker.compiled.llvm.machine import Library
from onceproof.model.checker.compiled.memory import FULL, WORD_BYTES, most_states, reserve, table_bits
from onceproof.model.checker.compiled.sleep_sets import SleepSets, sleep_tables
from onceproof.model.checker.compiled.visited import VisitedSet
from onceproof.model.checker.compiled.worker import Worker, new_worker, since
from onceproof.model.checker.deadline import time_left
from onceproof.model.checker.results import INTERRUPTED, Limits, Progress, Stop, StopReason
from onceproof.model.language.layout import State

SLICE = 0.05  # seconds between two looks at the clock, about
MOST_ROUNDS = 1500  # batches of each worker between them, at most
NO_LIMIT = 1 << 62
NAMES = ("expand", "evaluate", "exercised", "spent", "ends", "representative")


class Failed(Exception):
    """The model itself fails in a state."""

    def __init__(self, state: State) -> None:
        super().__init__(state)
        self.state = state


class Search:
    """The states found so far, and how to find more. One instance is one exploration."""

    fingerprints = False  # whether only these are kept
    keeps_states = True  # whether all states are in memory, at their numbers

    def __init__(self, functions: Functions, library: Library, workers: int, max_memory: int) -> None:
        self.functions, self.library, self.max_memory = functions, library, max_memory
        self.words = functions.packing.words
        self.addresses = np.array([library.address(name) for name in NAMES], np.int64)
        self.capacity = most_states(max_memory, self.words)
        room = self.capacity + (workers + 1) * batch.BLOCK
        self.states = reserve(room * self.words)
        self._pool = ThreadPoolExecutor(workers) if workers > 1 else None
        self.visited: Any = VisitedSet(self.states, self.words, self.capacity, self.all_workers, alone=workers == 1)
        self.shared = np.zeros(16, np.int64)
        self.shared[batch.ALONE], self.shared[batch.MOVE_WORDS] = workers == 1, functions.move_words
        self.shared[batch.MOST_STATES], self.shared[batch.MOST_SOURCES] = NO_LIMIT, batch.BATCH
        self.sleep_sets = SleepSets(sleep_tables(functions), self.shared, room)
        self._kinds = np.array(functions.kinds_of_moves(None), np.int64)
        self.workers = [new_worker(functions) for _ in range(workers)]
        self.levels: list[Level] = []
        self.old: Ranges = []  # states that came from a checkpoint
        self.checkpoint: Checkpoint | None = None
        self.stopped: Stop | None = None
        self._last: Snapshot | None = None  # where it was when it stopped
        self.finished_depth = 0  # the greatest depth of which all states were found
        self._rounds = 16  # batches of each worker until the next look at the clock
        self._unfinished = False  # whether a limit ended the last level before all its states were found
        self.began = self._reported = time.monotonic()

    # -- what was found

    @property
    def count(self) -> int:
        """How many states were found."""
        return int(self.shared[batch.COUNT])

    @property
    def roots(self) -> int:
        """How many of the states, the first ones, are initial."""
        return self.levels[0].size

    @property
    def fired(self) -> Any:
        """How often each move was made."""
        return sum(worker.fired for worker in self.workers)

    @property
    def outside(self) -> int:
        """How many of the states that were expanded are beyond a bound of exploration."""
        return int(self.fired[len(self.functions.steps)]) if self.functions.bounded else 0

    @property
    def looked_up(self) -> int:
        """How many of the moves were looked up in the visited set; the others were in a sleep set."""
        return sum(int(worker.mine[batch.LOOKED_UP]) for worker in self.workers)

    @property
    def best(self) -> Any:
        """The least key (faults << 32 | steps) of a violation: [0] of a deadlock, then of each bit of ``evaluate``."""
        return np.minimum.reduce([worker.best for worker in self.workers])

    @property
    def pending(self) -> int:
        """The bits of the claims of whose subject nothing was seen."""
        return int(np.bitwise_and.reduce([worker.mine[batch.PENDING] for worker in self.workers]))

    @property
    def failures(self) -> int:
        """In how many states that were expanded the model fails in a step."""
        return sum(int(worker.mine[batch.FAILURES]) for worker in self.workers)

    @property
    def failing(self) -> State:
        """One of them, of the level that was expanded last."""
        worker = next(worker for worker in self.workers if worker.mine[batch.FAILURES])
        return self.state(int(worker.mine[batch.ERROR]))

    @property
    def bytes_used(self) -> int:
        """The memory of the states, of the visited set, and of the sleep sets of states that wait."""
        states = int(self.shared[batch.NEXT_BLOCK])
        return int(states * self.words * WORD_BYTES + self.visited.bytes + self.sleep_sets.bytes_used)

    @property
    def peak_bytes(self) -> int:
        """The most that ``bytes_used`` was."""
        return self.bytes_used

    def state(self, number: int) -> State:
        """The state with this number."""
        return self.functions.packing.unpack(self.states[number * self.words : (number + 1) * self.words].tolist())

    # -- the search

    def begin(self, limits: Limits | None = None) -> None:
        """Enters the initial states, one for all that it represents; no more of them than the limits allow."""
        most = limits.max_states if limits and limits.max_states is not None else self.capacity
        count = self._place_initial_states(min(most, self.capacity))
        worker, room = self.workers[0], -(-count // batch.BLOCK) * batch.BLOCK
        worker.mine[batch.CURSOR], worker.mine[batch.BLOCK_END] = count, room
        worker.blocks.append((0, room))
        self.shared[batch.NEXT_BLOCK], self.shared[batch.COUNT] = room, count
        self.visited.make_room(count)
        self.visited.enter([(0, count)])
        pending = worker.mine[batch.PENDING : batch.PENDING + 1]
        for number in range(count):
            false = self._call("evaluate", number)
            if false < 0:
                raise Failed(self.state(number))
            for bit in range(self.functions.bits):
                if false >> bit & 1:
                    worker.best[bit + 1] = 0
            self._call("exercised", number, pending)
        self.levels.append(Level([(0, count)]))
        self._slice(self.workers[:1], chunks_of([]))  # nothing to do: only so that the function is compiled by now

    def _place_initial_states(self, most: int) -> int:
        """Puts the initial states in their places, and returns how many there are; stops where there are more."""
        known: set[bytes] = set()
        for state in self.functions.system.initials:
            number = len(known)
            place = self.states[number * self.words : (number + 1) * self.words]
            place[:] = self.functions.packing.pack(state)
            self._call("representative", number)
            known.add(place.tobytes())
            if len(known) > most:
                memory = most == self.capacity
                self.stopped = Stop(StopReason.MEMORY, self.max_memory) if memory else Stop(StopReason.STATES, most)
                self.finished_depth = -1
                return most
        return len(known)

    def snapshot(self, remaining: Ranges, found: Ranges) -> Snapshot:
        """Where the search is, when no worker is at work. remaining, found: see ``Snapshot``."""
        return Snapshot(
            words=self.words,
            count=self.count,
            next_block=int(self.shared[batch.NEXT_BLOCK]),
            levels=[level.ranges for level in self.levels],
            remaining=remaining,
            found=found,
            fired=self.fired.tolist(),
            best=self.best.tolist(),
            pending=self.pending,
        )

    def restore(self, saved: Snapshot) -> None:
        """Goes to where a snapshot was made; the states themselves are in their places already."""
        self.old = saved.ranges
        self.levels = [Level(found, steps=depth) for depth, found in enumerate(saved.levels)]
        self.shared[batch.COUNT], self.shared[batch.NEXT_BLOCK] = saved.count, saved.next_block
        first = self.workers[0]
        first.fired[:] = saved.fired
        first.best[:] = saved.best
        for worker in self.workers:
            worker.mine[batch.PENDING] = saved.pending
        self.finished_depth = len(self.levels) - 1
        self.visited.make_room(self.count)
        self.visited.enter(saved.ranges)

    def run(self, limits: Limits, unfinished: Snapshot | None = None) -> None:
        """Explores until nothing new is found or a limit is reached (``stopped`` says which); Ctrl-C is one.

        unfinished: a snapshot from a checkpoint that the search goes on from.
        """
        if not self.levels:
            self.begin(limits)
        with interrupts(self._interrupt):
            if unfinished is not None:
                found = self.expand(unfinished.remaining, len(self.levels), limits, found=unfinished.found)
                self._add_level([*unfinished.found, *found])
            while not self.stopped and self.levels[-1].size:
                depth = len(self.levels)
                if limits.max_depth is not None and depth > limits.max_depth:
                    self.stopped = Stop(StopReason.DEPTH, limits.max_depth)
                    self._save(self.levels[-1].ranges, [])
                    break
                found = self.expand(self.levels[-1].ranges, depth, limits)
                if self.stopped and self.stopped.reason is StopReason.RANGE_LEFT:
                    found = [*found, *self._again(self.levels[-1].ranges, depth, limits)]
                self._add_level(found)
        if not self.levels[-1].size:
            self.levels.pop()

    def expand(
        self,
        ranges: Ranges,
        depth: int,
        limits: Limits,
        faults: bool | None = None,
        found: Sequence[tuple[int, int]] = (),
        sleep: bool = True,
    ) -> Ranges:
        """All steps from the states in these ranges; returns the ranges of the states that are new.

        Where the model fails in a step, the level is finished and the search ends (``failures``: in how many states).
        faults: only these or only others, where it does not go level by level (None: all). found: what else is in the
        level that is found now, for checkpoints.
        """
        chunks = chunks_of(ranges)
        self.shared[batch.NEXT_CHUNK], self.shared[batch.CHUNKS] = 0, len(chunks)
        self.shared[batch.DEPTH] = depth
        self._kinds[:] = self.functions.kinds_of_moves(faults)
        if faults is None and sleep:
            self._begin_sleep_sets()
        else:
            self.sleep_sets.pause()
        marks = [(len(worker.blocks), int(worker.mine[batch.CURSOR])) for worker in self.workers]
        waiting = self.workers if len(chunks) > 1 else self.workers[:1] if len(chunks) else []
        if waiting:
            self._make_room(limits)
            self._look_around(limits)
        while waiting and not self.stopped:
            reasons = self._slice(waiting, chunks)
            for worker, reason in zip(waiting, reasons, strict=True):
                if reason == batch.FAILED:
                    raise Failed(self.state(int(worker.mine[batch.ERROR])))
                if reason == batch.LIMITED:
                    self._take_back(worker)
                    self.stopped = Stop(StopReason.STATES, limits.max_states)
            waiting = [w for w, reason in zip(waiting, reasons, strict=True) if reason != batch.FINISHED]
            if waiting:
                self._look_around(limits)
                if batch.GROW in reasons:
                    self._make_room(limits)
            elif self.failures:
                self.stopped = Stop(StopReason.RANGE_LEFT)
            if self.checkpoint and self.checkpoint.due:
                self._save(self._remaining(chunks), [*found, *self._new(marks)])
        self._unfinished = bool(waiting) or self.failures > 0
        if waiting:
            self._save(self._remaining(chunks), [*found, *self._new(marks)])
        return self._new(marks)

    def _again(self, ranges: Ranges, depth: int, limits: Limits) -> Ranges:
        """The states of a level that sleep sets left to states which were passed over, as the model fails in them."""
        fired = [worker.fired.copy() for worker in self.workers]
        self.stopped = None
        found = self.expand(ranges, depth, limits, sleep=False)
        for worker, before in zip(self.workers, fired, strict=True):
            worker.fired[:] = before
        return found

    def _add_level(self, found: Ranges) -> None:
        self.levels.append(Level(found, steps=len(self.levels)))
        if not self._unfinished:
            self.finished_depth = len(self.levels) - 1

    def _take_back(self, worker: Worker) -> None:
        """Forgets that the last source of a worker was expanded: its steps led to more states than are allowed."""
        worker.mine[batch.CUT] = 0
        worker.mine[batch.FROM] -= 1
        words = self.functions.move_words
        enabled = worker.moves[3 * words + 2 : 4 * words + 2].view(np.uint64)  # in the row of the only source
        worker.fired[:] -= np.unpackbits(enabled.view(np.uint8), bitorder="little")

    @property
    def can_be_kept(self) -> bool:
        """Whether memory ended the search, and it could still be continued, and is in no file."""
        by_memory = self.stopped is not None and self.stopped.reason is StopReason.MEMORY
        return by_memory and self._last is not None and not self.checkpoint and not self.failures

    def keep_in(self, checkpoint: Checkpoint) -> None:
        """Saves a search that memory ended in a checkpoint; CheckpointError where that is not possible."""
        self.checkpoint = checkpoint
        if self._last is not None:
            checkpoint.save(self._last, self.states)

    def _save(self, remaining: Ranges, found: Ranges) -> None:
        self._last = self.snapshot(remaining, found)
        if self.checkpoint and not self.failures:  # a checkpoint would not know of them
            self.checkpoint.save(self._last, self.states)

    def _begin_sleep_sets(self) -> None:
        alone = bool(self.shared[batch.ALONE])
        fresh_from = self.workers[0].mine[batch.CURSOR] if alone else self.shared[batch.NEXT_BLOCK]
        sizes = [level.size for level in self.levels[-2:]]
        growth = max(sizes[-1] / max(sizes[0], 1), 1)
        self.sleep_sets.begin(int(fresh_from), growth, (self.max_memory - self.bytes_used) // 4)

    def _new(self, marks: list[tuple[int, int]]) -> Ranges:
        return merged(part for worker, mark in zip(self.workers, marks, strict=True) for part in since(worker, *mark))

    def _remaining(self, chunks: Any) -> Ranges:
        """What of the chunks is still to be expanded, when no worker is at work."""
        begun = [(int(worker.mine[batch.FROM]), int(worker.mine[batch.TO])) for worker in self.workers]
        left = [(first, last) for first, last in chunks[int(self.shared[batch.NEXT_CHUNK]) :].tolist()]
        return [part for part in [*begun, *left] if part[0] < part[1]]

    def _slice(self, workers: list[Worker], chunks: Any) -> list[int]:
        def go(worker: Worker) -> int:
            worker.mine[batch.LOGGED] = 0
            reason = explore.explore(
                self.addresses,
                self.states,
                self.words,
                self.fingerprints,
                self.visited.entries,
                self.visited.extent,
                self.shared,
                worker.mine,
                chunks,
                worker.log,
                worker.fired,
                self._kinds,
                worker.best,
                worker.out,
                worker.hashes,
                self.sleep_sets.sleeping,
                self.sleep_sets.sleep_after,
                self.sleep_sets.renamed,
                worker.moves,
                self._rounds,
            )
            for first in worker.log[: worker.mine[batch.LOGGED]].tolist():
                worker.blocks.append((first, first + batch.BLOCK))
            return int(reason)

        began = time.monotonic()
        if self._pool is None or len(workers) == 1 or self._exact:
            reasons = [go(worker) for worker in workers]
        else:
            reasons = list(self._pool.map(go, workers))
        spent = time.monotonic() - began
        if spent > 2 * SLICE:
            self._rounds = max(self._rounds // 2, 1)
        elif spent < SLICE:
            self._rounds = min(self._rounds * 2, MOST_ROUNDS)
        return reasons

    @property
    def _exact(self) -> bool:
        """Whether so few states are still allowed that each is counted: one source at a time, one worker at a time."""
        return bool(self.shared[batch.MOST_STATES] != NO_LIMIT)

    @property
    def _slack(self) -> int:
        """How many states all workers may find after one of them saw that there are too many."""
        return len(self.workers) * (batch.BATCH + self.functions.most_records) + 1

    def all_workers(self, work: Callable[[Any], Any], parts: list[Any]) -> list[Any]:
        """Does some work for each part, all workers at once; returns what it returned."""
        return list((self._pool.map if self._pool else map)(work, parts))

    def _make_room(self, limits: Limits) -> None:
        """Sets how many states may be found before the next call; enlarges the visited set first where it is full."""
        slack = self._slack
        if self.count + 2 * slack > FULL * (1 << self.visited.bits):
            if self.count >= self.capacity - slack:
                self.stopped = Stop(StopReason.MEMORY, self.max_memory)
                return
            known = merged([*self.old, *(part for worker in self.workers for part in since(worker, 0, 0))])
            expected = min(expected_states([level.size for level in self.levels]), self.capacity)
            more = 2 if table_bits(expected) > self.visited.bits + 1 else 1
            self.visited.grow(max(self.visited.bits + more, table_bits(self.count + 2 * slack)), known)
        self._allow(min(int(FULL * (1 << self.visited.bits)) - slack, self.capacity - slack), limits)
        if self.count >= self.capacity - slack:
            self.stopped = Stop(StopReason.MEMORY, self.max_memory)

    def _allow(self, states: int, limits: Limits) -> None:
        """So many states may be found by all workers at full speed; near ``max_states`` each one is counted."""
        if limits.max_states is not None and limits.max_states - self._slack <= states:
            if self.count < limits.max_states - self._slack:
                states = limits.max_states - self._slack
            else:
                self.shared[batch.MOST_STATES], self.shared[batch.MOST_SOURCES] = limits.max_states, 1
        self.shared[batch.LIMIT] = states

    def _look_around(self, limits: Limits) -> None:
        now = time.monotonic()
        if self.sleep_sets.words and self.bytes_used > self.max_memory:
            self.sleep_sets.stop()
        if time_left() == 0:
            self.stopped = Stop(StopReason.SECONDS, limits.max_seconds)
        if limits.report and now - self._reported > 1:
            self._reported = now
            taken = min(int(self.shared[batch.NEXT_CHUNK]), int(self.shared[batch.CHUNKS])) * CHUNK
            known = sum(level.size for level in self.levels)
            queued = max(self.count - known + self.levels[-1].size - taken, 0)
            limits.report(Progress(self.count, queued, len(self.levels) - 1, now - self.began, self.bytes_used))

    def _call(self, name: str, number: int, other: Any = None) -> int:
        """A function of the model on one state; 0 where there is no such function."""
        address = self.library.address(name)
        if not address:
            return 0
        function = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p)(address)
        second = self.workers[0].out if other is None else other
        at = self.states.ctypes.data + number * self.words * WORD_BYTES
        return int(function(at, second.ctypes.data))

    def _interrupt(self) -> None:
        self.stopped = INTERRUPTED

    def close(self) -> None:
        """Ends the threads and gives the memory back."""
        if self._pool:
            self._pool.shutdown()
        self.states = self.visited = np.zeros(0, np.int64)
        self.sleep_sets.stop()
