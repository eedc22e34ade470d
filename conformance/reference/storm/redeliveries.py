"""Redeliveries: a message that was received again, and whether its holder had died or slept, or lived and held it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from onceproof.conformance.reference.storm.evidence import Evidence, Logged
from onceproof.conformance.reference.storm.strikes import SECOND_NS, Blow, Strike, overlap

LEASES = ("receive", "renew")
# By these a holder gives a message back, or has noticed that it does not hold it; some say so of all that it held.
GIVES_BACK = ("release", "receipt_refused", "delete")
GIVES_ALL_BACK = ("scheduler_crash", "scheduler_restart", "upgrade_finish")
# A process that is killed right after a commit takes along what it would have logged of that.
UNLOGGED_NS = SECOND_NS
# A scheduler hears replies when a turn begins, and renews in every turn that begins after a third of a lease. So one
# that heard something in the second third, and again in the last one, has had a whole turn to renew in.
THIRDS = 3
TURN_BEGINS = "hear"


@dataclass(frozen=True)
class Redelivery:
    """A message went from one holder to the next. needless: the first one lived, held it, and could renew it.

    late: the lease had ended before; by whose fault is unknown where the machine stood still.
    """

    task: str
    message: str
    first: Logged
    second: Logged
    needless: bool
    late: bool
    text: str


def redeliveries(evidence: Evidence) -> list[Redelivery]:
    """All of them, by time."""
    tasks = {line.message: line.arguments["task"] for line in evidence.logged if line.action == "relay"}
    return sorted(_all(evidence, tasks), key=lambda each: each.second.time)


def _all(evidence: Evidence, tasks: dict[str, str]) -> Iterator[Redelivery]:
    of_message: dict[str, list[Logged]] = {}
    of_process: dict[int, list[Logged]] = {}
    for line in evidence.logged:
        of_process.setdefault(line.pid, []).append(line)
        if line.message:
            of_message.setdefault(line.message, []).append(line)
    for message, lines in of_message.items():
        receives = [line for line in lines if line.action == "receive"]
        for first, second in itertools.pairwise(receives):
            holder = [line for line in of_process[first.pid] if first.time < line.time <= second.time]
            yield _judged(evidence, tasks.get(message, ""), message, first, second, holder)


def _judged(
    evidence: Evidence, task: str, message: str, first: Logged, second: Logged, holder: Sequence[Logged]
) -> Redelivery:
    leases = [line.time for line in holder if line.action in LEASES and line.message == message and line != second]
    lease_began = max([first.time, *leases])
    lease_ended = lease_began + evidence.lease_ns
    late = second.time >= lease_ended
    gone = _struck(evidence.strikes, first, second) or any(
        line.action in GIVES_ALL_BACK or (line.action in GIVES_BACK and line.message == message) for line in holder
    )
    needless = not gone and (not late or _could_renew(evidence, holder, lease_began, lease_ended))
    held = (second.time - first.time) / SECOND_NS
    why = "whose lease had not ended" if not late else "which lived, and had not renewed it"
    text = f"{second.process} received {message} {held:.2f} s after {first.process} (pid {first.pid}), {why}"
    return Redelivery(task, message, first, second, needless, late, text)


def _struck(strikes: Sequence[Strike], first: Logged, second: Logged) -> bool:
    """Whether something was done to the holder while it held the message, or to what it renews it over."""
    return any(
        overlap([(strike.begin_ns, strike.end_ns)], first.time, second.time + UNLOGGED_NS)
        for strike in strikes
        if strike.pid == first.pid or strike.blow in (Blow.CUT, Blow.SWALLOW)
    )


def _could_renew(evidence: Evidence, holder: Sequence[Logged], began: int, ended: int) -> bool:
    """Whether the holder had a whole turn in which renewing was due, on a machine that did not stand still."""
    turns = [line.time for line in holder if line.action == TURN_BEGINS]
    third = evidence.lease_ns // THIRDS
    last = ended - third
    awake = any(began + third < turn < last for turn in turns) and any(last <= turn <= ended for turn in turns)
    return awake and not overlap(evidence.stalls, began, ended)
