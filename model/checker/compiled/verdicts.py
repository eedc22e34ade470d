"""The verdicts on a compiled search: which properties hold, and for those that do not the run that shows it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn, assert_never

from onceproof.model.checker.bounds import never_seen
from onceproof.model.checker.compiled.codegen.functions import Functions
from onceproof.model.checker.compiled.disk.search import DiskSearch
from onceproof.model.checker.compiled.disk.trail import NoTrail, deadlock_in, trail
from onceproof.model.checker.compiled.errors import CannotCompile
from onceproof.model.checker.compiled.fingerprint import FingerprintSearch
from onceproof.model.checker.compiled.frontier import Level
from onceproof.model.checker.compiled.kernels.batch import FAR
from onceproof.model.checker.compiled.paths import FAILS, Paths
from onceproof.model.checker.compiled.refinement import MappingFailed, RefinementScan
from onceproof.model.checker.compiled.search import Search
from onceproof.model.checker.deadline import OutOfTime, grace
from onceproof.model.checker.explicit.minimal import MINIMAL
from onceproof.model.checker.explicit.refinement import STANDS_STILL
from onceproof.model.checker.results import (
    INTERRUPTED,
    Counterexample,
    Departure,
    Limits,
    Progress,
    PropertyResult,
    Stop,
    StopReason,
    Trace,
    Verdict,
    range_left,
)
from onceproof.model.checker.safety import violated_by, violating_steps
from onceproof.model.language.declare import RANGE, Property, range_of
from onceproof.model.language.errors import ModelError
from onceproof.model.language.layout import State
from onceproof.model.language.refinement import Refinement

if TYPE_CHECKING:
    from onceproof.model.checker.compiled.liveness import LivenessGraph

IDLE = "the situation that it is about never occurs"


def reproduce_failure(functions: Functions, state: State) -> NoReturn:
    """Runs the model where its trace says that it fails: raises its ModelError, with its place."""
    system = functions.system
    for _ in system.successors(state):
        pass
    for claim, arguments in functions.properties.instances:
        if claim in functions.unlike:
            continue
        system.holds(claim, state, arguments)
    raise CannotCompile("whether a look at an index that is None happens depends on the order in which a loop runs")


class NoRoom(Exception):
    """There is no memory for whole states as deep as a violation that was found with fingerprints."""


class NeedsWholeGraph(Exception):
    """States that represent others are not enough; the message says why."""


class Verdicts:
    """The verdicts on one search."""

    def __init__(self, search: Search, limits: Limits) -> None:
        self.search, self.functions, self.limits = search, search.functions, limits
        self.complete = not search.stopped
        self.stopped: Stop | None = search.stopped
        self.finished_depth = min(search.finished_depth, len(search.levels) - 1)
        self._graph: LivenessGraph | None = None
        self._exact: Search | None = None
        self.notes: list[str] = []

    def of(self, claim: Property) -> PropertyResult:
        """The verdict on a claim."""
        if claim is self.functions.deadlock:
            return self._safety(0, claim, [()])
        if claim.kind == "refines":
            return self._refines(claim)
        bit = self.functions.claims.index(claim)
        idle = bool(self.search.pending >> bit & 1)
        match claim.kind:
            case "sometimes":
                return self._sometimes(claim, idle)
            case "step":
                return self._steps(claim, IDLE if idle and self.complete else "")
            case "always":
                every = self.functions.properties.instances
                instances = [arguments for owner, arguments in every if owner is claim]
                return self._safety(bit + 1, claim, instances, IDLE if idle and self.complete else "")
            case "eventually" | "leads_to" | "infinitely_often" | "stays" | "until":
                return self._eventually(claim, IDLE if idle else "")
            case "refines" | "deadlock" | "ending" | "axiom" | "within":
                raise ValueError(f"{claim.name}: a property of the kind {claim.kind!r} cannot be judged")
            case _:
                assert_never(claim.kind)

    def range_left(self) -> PropertyResult:
        """The violation that a step is which leaves the range of a field; the search ended with its level."""
        system, search = self.functions.system, self.search
        depth = search.finished_depth
        if isinstance(search, DiskSearch):
            search = trail(search, FAILS, -1, depth)
        elif not search.keeps_states:
            search = self._again(depth + 1)
        first = system.departure(self.search.failing)
        assert first is not None
        try:
            with grace():
                trace = Paths(search).to_departure(search.levels[depth], self._leaves)
        except (OutOfTime, MemoryError):
            claim = range_of(first[1].field)
            self.notes.append(f"`{claim}` is violated; there was not enough time left to find a run that shows it")
            return PropertyResult(claim, RANGE, Verdict.VIOLATED)
        found = system.departure(trace.states[-1])
        assert found is not None
        return range_left(replace(trace, departure=Departure.by(*found)), "steps")

    def _leaves(self, state: State) -> bool:
        """Whether a step from a state leaves the range of a field."""
        try:
            return self.functions.system.departure(state) is not None
        except ModelError:
            return False

    def _sometimes(self, claim: Property, idle: bool) -> PropertyResult:
        if not idle:
            return PropertyResult(claim.name, claim.kind, Verdict.HOLDS)
        if not self.complete:
            return PropertyResult(claim.name, claim.kind, Verdict.UNKNOWN)
        never = never_seen(self.functions.system, self.search.outside > 0)
        return PropertyResult(claim.name, claim.kind, Verdict.VIOLATED, never)

    def _eventually(self, claim: Property, idle: str) -> PropertyResult:
        try:
            if self.complete and not self.stopped and not self._too_large_for_liveness():
                return self._liveness(claim, idle)
        except KeyboardInterrupt:
            self.stopped = INTERRUPTED
        except OutOfTime:
            self.stopped = Stop(StopReason.SECONDS, self.limits.max_seconds)
        return PropertyResult(claim.name, claim.kind, Verdict.UNKNOWN)

    def _liveness(self, claim: Property, idle: str) -> PropertyResult:
        if self.functions.exchanges:
            return self._by_symmetry(claim, idle)
        best: Counterexample | None = None
        with self._liveness_graph() as graph:
            for number in self._numbers(claim):
                found = graph.counterexample(claim, number)
                if found and (best is None or _stem(found) < _stem(best)):
                    best = found
        if best:
            return PropertyResult(claim.name, claim.kind, Verdict.VIOLATED, counterexample=best)
        return self._kept(claim, idle)

    def _kept(self, claim: Property, idle: str) -> PropertyResult:
        """The verdict where no run was found that violates a property: one that leaves the bounds still may."""
        if self.search.outside:
            return PropertyResult(claim.name, claim.kind, Verdict.UNKNOWN)
        return PropertyResult(claim.name, claim.kind, Verdict.HOLDS, idle)

    def _refines(self, claim: Property) -> PropertyResult:
        """Whether each step is one of the abstract model, or none there; all steps are taken again for that."""
        search, unknown = self.search, PropertyResult(claim.name, claim.kind, Verdict.UNKNOWN)
        number = next(n for n, image in enumerate(self.functions.images) if image.refinement.claim is claim)
        if not search.keeps_states:
            self._note_once(f"`{claim.name}` needs {self._missing}")
            return unknown
        scan = RefinementScan(search, number)
        levels = search.levels if self.complete else search.levels[:-1]
        try:
            if scan.starts_badly is None:
                self._tell(f"following the steps again for `{claim.name}`")
                with grace():
                    scan.judge([part for level in levels for part in level.ranges])
        except KeyboardInterrupt:
            self.stopped = INTERRUPTED
            return unknown
        except OutOfTime:
            self.stopped = Stop(StopReason.SECONDS, self.limits.max_seconds)
            return unknown
        except MappingFailed as failed:
            self._reproduce_mapping(scan.refinement, failed.state)
        if scan.starts_badly is not None or scan.wrong:
            return self._wrong_step(claim, scan, levels)
        verdict = Verdict.HOLDS if self.complete else Verdict.UNKNOWN
        return PropertyResult(
            claim.name, claim.kind, verdict, STANDS_STILL if self.complete and not scan.exercised else ""
        )

    def _wrong_step(self, claim: Property, scan: RefinementScan, levels: Sequence[Level]) -> PropertyResult:
        """The violation that a step is, or the start."""
        system = self.functions.system
        try:
            with grace():
                if scan.starts_badly is not None:
                    trace, minimal = Trace(system, (scan.starts_badly,), ()), MINIMAL
                else:
                    trace, minimal = scan.least_run(levels)
                    minimal = "" if scan.partial else minimal
        except (OutOfTime, MemoryError):
            self._note_once(f"`{claim.name}` is violated; there was not enough time left to find a run that shows it")
            return PropertyResult(claim.name, claim.kind, Verdict.VIOLATED)
        found = Counterexample(claim.name, (), trace, minimal)
        return PropertyResult(claim.name, claim.kind, Verdict.VIOLATED, counterexample=found)

    def _reproduce_mapping(self, refinement: Refinement, state: State) -> NoReturn:
        """Runs a mapping where it fails: raises its ModelError, with its place."""
        for one in (state, *(after for _, after in self.functions.system.successors(state))):
            refinement.image(one)
        raise CannotCompile("whether a look at an index that is None happens depends on the order in which a loop runs")

    def _note_once(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)

    def _numbers(self, claim: Property) -> list[int]:
        return [number for number, (owner, _) in enumerate(self.functions.properties.instances) if owner is claim]

    def _by_symmetry(self, claim: Property, idle: str) -> PropertyResult:
        with self._liveness_graph() as graph:
            if not graph.holds_by_symmetry(self._numbers(claim)):
                raise NeedsWholeGraph(f"symmetry reduction cannot tell whether `{claim.name}` holds")
        return self._kept(claim, idle)

    def _too_large_for_liveness(self) -> bool:
        """Whether there is no way to judge any ``eventually``; notes why."""
        from onceproof.model.checker.compiled.liveness import bytes_needed

        why = ""
        needed, room = bytes_needed(self.search), self.search.max_memory - self.search.bytes_used
        if not self.search.keeps_states:
            why = f"`eventually` needs {self._missing}"
        elif needed > room:
            why = f"`eventually` needs {needed >> 20:,} MiB; {max(room, 0) >> 20:,} MiB of --max-memory are left"
        if why and why not in self.notes:
            self.notes.append(why)
        return bool(why)

    @contextmanager
    def _liveness_graph(self) -> Iterator[LivenessGraph]:
        """The graph, to be asked for runs; ModelError where the model itself fails while it answers."""
        from onceproof.model.checker.compiled.liveness import LivenessGraph, ModelFailed

        try:
            if self._graph is None:
                self._tell("following the steps again for `eventually`")
                self._graph = LivenessGraph(self.search)
            self._tell("looking for runs on which an obligation stays open")
            yield self._graph
        except ModelFailed as failed:
            reproduce_failure(self.functions, failed.state)

    def _tell(self, doing: str) -> None:
        if self.limits.report:
            search = self.search
            seconds = time.monotonic() - search.began
            self.limits.report(Progress(search.count, 0, len(search.levels) - 1, seconds, search.bytes_used, doing))

    def look_for_deadlocks_at_the_last_depth(self) -> None:
        """Judges the states at the greatest depth allowed, of which no step was taken, too.

        Where another limit ended the search, not all states of the last finished depth are known to have a next step.
        """
        search = self.search
        stopped = search.stopped
        if stopped is None or stopped.reason is StopReason.RANGE_LEFT or int(search.best[0]) != FAR:
            return
        try:
            if stopped.reason is StopReason.DEPTH:
                level = search.levels[-1]
                if isinstance(search, DiskSearch):
                    search.workers[0].best[0] = deadlock_in(search, level)
                else:
                    search.workers[0].best[0] = Paths(search).deadlock_in(level)
                return
        except OutOfTime:
            pass
        self.finished_depth -= 1

    def _safety(
        self, which: int, claim: Property, instances: Sequence[tuple[int, ...]], idle: str = ""
    ) -> PropertyResult:
        """The verdict on what must be true in every state."""
        name, kind = claim.name, claim.kind
        if int(self.search.best[which]) == FAR:
            return PropertyResult(name, kind, Verdict.HOLDS if self.complete else Verdict.UNKNOWN, idle)
        system = self.functions.system

        def false(state: State) -> list[tuple[int, ...]]:
            return [arguments for arguments in instances if system.holds(claim, state, arguments) is False]

        try:
            with grace():
                trace, minimal = Paths(self._whole(which)).least(which, lambda state: bool(false(state)))
        except (NoRoom, NoTrail, OutOfTime) as error:
            return self._not_shown(claim.name, claim.kind, error)
        found = Counterexample(name, false(trace.states[-1])[0], trace, minimal)
        return PropertyResult(name, kind, Verdict.VIOLATED, counterexample=found)

    def _steps(self, claim: Property, idle: str) -> PropertyResult:
        """The verdict on a property of steps."""
        name, kind = claim.name, claim.kind
        ways = [self.functions.bit_of(claim, by_fault) + 1 for by_fault in (False, True)]
        ways = [which for which in ways if int(self.search.best[which]) != FAR]
        if not ways:
            return PropertyResult(name, kind, Verdict.HOLDS if self.complete else Verdict.UNKNOWN, idle)
        system = self.functions.system
        try:
            with grace():
                found = [
                    Paths(self._whole(which)).least_step(
                        which, lambda state: violating_steps(system, claim, state), which > len(self.functions.claims)
                    )
                    for which in ways
                ]
        except (NoRoom, NoTrail, OutOfTime) as error:
            return self._not_shown(claim.name, claim.kind, error)
        trace, minimal = min(found, key=lambda one: (one[0].faults, len(one[0]), one[0].turns))
        arguments = violated_by(system, claim, trace.states[-2:])
        assert arguments is not None
        return PropertyResult(
            name, kind, Verdict.VIOLATED, counterexample=Counterexample(name, arguments, trace, minimal)
        )

    def _not_shown(self, name: str, kind: str, error: Exception) -> PropertyResult:
        """A violation of which there is no run to show."""
        missing = "time" if isinstance(error, OutOfTime) else "memory"
        self.notes.append(f"`{name}` is violated; there was not enough {missing} left to find a run that shows it")
        return PropertyResult(name, kind, Verdict.VIOLATED)

    def _whole(self, which: int) -> Search:
        """A search that has the whole states of least runs to a violation in memory; some are made for that now."""
        search = self.search
        if search.keeps_states:
            return search
        faults, steps = int(search.best[which]) >> 32, int(search.best[which]) & 0xFFFFFFFF
        counted = self.functions.faults_counted
        if isinstance(search, DiskSearch) and (counted or not any(self.functions.is_fault)):
            return trail(search, which, faults if counted else -1, steps)
        if self._exact is None or int(self._exact.best[which]) != int(search.best[which]):
            self._exact = self._again(steps + 1)
            if int(self._exact.best[which]) != int(search.best[which]):
                raise NoRoom
        return self._exact

    def _again(self, depth: int) -> Search:
        """The same search once more, so deep, with whole states in memory."""
        search = Search(self.functions, self.search.library, len(self.search.workers), self.search.max_memory)
        search.run(Limits(max_depth=depth))
        return search

    @property
    def _missing(self) -> str:
        """What a search that keeps no states in memory cannot give."""
        if isinstance(self.search, FingerprintSearch):
            return "whole states, not fingerprints"
        return "all states in memory, not on disk: check it without --disk, or of a smaller size"


def _stem(found: Counterexample) -> tuple[int, int]:
    trace = found.trace
    return trace.faults, len(trace) if trace.loop is None else trace.loop
