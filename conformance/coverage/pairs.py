"""Covers every pair of faults, each at the least sizes at which both can happen, with its share of the time."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from onceproof.conformance.coverage.fault_pairs import FaultPair, LeastSizes, Unsure, after_both, pairs_of
from onceproof.conformance.coverage.run import Budget, Coverage, cover
from onceproof.conformance.driver import Driver
from onceproof.model.checker.deadline import OutOfTime, deadline
from onceproof.model.checker.results import INTERRUPTED, Stop, StopReason
from onceproof.model.language import System

SIZING = 0.25  # the share of the time after which no more sizes are looked for


class Outcome(StrEnum):
    """What became of a pair."""

    COVERED = "covered"  # every transition after both faults
    PARTLY = "partly covered"
    DIFFERS = "differs"
    IMPOSSIBLE = "cannot happen"  # no run has both, at any of the sizes that were tried
    NOT_PERFORMED = "not performed"  # the driver does not get to any transition after both
    UNSURE = "too large"  # there were too many states to find a run with both, or to show that there is none
    OUT_OF_TIME = "out of time"  # it was not begun


@dataclass
class CoveredPair:
    """A pair, the least sizes of the model for it (of sorts whose size is not fixed by others), and its cover."""

    pair: FaultPair
    outcome: Outcome = Outcome.OUT_OF_TIME
    sizes: Mapping[str, int] = field(default_factory=dict)
    coverage: Coverage | None = None

    @property
    def transitions(self) -> int:
        """How many transitions there are after both faults, as far as the model was explored."""
        return 0 if self.coverage is None else self.coverage.wanted

    @property
    def covered(self) -> int:
        """How many of them were covered."""
        return 0 if self.coverage is None else self.coverage.covered


@dataclass
class CoveredPairs:
    """What became of all pairs, in the order of the model. differs: the one that ended it."""

    pairs: list[CoveredPair]
    seconds: float = 0.0
    stopped: Stop | None = None

    @property
    def differs(self) -> CoveredPair | None:
        """The pair at which model and system came apart."""
        return next((one for one in self.pairs if one.outcome is Outcome.DIFFERS), None)

    @property
    def complete(self) -> bool:
        """Whether each pair was covered, or cannot happen, or is none for this driver."""
        done = (Outcome.COVERED, Outcome.IMPOSSIBLE, Outcome.NOT_PERFORMED)
        return self.stopped is None and all(one.outcome in done for one in self.pairs)


Report = Callable[[int, int, FaultPair], None]  # pairs done, of how many, the pair that comes now


def cover_pairs(
    system: System, driver: Driver, budget: Budget | None = None, report: Report | None = None
) -> CoveredPairs:
    """Cover each pair of faults of the system's model, the smallest first, until model and system disagree.

    What a pair leaves of its share of the time and of the steps is for those after it. DriverError passes through.
    """
    return _Pairs(system, driver, budget or Budget(), report).run()


class _Pairs:
    """The covers of all pairs."""

    def __init__(self, system: System, driver: Driver, budget: Budget, report: Report | None) -> None:
        self.search, self.driver, self.budget = LeastSizes(system), driver, budget
        self.report = report or (lambda done, total, pair: None)
        self.found = CoveredPairs([CoveredPair(pair) for pair in pairs_of(system.model)])
        self.systems: dict[FaultPair, System] = {}
        self.steps = 0
        self.started = time.monotonic()

    def run(self) -> CoveredPairs:
        """Find the sizes of all, then cover one after the other."""
        found = self.found
        try:
            self._size_all()
            self._cover_all()
        except KeyboardInterrupt:
            found.stopped = INTERRUPTED
        if found.stopped is None:
            found.stopped = self._limit()
        found.seconds = time.monotonic() - self.started
        return found

    def _limit(self) -> Stop | None:
        """The limit of all pairs that ended the cover of one of them, or came before it."""
        ends = {one.coverage.stopped.reason for one in self.found.pairs if one.coverage and one.coverage.stopped}
        early = any(one.outcome is Outcome.OUT_OF_TIME for one in self.found.pairs) and self.found.differs is None
        if self.budget.max_seconds is not None and (StopReason.SECONDS in ends or early):
            return Stop(StopReason.SECONDS, self.budget.max_seconds)
        return Stop(StopReason.STEPS, self.budget.max_steps) if StopReason.STEPS in ends else None

    def _size_all(self) -> None:
        limit = self.budget.max_seconds
        with deadline(None if limit is None else SIZING * limit):
            for one in self.found.pairs:
                try:
                    system = self.search.find(one.pair)
                except Unsure:
                    one.outcome = Outcome.UNSURE
                    continue
                except OutOfTime:
                    return
                if system is None:
                    one.outcome = Outcome.IMPOSSIBLE
                else:
                    one.sizes = self.search.of(system)
                    self.systems[one.pair] = system

    def _cover_all(self) -> None:
        ready = sorted((one for one in self.found.pairs if one.pair in self.systems), key=_elements)
        for number, one in enumerate(ready):
            self.report(number, len(ready), one.pair)
            share = self._share(len(ready) - number)
            if share is None:
                return
            one.coverage = cover(self.systems[one.pair], self.driver, share)
            self.steps += one.coverage.steps
            one.outcome = _outcome(one.coverage)
            if one.outcome is Outcome.DIFFERS:
                return
            if one.coverage.stopped == INTERRUPTED:
                raise KeyboardInterrupt

    def _share(self, pairs: int) -> Budget | None:
        """What one of so many pairs may use; None where nothing is left."""
        budget, seconds, steps = self.budget, None, None
        if budget.max_seconds is not None:
            seconds = (self.started + budget.max_seconds - time.monotonic()) / pairs
            if seconds <= 0:
                self.found.stopped = Stop(StopReason.SECONDS, budget.max_seconds)
                return None
        if budget.max_steps is not None:
            steps = -((self.steps - budget.max_steps) // pairs)
            if steps <= 0:
                self.found.stopped = Stop(StopReason.STEPS, budget.max_steps)
                return None
        return replace(budget, max_seconds=seconds, max_steps=steps, only=after_both)


def _elements(one: CoveredPair) -> int:
    return sum(one.sizes.values())


def _outcome(coverage: Coverage) -> Outcome:
    if coverage.disagreement is not None:
        return Outcome.DIFFERS
    if not coverage.complete:
        return Outcome.PARTLY
    return Outcome.COVERED if coverage.wanted else Outcome.NOT_PERFORMED
