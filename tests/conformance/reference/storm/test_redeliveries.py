"""Redeliveries: needless ones are those whose holder lived, held the message, and could have renewed it."""

import pytest

from onceproof.conformance.reference.storm.evidence import Evidence, Logged
from onceproof.conformance.reference.storm.redeliveries import redeliveries
from onceproof.conformance.reference.storm.strikes import SECOND_NS, Blow, Strike

LEASE = 3.0


def at(seconds: float, action: str, process: str = "scheduler1", pid: int = 1, message: str = "m1") -> Logged:
    return Logged(int(seconds * SECOND_NS), process, pid, action, {"message": message})


def struck(blow: Blow, begin: float, end: float, pid: int = 1) -> Strike:
    return Strike(blow, "scheduler1", pid, int(begin * SECOND_NS), int(end * SECOND_NS))


def evidence(*logged: Logged) -> Evidence:
    relayed = Logged(0, "relay", 5, "relay", {"task": "alice/alpha/t1", "message": "m1"})
    lines = sorted([relayed, *logged], key=lambda line: line.time)
    return Evidence([], {}, logged=lines, lease_ns=int(LEASE * SECOND_NS))


FIRST = at(1, "receive")
SOON = at(2, "receive", "scheduler2", 2)
LATE = at(1 + LEASE + 0.1, "receive", "scheduler2", 2)


def needless(found: Evidence) -> list[bool]:
    return [each.needless for each in redeliveries(found)]


def test_while_the_lease_runs_it_is_needless() -> None:
    (found,) = redeliveries(evidence(FIRST, SOON))
    assert found.needless and not found.late and found.task == "alice/alpha/t1"
    assert found.text == "scheduler2 received m1 1.00 s after scheduler1 (pid 1), whose lease had not ended"


@pytest.mark.parametrize("action", ["release", "receipt_refused", "scheduler_crash"])
def test_what_the_holder_gave_back_may_be_received(action: str) -> None:
    assert needless(evidence(FIRST, at(1.5, action), SOON)) == [False]


def test_what_the_holder_gave_back_of_another_message_does_not_count() -> None:
    assert needless(evidence(FIRST, at(1.5, "release", message="m2"), SOON)) == [True]


def test_a_holder_that_was_killed_or_stopped_holds_nothing() -> None:
    for strike in (struck(Blow.KILL, 1.5, 1.5), struck(Blow.PAUSE, 1.5, 6.0)):
        found = evidence(FIRST, SOON)
        found.strikes = [strike]
        assert needless(found) == [False]


def test_a_strike_on_another_process_or_at_another_time_does_not_count() -> None:
    for strike in (struck(Blow.KILL, 1.5, 1.5, pid=3), struck(Blow.PAUSE, 0.1, 0.9)):
        found = evidence(FIRST, SOON)
        found.strikes = [strike]
        assert needless(found) == [True]


def test_a_renewal_that_did_not_come_counts_where_its_holder_was_awake() -> None:
    heard = [at(2.5, "hear", message="m2"), at(3.5, "hear", message="m3")]
    asleep, awake = evidence(FIRST, LATE), evidence(FIRST, *heard, LATE)
    assert needless(asleep) == [False]
    for one in heard:  # the turn that began then may have lasted too long
        assert needless(evidence(FIRST, one, LATE)) == [False]
    (found,) = redeliveries(awake)
    assert found.needless and found.late
    assert found.text.endswith("which lived, and had not renewed it")


def test_on_a_machine_that_stood_still_a_late_renewal_does_not_count() -> None:
    found = evidence(FIRST, at(2.5, "hear", message="m2"), at(3.5, "hear", message="m3"), LATE)
    found.stalls = [(2 * SECOND_NS, 3 * SECOND_NS)]
    assert needless(found) == [False]


def test_a_renewal_makes_the_lease_longer() -> None:
    (found,) = redeliveries(evidence(FIRST, at(3, "renew"), LATE))
    assert found.needless and not found.late
