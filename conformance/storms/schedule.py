"""Schedules: what a storm does to one task. Which fault, at which moment of the task, and for how long."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from onceproof.model.language.errors import nearest


class Fault(StrEnum):
    """What is done."""

    NONE = "none"  # the task alone: it matters where it takes longer than the lease
    PAUSE = "pause"  # SIGSTOP to the whole worker, then SIGCONT
    KILL = "kill"  # SIGKILL to the whole worker
    KILL_PARENT = "kill-parent"  # SIGKILL to the process that was started: its children live on
    BROKER = "broker-restart"  # SIGKILL to the broker, which is started again on its data
    RESUBMIT = "resubmit"  # the same ID is submitted again
    CUT = "cut"  # the worker's connections to the broker are closed
    DELAY = "delay"  # whatever passes between worker and broker is late
    BLACK_HOLE = "black-hole"  # whatever passes between worker and broker is swallowed


class Moment(StrEnum):
    """When, in the life of the task; each is seen, in the ledger or at a hold, and never guessed from the clock."""

    QUEUED = "queued"  # no worker has it yet
    BEFORE_START = "before-start"  # the function was entered, and its first line has not run
    AFTER_START = "after-start"
    BEFORE_ACK = "before-ack"  # its last line has run, and it has not returned
    AFTER_ACK = "after-ack"  # it has returned some time ago


# What can be done at which moments, the usual one first.
MOMENTS: dict[Fault, tuple[Moment, ...]] = {
    Fault.NONE: (Moment.AFTER_START,),
    **dict.fromkeys(
        (Fault.PAUSE, Fault.KILL, Fault.KILL_PARENT, Fault.BROKER, Fault.CUT, Fault.DELAY, Fault.BLACK_HOLE),
        (Moment.AFTER_START, Moment.BEFORE_START, Moment.BEFORE_ACK, Moment.AFTER_ACK),
    ),
    Fault.RESUBMIT: (Moment.QUEUED, Moment.AFTER_START, Moment.AFTER_ACK),
}
LASTING = (Fault.PAUSE, Fault.DELAY, Fault.BLACK_HOLE)  # those that have an end
NETWORK = (Fault.CUT, Fault.DELAY, Fault.BLACK_HOLE)


SHORT = 0.15  # of a task that is done long before its lease ends; it takes a second at least


@dataclass(frozen=True)
class Schedule:
    """One fault at one moment of one task. length: of the task; hold: of the fault; both in leases.

    traffic: whether other tasks are submitted all the time. part: which processes of the worker it is done to, by a
    name that the profile gives them; "" for all.
    """

    fault: Fault
    moment: Moment
    length: float = SHORT
    hold: float = 0.0
    traffic: bool = False
    part: str = ""

    def __str__(self) -> str:
        parts = [f"{self.fault}{':' if self.part else ''}{self.part}@{self.moment}", f"length={self.length:g}"]
        if self.hold:
            parts.append(f"hold={self.hold:g}")
        return ",".join([*parts, *(["traffic"] if self.traffic else [])])

    def with_traffic(self) -> Schedule:
        """The same, with other traffic."""
        return replace(self, traffic=True)


def parse(text: str) -> Schedule:
    """A schedule from its text, as ``str`` writes it; ValueError, with what was expected, where it is none."""
    head, *options = text.split(",")
    what, _, moment_name = head.partition("@")
    name, _, part = what.partition(":")
    fault = Fault(_known(name, [each.value for each in Fault], "fault"))
    moments = [each.value for each in Moment]
    moment = Moment(_known(moment_name, moments, "moment")) if moment_name else MOMENTS[fault][0]
    if moment not in MOMENTS[fault]:
        raise ValueError(f"`{fault}` cannot happen at `{moment}`; possible are {', '.join(MOMENTS[fault])}")
    schedule = replace(usual(fault, moment), part=part)
    for option in options:
        key, _, value = option.partition("=")
        if option == "traffic":
            schedule = schedule.with_traffic()
        elif key == "length":
            schedule = replace(schedule, length=_number(key, value))
        elif key == "hold":
            schedule = replace(schedule, hold=_number(key, value))
        else:
            raise ValueError(f"unknown option `{option}`; expected length=N, hold=N (in leases) or traffic")
    return schedule


def usual(fault: Fault, moment: Moment, *, traffic: bool = False) -> Schedule:
    """A schedule with the lengths that show most: a fault that lasts does so for two leases and a half."""
    length = 2.5 if fault is Fault.NONE else SHORT
    return Schedule(fault, moment, length, 2.5 if fault in LASTING else 0.0, traffic)


def _known(text: str, known: list[str], what: str) -> str:
    if text not in known:
        raise ValueError(f"unknown {what} `{text}`{nearest(text, known) or '; expected one of ' + ', '.join(known)}")
    return text


def _number(key: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        raise ValueError(f"{key} is `{value}`, not a number of leases") from None
    if not 0 <= number <= 1000:
        raise ValueError(f"{key} is {value}; expected 0 to 1000 leases")
    return number
