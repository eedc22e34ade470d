"""Drives a system along every transition of a model, and says what was covered, what was not, and why."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from onceproof.conformance.coverage.graph import Graph, explore
from onceproof.conformance.coverage.groups import group_commits
from onceproof.conformance.coverage.interruptions import Interrupted, interrupt
from onceproof.conformance.coverage.orbits import representatives
from onceproof.conformance.coverage.plan import Plan, plan
from onceproof.conformance.driver import Driver, DriverError, DriverSilent, Interruption, Restartable
from onceproof.conformance.replay.confirm import Confirmation, confirm
from onceproof.conformance.replay.lockstep import Disagreement, Lockstep
from onceproof.conformance.replay.negative_tests import NegativeTests
from onceproof.conformance.replay.shrink import shrink
from onceproof.model.checker.deadline import deadline
from onceproof.model.checker.results import INTERRUPTED, Stop, StopReason, Trace
from onceproof.model.language import System

MOST_SILENT = 3  # times that a driver may give no answer in time before that is its fault, not the machine's
EXPLORED, PLANNED = 0.2, 0.5  # the shares of the time after which the model is explored, and the walks planned
LEAST_SECONDS = 0.5  # for each of these, if the time is as long as that
REFUSALS = 20  # forbidden steps that are asked for at each state that is new


@dataclass(frozen=True)
class Budget:
    """What a cover may use: seconds and steps (None: as much as it takes), and how many paths of the plan at most.

    refusals: for how many steps that the model forbids the system is asked at each state when it is first reached.
    sample: only so many of the plan's paths, chosen at random by ``seed``; None: all, in the order of the plan.
    symmetric: of transitions that are the same but for the names of interchangeable elements, one is enough.
    interruptions: how actions are interrupted, at each of their points, when all is walked. only: which transitions of
    a graph are to be covered (None: all); others are walked only on the way.
    """

    max_seconds: float | None = None
    max_steps: int | None = None
    max_states: int | None = None
    refusals: int = REFUSALS
    sample: int | None = None
    seed: int = 0
    symmetric: bool = False
    interruptions: tuple[Interruption, ...] = ()
    only: Callable[[Graph], set[int]] | None = None


@dataclass
class Coverage:
    """What a cover came to. All counts are of labelled transitions, parallel ones apart, unless they say otherwise.

    transitions: all of the model (as far as it was explored). performable: those that the driver can get to and
    perform. wanted: how many of those were to be covered. symmetric: how many of them differ in more than names, where
    only these were to be covered (else None); covered and left then count one for each. skipped: by action that the
    driver does not perform, how many transitions it blocks itself. trace: the shortest that ends in the disagreement,
    if that comes again each time (``confirmation``); else the one that did. silent: how often the driver gave no answer
    in time and was begun anew. interrupted: what became of interrupting actions, where that was asked for. replaced: as
    the driver's abilities say.
    """

    plan: Plan
    transitions: int
    performable: int
    wanted: int
    covered: int
    paths: int
    steps: int
    compared: int
    refused: int
    seconds: float
    skipped: dict[str, int]
    left: dict[str, int]
    complete: bool
    stopped: Stop | None = None
    disagreement: Disagreement | None = None
    trace: Trace | None = None
    confirmation: Confirmation = field(default_factory=Confirmation)
    unobserved: list[str] = field(default_factory=list)
    symmetric: int | None = None
    silent: int = 0
    interrupted: list[Interrupted] = field(default_factory=list)
    replaced: Mapping[str, str] = field(default_factory=dict)


GROUP_COMMITS = "group commits"  # what `replaced` calls them
Report = Callable[[int, int, float], None]  # steps taken, steps planned, seconds


def cover(system: System, driver: Driver, budget: Budget | None = None, report: Report | None = None) -> Coverage:
    """Walk every transition that the driver can perform, comparing after each step; stop at the first disagreement.

    report: called about once a second with the progress. DriverError passes through, with the steps until then as its
    trace; a driver that is only silent is begun anew, and repeats the path.
    """
    budget = budget or Budget()
    lockstep = Lockstep(system, driver)
    started = time.monotonic()
    try:
        lockstep.begin()
    except Disagreement as disagreement:
        first = system.initials[0]
        walk = _Walk(lockstep, Plan(Graph(system, [first], leaving=[[]], parents=[-1]), [], 0), budget, started, report)
        walk.disagreement, walk.trace = disagreement, Trace(system, (first,), ())
        return walk.coverage(0)

    def until(share: float) -> float | None:
        """How many seconds are left of a share of the time, or of half a second: most of it is for walking."""
        limit = budget.max_seconds
        if limit is None:
            return None
        return max(started + max(share * limit, min(LEAST_SECONDS, limit / 2)) - time.monotonic(), 0.0)

    all_of_it = explore(system, max_states=budget.max_states, max_seconds=until(EXPLORED))
    partial = any(not lockstep.can(edge.step) for edge in all_of_it.edges)
    graph = explore(system, lockstep.can, budget.max_states, until(2 * EXPLORED)) if partial else all_of_it
    wanted = None if budget.only is None else budget.only(graph)
    if budget.symmetric:
        with deadline(until(PLANNED)):
            distinct = representatives(graph)
        wanted = distinct if wanted is None else wanted & distinct
    walk = _Walk(lockstep, plan(graph, wanted, until(PLANNED)), budget, started, report, wanted)
    walk.run()
    if walk.disagreement is not None and walk.trace is not None:
        walk.confirmation = confirm(walk.trace, walk.disagreement, driver)
        if walk.confirmation.certain:
            walk.trace, walk.disagreement = shrink(walk.trace, walk.disagreement, driver)
    elif walk.stopped is None or walk.stopped.reason is StopReason.SAMPLE:
        walk.interrupt_all()
    return walk.coverage(len(all_of_it.edges))


class _Walk:
    """The walking of one plan."""

    def __init__(
        self,
        lockstep: Lockstep,
        plan: Plan,
        budget: Budget,
        started: float,
        report: Report | None,
        wanted: set[int] | None = None,
    ) -> None:
        self.lockstep, self.plan, self.budget, self.started, self.report = lockstep, plan, budget, started, report
        self.negative_tests = (
            NegativeTests(lockstep.system, lockstep.abilities, budget.seed) if budget.refusals else None
        )
        self.wanted = set(range(len(plan.graph.edges))) if wanted is None else wanted
        self.symmetric = len(self.wanted) if budget.symmetric else None
        self.covered: set[int] = set()
        self.visited: set[int] = set()
        self.paths = self.steps = self.refused = self.silent = 0
        self.stopped: Stop | None = None
        self.disagreement: Disagreement | None = None
        self.trace: Trace | None = None
        self.confirmation = Confirmation()
        self.interrupted: list[Interrupted] = []
        self._reported_at = started

    def run(self) -> None:
        """Walk the paths until all are walked, the budget is used up, or model and system disagree."""
        try:
            for path in self._chosen():
                self.paths += 1
                if not self._walk(path, self.plan.start(path)):
                    return
            if self.stopped is None:  # what no path begins in
                for root in range(self.plan.graph.roots):
                    if root not in self.visited and not self._walk([], root):
                        return
        except KeyboardInterrupt:
            self.stopped = INTERRUPTED

    def interrupt_all(self) -> None:
        """Interrupt the actions of what was to be covered, in each way that was asked for."""
        limit = self.budget.max_seconds
        until = None if limit is None else self.started + limit
        for how in self.budget.interruptions:
            graph, driver = self.plan.graph, self.lockstep.driver
            try:
                if how is Interruption.GROUP:
                    found = group_commits(graph, self.wanted, driver, until, self.report)
                else:
                    found = interrupt(graph, self.wanted, driver, how, until, self.report)
            except KeyboardInterrupt:
                self.stopped = INTERRUPTED
                return
            self.interrupted.append(found)
            if found.left and limit is not None:
                self.stopped = Stop(StopReason.SECONDS, limit)
            if found.disagreement is not None:
                self.disagreement, self.trace, self.confirmation = found.disagreement, found.trace, found.confirmation
                return

    def _chosen(self) -> Sequence[list[int]]:
        if self.budget.sample is None or self.budget.sample >= len(self.plan.paths):
            return self.plan.paths
        self.stopped = Stop(StopReason.SAMPLE, self.budget.sample)
        return random.Random(self.budget.seed).sample(self.plan.paths, self.budget.sample)

    def _walk(self, path: Sequence[int], start: int) -> bool:
        """Walk one path; whether there is more to do. A silent driver is begun anew, and repeats the path."""
        while True:
            try:
                return self._walk_once(path, start)
            except DriverSilent:
                driver = self.lockstep.driver
                if self.silent == MOST_SILENT or not isinstance(driver, Restartable):
                    raise
                self.silent += 1
                driver.restart()

    def _walk_once(self, path: Sequence[int], start: int) -> bool:
        graph = self.plan.graph
        taken: list[int] = []
        try:
            self.lockstep.begin(graph.states[start])
            self._ask(start, None)
            for number in path:
                if self._out_of_budget():
                    return False
                edge = graph.edges[number]
                taken.append(number)
                self.lockstep.take(edge.step, graph.states[edge.target])
                self.steps += 1
                if number in self.wanted:
                    self.covered.add(number)
                self._ask(edge.target, edge.source)
        except Disagreement as disagreement:
            self.disagreement, self.trace = disagreement, self.plan.trace(taken, start)
            return False
        except DriverError as error:
            error.trace = self.plan.trace(taken, start)
            raise
        return True

    def _ask(self, state: int, before: int | None) -> None:
        """Where a state is new: ask for steps that it forbids, first for those that the state before still allowed."""
        if state in self.visited:
            return
        self.visited.add(state)
        if self.negative_tests is None:
            return
        graph = self.plan.graph
        first = [graph.edges[number].step for number in graph.leaving[before]] if before is not None else []
        steps = self.negative_tests.choose(graph.states[state], self.budget.refusals, first)
        self.refused += self.lockstep.expect_refusals(steps)

    def _out_of_budget(self) -> bool:
        now = time.monotonic()
        if self.report is not None and now - self._reported_at >= 1:
            self._reported_at = now
            self.report(self.steps, self.plan.steps, now - self.started)
        if self.budget.max_steps is not None and self.steps >= self.budget.max_steps:
            self.stopped = Stop(StopReason.STEPS, self.budget.max_steps)
        elif self.budget.max_seconds is not None and now - self.started >= self.budget.max_seconds:
            self.stopped = Stop(StopReason.SECONDS, self.budget.max_seconds)
        else:
            return False
        return True

    def _replaced(self) -> dict[str, str]:
        """What the driver does in the system's place; group commits are compared where that was asked for."""
        replaced = dict(self.lockstep.abilities.replaced)
        if any(one.how is Interruption.GROUP for one in self.interrupted):
            replaced.pop(GROUP_COMMITS, None)
        return replaced

    def coverage(self, transitions: int) -> Coverage:
        """What it came to."""
        graph = self.plan.graph
        left = Counter(graph.edges[number].step.action for number in self.wanted - self.covered)
        system = self.lockstep.system
        fields = list(system.model.field_names)
        return Coverage(
            plan=self.plan,
            transitions=transitions,
            performable=len(graph.edges),
            wanted=len(self.wanted),
            covered=len(self.covered),
            paths=self.paths,
            steps=self.steps,
            compared=self.lockstep.compared,
            refused=self.refused,
            seconds=time.monotonic() - self.started,
            skipped=dict(graph.skipped),
            left=dict(left.most_common()),
            complete=graph.complete and not left and all(one.complete for one in self.interrupted),
            stopped=self.stopped or (None if graph.complete else Stop(StopReason.MODEL_CUT_SHORT)),
            disagreement=self.disagreement,
            trace=self.trace,
            confirmation=self.confirmation,
            symmetric=self.symmetric,
            silent=self.silent,
            interrupted=self.interrupted,
            replaced=self._replaced(),
            unobserved=[name for name in fields if name not in self.lockstep.abilities.observes],
        )
