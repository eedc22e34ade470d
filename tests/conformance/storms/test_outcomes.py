"""What a try shows: what could not be observed is unknown, and never a pass."""

import pytest

from onceproof.conformance.judging.anomalies import Finding, finding
from onceproof.conformance.judging.events import Event, What
from onceproof.conformance.storms.outcomes import Claim, Lease, Shown, observed
from onceproof.conformance.storms.schedule import parse
from onceproof.conformance.storms.tries import Try

KNOWN = Lease(3.0, stated=True, confirmed=True)


def shown(claim: Claim, this: Try, lease: Lease = KNOWN, *, findings: tuple[Finding, ...] = ()) -> tuple[Shown, str]:
    found = observed(this, findings, lease, finished=True)[claim]
    return found.shown, found.why


def tried(schedule: str, **known: object) -> Try:
    return Try("t", parse(schedule), 1.0, **{"reached": True, **known})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("this", "lease", "why"),
    [
        (tried("pause", paused=2.0), KNOWN, "paused 2.0 s, and the lease is 3 s"),
        (tried("pause", paused=30.0), Lease(None, stated=False), "paused 30 s, no redelivery seen: lease unknown"),
        (
            tried("pause", paused=9.0),
            Lease(3.0, stated=True),
            "no redelivery was seen at all, so that the lease of 3 s is not confirmed",
        ),
        (tried("none", ran=1.0), KNOWN, "the library ended the task after 1.0 s, and the lease is 3 s"),
        (tried("kill", reached=False), KNOWN, "the moment never came"),
        (tried("resubmit", answered_again="nothing"), KNOWN, "the second submission was not answered"),
    ],
)
def test_what_was_not_observed_is_unknown(this: Try, lease: Lease, why: str) -> None:
    assert shown(Claim.AT_MOST_ONCE, this, lease) == (Shown.UNKNOWN, why)


@pytest.mark.parametrize(
    ("this", "lease"),
    [
        (tried("pause", paused=9.0), KNOWN),
        (tried("pause", paused=9.0), Lease(0, stated=True)),
        (tried("none", ran=7.5), KNOWN),
        (tried("resubmit", answered_again="refused"), KNOWN),
    ],
)
def test_what_was_observed_to_the_end_held(this: Try, lease: Lease) -> None:
    assert shown(Claim.AT_MOST_ONCE, this, lease) == (Shown.HELD, "")


def test_only_proven_findings_break_a_claim() -> None:
    event = Event(0, What.STARTED, "1", None, None, "ledger", 1)
    for certain in (True, False):
        found = finding("sequential_starts", "t", "twice", [event], certain=certain)
        wanted = Shown.BROKEN if certain else Shown.HELD
        assert shown(Claim.AT_MOST_ONCE, tried("pause", paused=9.0), findings=(found,))[0] is wanted


def test_a_task_is_not_called_lost_while_nobody_knows_the_lease() -> None:
    event = Event(0, What.STARTED, "1", None, None, "ledger", 1)
    lost = finding("lost_with_worker", "t", "not started again", [event])
    this = tried("kill")
    assert shown(Claim.AT_LEAST_ONCE, this, Lease(3.0, stated=True), findings=(lost,))[0] is Shown.BROKEN
    assert shown(Claim.AT_LEAST_ONCE, this, Lease(None, stated=False), findings=(lost,))[0] is Shown.UNKNOWN


def test_a_lease_that_is_longer_than_was_said_leaves_open_what_would_have_come_later() -> None:
    event = Event(0, What.STARTED, "1", None, None, "ledger", 1)
    lost = finding("lost_with_worker", "t", "not started again", [event])
    why = (
        "a dead worker's task was given to another after 23.9 s, and the lease is said to be 5 s: "
        "state the longest that it can take"
    )
    longer, right = (Lease(5.0, stated=True, confirmed=True, longest=seconds) for seconds in (23.9, 7.0))
    assert shown(Claim.AT_LEAST_ONCE, tried("kill"), longer, findings=(lost,)) == (
        Shown.UNKNOWN,
        f"not done yet; {why}",
    )
    assert shown(Claim.AT_MOST_ONCE, tried("pause", paused=12.5), longer) == (Shown.UNKNOWN, why)
    assert shown(Claim.AT_LEAST_ONCE, tried("kill"), right, findings=(lost,))[0] is Shown.BROKEN
    assert shown(Claim.AT_MOST_ONCE, tried("pause", paused=12.5), right)[0] is Shown.HELD


def test_a_short_task_that_a_slow_machine_makes_longer_than_its_lease_shows_nothing() -> None:
    event = Event(0, What.STARTED, "1", None, None, "ledger", 1)
    twice = finding("sequential_starts", "t", "twice", [event])
    for seconds, wanted in ((2.0, Shown.BROKEN), (3.5, Shown.UNKNOWN)):
        this = tried("broker-restart", in_hand=seconds)
        assert shown(Claim.AT_MOST_ONCE, this, findings=(twice,))[0] is wanted
    assert shown(Claim.AT_MOST_ONCE, tried("pause", in_hand=9.0), findings=(twice,))[0] is Shown.BROKEN
