"""A whole storm: its schedules carried out on real processes, and what they show."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from onceproof.conformance.judging.anomalies import Finding
from onceproof.conformance.storms.errors import StormError
from onceproof.conformance.storms.gusts import Gusts, gusts
from onceproof.conformance.storms.outcomes import (
    Claim,
    Lease,
    Observation,
    Shown,
    by_task,
    claim_of,
    judgement_of,
    observed,
)
from onceproof.conformance.storms.prediction import Prediction
from onceproof.conformance.storms.schedule import Fault, Moment, Schedule, usual
from onceproof.conformance.storms.site import Site
from onceproof.conformance.storms.tries import ENDS, Trial, Try
from onceproof.model.checker.results import Verdict

Say = Callable[[str], None]
INTERRUPTED = "interrupted"
TRAFFIC_SECONDS = 0.5  # between two tasks of other traffic
MEASURE_LEASES = 20.0  # of three seconds: how long a lease is measured at most


@dataclass(frozen=True)
class StormOptions:
    """What a user chooses. tries: of each schedule; seconds: when to stop, None: when all is done.

    schedules: what is done, in order; gust_seconds: how long random faults blow at the end, 0 for none. variables: of
    the environment of all processes; ending: another thread sets it to end the storm early, as Ctrl-C does;
    predictions: of each schedule and claim, {} where there is no profile.
    """

    tries: int = 3
    seed: int = 1
    seconds: float | None = None
    schedules: tuple[Schedule, ...] = ()
    gust_seconds: float = 0.0
    python: Path | None = None
    variables: dict[str, str] = field(default_factory=dict)
    parts: dict[str, str] = field(default_factory=dict)
    ending: threading.Event = field(default_factory=threading.Event)
    predictions: dict[tuple[Schedule, Claim], Prediction] = field(default_factory=dict)


@dataclass
class Tried:
    """A try with what it shows. folder: of the site it happened in; seconds: how long it took."""

    this: Try
    folder: Path
    seconds: float
    finished: bool
    observations: dict[Claim, Observation] = field(default_factory=dict)
    others: list[Finding] = field(default_factory=list)


@dataclass
class StormResult:
    """What came of a storm. stopped: why it ended before everything was done ("" where it did not).

    planned: the schedules, in order; facts: versions and settings, for the report.
    """

    file: Path
    folder: Path
    options: StormOptions
    planned: list[Schedule] = field(default_factory=list)
    tried: list[Tried] = field(default_factory=list)
    gusts: Gusts | None = None
    lease: Lease = field(default_factory=lambda: Lease(None, False))
    stopped: str = ""
    seconds: float = 0.0
    facts: dict[str, str] = field(default_factory=dict)
    ledgers: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether it was stopped by nobody, or by its time alone when each schedule had been tried."""
        tried = {each.this.schedule for each in self.tried}
        skipped = {each.this.schedule.fault for each in self.tried if each.this.impossible}
        whole = all(schedule in tried or schedule.fault in skipped for schedule in self.planned)
        blown = self.gusts is not None or not self.options.gust_seconds
        return not self.stopped or (self.stopped != INTERRUPTED and whole and blown)


class Storm:
    """Carries out a storm. say: is told what happens, for people."""

    def __init__(self, file: Path, folder: Path, options: StormOptions, say: Say = lambda text: None) -> None:
        self.options, self.say = options, say
        self.result = StormResult(file, folder, options)
        self._began = time.monotonic()

    def run(self) -> StormResult:
        """Everything, from the first process to the last judgement; Ctrl-C ends it early, and what is there is judged.

        StormError where the queue cannot even do a first task with nothing broken.
        """
        waiting = self.plan()
        self.result.planned = list(dict.fromkeys(waiting))
        gust_left = self.options.gust_seconds
        try:
            while (waiting or gust_left) and not self._is_over():
                gust_left = self._one_site(waiting, gust_left)
            if waiting or gust_left:
                self.result.stopped = f"the time was up after {self.options.seconds:g} s"
        except KeyboardInterrupt:
            self.result.stopped = INTERRUPTED
        self._judge()
        self.result.seconds = time.monotonic() - self._began
        return self.result

    def plan(self) -> list[Schedule]:
        """All tries, in rounds of one of each: what the model predicts to break comes first."""
        chosen = list(dict.fromkeys(self.options.schedules))
        predicted = {schedule for (schedule, _), each in self.options.predictions.items() if each.breaks}
        chosen.sort(key=lambda schedule: schedule not in predicted)  # stable: else the order stays
        return [schedule for _ in range(self.options.tries) for schedule in chosen]

    def _is_over(self) -> bool:
        return self.options.seconds is not None and time.monotonic() - self._began > self.options.seconds

    def _one_site(self, waiting: list[Schedule], gust_left: float) -> float:
        """Start the queue, and carry out what is waiting until all is done or the queue is beyond use.

        Returns how many seconds of random faults are left.
        """
        number = len(self.result.ledgers) + 1
        folder = self.result.folder / f"site{number}"
        self.say("starting broker and workers")
        with Site(self.result.file, folder, self.options.python) as site:
            site.variables.update(self.options.variables)
            site.parts.update(self.options.parts)
            site.ending = self.options.ending
            site.start()
            self.result.ledgers.append(site.ledger.path)
            self._note(site)
            try:
                trial = Trial(site, self.say)
                self._lease(trial)
                healthy = True
                while waiting and healthy and not self._is_over():
                    healthy = self._try(trial, waiting)
                if healthy and not waiting and gust_left and not self._is_over():
                    self._blow(site, gust_left)
                    gust_left = 0.0
            finally:
                site.ledger.write("end")
        return gust_left

    def _lease(self, trial: Trial) -> None:
        """What the file states, or what a worker that is stopped shows."""
        site = trial.site
        if site.lease is not None:
            self.result.lease = Lease(site.lease, stated=True)
            return
        if self.result.lease.seconds is not None:
            site.lease = self.result.lease.seconds
            return
        self.say("measuring the lease: a worker that has a task is stopped")
        this = trial.run(replace(usual(Fault.PAUSE, Moment.AFTER_START), hold=MEASURE_LEASES))
        if this.redelivery is not None:
            site.lease = round(this.redelivery, 1)
            self.result.lease = Lease(site.lease, stated=False, confirmed=True)
        else:
            self.result.notes.append(f"paused {this.paused:.0f} s, no redelivery seen: lease unknown")

    def _try(self, trial: Trial, waiting: list[Schedule]) -> bool:
        """Carry out the next one; False where the queue did not come back from it."""
        site, schedule, began = trial.site, waiting[0], time.monotonic()
        traffic = Traffic(site) if schedule.traffic else None
        try:
            this = trial.run(schedule)
        finally:
            if traffic is not None:
                traffic.end()
        site.ledger.write("end")
        waiting.pop(0)
        if this.impossible:  # nor will it be the next time
            waiting[:] = [each for each in waiting if each.fault is not schedule.fault]
        finished = bool(site.ledger.of(this.task, *ENDS))
        self.result.tried.append(Tried(this, site.folder, time.monotonic() - began, finished))
        return not this.why_not or this.reached

    def _blow(self, site: Site, seconds: float) -> None:
        left = seconds
        if self.options.seconds is not None:
            left = min(left, self.options.seconds - (time.monotonic() - self._began))
        self.result.gusts = gusts(site, random.Random(self.options.seed), max(left, 1.0), self.say)

    def _note(self, site: Site) -> None:
        self.result.facts = {
            "broker": " ".join(filter(None, [site.broker.version, f"({site.broker.settings})"]))
            if site.broker.settings
            else site.broker.url,
            "python": str(site.environment.python),
            "workers": ", ".join(dict.fromkeys(" ".join(worker.declared) for worker in site.workers)),
            **site.versions(),
        }

    def _judge(self) -> None:
        """Judge every ledger, and hand its findings to the tries that they belong to."""
        result = self.result
        found = {ledger.parent: by_task(judgement_of(ledger, result.lease.seconds)) for ledger in result.ledgers}
        mine = {id(each): found[each.folder].get(each.this.task, []) for each in result.tried}
        if any(_confirms(each.this, mine[id(each)]) for each in result.tried):
            result.lease = replace(result.lease, confirmed=True)
        result.lease = replace(
            result.lease, longest=max((_given_again(each.this) for each in result.tried), default=0.0)
        )
        if result.lease.too_short:
            result.notes.append(result.lease.too_short)
        for each in result.tried:
            findings = mine[id(each)]
            each.observations = observed(each.this, findings, result.lease, each.finished)
            each.others = [finding for finding in findings if claim_of(finding.anomaly) is None]
        if result.gusts is not None:
            result.gusts.judge(found[result.gusts.folder])


def _confirms(this: Try, findings: Iterable[Finding]) -> bool:
    """Whether a try shows what becomes of an unfinished task: somebody else got it, or nobody did for long enough."""
    lost = any(each.proven and each.anomaly.name == "lost_with_worker" for each in findings)
    again = this.redelivery is not None and this.schedule.fault is not Fault.RESUBMIT  # which is no redelivery
    return again or this.taken_over or lost


def _given_again(this: Try) -> float:
    """After how many seconds the task of a dead worker was started again without a push from us; 0.0: it was not."""
    died = this.schedule.fault in (Fault.KILL, Fault.KILL_PARENT)
    return this.redelivery or 0.0 if died and not this.probed else 0.0


class Traffic:
    """Other tasks, submitted all the time by a thread of its own."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """No more of it."""
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ending.wait(TRAFFIC_SECONDS):
            try:
                self._site.submit(f"traffic-{time.monotonic_ns()}", 0.01)
            except StormError:
                return  # the storm itself will find out


class Standing(StrEnum):
    """What was predicted held against what was seen; the values are for people. The most valuable first."""

    CONTRADICTED = "predicted to hold, BROKEN"
    BROKEN = "broken"
    CONFIRMED = "predicted broken, observed"
    UNOBSERVED = "predicted broken, not observed"
    UNKNOWN = "unknown"
    HELD = "held"
    KEPT = "predicted to hold, held"


def standing_of(shown: Shown, prediction: Prediction | None) -> Standing:
    """The standing of what was seen, with a prediction or without one."""
    predicted = prediction.verdict if prediction is not None else Verdict.UNKNOWN
    if shown is Shown.BROKEN:
        return {
            Verdict.HOLDS: Standing.CONTRADICTED,
            Verdict.VIOLATED: Standing.CONFIRMED,
            Verdict.UNKNOWN: Standing.BROKEN,
        }[predicted]
    if shown is Shown.UNKNOWN:
        return Standing.UNKNOWN
    return {
        Verdict.HOLDS: Standing.KEPT,
        Verdict.VIOLATED: Standing.UNOBSERVED,
        Verdict.UNKNOWN: Standing.HELD,
    }[predicted]


@dataclass
class Row:
    """All tries of one schedule, seen by one claim."""

    schedule: Schedule
    claim: Claim
    tried: list[Tried]
    prediction: Prediction | None

    def count(self, shown: Shown) -> int:
        """How many tries showed this."""
        return sum(each.observations[self.claim].shown is shown for each in self.tried if each.observations)

    @property
    def shown(self) -> Shown:
        """Broken where any try broke it, held where some held and none was broken, else unknown."""
        for each in (Shown.BROKEN, Shown.HELD):
            if self.count(each):
                return each
        return Shown.UNKNOWN

    @property
    def applies(self) -> bool:
        """Whether the fault can be done to this system at all."""
        return any(each.observations[self.claim].applies for each in self.tried if each.observations)

    @property
    def standing(self) -> Standing:
        """What was predicted, held against what was seen."""
        return standing_of(self.shown, self.prediction)

    @property
    def findings(self) -> list[Finding]:
        """What broke it, in all tries."""
        return [found for each in self.tried if each.observations for found in each.observations[self.claim].findings]

    @property
    def why(self) -> str:
        """Why tries show nothing."""
        reasons = (each.observations[self.claim].why for each in self.tried if each.observations)
        return "; ".join(dict.fromkeys(filter(None, reasons)))


def rows(result: StormResult) -> list[Row]:
    """A row for each schedule and claim that was tried at all."""
    return [
        Row(schedule, claim, tried, result.options.predictions.get((schedule, claim)))
        for schedule in result.planned
        for tried in [[each for each in result.tried if each.this.schedule == schedule]]
        if tried
        for claim in Claim
        if not (claim is Claim.NOT_STUCK and schedule.traffic)  # with other traffic nothing can wait for it
    ]


def facts_of(result: StormResult) -> dict[str, Any]:
    """Versions, settings, seeds: what a reader needs to judge the numbers."""
    return {**result.facts, "lease": str(result.lease), "seed": result.options.seed, "tries": result.options.tries}
