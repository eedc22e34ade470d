"""Breadth-first search over partitions: level by level, with a barrier after each."""

from __future__ import annotations

import ctypes
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from onceproof.model.checker.compiled.codegen.functions import Functions
from onceproof.model.checker.compiled.interrupts import interrupts
from onceproof.model.checker.compiled.llvm.machine import Library
from onceproof.model.checker.compiled.search import Failed
from onceproof.model.checker.deadline import time_left
from onceproof.model.checker.partitioned.checkpoint import LevelFiles
from onceproof.model.checker.partitioned.partition import Emitted, LevelReport, ModelFails, PartitionFull
from onceproof.model.checker.partitioned.plan import Plan
from onceproof.model.checker.partitioned.transport import PartitionLost, Transport
from onceproof.model.checker.results import INTERRUPTED, Limits, Progress, Stop, StopReason

MOST_LOSSES = 100  # of partitions in one search; more are a sign that they die of the search itself
SECONDS_BETWEEN_REPORTS = 1.0


class Partitions(Protocol):
    """Where the partitions of a search are. checkpoint: the folder that levels are kept in; None for nowhere."""

    checkpoint: Path | None
    settling: bool

    def start(self, plan: Plan) -> Transport:
        """Partitions that have no states yet, on all that can be reached now."""
        ...


@dataclass
class Totals:
    """What all partitions have found, when a level was finished."""

    count: int = 0
    fired: Any = 0
    best: Any = None
    pending: int = -1
    looked_up: int = 0
    failures: int = 0
    failing: tuple[int, ...] = ()


@dataclass
class Counters:
    """What a search cost.

    on_the_wire: bytes; node_bytes: the memory of each partition; losses: how often partitions died.
    """

    on_the_wire: int = 0
    rounds: int = 0
    losses: int = 0
    peak_bytes: int = 0
    node_bytes: tuple[int, ...] = ()
    began: float = field(default_factory=time.monotonic)


class PartitionedSearch:
    """The search for all states of a model, in partitions. One instance is one exploration."""

    def __init__(self, functions: Functions, library: Library, plan: Plan, partitions: Partitions) -> None:
        self.functions, self.library, self.plan, self.partitions = functions, library, plan, partitions
        self.transport = partitions.start(plan)
        self.files = LevelFiles(partitions.checkpoint, plan) if partitions.checkpoint else None
        self.sizes: list[int] = []  # of the levels
        self.totals = Totals()
        self._earlier = Totals()  # what was counted before partitions were lost
        self.stopped: Stop | None = None
        self.finished_depth = -1
        self.counters = Counters()
        self._reported = time.monotonic()

    def run(self, limits: Limits) -> None:
        """Explores until nothing new is found, or a limit is reached (``stopped`` says which); Ctrl-C is one.

        Failed where the model itself fails in a state.
        """
        try:
            with interrupts(self._interrupt):
                while self._next_level(limits):
                    pass
        except ModelFails as failed:
            raise Failed(self.functions.packing.unpack(list(failed.args[0]))) from None
        if self.sizes and not self.sizes[-1]:
            self.sizes.pop()

    def _next_level(self, limits: Limits) -> bool:
        """Finds one level more; whether there may be another. A level in which a partition is lost is found again."""
        depth = len(self.sizes)
        if self.stopped or (depth and not self.sizes[-1]):
            return False
        if limits.max_depth is not None and depth > limits.max_depth:
            self.stopped = Stop(StopReason.DEPTH, limits.max_depth)
            return False
        try:
            self._level(depth, limits)
        except PartitionLost:
            return self._recover()
        return True

    def _level(self, depth: int, limits: Limits) -> None:
        self.transport.ask("begin_level", depth)
        if depth == 0:
            rows = self._initial_rows(limits)
            self.transport.ask("enter", rows)
        self._rounds(limits)
        reports: list[LevelReport] = self.transport.ask("finish_level")
        failures = sum(report.failures for report in reports)
        if failures and not self.stopped:
            self.stopped = Stop(StopReason.RANGE_LEFT)
            reports = self._again(depth, reports, limits)
        self.totals = self._added(reports)
        self.sizes.append(sum(report.found for report in reports))
        if self.stopped is None:
            self.finished_depth = depth
            self._save(depth)

    def _rounds(self, limits: Limits) -> None:
        """Rounds of exchange until no partition has anything left to do in this level, or a limit ends the search."""
        try:
            while not self.stopped:
                emitted = self.transport.exchange()
                self._note(emitted, limits)
                if all(one.done for one in emitted):
                    break
            self.transport.settle()
        except PartitionFull as full:
            self.stopped = Stop(StopReason.MEMORY, full.args[0])

    def _again(self, depth: int, reports: list[LevelReport], limits: Limits) -> list[LevelReport]:
        """The states of a level that sleep sets left to states which were passed over, as the model fails in them."""
        reason, self.stopped = self.stopped, None
        self.transport.ask("begin_level", depth, False, True)
        self._rounds(limits)
        self.stopped = reason
        for number, report in enumerate(reports):
            self.transport.ask_one(number, "forget_fired", report.fired)
        return self.transport.ask("finish_level")

    def _initial_rows(self, limits: Limits) -> Any:
        """The initial states, one for all that it represents; no more of them than the limits allow."""
        address = self.library.address("representative")
        represent = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p)(address) if address else None
        known: dict[tuple[int, ...], None] = {}
        row, unused = np.zeros(self.plan.words, np.int64), np.zeros(64, np.int64)
        for state in self.functions.system.initials:
            row[:] = self.functions.packing.pack(state)
            if represent:
                represent(row.ctypes.data, unused.ctypes.data)
            known[tuple(row.tolist())] = None
            if limits.max_states is not None and len(known) > limits.max_states:
                del known[tuple(row.tolist())]
                self.stopped = Stop(StopReason.STATES, limits.max_states)
                break
        return np.array(list(known), np.int64).reshape(-1, self.plan.words)

    # -- losses

    def _recover(self) -> bool:
        """Starts new partitions with what the checkpoint has; whether the search goes on. After Ctrl-C it does not."""
        self.counters.losses += 1
        if self.stopped is not None and self.stopped.interrupted:
            return False
        if self.files is None or self.finished_depth < 0 or self.counters.losses > MOST_LOSSES:
            self.stopped = Stop(StopReason.PROCESS_LOST)
            return False
        self.transport.close()
        try:
            self.transport = self.partitions.start(self.plan)
            saved = self.files.read()
            for depth in range(saved.depth + 1):
                self.transport.ask("restore_level", depth, self.files.paths(depth))
            self.transport.ask("restored")
        except PartitionLost:
            return self._recover()
        self._earlier = Totals(fired=saved.fired, looked_up=saved.looked_up)
        # a partition may also be lost after a level was counted, and before all of it was in its files
        self.sizes, self.finished_depth = list(saved.sizes), saved.depth
        if self.stopped and self.stopped.reason is StopReason.RANGE_LEFT:
            self.stopped = None  # the level in which that was seen is found again
        return True

    def _save(self, depth: int) -> None:
        if self.files is None:
            return
        self.transport.ask("save_level", depth, str(self.files.folder))
        self.files.write(depth, self.sizes, self.totals.fired, self.totals.looked_up, self.transport.size)

    # -- inside

    def _added(self, reports: list[LevelReport]) -> Totals:
        failing = next((report.failing for report in reports if report.failures), ())
        self._remember([report.bytes_used for report in reports])
        return Totals(
            count=sum(report.count for report in reports),
            fired=sum(report.fired for report in reports) + self._earlier.fired,
            best=np.minimum.reduce([report.best for report in reports]),
            pending=int(np.bitwise_and.reduce([report.pending for report in reports])),
            looked_up=sum(report.looked_up for report in reports) + self._earlier.looked_up,
            failures=sum(report.failures for report in reports),
            failing=failing,
        )

    def _note(self, emitted: list[Emitted], limits: Limits) -> None:
        counters = self.counters
        counters.rounds += 1
        counters.on_the_wire += sum(one.sent for one in emitted)
        self._remember([one.bytes_used for one in emitted])
        count = sum(one.count for one in emitted)
        if limits.max_states is not None and count >= limits.max_states and not self.stopped:
            self.stopped = Stop(StopReason.STATES, limits.max_states)
        if time_left() == 0:
            self.stopped = Stop(StopReason.SECONDS, limits.max_seconds)
        now = time.monotonic()
        if limits.report and now - self._reported > SECONDS_BETWEEN_REPORTS:
            self._reported = now
            waiting = sum(one.waiting for one in emitted) + count - sum(self.sizes)
            limits.report(
                Progress(
                    count,
                    waiting,
                    max(len(self.sizes) - 1, 0),
                    now - counters.began,
                    sum(counters.node_bytes),
                    network=counters.on_the_wire,
                    nodes=counters.node_bytes,
                )
            )

    def _remember(self, node_bytes: list[int]) -> None:
        self.counters.node_bytes = tuple(node_bytes)
        self.counters.peak_bytes = max(self.counters.peak_bytes, sum(node_bytes))

    def _interrupt(self) -> None:
        self.stopped = INTERRUPTED

    def close(self) -> None:
        """Ends the partitions."""
        self.transport.close()
