"""The judgement of a storm: a run in order holds, and each single thing that is wrong with it breaks its own claim."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from onceproof.conformance.reference.storm.clients import Submitted
from onceproof.conformance.reference.storm.evidence import Entry, Evidence
from onceproof.conformance.reference.storm.orders import Kind, Order
from onceproof.conformance.reference.storm.story import story
from onceproof.conformance.reference.storm.strikes import SECOND_NS, Blow, Strike
from onceproof.conformance.reference.storm.verdict import Claim, Fault, judge, untested

RETURNS = Order("alice", "alpha", "t1", Kind.RETURNS)
RAISES_ONCE = Order("bob", "alpha", "t1", Kind.RAISES_ONCE)
RAISES = Order("bob", "beta", "t2", Kind.RAISES)
STOPPED = Order("alice", "beta", "t3", Kind.STOPPED, (5.0,))
ORDERS = (RETURNS, RAISES_ONCE, RAISES, STOPPED)
LOST = "agent agent1 (incarnation 1) was lost with the task"
KILLED = Strike(Blow.KILL, "agent1", 7, SECOND_NS, SECOND_NS)


def record(order: Order, status: str, attempt: int = 1, error: str = "") -> dict[str, object]:
    return {
        "status": status,
        "endTime": 1,
        "taskPayload": order.payload.decode(),
        "alreadyRetriedTimes": attempt - 1,
        "returnPayload": order.value(attempt) if status == "Succeeded" else "",
        "taskErrorMessage": error,
        "requestId": f"r-{order.name}",
    }


def entry(order: Order, attempt: int, what: str, time: int) -> Entry:
    return Entry(time, what, order.name, f"{order.function}/{order.task}", attempt, 9, order.payload.decode())


def in_order() -> Evidence:
    """One task of each kind, each as it should end."""
    evidence = Evidence([Submitted(order, 0, 1) for order in ORDERS], {}, lease_ns=3 * SECOND_NS)
    evidence.submitted[3].stop_asked = True
    evidence.records = {
        RETURNS.name: record(RETURNS, "Succeeded"),
        RAISES_ONCE.name: record(RAISES_ONCE, "Succeeded", 2),
        RAISES.name: record(RAISES, "Failed", 2, RAISES.value(2)),
        STOPPED.name: record(STOPPED, "Stopped"),
    }
    evidence.entries = [
        *(entry(RETURNS, 1, what, 2) for what in ("start", "finish")),
        *(entry(RAISES_ONCE, 1, what, 2) for what in ("start", "raise")),
        *(entry(RAISES_ONCE, 2, what, 3) for what in ("start", "finish")),
        *(entry(RAISES, attempt, what, 3) for attempt in (1, 2) for what in ("start", "raise")),
        entry(STOPPED, 1, "start", 4),
    ]
    evidence.listed = {
        (user, function): [
            (order.task, order.payload.decode()) for order in ORDERS if (order.user, order.function) == (user, function)
        ]
        for user in ("alice", "bob")
        for function in ("alpha", "beta")
    }
    return evidence


def test_a_run_in_order_holds() -> None:
    assert judge(in_order()) == []


def changed(order: Order, **values: object) -> Callable[[Evidence], None]:
    def change(evidence: Evidence) -> None:
        kept = evidence.records[order.name]
        assert kept is not None
        evidence.records[order.name] = {**kept, **values}

    return change


def unknown(evidence: Evidence) -> None:
    evidence.records[RETURNS.name] = None


def started_again(evidence: Evidence) -> None:
    evidence.entries.append(entry(RETURNS, 1, "start", 9))


def started_with(**values: str) -> Callable[[Evidence], None]:
    def change(evidence: Evidence) -> None:
        evidence.entries[0] = replace(evidence.entries[0], **values)  # type: ignore[arg-type]

    return change


def refused(evidence: Evidence) -> None:
    evidence.submitted[0].refused_new = True


def not_asked(evidence: Evidence) -> None:
    evidence.submitted[3].stop_asked = False


def with_lists(change: Callable[[list[tuple[str, str]]], None]) -> Callable[[Evidence], None]:
    return lambda evidence: change(evidence.listed["alice", "alpha"])


def died(evidence: Evidence) -> None:
    evidence.died.append("relay ended with status 1")


def shown_to_strangers(evidence: Evidence) -> None:
    evidence.strangers.append("alpha/t1")


FALSE: dict[str, tuple[Callable[[Evidence], None], Claim]] = {
    "accepted and unknown": (unknown, Claim.KEPT),
    "accepted and never ended": (changed(RETURNS, endTime=0, status="Running"), Claim.KEPT),
    "started for nobody": (started_with(task=""), Claim.KEPT),
    "started twice": (started_again, Claim.ONCE),
    "an empty payload": (started_with(payload=""), Claim.PAYLOAD),
    "another task's payload": (started_with(payload=RAISES.payload.decode()), Claim.PAYLOAD),
    "told the name of another": (started_with(told="alpha/t9"), Claim.PAYLOAD),
    "a payload that was not recorded": (changed(RETURNS, taskPayload=""), Claim.PAYLOAD),
    "another user's result": (changed(RETURNS, returnPayload=RAISES_ONCE.value(1)), Claim.RESULT),
    "the result of another attempt": (changed(RAISES_ONCE, returnPayload=RAISES_ONCE.value(1)), Claim.RESULT),
    "no result": (changed(RETURNS, returnPayload=""), Claim.RESULT),
    "a success that raised": (
        changed(RAISES, status="Succeeded", returnPayload=RAISES.value(2)),
        Claim.ENDING,
    ),
    "a failure that returned": (changed(RETURNS, status="Failed", alreadyRetriedTimes=1), Claim.ENDING),
    "given up an attempt early": (
        changed(RAISES, alreadyRetriedTimes=0, taskErrorMessage=RAISES.value(1)),
        Claim.ENDING,
    ),
    "lost with an agent that lives": (changed(RETURNS, status="Failed", taskErrorMessage=LOST), Claim.ENDING),
    "an error of another task": (changed(RAISES, taskErrorMessage=RAISES_ONCE.value(2)), Claim.ENDING),
    "tried again after a success": (
        changed(RETURNS, alreadyRetriedTimes=1, returnPayload=RETURNS.value(2)),
        Claim.ENDING,
    ),
    "expired": (changed(RETURNS, status="Expired"), Claim.ENDING),
    "stopped by nobody": (not_asked, Claim.ENDING),
    "a list without it": (with_lists(list.clear), Claim.OWNER),
    "a list that has it twice": (with_lists(lambda found: found.append(found[0])), Claim.OWNER),
    "a list with another user's": (with_lists(lambda found: found.append(("t2", "?"))), Claim.OWNER),
    "shown to a stranger": (shown_to_strangers, Claim.OWNER),
    "a new one refused": (refused, Claim.NEW),
    "a process that died": (died, Claim.ALIVE),
}


@pytest.mark.parametrize("name", FALSE)
def test_what_is_wrong_breaks_its_claim(name: str) -> None:
    change, claim = FALSE[name]
    evidence = in_order()
    change(evidence)
    assert {fault.claim for fault in judge(evidence)} == {claim}


def test_a_task_may_be_lost_with_an_agent_that_was_killed() -> None:
    evidence = in_order()
    changed(RETURNS, status="Failed", taskErrorMessage=LOST)(evidence)
    evidence.strikes = [KILLED]
    assert judge(evidence) == []


def test_an_attempt_may_have_run_into_its_limit_where_the_machine_stood_still() -> None:
    evidence = in_order()
    changed(RETURNS, alreadyRetriedTimes=1, returnPayload=RETURNS.value(2))(evidence)
    evidence.stalls = [(0, 2 * SECOND_NS)]
    assert judge(evidence) == []


def test_a_storm_that_tried_nothing_says_so() -> None:
    evidence = in_order()
    assert untested(evidence) == ["no task that runs into its time-out once has ended", "nothing was struck"]


def test_the_story_of_a_task_has_its_events_and_what_was_done_to_its_processes() -> None:
    evidence = in_order()
    evidence.strikes = [replace(KILLED, target="api", after=RETURNS.name, delay_ms=40)]
    lines = story(evidence, Fault(Claim.KEPT, RETURNS.name, ""))
    assert [line.partition("s  ")[2] for line in lines] == [
        "alice submits it: alpha/t1, returns",
        "it is accepted",
        "function (pid 9): attempt 1 starts",
        "function (pid 9): attempt 1 returns",
        "api (pid 7) killed, 40 ms after alice/alpha/t1 was accepted",
    ]
    assert story(evidence, Fault(Claim.ALIVE, "", "")) == []
