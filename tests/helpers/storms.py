"""Storms on real platforms: clients that submit and retry, processes that are killed and stopped, and the judgement."""

import contextlib
import os
import random
import signal
import threading
import time

from onceproof.implementation.platform.http.client import CallFailed
from tests.helpers.platforms import Platform
from tests.helpers.waiting import wait_until

SAFE = ["api", "relay", "balancer", "resources", "scheduler1", "scheduler2"]
QUICK = {"lease_seconds": 1.0, "beat_seconds": 0.9, "request_timeout_seconds": 2.0, "drain_seconds": 5.0}
# ONCEPROOF_ROUNDS=100 ONCEPROOF_SEED=7 pytest tests/implementation -k "die_or_sleep or agent_that_dies or storm"
ROUNDS = int(os.environ.get("ONCEPROOF_ROUNDS", "0"))
ENOUGH = 20  # a storm that nothing came through has shown nothing
SEED = int(os.environ.get("ONCEPROOF_SEED", "1"))


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


def strike(pid: int, number: signal.Signals) -> None:
    """Signal a process, which may be dead already where the machine is busy: its pid is what was last written."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def storm(platform: Platform, seed: int, rounds: int, names: list[str]) -> list[str]:
    """Kill or stop one process a round while clients submit; the TaskIDs that were accepted."""
    chance = random.Random(seed)
    clients = Clients(platform)
    for _ in range(rounds):
        pid = platform.pid(chance.choice(names))
        if chance.random() < 0.5:
            strike(pid, signal.SIGKILL)
            time.sleep(chance.uniform(0.05, 0.3))
        else:
            strike(pid, signal.SIGSTOP)
            time.sleep(chance.choice((0.05, 0.2, 1.3)))
            strike(pid, signal.SIGCONT)
    wait_until(lambda: len(clients.accepted) > ENOUGH)
    return clients.end()


def statuses(platform: Platform, accepted: list[str]) -> dict[str, str]:
    """How each task ended, once all accepted ones have."""
    sql = "SELECT tasks.task_id, runs.outcome FROM tasks JOIN runs ON runs.task = tasks.task"

    def look() -> dict[str, str] | None:
        outcomes = dict(platform.rows(f"{sql} WHERE runs.outcome <> 'OPEN'"))
        return outcomes if set(accepted) <= set(outcomes) else None

    wait_until(look)
    return dict(platform.rows(sql))


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
    wait_until(lambda: no_message_is_left(platform))
    print(f"{len(accepted)} accepted, {len(starts)} started, {sum(platform.state()['restarts'].values())} restarts")


def no_message_is_left(platform: Platform) -> bool:
    return platform.rows("SELECT COUNT(*) FROM messages WHERE deleted_at_ns IS NULL") == [(0,)]
