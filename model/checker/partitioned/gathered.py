"""From a search over partitions to verdicts: the states that these need are brought to where they were asked for."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from onceproof.model.checker.compiled.checkpoint import Snapshot
from onceproof.model.checker.compiled.codegen.functions import Functions
from onceproof.model.checker.compiled.frontier import Level
from onceproof.model.checker.compiled.kernels import batch
from onceproof.model.checker.compiled.llvm import cache
from onceproof.model.checker.compiled.llvm.machine import Library
from onceproof.model.checker.compiled.memory import HEADROOM, bytes_for, free_memory
from onceproof.model.checker.compiled.search import Search
from onceproof.model.checker.compiled.verdicts import NoRoom, Verdicts
from onceproof.model.checker.partitioned.plan import plan_of
from onceproof.model.checker.partitioned.search import PartitionedSearch, Partitions
from onceproof.model.checker.partitioned.transport import PartitionLost
from onceproof.model.checker.results import Limits, PropertyResult, StopReason, Verdict
from onceproof.model.language.declare import RANGE, Property, range_of
from onceproof.model.language.layout import State

SMALL = 1 << 16  # bytes for a search that is never run


class GatheredSearch(Search):
    """A search as ``Verdicts`` takes it, whose states are still in the partitions that found them.

    What was counted is here. ``whole`` brings states: of all levels, or up to a depth.
    """

    def __init__(self, found: PartitionedSearch, workers: int, max_memory: int) -> None:
        super().__init__(found.functions, found.library, workers, SMALL)
        self.found, self.max_memory = found, max_memory
        self._gathered: dict[int, Search] = {}
        self.levels = [Level([(0, size)], steps=depth) for depth, size in enumerate(found.sizes)]
        _count(self, found, found.totals.count)

    @property
    def peak_bytes(self) -> int:
        """The most that all partitions took together."""
        return self.found.counters.peak_bytes

    @property
    def looked_up(self) -> int:
        """How many of the moves were looked up."""
        return self.found.totals.looked_up

    @property
    def failing(self) -> State:
        """A state in which the model fails in a step."""
        return self.functions.packing.unpack(list(self.found.totals.failing))

    def whole(self, depth: int | None = None) -> Search:
        """A search that has all states of the levels up to ``depth`` (None: of all). NoRoom where they do not fit."""
        last = len(self.levels) - 1 if depth is None else min(depth, len(self.levels) - 1)
        if last not in self._gathered:
            self._gathered[last] = self._gather(last)
        return self._gathered[last]

    def fits(self, states: int) -> bool:
        """Whether so many states fit here."""
        return bytes_for(states, self.words) <= self.max_memory

    def _gather(self, last: int) -> Search:
        sizes = [level.size for level in self.levels[: last + 1]]
        for one in self._gathered.values():
            one.close()
        self._gathered.clear()
        search = Search(self.functions, self.library, len(self.workers), self.max_memory)
        if sum(sizes) > search.capacity:
            raise NoRoom
        place = 0
        levels = []
        rows = search.states.reshape(-1, self.words)
        try:
            for depth in range(last + 1):
                first = place
                for number in range(self.found.transport.size):
                    part = self.found.transport.ask_one(number, "rows", depth)
                    rows[place : place + len(part)] = part
                    place += len(part)
                levels.append([(first, place)])
        except PartitionLost:
            raise NoRoom from None
        room = -(-place // batch.BLOCK) * batch.BLOCK
        snapshot = Snapshot(
            self.words, place, room, levels, [], [], self.fired.tolist(), self.best.tolist(), self.pending
        )
        search.restore(snapshot)
        _count(search, self.found, place)
        return search

    @property
    def report(self) -> dict[str, Any]:
        """What it cost."""
        counters = self.found.counters
        return {
            "search_seconds": self.seconds,
            "looked_up": self.looked_up,
            "bytes": counters.peak_bytes,
            "on_the_wire": counters.on_the_wire,
            "rounds": counters.rounds,
            "losses": counters.losses,
            "node_bytes": counters.node_bytes,
        }

    seconds = 0.0

    def close(self) -> None:
        """Ends the partitions, and gives the memory back."""
        for one in self._gathered.values():
            one.close()
        self.found.close()
        super().close()


class GatheredVerdicts(Verdicts):
    """The verdicts on a search over partitions."""

    def __init__(self, search: GatheredSearch, limits: Limits) -> None:
        super().__init__(search, limits)
        self.gathered = search

    def _whole(self, which: int) -> Search:
        return self.gathered.whole(int(self.search.best[which]) & 0xFFFFFFFF)

    def _eventually(self, claim: Property, idle: str) -> PropertyResult:
        if not self.complete:
            return PropertyResult(claim.name, claim.kind, Verdict.UNKNOWN)
        here = self._here(claim)
        return here._eventually(claim, idle) if here else PropertyResult(claim.name, claim.kind, Verdict.UNKNOWN)

    def _refines(self, claim: Property) -> PropertyResult:
        here = self._here(claim)
        return here._refines(claim) if here else PropertyResult(claim.name, claim.kind, Verdict.UNKNOWN)

    def range_left(self) -> PropertyResult:
        """As in ``Verdicts``."""
        try:
            return Verdicts(self.gathered.whole(), self.limits).range_left()
        except NoRoom as error:
            departure = self.functions.system.departure(self.search.failing)
            assert departure is not None
            return self._not_shown(range_of(departure[1].field), RANGE, error)

    def look_for_deadlocks_at_the_last_depth(self) -> None:
        """As in ``Verdicts``."""
        stopped = self.search.stopped
        if stopped is None or stopped.reason is not StopReason.DEPTH:
            super().look_for_deadlocks_at_the_last_depth()
            return
        try:
            here = Verdicts(self.gathered.whole(), self.limits)
        except NoRoom:
            self.finished_depth -= 1
            return
        here.look_for_deadlocks_at_the_last_depth()
        self.search.workers[0].best[0] = here.search.best[0]
        self.finished_depth = here.finished_depth

    def _here(self, claim: Property) -> Verdicts | None:
        """The verdicts on all states, brought here; None where they do not fit: then a note says so."""
        try:
            here = Verdicts(self.gathered.whole(), self.limits)
        except NoRoom:
            needed = bytes_for(self.search.count, self.search.words)
            self._note_once(
                f"`{claim.name}` is judged on all states at once, in the memory of this machine: they need "
                f"{needed >> 20:,} MiB; --max-memory allows {self.search.max_memory >> 20:,} MiB"
            )
            return None
        here.notes = self.notes
        return here


def explore_partitions(
    functions: Functions, limits: Limits, partitions: Partitions, workers: int, max_memory: int | None
) -> GatheredSearch:
    """A search over partitions that went as far as the limits allow. Failed where the model itself fails.

    workers, max_memory: threads and bytes for what is brought here afterwards.
    """
    plan = plan_of(functions, settling=partitions.settling)
    library = Library(cache.machine_code(plan.text)[0])
    found = PartitionedSearch(functions, library, plan, partitions)
    try:
        began = time.monotonic()
        found.run(limits)
        search = GatheredSearch(found, workers, max_memory or int(free_memory() * HEADROOM))
        search.seconds = time.monotonic() - began
    except BaseException:
        found.close()
        raise
    return search


def _count(search: Search, found: PartitionedSearch, count: int) -> None:
    """Puts into a search what partitions counted."""
    totals, first = found.totals, search.workers[0]
    search.shared[batch.COUNT] = count
    first.fired[:] = totals.fired
    first.best[:] = totals.best
    for worker in search.workers:
        worker.mine[batch.PENDING] = totals.pending
    search.stopped, search.finished_depth = found.stopped, found.finished_depth
    if totals.failures:
        first.mine[batch.FAILURES] = totals.failures
        row = np.array(totals.failing, np.int64)
        for start, stop in search.levels[found.finished_depth].ranges if len(search.states) else ():
            same = (search.states.reshape(-1, search.words)[start:stop] == row).all(axis=1)
            if same.any():
                first.mine[batch.ERROR] = start + int(np.flatnonzero(same)[0])
