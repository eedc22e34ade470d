"""Storms of several queues in one table: what each fault of the fixed scenarios did to the tasks of each queue."""

from __future__ import annotations

from collections.abc import Sequence

from onceproof.conformance.storms.outcomes import Claim, Shown
from onceproof.conformance.storms.schedule import Fault
from onceproof.conformance.storms.storm import Row
from onceproof.reports.storm_outcome import Stormed

COLUMNS = {
    "long task": Fault.NONE,
    "worker stopped": Fault.PAUSE,
    "worker killed": Fault.KILL,
    "parent killed": Fault.KILL_PARENT,
    "broker killed": Fault.BROKER,
    "same ID again": Fault.RESUBMIT,
}
WORDS = {Claim.AT_MOST_ONCE: "twice", Claim.AT_LEAST_ONCE: "lost", Claim.NOT_STUCK: "stuck"}


def overview(report: Stormed) -> list[str]:
    """A cell for each fault: the worst over all moments, with and without other traffic, of the whole or of its parts.

    "twice 2/2, stuck 1/2" of the tries that say something; "once 2/2" where no claim was broken; "unknown" where no try
    says anything; "–" for what was not tried or does not apply.
    """
    return [_cell([row for row in report.rows if row.schedule.fault is fault]) for fault in COLUMNS.values()]


def _cell(rows: Sequence[Row]) -> str:
    rows = [row for row in rows if row.applies]
    broken = []
    for claim, word in WORDS.items():
        mine = [row for row in rows if row.claim is claim and row.count(Shown.BROKEN)]
        if mine:
            worst = max(mine, key=lambda row: row.count(Shown.BROKEN) / _told(row))
            broken.append(f"{word} {worst.count(Shown.BROKEN)}/{_told(worst)}")
    if broken:
        return ", ".join(broken)
    started = [row for row in rows if row.claim is Claim.AT_MOST_ONCE]
    told = [_told(row) for row in started if _told(row)]
    return f"once {min(told)}/{min(told)}" if told else "unknown" if started else "–"


def _told(row: Row) -> int:
    """How many tries say something."""
    return row.count(Shown.BROKEN) + row.count(Shown.HELD)
