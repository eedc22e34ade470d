"""A platform that is stopped and started, also with fewer agents and schedulers: no work is lost or done twice."""

import functools
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.platforms import LEDGER, Platform
from tests.helpers.storms import QUICK, statuses
from tests.helpers.waiting import wait_until

TASKS = 100
STOPS = 5


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    made = Platform(tmp_path, dict(QUICK))
    made.function("ledger", LEDGER)
    yield made
    made.end()


def has_started(platform: Platform, tasks: int) -> bool:
    """Whether so many tasks have started."""
    return len(platform.starts()) >= tasks


def test_stopping_and_starting_five_times_loses_no_work(platform: Platform) -> None:
    platform.settings.update(slots=2)  # four at a time, so that there is work left at every stop
    platform.start()
    caller = platform.caller()
    names = [f"t{number}" for number in range(TASKS)]
    for name in names:
        caller.submit("ledger", platform.order(seconds=0.25), name)
    for stop in range(STOPS):
        wait_until(functools.partial(has_started, platform, 3 + 8 * stop))
        assert platform.stop() == 0
        before = platform.starts()
        open_begun = platform.rows("SELECT COUNT(*) FROM runs WHERE outcome = 'OPEN' AND begun > 0")
        assert open_begun == [(0,)], "what ran has ended, and that is recorded"
        assert len(before) < TASKS
        platform.start()
    assert set(statuses(platform, names).values()) == {"COMPLETED"}
    assert platform.starts() == {(name, "1"): 1 for name in names}


def test_what_does_not_end_in_time_is_ended_and_the_rest_waits(platform: Platform) -> None:
    platform.settings.update(drain_seconds=0.5, agents=1, slots=2)
    platform.start()
    caller = platform.caller()
    for name in ("long", "second"):
        caller.submit("ledger", platform.order(seconds=60), name)
    wait_until(functools.partial(has_started, platform, 1))
    assert platform.stop() == 0
    platform.function("ledger", LEDGER.replace("time.sleep(", "int("))
    platform.start()
    assert statuses(platform, ["long", "second"]) == {"long": "FAILED", "second": "COMPLETED"}
    assert platform.starts() == {("long", "1"): 1, ("second", "1"): 1}


def test_queued_tasks_of_a_killed_agent_are_placed_anew(platform: Platform) -> None:
    platform.settings.update(agents=1, slots=1)
    platform.start()
    caller = platform.caller()
    names = [f"t{number}" for number in range(8)]
    for name in names:
        caller.submit("ledger", platform.order(seconds=0.5), name)
    wait_until(lambda: platform.rows("SELECT COUNT(*) FROM placements") == [(8,)] and platform.starts())
    os.kill(platform.pid("agent1"), signal.SIGKILL)
    outcomes = statuses(platform, names)
    assert sorted(outcomes.values()) == ["COMPLETED"] * 7 + ["FAILED"]
    assert platform.starts() == {(name, "1"): 1 for name in names}


def test_fewer_agents_and_schedulers_than_before_settle_every_task(platform: Platform) -> None:
    platform.settings.update(agents=3, schedulers=3, slots=1)
    platform.start()
    caller = platform.caller()
    names = [f"t{number}" for number in range(12)]
    for name in names:
        caller.submit("ledger", platform.order(seconds=1.0), name)
    wait_until(lambda: len(platform.rows("SELECT DISTINCT agent FROM placements")) == 3 and platform.starts())
    platform.kill()
    platform.settings.update(agents=1, schedulers=1, slots=8)
    platform.start()
    outcomes = statuses(platform, names)
    assert 9 <= list(outcomes.values()).count("COMPLETED") < 12, "only what ran is lost"
    starts = platform.starts()
    assert set(starts.values()) == {1}
    assert {name for name, outcome in outcomes.items() if outcome == "COMPLETED"} <= {name for name, _ in starts}


def test_scheduler_that_comes_back_gets_its_share_of_queues_again(platform: Platform) -> None:
    platform.settings.update(slots=4)
    platform.start()
    users = [f"user{number}" for number in range(6)]
    names = {user: [f"{user}-{number}" for number in range(4)] for user in users}
    for user, tasks in names.items():
        platform.caller(user=user).submit("ledger", platform.order(seconds=0.3), tasks[0])
    shares = "SELECT COUNT(*) FROM owners GROUP BY scheduler ORDER BY scheduler"
    wait_until(lambda: platform.rows(shares) == [(3,), (3,)])
    os.kill(platform.pid("scheduler1"), signal.SIGSTOP)
    wait_until(lambda: platform.rows(shares) == [(6,)])
    for user, tasks in names.items():
        for task in tasks[1:]:
            platform.caller(user=user).submit("ledger", platform.order(seconds=0.3), task)
    os.kill(platform.pid("scheduler1"), signal.SIGCONT)
    wait_until(lambda: platform.rows(shares) == [(3,), (3,)])
    every = [task for tasks in names.values() for task in tasks]
    assert set(statuses(platform, every).values()) == {"COMPLETED"}
    assert platform.starts() == {(name, "1"): 1 for name in every}


PATIENT = """
    import json, os, signal, time
    def handler(event, context):
        order = json.loads(event)
        signal.signal(signal.SIGTERM, lambda *_: open(order["asked"], "w").close())
        open(order["began"], "w").close()
        while not os.path.exists(order["ends"]):
            time.sleep(0.01)
"""


def test_stopped_function_is_asked_to_end_then_killed(platform: Platform) -> None:
    platform.settings.update(stop_grace_seconds=1.0)
    platform.function("patient", PATIENT)
    platform.start()
    files = {name: platform.folder / name for name in ("asked", "began", "ends")}
    caller = platform.caller()
    caller.submit("patient", json.dumps({name: str(path) for name, path in files.items()}).encode(), "stopped")
    wait_until(files["began"].exists)
    assert caller.get("patient", "stopped")["status"] == "Running"
    caller.stop("patient", "stopped")
    wait_until(files["asked"].exists)
    assert caller.get("patient", "stopped")["status"] == "Stopping"
    record = platform.ended("patient", "stopped")
    assert record["status"] == "Stopped" and record["durationMs"] >= 900


def test_times_of_a_task_are_those_of_its_function(platform: Platform) -> None:
    platform.settings.update(agents=1, slots=1)
    platform.start()
    caller = platform.caller()
    for name in ("first", "second"):
        caller.submit("ledger", platform.order(seconds=0.7), name)
    wait_until(functools.partial(has_started, platform, 1))
    waiting = {caller.get("ledger", name)["status"] for name in ("first", "second")}
    assert "Running" in waiting and waiting <= {"Running", "Dequeued", "Enqueued"}
    first, second = sorted((platform.ended("ledger", name) for name in ("first", "second")), key=started)
    assert 700 <= first["durationMs"] == first["endTime"] - started(first) and 700 <= second["durationMs"]
    assert first["endTime"] <= started(second) + 100, "one slot; clocks may be set meanwhile"
    assert [event["status"] for event in second["events"]] == ["Enqueued", "Running", "Succeeded"]
    assert second["events"][1]["timestamp"] - second["events"][0]["timestamp"] >= 700, "waiting is not running"


def started(record: dict[str, Any]) -> int:
    """When a task's function started."""
    return int(record["startedTime"])
