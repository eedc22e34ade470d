"""Real processes, killed and stopped at any moment: nothing accepted is lost, nothing is started twice."""

import functools
import os
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from onceproof.implementation.platform.http.client import CallFailed
from tests.helpers.platforms import LEDGER, Platform
from tests.helpers.storms import QUICK, ROUNDS, SAFE, SEED, judge, statuses, storm
from tests.helpers.waiting import is_alive, wait_until


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    made = Platform(tmp_path, dict(QUICK))
    made.function("ledger", LEDGER)
    yield made
    made.end()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_any_process_but_agents_may_die_or_sleep(platform: Platform) -> None:
    platform.start()
    accepted = storm(platform, SEED, ROUNDS or 60, SAFE)
    judge(platform, accepted, may_fail=False)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_an_agent_that_dies_fails_its_tasks_visibly(platform: Platform) -> None:
    platform.start()
    accepted = storm(platform, SEED, ROUNDS or 40, [*SAFE, "agent1", "agent2", "agent1", "agent2"])
    judge(platform, accepted, may_fail=True)


def test_all_processes_die_with_the_supervisor_and_the_next_one_goes_on(platform: Platform) -> None:
    platform.start()
    pids = list(platform.state()["processes"].values())
    assert len(pids) == 8
    caller = platform.caller()
    for number in range(30):
        caller.submit("ledger", platform.order(seconds=0.05), f"t{number}")
    runtime = Path(platform.state()["folder"])
    platform.kill()
    wait_until(lambda: not any(is_alive(pid) for pid in pids))
    assert runtime.is_dir()
    platform.start()
    assert not runtime.exists()
    judge(platform, [f"t{number}" for number in range(30)], may_fail=True)
    assert set(statuses(platform, [])) == {f"t{number}" for number in range(30)}


def test_sigterm_drains_the_platform_and_leaves_no_process(platform: Platform) -> None:
    platform.settings.update(drain_seconds=40.0)
    platform.start()
    pids = list(platform.state()["processes"].values())
    caller = platform.caller()
    for number in range(20):
        caller.submit("ledger", platform.order(seconds=0.02), f"t{number}")
    assert platform.stop() == 0
    assert not any(is_alive(pid) for pid in pids)
    with sqlite3.connect(platform.data / "platform.db") as database:
        outcomes = {row[0] for row in database.execute("SELECT outcome FROM runs")}
    assert outcomes <= {"OPEN", "COMPLETED"}
    platform.start()
    judge(platform, [f"t{number}" for number in range(20)], may_fail=False)


def test_messages_of_a_killed_scheduler_are_received_again(platform: Platform) -> None:
    platform.settings.update(schedulers=2, slots=2, agents=1)
    platform.start()
    caller = platform.caller()
    caller.submit("ledger", platform.order(seconds=2.5), "long")
    wait_until(lambda: platform.starts().get(("long", "1")))
    with sqlite3.connect(platform.data / "platform.db") as database:
        holder, receipt = database.execute("SELECT holder, receipt FROM messages").fetchone()
        os.kill(platform.pid(holder), signal.SIGKILL)
        wait_until(lambda: database.execute("SELECT receipt FROM messages").fetchone()[0] != receipt)
    judge_one = platform.ended("ledger", "long")
    assert judge_one["status"] == "Succeeded" and platform.starts() == {("long", "1"): 1}


def started(platform: Platform, task_id: str) -> bool:
    return (task_id, "1") in platform.starts()


def test_task_of_a_killed_agent_fails_or_runs_again_by_policy(platform: Platform) -> None:
    for policy, status, starts in (("fail", "Failed", 1), ("rerun", "Succeeded", 2)):
        platform.settings.update(agents=1, on_agent_loss=policy)
        platform.start()
        platform.caller().submit("ledger", platform.order(seconds=1.0), policy)
        wait_until(functools.partial(started, platform, policy))
        os.kill(platform.pid("agent1"), signal.SIGKILL)
        record = platform.ended("ledger", policy)
        assert record["status"] == status
        assert platform.starts()[policy, "1"] == starts
        platform.kill()


def test_flood_of_one_user_does_not_starve_another(platform: Platform) -> None:
    platform.settings.update(agents=1, slots=2)
    platform.start()
    flood, other = platform.caller(user="flood"), platform.caller(user="other")
    for number in range(20):
        flood.submit("ledger", platform.order(seconds=1.0), f"f{number}")
    other.submit("ledger", platform.order(), "o1")
    wait_until(lambda: other.get("ledger", "o1")["status"] == "Succeeded")
    ended = sum(task["status"] == "Succeeded" for task in flood.listed("ledger", limit=100)["tasks"])
    assert ended < 10, "the other's task waited for the flood"


def test_second_platform_on_one_folder_or_port_is_refused(platform: Platform, tmp_path: Path) -> None:
    platform.start()
    assert "refused: another serve runs on" in Platform(platform.folder, platform.settings).refusal()
    port = int(platform.endpoint.rpartition(":")[2])
    other = Platform(tmp_path / "other", {"port": port})
    other.function("ledger", LEDGER)
    assert f"refused: cannot listen on 127.0.0.1 port {port}: Address already in use" in other.refusal()
    no_functions = Platform(tmp_path / "third")
    (no_functions.folder).mkdir()
    assert "there is no such folder of functions" in no_functions.refusal()


def test_file_that_is_not_a_database_is_refused(platform: Platform) -> None:
    platform.data.mkdir()
    (platform.data / "platform.db").write_text("this is no database" * 100)
    assert "refused: the store cannot be used" in platform.refusal()


def test_locked_database_is_answered_with_503_until_it_is_free(platform: Platform) -> None:
    platform.settings.update(store_wait_seconds=0.5)
    platform.start()
    caller = platform.caller(timeout_seconds=20)
    caller.submit("ledger", platform.order(), "before")
    platform.ended("ledger", "before")
    with sqlite3.connect(platform.data / "platform.db", isolation_level=None) as database:
        database.execute("BEGIN IMMEDIATE")
        with pytest.raises(CallFailed, match="503 ServiceUnavailable") as refused:
            caller.submit("ledger", platform.order(), "during", tries=1)
        assert "database is locked" in str(refused.value)
        database.execute("ROLLBACK")
    assert caller.submit("ledger", platform.order(), "during") == ("during", True)
    judge_all = platform.ended("ledger", "during")
    assert judge_all["status"] == "Succeeded"
    assert platform.starts() == {("before", "1"): 1, ("during", "1"): 1}
