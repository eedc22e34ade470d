"""Real processes, killed and stopped at any moment: nothing accepted is lost, nothing is started twice."""

import os
import random
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from implementation.platform.caller import CallFailed
from tests.implementation.platforms import LEDGER, Platform, alive, eventually

QUICK = {"lease_seconds": 1.0, "beat_seconds": 0.9, "request_timeout_seconds": 2.0, "drain_seconds": 5.0}


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    made = Platform(tmp_path, dict(QUICK))
    made.function("ledger", LEDGER)
    yield made
    made.kill()


class Clients:
    """Submit tasks with TaskIDs of their own, and again until they know that each is in."""

    def __init__(self, platform: Platform, threads: int = 2) -> None:
        self.platform = platform
        self.ending = threading.Event()
        self.accepted: list[str] = []
        self.threads = [threading.Thread(target=self._work, args=(number,)) for number in range(threads)]
        for thread in self.threads:
            thread.start()

    def end(self) -> list[str]:
        """Stop; the TaskIDs that were accepted."""
        self.ending.set()
        for thread in self.threads:
            thread.join()
        return self.accepted

    def _work(self, number: int) -> None:
        caller = self.platform.caller(timeout_seconds=2.0)
        serial = 0
        while not self.ending.is_set():
            serial += 1
            task_id = f"t{number}-{serial}"
            while True:
                try:
                    caller.submit("ledger", self.platform.order(seconds=0.01), task_id, tries=1)
                except CallFailed as error:
                    assert error.status in (0, 503), error
                    if self.ending.is_set():
                        return
                    continue
                self.accepted.append(task_id)
                break
            time.sleep(0.02)


def storm(platform: Platform, seed: int, rounds: int, names: list[str]) -> list[str]:
    """Kill or stop one process a round while clients submit; the TaskIDs that were accepted."""
    chance = random.Random(seed)
    clients = Clients(platform)
    for _ in range(rounds):
        pid = platform.pid(chance.choice(names))
        if chance.random() < 0.5:
            os.kill(pid, signal.SIGKILL)
            time.sleep(chance.uniform(0.05, 0.3))
        else:
            os.kill(pid, signal.SIGSTOP)
            time.sleep(chance.choice((0.05, 0.2, 1.3)))
            os.kill(pid, signal.SIGCONT)
    return clients.end()


def statuses(platform: Platform, accepted: list[str]) -> dict[str, str]:
    """How each accepted task ended, once all have."""
    def look() -> bool:
        with sqlite3.connect(platform.data / "platform.db") as database:
            ended = {row[0] for row in database.execute(
                "SELECT tasks.task_id FROM tasks JOIN runs ON runs.task = tasks.task WHERE runs.outcome <> 'OPEN'"
            )}
        return ended.issuperset(accepted)

    eventually(look)
    with sqlite3.connect(platform.data / "platform.db") as database:
        return dict(database.execute("SELECT tasks.task_id, outcome FROM tasks JOIN runs ON runs.task = tasks.task"))


def judge(platform: Platform, accepted: list[str], may_fail: bool) -> None:
    """Every accepted task ended; every one that completed was started once, and none was started twice."""
    assert len(accepted) == len(set(accepted)) > 10
    outcomes = statuses(platform, accepted)
    starts = platform.starts()
    assert [key for key, count in starts.items() if count > 1] == []
    for task_id in accepted:
        assert outcomes[task_id] == "COMPLETED" or may_fail, (task_id, outcomes[task_id])
        if outcomes[task_id] == "COMPLETED":
            assert starts[task_id, "1"] == 1
    eventually(lambda: no_message_is_left(platform))
    print(f"{len(accepted)} accepted, {len(starts)} started, {sum(platform.state()['restarts'].values())} restarts")


def no_message_is_left(platform: Platform) -> bool:
    with sqlite3.connect(platform.data / "platform.db") as database:
        return database.execute("SELECT COUNT(*) FROM messages WHERE deleted_at_ns IS NULL").fetchone() == (0,)


SAFE = ["api", "relay", "balancer", "resources", "scheduler1", "scheduler2"]


# ONCEPROOF_ROUNDS=100 ONCEPROOF_SEED=7 pytest tests/implementation/test_platform_faults.py -k "die_or_sleep or dies"
ROUNDS = int(os.environ.get("ONCEPROOF_ROUNDS", "0"))
SEED = int(os.environ.get("ONCEPROOF_SEED", "1"))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_any_process_but_agents_may_die_or_sleep(platform: Platform) -> None:
    platform.start()
    accepted = storm(platform, SEED, ROUNDS or 15, SAFE)
    judge(platform, accepted, may_fail=False)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_an_agent_that_dies_fails_its_tasks_visibly(platform: Platform) -> None:
    platform.start()
    accepted = storm(platform, SEED, ROUNDS or 10, [*SAFE, "agent1", "agent2", "agent1", "agent2"])
    judge(platform, accepted, may_fail=True)
