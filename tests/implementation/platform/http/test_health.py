"""/healthz says no, and why, when something makes no progress; what hangs is killed and started again."""

import os
import shutil
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from onceproof.implementation.platform.beat import Beat
from onceproof.implementation.platform.config import PlatformConfig
from onceproof.implementation.platform.http import health
from onceproof.implementation.platform.http.health import outbox_reason, processes_health
from tests.helpers.platforms import LEDGER, Platform
from tests.helpers.waiting import is_alive, wait_until

ALL = ("agent1", "agent2", "scheduler1", "scheduler2", "relay", "balancer", "resources")


def test_processes_that_beat_are_well_and_those_that_do_not_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, folder = PlatformConfig(), str(tmp_path)
    assert processes_health(config, folder).reasons == [
        "no agent makes progress",
        "no scheduler makes progress",
        "relay makes no progress",
        "balancer makes no progress",
        "resources makes no progress",
    ]
    beats = {name: Beat(folder, name) for name in ALL}
    found = processes_health(config, folder)
    assert (found.reasons, found.up("agent"), found.up("scheduler"), found.up("relay")) == ([], 2, 2, 1)
    beats["relay"].trouble("the disk is full")
    assert processes_health(config, folder).reasons == [
        "relay cannot use the store: the disk is full",
        "relay makes no progress",
    ]
    beats["relay"].trouble("")
    beats["agent1"].waits(True)
    monkeypatch.setattr(health, "SILENT_SECONDS", -1.0)
    assert processes_health(config, folder).reasons[0] == "agent1 has waited 0 s for the store"


def test_outbox_that_nobody_empties_is_a_reason() -> None:
    assert list(outbox_reason(None, 10**12)) == list(outbox_reason(10**12 - 10**9, 10**12)) == []
    assert list(outbox_reason(0, 20 * 10**9)) == ["accepted submissions have waited 20 s for the relay"]


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    made = Platform(tmp_path, {"schedulers": 1, "agents": 1, "lease_seconds": 1, "store_wait_seconds": 0.5})
    made.function("ledger", LEDGER)
    yield made
    made.end()


def asked(platform: Platform) -> tuple[int, dict[str, Any]]:
    answer = httpx.get(f"{platform.endpoint}/healthz", timeout=20)
    return answer.status_code, answer.json()


def reasons(platform: Platform) -> str:
    """Why it is not well; empty: it is."""
    status, body = asked(platform)
    assert (status == 503) == (body["status"] == "degraded")
    return "; ".join(body.get("reasons", []))


def test_agent_that_hangs_is_lost_and_replaced(platform: Platform) -> None:
    platform.settings["hang_seconds"] = 1.5
    platform.start()
    caller = platform.caller()
    caller.submit("ledger", platform.order(seconds=60), "caught")
    wait_until(lambda: len(platform.starts()) == 1)
    pid = platform.pid("agent1")
    os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: not is_alive(pid))
    assert platform.ended("ledger", "caught")["status"] == "Failed"
    caller.submit("ledger", platform.order(), "next")
    assert platform.ended("ledger", "next")["status"] == "Succeeded"
    assert '"event": "hangs; it is killed and started again"' in (platform.folder / "log.ndjson").read_text()
    wait_until(lambda: not reasons(platform))
    metrics = httpx.get(f"{platform.endpoint}/metrics").text
    assert 'onceproof_restarts_total{process="agent1"} 1.0' in metrics


def test_store_that_hangs_moves_or_breaks_is_a_reason(platform: Platform) -> None:
    platform.settings["hang_seconds"] = 0
    platform.start()
    assert reasons(platform) == ""
    store = platform.data / "platform.db"
    holder = sqlite3.connect(store, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    wait_until(lambda: "the store takes no write: " in (why := reasons(platform)) and "locked" in why)
    holder.execute("ROLLBACK")
    holder.close()
    wait_until(lambda: reasons(platform) == "")
    shutil.copy(store, platform.folder / "copy.db")
    os.replace(platform.folder / "copy.db", store)
    wait_until(lambda: "another file is in its place since it was opened" in reasons(platform))
    store.unlink()
    wait_until(lambda: "No such file or directory" in reasons(platform))


def test_damaged_store_is_said_once_and_is_no_crash_loop(platform: Platform) -> None:
    platform.settings["hang_seconds"] = 0
    platform.start()
    platform.caller().submit("ledger", platform.order(), "before")
    platform.ended("ledger", "before")
    pids = dict(platform.state()["processes"])
    with open(platform.data / "platform.db-wal", "r+b") as wal, open(platform.data / "platform.db", "r+b") as store:
        size = store.seek(0, os.SEEK_END)
        wal.truncate(0)
        store.seek(4096)
        store.write(os.urandom(size - 4096 if size > 4096 else 4096))
    wait_until(lambda: "malformed" in (why := reasons(platform)) or "damaged" in why or "disk I/O" in why, 30)
    answer = httpx.post(
        f"{platform.endpoint}/2023-03-30/functions/ledger/invocations", headers={"X-Fc-Invocation-Type": "Async"}
    )
    assert answer.status_code == 503 and answer.json()["Code"] == "ServiceUnavailable"
    assert platform.state()["processes"] == pids, "no process has died"
