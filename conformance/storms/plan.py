"""Which schedules a storm carries out, and in which order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from onceproof.conformance.storms.schedule import MOMENTS, NETWORK, Fault, Moment, Schedule, usual

# The six fixed scenarios; the last one has three moments.
FIXED = (
    *(usual(fault, MOMENTS[fault][0]) for fault in (Fault.NONE, Fault.PAUSE, Fault.KILL, Fault.KILL_PARENT)),
    usual(Fault.BROKER, Moment.AFTER_START),
    *(usual(Fault.RESUBMIT, moment) for moment in MOMENTS[Fault.RESUBMIT]),
)


def fixed(parts: Iterable[str] = ()) -> list[Schedule]:
    """The fixed scenarios: each without other traffic, then each with it. parts: that are stopped and killed, too."""
    of_parts = [
        replace(usual(fault, moment), part=part)
        for part in parts
        for fault, moment in ((Fault.KILL, Moment.AFTER_START), (Fault.PAUSE, Moment.AFTER_START))
    ]
    return [*of_parts, *FIXED, *(schedule.with_traffic() for schedule in (*of_parts, *FIXED))]


def sweep() -> list[Schedule]:
    """The other moments of a pause and of a kill, and the faults of the network."""
    return list(_sweep())


def _sweep() -> Iterator[Schedule]:
    for fault in (Fault.KILL, Fault.PAUSE, Fault.KILL_PARENT):
        yield from (usual(fault, moment) for moment in MOMENTS[fault][1:])
    yield from (usual(fault, moment) for fault in NETWORK for moment in (Moment.AFTER_START, Moment.BEFORE_ACK))
