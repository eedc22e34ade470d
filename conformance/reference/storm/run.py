"""A storm on the reference platform from start to end: clients, strikes, calm, and the judgement."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from onceproof.conformance.reference.storm.clients import Client, Submitted
from onceproof.conformance.reference.storm.evidence import (
    Evidence,
    deaths,
    listed,
    read_entries,
    read_logged,
    record_of,
    shown_to,
)
from onceproof.conformance.reference.storm.orders import FUNCTIONS, USERS
from onceproof.conformance.reference.storm.redeliveries import redeliveries
from onceproof.conformance.reference.storm.served import LEASE_SECONDS, Served, served
from onceproof.conformance.reference.storm.story import story
from onceproof.conformance.reference.storm.strikes import SECOND_NS, Stalls, Striker
from onceproof.conformance.reference.storm.verdict import Claim, Fault, judge, kinds_ended, untested
from onceproof.conformance.storms.errors import StormError
from onceproof.implementation.platform.http.client import CallFailed
from onceproof.implementation.platform.processes.base import EXIT_UNAVAILABLE

QUIET_SECONDS = 30.0  # nothing has ended for so long: nothing will
LOOK_SECONDS = 0.25
ASKING_SECONDS = 60.0
STRANGER = "mallory"
Say = Callable[[str], None]
T = TypeVar("T")


@dataclass
class PlatformStorm:
    """What a storm came to. stories: the last events of the task of each fault."""

    folder: Path
    on: str
    seed: int
    seconds: float
    evidence: Evidence
    faults: list[Fault]
    interrupted: bool = False
    stories: list[list[str]] = field(default_factory=list)

    @property
    def untested(self) -> list[str]:
        """What it meant to try and did not."""
        return untested(self.evidence)

    @property
    def strikes(self) -> Counter[str]:
        """How often each target was struck in which way."""
        return Counter(f"{strike.target} {strike.blow}" for strike in self.evidence.strikes)

    @property
    def ended(self) -> Counter[str]:
        """How many tasks ended in which way."""
        return kinds_ended(self.evidence)

    @property
    def redelivered(self) -> int:
        """How many messages were received again, each after its holder had died, slept or given it back."""
        return len(redeliveries(self.evidence))

    def broken(self, claim: Claim) -> list[Fault]:
        """The faults of one claim."""
        return [fault for fault in self.faults if fault.claim is claim]


def storm(
    folder: Path,
    seconds: float,
    *,
    seed: int = 1,
    on: str = "sqlite",
    only: Collection[str] = (),
    mutant: str = "",
    say: Say = lambda text: None,
) -> PlatformStorm:
    """Make a storm of so many seconds, and judge it. Ctrl-C ends it early; what was seen by then is judged.

    on: what keeps tasks and messages, of ``served.BROKERS``. only: the targets to strike (none: all). mutant: how the
    platform is broken. StormError where it does not come up.
    """
    interrupted = False
    with served(folder, on, mutant) as platform:
        say("the platform has come up")
        stalls, striker = Stalls(), Striker(platform, random.Random(seed), only)
        ending = threading.Event()
        clients = _clients(platform, striker, seed, ending)
        threads = [client.start() for client in clients]
        try:
            _blow(platform, clients, striker, seconds, say)
        except KeyboardInterrupt:
            interrupted = True
        ending.set()
        striker.end()
        for thread in threads:
            thread.join()
        submitted = [one for client in clients for one in client.submitted]
        evidence = Evidence(submitted, {}, lease_ns=int(LEASE_SECONDS * SECOND_NS))
        try:
            evidence.records = _calm(platform, submitted, say)
            evidence.listed = {(user, name): _asked(platform, user, name) for user in USERS for name in FUNCTIONS}
            evidence.strangers = _patiently(lambda: shown_to(platform.caller(STRANGER)), platform)
        except KeyboardInterrupt:
            interrupted = True
        evidence.stalls = stalls.end()
    evidence.strikes = striker.strikes
    evidence.entries = read_entries(platform.ledger, evidence.records)
    evidence.logged = read_logged(platform.probes)
    evidence.died = deaths(platform.group.log, striker.strikes, EXIT_UNAVAILABLE)
    faults = judge(evidence)
    result = PlatformStorm(folder, on, seed, seconds, evidence, faults, interrupted)
    result.stories = [story(evidence, fault) for fault in faults]
    return result


def _clients(platform: Served, striker: Striker, seed: int, ending: threading.Event) -> list[Client]:
    return [Client(platform.caller(user), random.Random(f"{seed}/{user}"), striker.accepted, ending) for user in USERS]


def _blow(platform: Served, clients: Sequence[Client], striker: Striker, seconds: float, say: Say) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if not platform.group.alive:
            raise StormError("the platform has ended in the middle of the storm", platform.group.tail())
        tasks = sum(len(client.submitted) for client in clients)
        say(f"{tasks} tasks, {len(striker.strikes)} strikes; {left:.0f} s left")
        time.sleep(min(LOOK_SECONDS, left))


def _calm(platform: Served, submitted: Sequence[Submitted], say: Say) -> dict[str, dict[str, Any] | None]:
    """The records of all tasks, when all have ended, or when none has for long."""
    records: dict[str, dict[str, Any] | None] = {}
    open_ones, latest = list(submitted), time.monotonic()
    while open_ones and time.monotonic() - latest < QUIET_SECONDS:
        left = []
        for one in open_ones:
            try:
                record = records[one.order.name] = record_of(platform.caller(one.order.user), one.order)
            except CallFailed:
                left.append(one)
                continue
            if record is not None and not record["endTime"]:
                left.append(one)
        if len(left) < len(open_ones):
            latest = time.monotonic()
        open_ones = left
        say(f"calm; waiting for {len(open_ones)} of {len(submitted)} tasks")
        time.sleep(LOOK_SECONDS)
    return records


def _asked(platform: Served, user: str, function: str) -> list[tuple[str, str]]:
    return _patiently(lambda: listed(platform.caller(user), function), platform)


def _patiently(ask: Callable[[], T], platform: Served) -> T:
    """An answer of the API, which may have to come up first; StormError where it gives none."""
    until = time.monotonic() + ASKING_SECONDS
    while True:
        try:
            return ask()
        except CallFailed as error:
            if time.monotonic() > until:
                raise StormError(f"the API gives no list of tasks: {error}", platform.group.tail()) from None
            time.sleep(LOOK_SECONDS)
