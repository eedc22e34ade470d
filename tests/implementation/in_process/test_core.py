"""The core as a whole: reset, transactions that share a commit, probes, settings."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from onceproof.implementation.components.retention import Retention
from onceproof.implementation.components.task_store import TaskStore
from onceproof.implementation.errors import NotEnabled, StoreUnavailable
from onceproof.implementation.probe import Probe
from onceproof.implementation.settings import Mechanisms
from onceproof.implementation.stores.schema import NAMES
from onceproof.implementation.stores.sqlite import SqliteDatabase
from tests.helpers.core_steps import heard, held
from tests.helpers.fixture_types import MakeCore


def contents(core: Any) -> dict[str, list[Any]]:
    return {name: core.database.rows(f"SELECT * FROM {name}") for name in NAMES}


def test_core_reset_returns_to_the_initial_state(make_core: MakeCore) -> None:
    core = make_core()
    initial = contents(core)
    heard(core)
    core.step("lapse", message="message1")
    core.reset()
    assert contents(core) == initial
    assert (core.network.requests, core.network.posts) == ({}, {})
    assert all(not scheduler.works and scheduler.mode == "UP" for scheduler in core.schedulers.values())
    assert core.client.calls == {} and core.ledger.starts == {}
    heard(core)


def test_an_unknown_mechanism_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="no mechanism is called 'receipt_fence'"):
        Mechanisms.switched({"receipt_fence": False})


def test_failed_part_of_a_shared_commit_is_undone_and_the_rest_committed(tmp_path: Path) -> None:
    path = str(tmp_path / "x.db")
    database, reader = SqliteDatabase(path), SqliteDatabase(path)
    with database.transaction():
        database.run("INSERT INTO owners VALUES ('a', 's', 1)")
        with pytest.raises(NotEnabled), database.transaction():
            database.run("INSERT INTO owners VALUES ('b', 's', 1)")
            raise NotEnabled("changed my mind")
        assert reader.rows("SELECT owner FROM owners") == []
    assert reader.rows("SELECT owner FROM owners") == [("a",)]


def test_locked_database_is_reported_as_locked(tmp_path: Path) -> None:
    path = str(tmp_path / "x.db")
    one, other = SqliteDatabase(path), SqliteDatabase(path, busy_seconds=0.01)
    with one.transaction():
        with pytest.raises(StoreUnavailable, match="locked"), other.transaction():
            pass
        assert other.rows("SELECT 1") == [(1,)]
    with other.transaction():
        other.run("INSERT INTO owners VALUES ('a', 's', 1)")


def test_database_path_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="no-such-folder"):
        SqliteDatabase(str(tmp_path / "no-such-folder" / "x.db"))


def test_every_commit_is_durable_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    monkeypatch.setattr("os.fdatasync", lambda descriptor: synced.append(os.readlink(f"/proc/self/fd/{descriptor}")))
    database = SqliteDatabase(str(tmp_path / "x.db"))
    assert database.rows("PRAGMA journal_mode") == [("wal",)]
    synced.clear()
    store = TaskStore(database)
    store.put_user("one")
    assert synced == [f"{database.path}-wal"]
    with database.transaction():
        store.put_user("two")
        store.put_user("three")
        assert len(synced) == 1
    assert len(synced) == 2
    with database.transaction(durable=False):
        store.put_user("four")
    assert len(synced) == 2
    database.make_durable()
    assert len(synced) == 3
    database.close()


def test_disk_that_does_not_write_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = SqliteDatabase(str(tmp_path / "x.db"))

    def broken(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("os.fdatasync", broken)
    with pytest.raises(StoreUnavailable, match="Input/output error"):
        TaskStore(database).put_user("one")
    database.close()


def test_gate_sees_every_action_before_it_happens(make_core: MakeCore) -> None:
    seen: list[tuple[str, dict[str, Any]]] = []
    core = make_core(Probe("test", gate=lambda action, arguments: seen.append((action, arguments))))
    heard(core)
    assert [action for action, _ in seen] == [
        "submit",
        "admit",
        "hear_answer",
        "relay",
        "mark_relayed",
        "assign",
        "receive",
        "place",
        "dispatch",
        "start",
        "finish",
        "hear",
    ]
    assert dict(seen)["start"] == {
        "agent": "agent1",
        "scheduler": "scheduler1",
        "message": "message1",
        "attempt": "attempt1",
    }


def test_probe_log_has_a_line_for_each_action(make_core: MakeCore, tmp_path: Path) -> None:
    log = tmp_path / "core.ndjson"
    probe = Probe("core", log)
    core = make_core(probe)
    held(core)
    with pytest.raises(NotEnabled):
        core.step("receive", scheduler="scheduler1", message="message1")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["action"] for line in lines] == [
        "submit",
        "admit",
        "hear_answer",
        "relay",
        "mark_relayed",
        "assign",
        "receive",
    ]
    assert [line["sequence"] for line in lines] == [1, 2, 3, 4, 5, 6, 7]
    assert lines[-1]["arguments"] == {"scheduler": "scheduler1", "message": "message1"}
    assert all(line["process"] == "core" and line["begin"] <= line["time"] for line in lines)
    probe.close()


def test_probe_log_drops_the_lines_of_a_rolled_back_transaction(make_core: MakeCore, tmp_path: Path) -> None:
    log = tmp_path / "core.ndjson"
    probe = Probe("core", log)
    core = make_core(probe)
    for committed in (False, True):
        probe.hold()
        core.step("assign", scheduler="scheduler1", user=f"user{committed:d}")
        assert log.read_text() == ""
        probe.release(committed)
    assert [json.loads(line)["arguments"]["user"] for line in log.read_text().splitlines()] == ["user1"]
    probe.close()


def test_task_past_its_retention_is_removed_with_its_task_id(make_core: MakeCore) -> None:
    core = make_core()
    initial = contents(core)
    heard(core)
    core.step("record", scheduler="scheduler1", message="message1")
    assert Retention(core.database).remove(core.clock.now_ns() + 1) == 0, "its message is not deleted yet"
    core.step("delete", scheduler="scheduler1", message="message1")
    assert Retention(core.database).remove(core.clock.now_ns()) == 0, "not old enough"
    assert Retention(core.database).remove(core.clock.now_ns() + 1) == 1
    kept = {"owners": [("user1", "scheduler1", 1)]}
    assert contents(core) == initial | kept
