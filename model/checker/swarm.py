"""A swarm: many bitstate searches that differ, over all cores, for what no machine can hold.

What was seen of the model is told by *cells*: about how many different states were met in which a mechanism makes a
difference, after a fault that was on the way. A cell with none is a claim that nothing has tried.
"""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from onceproof.model.checker.agreement.comparison import Agreements
from onceproof.model.checker.bounds import names_of_bounds
from onceproof.model.checker.deadline import OutOfTime, check_time, deadline
from onceproof.model.checker.engines import EngineError
from onceproof.model.checker.explicit.random_walk import shortest_along, shortest_departure
from onceproof.model.checker.matrix.probes import ProbedSystem
from onceproof.model.checker.results import INTERRUPTED, Counterexample, Limits, Progress, Stop, StopReason
from onceproof.model.language.declare import Property
from onceproof.model.language.system import System

if TYPE_CHECKING:
    from onceproof.model.checker.compiled.swarm import Dive, DivePlan, Met
    from onceproof.model.checker.partitioned.jobs import ClusterExecutor

ALL_STATES, NO_FAULT = "every state", "no fault"


@dataclass(frozen=True)
class SwarmOptions:
    """How to search: so many members, of at most ``depth`` steps; that of number n has the seed ``seed`` + n.

    workers: threads (None: one for each processor). limits: only their seconds and their report are used.
    ray: the address of a Ray cluster that members search on (``local``: one that is started on this machine, with so
    many workers); None: on this machine.
    """

    members: int = 32
    depth: int = 200
    seed: int = 0
    workers: int | None = None
    limits: Limits = field(default_factory=Limits)
    ray: str | None = None


@dataclass
class SwarmResult:
    """What a swarm met.

    members: how many ended; visits: the states that they met, those that several met counted several times.
    rows, columns, table: about how many different states were met in each cell. A row is for all states, for a
    *sometimes* that they show, or for a mechanism: states in which some action would go another way without it. A
    column is for all, for those that no fault led to, or for a fault that led there. not_told: mechanisms that have no
    row.
    complete: a member met every state, as far as its hashes tell. violated_by: the seed of the member that found it.
    """

    seed: int
    members: int = 0
    visits: int = 0
    deepest: int = 0
    seconds: float = 0.0
    rows: list[str] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    table: list[list[int]] = field(default_factory=list)
    not_told: list[str] = field(default_factory=list)
    complete: bool = False
    violation: Counterexample | None = None
    violated_by: int | None = None
    length_found: int = 0
    stopped: Stop | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def distinct(self) -> int:
        """About how many different states were met."""
        return self.table[0][0] if self.table else 0


def swarm(system: System, properties: Sequence[Property] | None, options: SwarmOptions) -> SwarmResult:
    """Search with all members, until one meets a violation; that of the lowest number counts.

    EngineError where the compiled engine cannot do it, or a property is judged by no random search.
    """
    from onceproof.model.checker import compiled

    claims = system.properties() if properties is None else list(properties)
    refined = [f"`{claim.name}`" for claim in claims if claim.kind == "refines"]
    if refined:
        raise EngineError(f"a swarm judges no refinement: choose properties without {', '.join(refined)}")
    began, seconds = time.monotonic(), options.limits.max_seconds
    try:
        with deadline(seconds):
            probed = _probed(system, claims)
            reason = compiled.why_not(probed, claims)
            if reason is not None:
                raise EngineError(f"a swarm needs the compiled engine, which cannot do this: {reason}")
            prepared = _Swarm(probed, claims, options, began)
    except OutOfTime:
        took = time.monotonic() - began
        return SwarmResult(options.seed, seconds=took, stopped=Stop(StopReason.SECONDS, seconds))
    return prepared.run()


def _probed(system: System, claims: Sequence[Property]) -> ProbedSystem:
    """The system, which is also asked in which states its mechanisms make a difference."""
    agreements, config = Agreements(), system.config
    agreements.check(system, claims)

    def compared(other: System) -> None:
        check_time()
        agreements.check(other)

    without = {name: config.with_switches(**{name: False}) for name, on in config.switches.items() if on}
    return ProbedSystem(system.model, config, without, compared)


class Crew(Protocol):
    """What lets members search, ``size`` of them at the same time.

    ends_at_once: whether a search that is under way ends, with what it met, when it is told not to go on.
    """

    size: int
    ends_at_once: bool

    def start(self, chosen: Dive, seconds: float | None) -> Future[Met]:
        """Begins a search of so many seconds at most."""
        ...

    def result(self, future: Future[Met]) -> Met | None:
        """What a member met; None where it was lost."""
        ...


class _Threads:
    """A crew on this machine."""

    ends_at_once = True

    def __init__(self, plan: DivePlan, pool: ThreadPoolExecutor, size: int, go_on: Callable[[int], bool]) -> None:
        from onceproof.model.checker.compiled.swarm import Diver

        self.diver, self.pool, self.size, self.go_on = Diver(plan), pool, size, go_on

    def start(self, chosen: Dive, seconds: float | None) -> Future[Met]:
        return self.pool.submit(self.diver.dive, chosen, self.go_on)

    def result(self, future: Future[Met]) -> Met | None:
        return future.result()


class _Nodes:
    """A crew on a cluster."""

    ends_at_once = False

    def __init__(self, plan: DivePlan, executor: ClusterExecutor) -> None:
        self.plan, self.executor, self.size = plan, executor, executor.slots

    def start(self, chosen: Dive, seconds: float | None) -> Future[Met]:
        from onceproof.model.checker.compiled.swarm import dive_on_node

        return self.executor.submit(dive_on_node, self.plan, chosen, seconds)

    def result(self, future: Future[Met]) -> Met | None:
        from onceproof.model.checker.partitioned.jobs import JobLost

        try:
            met: Met = self.executor.result(future)
        except JobLost:
            return None
        return met


@contextmanager
def _crew(plan: DivePlan, options: SwarmOptions, go_on: Callable[[int], bool]) -> Iterator[Crew]:
    """What the options ask for; EngineError where there is no such cluster."""
    workers = options.workers or len(os.sched_getaffinity(0))
    if options.ray is None:
        with ThreadPoolExecutor(workers) as pool:
            yield _Threads(plan, pool, workers, go_on)
        return
    from onceproof.model.checker.partitioned.jobs import cluster_executor
    from onceproof.model.checker.partitioned.ray_cluster import ClusterError

    try:
        with cluster_executor(options.ray, workers) as executor:
            yield _Nodes(plan, executor)
    except ClusterError as error:
        raise EngineError(str(error)) from None


class _Swarm:
    def __init__(self, probed: ProbedSystem, claims: Sequence[Property], options: SwarmOptions, began: float) -> None:
        from onceproof.model.checker.compiled.codegen.functions import MOST_PROPERTIES, Functions
        from onceproof.model.checker.compiled.swarm import plan_of
        from onceproof.model.checker.ground.python_code import generated

        self.probed, self.options = probed, options
        judged = [claim for claim in claims if claim.is_safety or claim.kind == "deadlock"]
        goals = [claim for claim in claims if claim.kind == "sometimes"]
        room = MOST_PROPERTIES - Functions(generated(probed), judged).bits
        names = [*(goal.name for goal in goals), *probed.probes][:room]
        questions = [*goals, *probed.questions][:room]
        self.functions = Functions(generated(probed), [*judged, *questions])
        self.plan: DivePlan = plan_of(self.functions, questions)
        self.result = SwarmResult(
            options.seed,
            rows=[ALL_STATES, *names],
            columns=[ALL_STATES, NO_FAULT, *self.plan.faults],
            not_told=[name for name, on in probed.config.switches.items() if on and name not in names],
        )
        self.registers: Any = None
        self.found: list[Met] = []
        self._running: set[Future[Met]] = set()
        self._began, self._reported = began, began
        self.lost = 0
        self._lock, self._ended, self._under_way = threading.Lock(), threading.Event(), 0

    def run(self) -> SwarmResult:
        result, limits = self.result, self.options.limits
        with _crew(self.plan, self.options, self._go_on) as crew:
            try:
                self._search(crew)
            except KeyboardInterrupt:
                result.stopped = INTERRUPTED
            finally:
                self._ended.set()
            for future in self._running if crew.ends_at_once else ():  # with what they met
                self._add(crew.result(future))
        if result.stopped is None and limits.max_seconds is not None and self._late() and not self.found:
            result.stopped = Stop(StopReason.SECONDS, limits.max_seconds)
        if self.found:
            self._judge(min(self.found, key=lambda met: met.dive.seed))
        result.seconds = time.monotonic() - self._began
        if self.probed.bounds:
            result.notes.append(f"runs end where they leave {names_of_bounds(self.probed)}")
        if self.lost:
            result.notes.append(f"{self.lost} members were lost with their nodes, and what they met")
        return result

    def _search(self, crew: Crew) -> None:
        """Has members search until all did or one met a violation; those under way then go on to their end."""
        from onceproof.model.checker.compiled.swarm import dive_of

        options, faults = self.options, self.plan.faults
        dives = (dive_of(options.seed + number, options.depth, faults) for number in range(options.members))
        while True:
            if not self.found and not self._late():
                free = crew.size - len(self._running)
                self._running |= {crew.start(one, self._left()) for one in itertools.islice(dives, free)}
            if not self._running:
                return
            done, _ = wait(self._running, timeout=0.5, return_when=FIRST_COMPLETED)
            for future in done:
                self._running.remove(future)
                self._add(crew.result(future))
            self._report()

    def _left(self) -> float | None:
        """How many seconds are left."""
        seconds = self.options.limits.max_seconds
        return None if seconds is None else max(self._began + seconds - time.monotonic(), 0.0)

    def _go_on(self, met: int) -> bool:
        with self._lock:
            self._under_way += met
        return not self._ended.is_set() and not self._late()

    def _late(self) -> bool:
        seconds = self.options.limits.max_seconds
        return seconds is not None and time.monotonic() - self._began > seconds

    def _report(self) -> None:
        report, now = self.options.limits.report, time.monotonic()
        if report and now - self._reported > 1:
            self._reported = now
            left = self.options.members - self.result.members
            met = max(self._under_way, self.result.visits)  # on nodes nobody knows what is under way
            report(Progress(met, left, self.result.deepest, now - self._began))

    def _add(self, met: Met | None) -> None:
        """Adds what a member met; None: it was lost."""
        import numpy as np

        from onceproof.model.checker.compiled.swarm import table_of

        if met is None:
            self.lost += 1
            return
        result = self.result
        self.registers = met.registers if self.registers is None else np.maximum(self.registers, met.registers)
        result.members += 1
        result.visits += met.states
        result.deepest = max(result.deepest, met.deepest)
        result.complete = result.complete or met.complete
        result.table = table_of(self.plan, self.registers)
        if met.path is not None:
            self.found.append(met)

    def _judge(self, met: Met) -> None:
        """Takes what a member found for the violation that is reported, without the steps that it does not need."""
        from onceproof.model.checker.compiled.random_walk import counterexample

        assert met.path is not None
        result, system = self.result, self.probed
        found = counterexample(self.functions, met.start, met.path, met.failing, met.stuck)
        result.violated_by, result.length_found = met.dive.seed, len(found.trace)
        first = found.trace.states[0]
        if found.trace.departure is not None:
            result.violation = shortest_departure(system, first, found.trace.taken)
        else:
            (claim,) = system.properties([found.property])
            result.violation = shortest_along(system, claim, first, found.trace.steps)
