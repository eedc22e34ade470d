"""What the platform's processes log of their actions, and tasks that are too old to start."""

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.platforms import LEDGER, Platform
from tests.helpers.waiting import wait_until

ONE_TASK = {
    "admit", "relay", "mark_relayed", "receive", "place", "dispatch", "start", "finish", "hear", "record", "delete",
    "forget",
}  # fmt: skip


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    logs = tmp_path / "logs"
    logs.mkdir()
    made = Platform(tmp_path, {"lease_seconds": 1.0, "schedulers": 1, "agents": 1, "probe_log": str(logs)})
    made.function("ledger", LEDGER)
    yield made.start()
    made.end()


def lines(platform: Platform) -> list[dict[str, Any]]:
    """All lines of all processes, by when their actions began: none begins before what it follows from took effect."""
    found = [
        json.loads(line)
        for path in Path(platform.settings["probe_log"]).iterdir()
        for line in path.read_text().splitlines()
    ]
    return sorted(found, key=lambda line: int(line["begin"]))


def test_every_action_of_a_task_leaves_one_line_in_the_probe_log(platform: Platform) -> None:
    caller = platform.caller()
    for number in range(5):
        caller.submit("ledger", platform.order(), f"t{number}")
    caller.submit("ledger", platform.order(), "t0")
    wait_until(lambda: Counter(line["action"] for line in lines(platform))["forget"] == 5)
    counts = Counter(line["action"] for line in lines(platform))
    assert {action: counts[action] for action in ONE_TASK} == dict.fromkeys(ONE_TASK, 5)
    assert counts["refuse"] == 1
    of_one = [line for line in lines(platform) if line["arguments"].get("task") == "default/ledger/t3"]
    assert [line["action"] for line in of_one] == ["admit", "relay", "mark_relayed"]
    message = of_one[1]["arguments"]["message"]
    way = [line["action"] for line in lines(platform) if line["arguments"].get("message") == message]
    assert [action for action in way if action != "renew"] == [
        "relay", "receive", "place", "dispatch", "start", "finish", "hear", "record", "delete", "forget",
    ]  # fmt: skip
    numbered: dict[str, list[int]] = {}
    for line in lines(platform):
        numbered.setdefault(line["process"], []).append(line["sequence"])
    assert {"api", "relay", "balancer", "resources", "scheduler1", "agent1"} <= set(numbered)
    assert all(sorted(numbers) == list(range(1, len(numbers) + 1)) for numbers in numbered.values())


def test_task_that_is_too_old_expires_and_is_never_started(platform: Platform) -> None:
    caller = platform.caller()
    path = "/2023-03-30/functions/ledger/async-invoke-config"
    caller._call("PUT", path, json.dumps({"maxAsyncEventAgeInSeconds": 1}).encode())
    relay = platform.pid("relay")
    os.kill(relay, signal.SIGSTOP)
    caller.submit("ledger", platform.order(), "late")
    recorded = caller.get("ledger", "late")["events"][0]["timestamp"]
    wait_until(lambda: time.time() * 1000 > recorded + 1100)
    assert caller.get("ledger", "late")["status"] == "Enqueued"
    os.kill(relay, signal.SIGCONT)
    assert platform.ended("ledger", "late")["status"] == "Expired"
    assert platform.starts() == {}
    assert "expire" in {line["action"] for line in lines(platform)}


def test_task_stopped_before_it_has_a_message_is_never_started(platform: Platform) -> None:
    caller = platform.caller()
    relay = platform.pid("relay")
    os.kill(relay, signal.SIGSTOP)
    caller.submit("ledger", platform.order(), "unwanted")
    caller.stop("ledger", "unwanted")
    assert caller.get("ledger", "unwanted")["status"] == "Stopping"
    os.kill(relay, signal.SIGCONT)
    assert platform.ended("ledger", "unwanted")["status"] == "Stopped"
    assert platform.starts() == {}
