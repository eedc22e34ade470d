"""What no replay sees: time. Events are counted on a platform to which nothing is done, at a tenth of its usual times.

Functions last for several leases. No message may be received again, no queue change its owner, and a message must be
received, and its end be heard, soon after it is there. Counts are held against the stalls of the machine, which are
measured in the same run.
"""

import statistics
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from onceproof.conformance.reference.storm.evidence import Evidence, Logged, read_logged
from onceproof.conformance.reference.storm.orders import FUNCTIONS, USERS, Kind, Order
from onceproof.conformance.reference.storm.redeliveries import redeliveries
from onceproof.conformance.reference.storm.served import Served, served
from onceproof.conformance.reference.storm.strikes import SECOND_NS, Stalls
from tests.helpers.waiting import wait_until

pytestmark = pytest.mark.slow

SCALE = 0.1
USUAL = {"lease_seconds": 10.0, "beat_seconds": 3.0, "request_timeout_seconds": 20.0}
LEASES = 2.5  # that each function lasts
SOON_SECONDS = 0.5  # a process that hears no bell sleeps for four times as long


@dataclass
class Counts:
    """What was counted. redelivered: messages received again. woken: how long each was there before, in seconds."""

    redelivered: int
    owners_changed: int
    renewals: int
    receives: int
    woken: list[float]
    stalls: int


def counted(folder: Path, mutant: str = "", tasks: int = 2, scale: float = SCALE, leases: float = LEASES) -> Counts:
    """Run some tasks for each user and function, each for some leases."""
    lease = USUAL["lease_seconds"] * scale
    with served(folder, mutant=mutant, settings={name: usual * scale for name, usual in USUAL.items()}) as platform:
        stalls = Stalls()
        seconds = leases * lease
        threads = [threading.Thread(target=submit, args=(platform, user, tasks, seconds)) for user in USERS]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        wait_until(lambda: count(read_logged(platform.probes), "delete") == tasks * len(USERS) * len(FUNCTIONS))
        found = Evidence([], {}, stalls=stalls.end(), lease_ns=int(lease * SECOND_NS))
        found.logged = read_logged(platform.probes)
    relayed = {line.message: line.time for line in found.logged if line.action == "relay"}
    received = {line.message: line.time for line in reversed(found.logged) if line.action == "receive"}
    owners = count(found.logged, "assign") + count(found.logged, "hand_over") - len(USERS)
    return Counts(
        len(redeliveries(found)),
        owners,
        count(found.logged, "renew"),
        count(found.logged, "receive"),
        [(received[message] - at) / SECOND_NS for message, at in relayed.items()],
        len(found.stalls),
    )


def submit(platform: Served, user: str, tasks: int, seconds: float) -> None:
    for number in range(tasks):
        for function in FUNCTIONS:
            order = Order(user, function, f"t{number}", Kind.RETURNS, (seconds,))
            platform.caller(user).submit(function, order.payload, order.task)
        time.sleep(0.05)


def count(logged: list[Logged], action: str) -> int:
    return sum(line.action == action for line in logged)


def excess(found: Counts) -> dict[str, float]:
    """What happened for want of time, beyond what stalls of the machine account for."""
    counts = {
        "redelivered": found.redelivered - found.stalls,
        "owners changed": found.owners_changed - found.stalls,
        "received": found.receives - 8 - found.stalls,
        # A third of a lease apart, and one right after the receipt; a machine that stalls renews less often.
        "not renewed": 8 * LEASES - found.renewals,
        "renewed": found.renewals - 8 * (3 * LEASES + 3),
        "woken late": statistics.median(found.woken) - SOON_SECONDS,
    }
    return {name: more for name, more in counts.items() if more > 0}


def test_nothing_happens_for_want_of_time(tmp_path: Path) -> None:
    """On a machine that is busy with something else the same holds at longer times; what is wrong is so at any."""
    seen = {}
    for scale in (SCALE, 2 * SCALE, 4 * SCALE):
        seen[scale] = excess(counted(tmp_path / f"{scale:g}", scale=scale))
        if not seen[scale]:
            return
    raise AssertionError(seen)


def test_renewals_that_do_not_come_are_counted(tmp_path: Path) -> None:
    found = counted(tmp_path, "never-renews")
    assert found.redelivered > found.stalls and found.receives > 8 and found.renewals == 0


def test_heartbeats_that_come_too_late_are_counted(tmp_path: Path) -> None:
    found = counted(tmp_path, "beats-late", 1)
    assert found.owners_changed > found.stalls


def test_bells_that_nobody_hears_are_counted(tmp_path: Path) -> None:
    """What comes while a process is at work anyhow is seen at once, bell or no bell: it takes a quiet moment."""

    def median(number: int) -> float:
        return statistics.median(counted(tmp_path / f"{number}", "hears-no-bell", scale=1.0, leases=0.0).woken)

    assert any(median(number) > SOON_SECONDS for number in range(5))
