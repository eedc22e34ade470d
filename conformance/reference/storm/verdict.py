"""The judgement of a storm: every task held against what its function does, and every claim of the platform."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from onceproof.conformance.reference.storm.clients import Submitted
from onceproof.conformance.reference.storm.evidence import Entry, Evidence
from onceproof.conformance.reference.storm.orders import ATTEMPTS, FUNCTION_SECONDS, Kind, Order
from onceproof.conformance.reference.storm.redeliveries import Redelivery, redeliveries
from onceproof.conformance.reference.storm.strikes import SECOND_NS, Blow, overlap

LOST = re.compile(r"agent (?P<agent>\w+) \(incarnation \d+\) was lost with the task")
TIMED_OUT = "the function did not end within"
NOT_STARTED = "not started: "
# An attempt that took so much of its time limit may have been ended by it, as the machine is not always idle.
NEARLY = 0.7


class Claim(StrEnum):
    """What the platform promises, each as a sentence that can be false."""

    KEPT = "every accepted task is kept, and ends"
    ONCE = "no attempt is started twice"
    PAYLOAD = "every function is given the payload of its task"
    RESULT = "every task has the result of its own last attempt"
    ENDING = "every task ends as its function did"
    OWNER = "every user is shown all of their tasks, and no others"
    NEW = "no new TaskID is refused"
    HELD = "no message is given to another while its holder lives"
    ALIVE = "no process ends by itself"


@dataclass(frozen=True)
class Fault:
    """A claim that is false. task: of which one, by name; "": of none."""

    claim: Claim
    task: str
    text: str


def judge(evidence: Evidence) -> list[Fault]:
    """All faults, in the order of the claims."""
    found = [
        *(fault for one in evidence.submitted for fault in _of_task(evidence, one)),
        *_of_starts(evidence),
        *_of_lists(evidence),
        *(_of_redelivery(each) for each in redeliveries(evidence) if each.needless),
        *(Fault(Claim.ALIVE, "", text) for text in evidence.died),
    ]
    return sorted(found, key=lambda fault: list(Claim).index(fault.claim))


def _of_task(evidence: Evidence, one: Submitted) -> Iterator[Fault]:
    name = one.order.name
    if one.odd:
        yield Fault(Claim.NEW, name, one.odd)
    if one.refused_new:
        yield Fault(Claim.NEW, name, "its first submission was refused: the TaskID was said to be known")
    if name not in evidence.records:
        return  # nobody could be asked
    record = evidence.records[name]
    if record is None:
        if one.accepted_ns is not None:
            yield Fault(Claim.KEPT, name, "it was accepted, and the API does not know it")
        return
    if not record["endTime"]:
        yield Fault(Claim.KEPT, name, f"it was accepted, and has not ended: its status is still {record['status']}")
        return
    if record["taskPayload"] != one.order.payload.decode():
        text = f"its record has the payload {record['taskPayload'][:200]!r}, not {one.order.payload.decode()!r}"
        yield Fault(Claim.PAYLOAD, name, text)
    yield from _of_end(evidence, one, record)


def _of_end(evidence: Evidence, one: Submitted, record: dict[str, Any]) -> Iterator[Fault]:
    """Whether a task may have ended so, and with this result."""
    order, attempt, status = one.order, record["alreadyRetriedTimes"] + 1, record["status"]
    text, name = record["taskErrorMessage"], order.name
    for earlier in range(1, attempt):
        if _returns(order, earlier) and not _may_have_failed(evidence, order, earlier):
            yield Fault(Claim.ENDING, name, f"attempt {earlier} returned, and yet there was another one")
    match status:
        case "Succeeded":
            if record["returnPayload"] != order.value(attempt):
                what = f"attempt {attempt} returns {order.value(attempt)!r}"
                yield Fault(Claim.RESULT, name, f"its result is {record['returnPayload'][:200]!r}, but {what}")
            elif not _returns(order, attempt):
                yield Fault(Claim.ENDING, name, f"it succeeded in attempt {attempt}, whose function does not return")
        case "Failed":
            if why := _why_not_failed(evidence, order, attempt, text):
                yield Fault(Claim.ENDING, name, f"it failed in attempt {attempt} with {text[:200]!r}: {why}")
        case "Stopped":
            if not one.stop_asked:
                yield Fault(Claim.ENDING, name, "it was stopped, and nobody had asked for that")
        case _:
            yield Fault(Claim.ENDING, name, f"its status is {status}")


def _why_not_failed(evidence: Evidence, order: Order, attempt: int, error: str) -> str:
    """Why a task cannot have failed so; "": it can."""
    if lost := LOST.match(error):
        killed = [strike for strike in evidence.strikes if strike.blow is Blow.KILL and strike.target == lost["agent"]]
        return "" if killed else "nobody had killed that agent"
    if attempt < ATTEMPTS:
        return f"it has {ATTEMPTS} attempts"
    if order.value(attempt) in error:
        return "" if order.raises >= attempt else "its function does not raise then"
    if error.startswith((TIMED_OUT, NOT_STARTED)):
        return "" if _may_have_failed(evidence, order, attempt) else "it had time enough"
    return f"its function raises {order.value(attempt)!r}" if order.raises >= attempt else "its function returns then"


def _returns(order: Order, attempt: int) -> bool:
    return order.raises < attempt and not order.hangs(attempt)


def _may_have_failed(evidence: Evidence, order: Order, attempt: int) -> bool:
    """Whether an attempt may have come to a bad end though its function returns, or the time limit was its end."""
    if order.hangs(attempt) or any(strike.blow in (Blow.CUT, Blow.SWALLOW) for strike in evidence.strikes):
        return True  # an attempt that could not be noted in the store is said to have failed
    mine = [entry for entry in evidence.entries if entry.task == order.name and entry.attempt == attempt]
    begin = min((entry.time for entry in mine), default=0)
    end = max((entry.time for entry in mine if entry.what == "finish"), default=None)
    limit = int(FUNCTION_SECONDS * SECOND_NS)
    slow = end is None or end - begin > NEARLY * limit
    return slow or overlap(evidence.stalls, begin, begin + limit)


def _of_starts(evidence: Evidence) -> Iterator[Fault]:
    orders = evidence.orders
    starts = [entry for entry in evidence.entries if entry.what == "start"]
    for (name, attempt), count in sorted(
        Counter((entry.task, entry.attempt) for entry in starts if entry.task).items()
    ):
        if count > 1:
            yield Fault(Claim.ONCE, name, f"attempt {attempt} was started {count} times")
    for entry in starts:
        yield from _of_start(entry, orders.get(entry.task))


def _of_start(entry: Entry, order: Order | None) -> Iterator[Fault]:
    where = f"attempt {entry.attempt} of {entry.told}"
    if order is None:
        yield Fault(Claim.KEPT, "", f"{where} was started for a request that no task of the API has")
    elif f"{order.function}/{order.task}" != entry.told:
        yield Fault(Claim.PAYLOAD, entry.task, f"attempt {entry.attempt} was told that it is one of {entry.told}")
    elif entry.payload != order.payload.decode():
        given = f"was given the payload {entry.payload[:200]!r}"
        yield Fault(Claim.PAYLOAD, entry.task, f"attempt {entry.attempt} {given}, not {order.payload.decode()!r}")
    if entry.attempt > ATTEMPTS:
        yield Fault(Claim.ENDING, entry.task, f"there was an attempt {entry.attempt}, of at most {ATTEMPTS}")


def _of_lists(evidence: Evidence) -> Iterator[Fault]:
    for (user, function), found in evidence.listed.items():
        mine = {
            one.order.task: one.order.payload.decode()
            for one in evidence.submitted
            if (one.order.user, one.order.function) == (user, function)
        }
        sure = {one.order.task for one in evidence.submitted if one.accepted_ns is not None} & set(mine)
        seen = Counter(task for task, _ in found)
        for task in sorted(sure - set(seen)):
            if evidence.records.get(f"{user}/{function}/{task}") is not None:
                yield Fault(Claim.OWNER, f"{user}/{function}/{task}", f"{user}'s list of {function} lacks it")
        for task, payload in found:
            if mine.get(task) != payload or seen[task] > 1:
                what = f"{user}'s list of {function} has a task {task} with the payload {payload[:200]!r}"
                times = f", {seen[task]} times" if seen[task] > 1 else ", which is not this user's"
                yield Fault(Claim.OWNER, f"{user}/{function}/{task}", what + times)
    for task in evidence.strangers:
        yield Fault(Claim.OWNER, "", f"{task} is in the list of a user who has submitted nothing")


def _of_redelivery(each: Redelivery) -> Fault:
    return Fault(Claim.HELD, each.task, each.text)


def kinds_ended(evidence: Evidence) -> Counter[str]:
    """How many tasks ended in which way; those that should run into something did, and stops came in time or not."""
    return Counter(record["status"] for record in evidence.records.values() if record is not None and record["endTime"])


def untested(evidence: Evidence) -> list[str]:
    """What a storm meant to try and did not: a claim holds of nothing where nothing was tried."""
    missing = []
    ended = {
        one.order.kind
        for one in evidence.submitted
        if (record := evidence.records.get(one.order.name)) is not None and record["endTime"]
    }
    missing += [f"no task that {kind} has ended" for kind in Kind if kind not in ended]
    if not evidence.strikes:
        missing.append("nothing was struck")
    return missing
