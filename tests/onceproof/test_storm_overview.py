"""The overview of storms says of each fault the worst that came of it."""

from dataclasses import dataclass, field
from typing import Any

from onceproof.conformance.storms.outcomes import Claim, Observation, Shown
from onceproof.conformance.storms.schedule import Fault, Moment, Schedule
from onceproof.conformance.storms.storm import Row
from onceproof.reports.storm_overview import COLUMNS, overview


@dataclass
class Try:
    """A try of which only the observations matter."""

    observations: dict[Claim, Observation]


@dataclass
class Report:
    """A report of which only the rows matter."""

    rows: list[Row] = field(default_factory=list)


def row(fault: Fault, claim: Claim, *shown: Shown | None, traffic: bool = False) -> Row:
    """A row whose tries showed this; None: the fault cannot be done."""
    tried: list[Any] = [Try({claim: Observation(each or Shown.UNKNOWN, applies=each is not None)}) for each in shown]
    return Row(Schedule(fault, Moment.AFTER_START, traffic=traffic), claim, tried, None)


def seen(*rows: Row) -> dict[str, str]:
    report: Any = Report(list(rows))
    return dict(zip(COLUMNS, overview(report), strict=True))


def test_overview_tells_the_worst_of_each_fault() -> None:
    broken, held, unknown = Shown.BROKEN, Shown.HELD, Shown.UNKNOWN
    twice, lost, stuck = Claim.AT_MOST_ONCE, Claim.AT_LEAST_ONCE, Claim.NOT_STUCK
    found = seen(
        row(Fault.KILL, twice, held, held),
        row(Fault.KILL, twice, broken, held, unknown, traffic=True),
        row(Fault.KILL, lost, broken, broken),
        row(Fault.PAUSE, twice, held, held, held),
        row(Fault.PAUSE, twice, held, unknown, traffic=True),
        row(Fault.PAUSE, stuck, held),
        row(Fault.BROKER, twice, unknown, unknown),
        row(Fault.BROKER, lost, held, held),
        row(Fault.KILL_PARENT, twice, None),
    )
    assert found == {
        "long task": "–",
        "worker stopped": "once 1/1",
        "worker killed": "twice 1/2, lost 2/2",
        "parent killed": "–",
        "broker killed": "unknown",
        "same ID again": "–",
    }
