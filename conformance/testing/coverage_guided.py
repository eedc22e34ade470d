"""Hypothesis drives a system along the model, towards transitions not covered yet, and asks for forbidden steps too.

What Hypothesis draws are plain numbers; which step a number means depends on what is covered so far. So that
Hypothesis can run an example again, what guides it changes only between examples, and never after the first failure.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn

import hypothesis.strategies as st
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis.errors import Flaky

from onceproof.conformance.coverage.graph import explore
from onceproof.conformance.driver import Driver, DriverError
from onceproof.conformance.replay.confirm import Confirmation, confirm
from onceproof.conformance.replay.lockstep import Disagreement, Lockstep
from onceproof.conformance.replay.negative_tests import NegativeTests
from onceproof.conformance.replay.shrink import SECONDS, cost, shrink
from onceproof.model.checker.deadline import OutOfTime, deadline, time_left
from onceproof.model.checker.results import INTERRUPTED, Stop, StopReason, Trace
from onceproof.model.language import Step, System
from onceproof.model.language.layout import State

NUMBERS = st.integers(0, 1 << 16)
ANY, FORBIDDEN = 6, 7  # the meanings of a number modulo 8: any enabled step; what is forbidden; else what is new
HYPOTHESIS_SHRINKS_SECONDS = 3.0  # what follows leaves out whole steps, which numbers can't
FAR = 1 << 30
LEAST_REFUSALS, MOST_REFUSALS = 3, 25  # at a new state, where the effort leaves their number open
REFUSING_SECONDS = 0.025  # and how long they may take there
MAP_STATES, MAP_SECONDS = 30_000, 3.0  # how far the model is explored beforehand, to know where new things are


@dataclass(frozen=True)
class Effort:
    """How long to look: examples of so many steps, chosen by ``seed``; seconds at most (None: no limit).

    refusals: for how many forbidden steps the system is asked where a run comes to a state that no run was in before.
    None: for as many as take some 25 milliseconds, from 3 of a slow system to 25 of a fast one.
    """

    examples: int = 500
    steps: int = 60
    seed: int = 0
    max_seconds: float | None = None
    refusals: int | None = None


@dataclass
class Findings:
    """What was found out. ``covered`` of the ``seen`` transitions that visited states enable were taken.

    disagreement and trace: the shortest failing run; confirmation: what became of it when it was replayed.
    """

    examples: int = 0
    steps: int = 0
    refused: int = 0
    states: int = 0
    covered: int = 0
    seen: int = 0
    seconds: float = 0.0
    stopped: Stop | None = None
    disagreement: Disagreement | None = None
    trace: Trace | None = None
    first_steps: int = 0
    first_seconds: float = 0.0
    confirmation: Confirmation = field(default_factory=Confirmation)
    replaced: Mapping[str, str] = field(default_factory=dict)  # as the driver's abilities say


class _Enough(BaseException):
    """Ends Hypothesis' search: time is up."""


class _Broken(BaseException):
    """The driver is wrong: nothing to shrink."""

    def __init__(self, error: DriverError) -> None:
        super().__init__(str(error))
        self.error = error


def drive(system: System, driver: Driver, effort: Effort | None = None) -> Findings:
    """Look for a disagreement; shrink and confirm what is found.

    DriverError passes through, with the steps until then as its trace.

    The time of ``effort`` is kept whatever the driver does: also one that answers slowly, or not at all.
    """
    effort = effort or Effort()
    with deadline(effort.max_seconds):
        return _Campaign(system, driver, effort).run()


class _Campaign:
    def __init__(self, system: System, driver: Driver, effort: Effort) -> None:
        self.system, self.driver, self.effort = system, driver, effort
        self.lockstep = Lockstep(system, driver)
        self.found = Findings()
        self.started = time.monotonic()
        self.until = None if effort.max_seconds is None else self.started + effort.max_seconds
        self.refusing = 0.0  # seconds that forbidden steps took
        self.covered: set[tuple[State, Step]] = set()
        self.distances: dict[State, int] | None = None
        self.edge_distances: dict[State, int] = {}
        self.before: dict[State, list[State]] | None = None
        self.ways: dict[State, list[tuple[Step, State]]] = {}
        self.nots: dict[State, list[Step]] = {}
        self.visited: set[State] = set()
        self.frozen = False
        self.negative_tests: NegativeTests | None = None

    def run(self) -> Findings:
        """Search, then shrink and confirm."""
        quiet = settings(
            max_examples=self.effort.examples,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate, Phase.shrink),
            report_multiple_bugs=False,
            verbosity=Verbosity.quiet,
            stateful_step_count=self.effort.steps,
        )
        try:
            seed(self.effort.seed)(quiet(given(st.data())(self._example)))()
        except (Disagreement, Flaky, _Enough):
            pass
        except _Broken as broken:
            if self.found.disagreement is None:
                raise broken.error from None
            self.found.confirmation.unconfirmed = str(broken)  # the system has not survived what it did before
        except KeyboardInterrupt:
            self.found.stopped = INTERRUPTED
        self._conclude()
        return self.found

    def _example(self, data: st.DataObject) -> None:
        self._check_time()
        self.found.examples += 1
        taken: list[Step] = []
        initials = self.system.initials
        # Which one is drawn only where there are several: what Hypothesis draws stays as it was for one.
        states = [initials[data.draw(st.integers(0, len(initials) - 1)) if len(initials) > 1 else 0]]
        try:
            self.lockstep.begin(states[0])
            if self.negative_tests is None:
                self.negative_tests = NegativeTests(self.system, self.lockstep.abilities)
                self.found.replaced = self.lockstep.abilities.replaced
                self._draw_map()
            # All numbers at once: however soon a run ends, what Hypothesis has drawn has the same shape.
            for number in data.draw(st.lists(NUMBERS, min_size=self.effort.steps, max_size=self.effort.steps)):
                if not self._move(number, taken, states):
                    break
        except Disagreement as disagreement:
            self._note(disagreement, Trace(self.system, tuple(states), tuple(taken)))
            raise
        except DriverError as error:
            error.trace = Trace(self.system, tuple(states), tuple(taken))
            raise _Broken(error) from None
        except OutOfTime:
            self._stop()
        if not self.frozen:
            self.covered.update(zip(states, taken, strict=False))
            self.visited.update(states)
            self.distances = None

    def _move(self, number: int, taken: list[Step], states: list[State]) -> bool:
        """Do what a number means here: take a step, or ask for a forbidden one. False where the run has ended."""
        meaning, choice = number % 8, number // 8
        here = states[-1]
        ways = self._ways(here)
        if meaning == FORBIDDEN or not ways:
            self._ask(here, taken, choice)
            return bool(ways)
        if meaning != ANY:
            ways = self._newest(here, ways)
        step, after = ways[choice % len(ways)]
        self.found.steps += 1
        taken.append(step)
        states.append(after)
        self.lockstep.take(step, after)
        if after not in self.visited:
            self._ask(after, taken, choice)
        return True

    def _draw_map(self) -> None:
        """Explore the model beforehand as far as that is quick, so that runs know the way to what is not covered."""
        left = time_left()
        seconds = MAP_SECONDS if left is None else min(MAP_SECONDS, left / 4)
        graph = explore(self.system, self.lockstep.can, MAP_STATES, seconds)
        for state, leaving in zip(graph.states, graph.leaving, strict=True):
            edges = [graph.edges[number] for number in leaving]
            if edges:
                self.ways[state] = [(edge.step, graph.states[edge.target]) for edge in edges]

    def _ways(self, state: State) -> list[tuple[Step, State]]:
        if state not in self.ways:
            self.before = None
            self.ways[state] = [way for way in self.system.successors(state) if self.lockstep.can(way[0])]
        return self.ways[state]

    def _ask(self, state: State, taken: list[Step], choice: int) -> None:
        """Ask for some forbidden steps: first those taken earlier in this run (most systems err in doing a thing
        twice), then others."""
        most = self._affordable() if self.effort.refusals is None else self.effort.refusals
        if not most:
            return
        if state not in self.nots:
            assert self.negative_tests is not None
            self.nots[state] = self.negative_tests.forbidden(state)
        earlier = set(taken)
        start = choice % max(1, len(self.nots[state]))
        turned = self.nots[state][start:] + self.nots[state][:start]
        asked = sorted(turned, key=lambda step: step not in earlier)[:most]
        self.found.refused += len(asked)
        began = time.monotonic()
        self.lockstep.expect_refusals(asked)
        self.refusing += time.monotonic() - began

    def _affordable(self) -> int:
        """How many forbidden steps may be asked for at a new state, by what they took so far."""
        if not self.found.refused:
            return LEAST_REFUSALS
        each = self.refusing / self.found.refused
        return min(max(int(REFUSING_SECONDS / max(each, 1e-6)), LEAST_REFUSALS), MOST_REFUSALS)

    def _newest(self, here: State, ways: list[tuple[Step, State]]) -> list[tuple[Step, State]]:
        """The ways towards the nearest state that no run was in; where all are known, towards a new transition."""
        if self.distances is None:
            unknown = {after for known in self.ways.values() for _, after in known} - self.visited
            self.distances = self._distances_to(unknown)
            new = {state for state, known in self.ways.items() if any((state, w[0]) not in self.covered for w in known)}
            self.edge_distances = self._distances_to(new)
        if here in self.distances:
            nearest = min(self.distances.get(after, FAR) for _, after in ways)
            return [way for way in ways if self.distances.get(way[1], FAR) == nearest]
        new_ways = [way for way in ways if (here, way[0]) not in self.covered]
        if new_ways:
            return new_ways
        nearest = min(self.edge_distances.get(after, FAR) for _, after in ways)
        return [way for way in ways if self.edge_distances.get(way[1], FAR) == nearest]

    def _distances_to(self, goals: set[State]) -> dict[State, int]:
        """How many known transitions each state is away from the nearest goal; others are missing."""
        if self.before is None:
            self.before = {}
            for state, ways in self.ways.items():
                for _, after in ways:
                    self.before.setdefault(after, []).append(state)
        distances = dict.fromkeys(goals, 0)
        layer = list(goals)
        while layer:
            following = []
            for near in layer:
                for state in self.before.get(near, ()):
                    if state not in distances:
                        distances[state] = distances[near] + 1
                        following.append(state)
            layer = following
        return distances

    def _note(self, disagreement: Disagreement, trace: Trace) -> None:
        """Remember the best failing run so far."""
        found = self.found
        if not self.frozen:
            self.frozen = True
            found.first_steps = found.steps + found.refused
            found.first_seconds = time.monotonic() - self.started
            enough = time.monotonic() + HYPOTHESIS_SHRINKS_SECONDS
            self.until = enough if self.until is None else min(enough, self.until)
        if found.trace is None or cost(trace) < cost(found.trace):
            found.disagreement, found.trace = disagreement, trace

    def _check_time(self) -> None:
        if self.until is not None and time.monotonic() > self.until:
            self._stop()

    def _stop(self) -> NoReturn:
        """Ends the search, since the time is up."""
        if not self.frozen:
            self.found.stopped = Stop(StopReason.SECONDS, self.effort.max_seconds)
        raise _Enough

    def _confirmed(self, trace: Trace, disagreement: Disagreement) -> Confirmation:
        try:
            return confirm(trace, disagreement, self.driver)
        except OutOfTime:
            return Confirmation(unconfirmed="the time was up")

    def _conclude(self) -> None:
        found = self.found
        if found.disagreement is not None and found.trace is not None:
            if not found.confirmation.unconfirmed:
                found.confirmation = self._confirmed(found.trace, found.disagreement)
            if found.confirmation.certain:
                with contextlib.suppress(OutOfTime):
                    left = min(SECONDS, SECONDS if (rest := time_left()) is None else rest)
                    found.trace, found.disagreement = shrink(found.trace, found.disagreement, self.driver, left)
        found.seconds = time.monotonic() - self.started
        found.states = len(self.visited)
        found.seen = sum(len(self.ways.get(state, ())) for state in self.visited)
        found.covered = len(self.covered)
