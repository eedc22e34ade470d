"""What a try shows of each claim: broken, held, or unknown. Breaking is judged by ``judge`` alone, from the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from onceproof.conformance.judging.anomalies import AnomalyClass, Finding
from onceproof.conformance.judging.judge import Judgement, Options
from onceproof.conformance.judging.judge import judge as judge_table
from onceproof.conformance.judging.run import read_logs
from onceproof.conformance.storms.ledger import SECOND
from onceproof.conformance.storms.schedule import LASTING, Fault, Moment
from onceproof.conformance.storms.tries import Try, quiet

MARGIN = 1.2  # how far beyond the lease a pause must last before its end says anything
BRIEF = (Fault.BROKER, Fault.CUT, Fault.RESUBMIT)  # that leave a holder its lease, if the machine is quick


class Claim(StrEnum):
    """What a task queue may be expected to keep; the values are for people."""

    AT_MOST_ONCE = "not started twice"
    AT_LEAST_ONCE = "not lost"
    NOT_STUCK = "not stuck until other traffic"


class Shown(StrEnum):
    """What a try shows of a claim."""

    BROKEN = "broken"
    HELD = "held"
    UNKNOWN = "unknown"


def claim_of(anomaly: AnomalyClass) -> Claim | None:
    """The claim that an anomaly breaks; None for one that says nothing of the three."""
    if anomaly.breaks_most:
        return Claim.AT_MOST_ONCE
    if anomaly.breaks_least:
        return Claim.AT_LEAST_ONCE
    return Claim.NOT_STUCK if anomaly.name == "stuck" else None


@dataclass
class Observation:
    """What one try shows of one claim. findings: what breaks it; why: what is missing where it is unknown.

    applies: False where the fault cannot be done to this system at all.
    """

    shown: Shown
    findings: list[Finding] = field(default_factory=list)
    why: str = ""
    applies: bool = True


@dataclass(frozen=True)
class Lease:
    """What is known of the lease. seconds: None where it is not; 0 where there is none: nothing is ever redelivered.

    stated: by the file, rather than measured; confirmed: a redelivery was seen in this storm, or that none comes.
    longest: after how many seconds the task of a dead worker was given to another, at most; 0.0 where none was.
    """

    seconds: float | None
    stated: bool
    confirmed: bool = False
    longest: float = 0.0

    @property
    def too_short(self) -> str:
        """Why this storm did not wait long enough: what is said of the lease is not true; "" where it did."""
        if not self.seconds or self.longest <= quiet(self.seconds):
            return ""
        return (
            f"a dead worker's task was given to another after {self.longest:.1f} s, and the lease is said to be "
            f"{self.seconds:g} s: state the longest that it can take"
        )

    def __str__(self) -> str:
        if self.seconds is None:
            return "unknown"
        if self.seconds == 0:
            return "none: a message is taken off the queue at once"
        how = "stated" if self.stated else "measured"
        return f"{self.seconds:g} s, {how}" + ("" if self.confirmed else ", no redelivery seen")


def judgement_of(ledger: Path, lease: float | None) -> Judgement:
    """The judgement on a ledger, with the lease, and the quiet time that goes with it."""
    reading = read_logs([str(ledger)], "ledger", lenient=True)
    seconds = lease if lease else 3.0
    options = Options(round(quiet(seconds) * SECOND), round(lease * SECOND) if lease else None)
    return judge_table(reading.table, options)


def by_task(judgement: Judgement) -> dict[str, list[Finding]]:
    """The findings of each task."""
    found: dict[str, list[Finding]] = {}
    for each in judgement.findings:
        found.setdefault(each.task, []).append(each)
    return found


def observed(this: Try, findings: Sequence[Finding], lease: Lease, finished: bool) -> dict[Claim, Observation]:
    """What a try shows of each claim. finished: the task came to an end at least once."""
    return {claim: _observed(claim, this, findings, lease, finished) for claim in Claim}


def _observed(claim: Claim, this: Try, findings: Iterable[Finding], lease: Lease, finished: bool) -> Observation:
    # What the storm aimed at by itself needs no luck: it kept other traffic away, and then let it come.
    breaking = [
        each for each in findings if claim_of(each.anomaly) is claim and (each.proven or claim is Claim.NOT_STUCK)
    ]
    missing = this.why_not or ("" if this.reached else "the moment never came")
    if missing:
        return Observation(Shown.UNKNOWN, breaking, missing, applies=not this.impossible)
    if breaking and claim is Claim.AT_LEAST_ONCE and lease.seconds is None:
        return Observation(
            Shown.UNKNOWN, breaking, "not done yet, and the lease is unknown: state it, 0 if there is none"
        )
    if breaking and claim is Claim.AT_LEAST_ONCE and lease.too_short:
        return Observation(Shown.UNKNOWN, breaking, f"not done yet; {lease.too_short}")
    if breaking and claim is Claim.AT_MOST_ONCE and _outlasted(this, lease):
        took = f"the task was in hand for {this.in_hand:.1f} s, and the lease is {lease.seconds:g} s"
        return Observation(Shown.UNKNOWN, breaking, f"{took}: too slow a machine to say what the fault did")
    if breaking:
        return Observation(Shown.BROKEN, breaking)
    if claim is Claim.NOT_STUCK and any(claim_of(each.anomaly) is Claim.AT_LEAST_ONCE for each in findings):
        return Observation(Shown.UNKNOWN, why="it was lost", applies=False)
    if claim is not Claim.AT_MOST_ONCE:
        return Observation(Shown.HELD) if finished else Observation(Shown.UNKNOWN, why="it neither ended nor was lost")
    if this.schedule.fault is Fault.NONE and lease.seconds and (this.ran or 0.0) < MARGIN * lease.seconds:
        ended = f"the library ended the task after {this.ran or 0.0:.1f} s, and the lease is {lease.seconds:g} s"
        return Observation(Shown.UNKNOWN, why=ended, applies=False)
    why = _unseen(this, lease)
    return Observation(Shown.UNKNOWN, why=why) if why else Observation(Shown.HELD)


def _outlasted(this: Try, lease: Lease) -> bool:
    """Whether a short task, whose holder lived and was never kept from its lease, was in hand for longer than that."""
    short = this.schedule.length < 1 and this.schedule.fault in BRIEF
    return short and bool(lease.seconds) and this.in_hand >= (lease.seconds or 0.0)


def _unseen(this: Try, lease: Lease) -> str:
    """Why a second start that was not seen may come all the same; "" where it would have been seen."""
    schedule = this.schedule
    if schedule.fault is Fault.RESUBMIT:
        return "" if this.answered_again in ("accepted", "refused") else "the second submission was not answered"
    if lease.seconds == 0 or schedule.moment is Moment.AFTER_ACK:
        return ""
    if lease.seconds is None:
        lasted = f"paused {this.paused:.0f} s" if this.paused else f"watched {quiet(3.0):.0f} s"
        return f"{lasted}, no redelivery seen: lease unknown"
    if schedule.fault in LASTING and this.paused and this.paused < MARGIN * lease.seconds:
        return f"paused {this.paused:.1f} s, and the lease is {lease.seconds:g} s"
    if lease.too_short:
        return lease.too_short
    if not lease.confirmed:
        return f"no redelivery was seen at all, so that the lease of {lease.seconds:g} s is not confirmed"
    return ""
