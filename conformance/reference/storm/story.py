"""The story of a fault: the last events of its task, and how each process ended that had to do with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from onceproof.conformance.reference.storm.evidence import Evidence, Logged
from onceproof.conformance.reference.storm.strikes import SECOND_NS
from onceproof.conformance.reference.storm.verdict import Fault

LAST_EVENTS = 24
LAST_OF_A_PROCESS = 2
SERVES_ALL = ("api", "relay")
NEAR_NS = SECOND_NS // 2


@dataclass(frozen=True)
class Event:
    """Something that happened; process and pid are empty where it was no process of the platform."""

    time: int
    text: str
    process: str = ""
    pid: int = 0


def story(evidence: Evidence, fault: Fault) -> list[str]:
    """The last events of a task, and of every process that had to do with it; nothing for a fault of no task."""
    if fault.task not in evidence.orders:
        return []
    events = sorted(_events(evidence, fault.task), key=lambda event: event.time)
    begin = events[0].time
    lines = [f"{_at(event.time, begin)}  {event.text}" for event in events[-LAST_EVENTS:]]
    for process, pid in dict.fromkeys((event.process, event.pid) for event in events if event.process):
        lines.append(f"{process} (pid {pid}), its end: {_end_of(evidence, pid, begin)}")
    return lines


def _events(evidence: Evidence, task: str) -> Iterator[Event]:
    one = next(each for each in evidence.submitted if each.order.name == task)
    messages = evidence.messages_of(task)
    yield Event(one.begin_ns, f"{one.order.user} submits it: {one.order.function}/{one.order.task}, {one.order.kind}")
    if one.accepted_ns is not None:
        yield Event(one.accepted_ns, "it is accepted")
    for line in evidence.logged:
        if line.arguments.get("task") == task or line.message in messages:
            yield Event(line.time, _said(line), line.process, line.pid)
    for entry in evidence.entries:
        if entry.task == task:
            what = {"start": "starts", "finish": "returns", "raise": "raises"}[entry.what]
            yield Event(entry.time, f"function (pid {entry.pid}): attempt {entry.attempt} {what}")
    pids = {line.pid for line in evidence.logged if line.message in messages}
    known = one.begin_ns if one.accepted_ns is None else one.accepted_ns
    for strike in evidence.strikes:
        near = strike.target in SERVES_ALL and one.begin_ns <= strike.begin_ns <= known + NEAR_NS
        if strike.pid in pids or strike.after == task or near:
            yield Event(strike.begin_ns, strike.text)


def _said(line: Logged) -> str:
    arguments = " ".join(value for name, value in line.arguments.items() if name != "scheduler")
    return f"{line.process} (pid {line.pid}): {line.action} {arguments}"


def _end_of(evidence: Evidence, pid: int, begin: int) -> str:
    last = [line for line in evidence.logged if line.pid == pid][-LAST_OF_A_PROCESS:]
    said = [f"{line.action} {line.message or line.arguments.get('task', '')}".strip() for line in last]
    ends = [f"{_at(strike.begin_ns, begin)} {strike.blow}" for strike in evidence.strikes if strike.pid == pid]
    return f"last {', '.join(said)} at {_at(last[-1].time, begin).strip()}; {', '.join(ends) or 'it lived on'}"


def _at(time: int, begin: int) -> str:
    return f"{(time - begin) / SECOND_NS:+8.3f} s"
