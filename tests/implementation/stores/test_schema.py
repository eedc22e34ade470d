"""Stores that earlier versions have left: each kept one is brought up to date, and nothing in it is lost."""

import shutil
import sqlite3
from pathlib import Path

import pytest

from onceproof.implementation.components.retention import Retention
from onceproof.implementation.errors import StoreUnavailable
from onceproof.implementation.stores.schema import NAMES, STEPS, VERSION
from onceproof.implementation.stores.sqlite import SqliteDatabase
from tests.helpers.platforms import Platform

KEPT = Path(__file__).parent / "kept"
OLD = sorted(KEPT.glob("version*.sql"))
ECHO = "def handler(event, context): return event"
Tables = dict[str, list[tuple[object, ...]]]


def kept_store(dump: Path, path: Path) -> Path:
    """The store of a dump as a file."""
    with sqlite3.connect(path) as database:
        database.executescript(dump.read_text(encoding="utf-8"))
    database.close()
    return path


def described(path: Path) -> Tables:
    """Every table's columns, and every index."""
    with sqlite3.connect(path) as database:
        names = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        tables: Tables = {
            name: sorted(row[1:] for row in database.execute(f"PRAGMA table_info({name})")) for name in sorted(names)
        }
        indexes = database.execute("SELECT name, tbl_name FROM sqlite_master WHERE type = 'index'").fetchall()
    database.close()
    return tables | {"indexes": sorted(indexes)}


def test_a_store_of_every_earlier_version_is_kept() -> None:
    assert [path.stem for path in OLD] == [f"version{number}" for number in range(1, VERSION)]
    assert sorted(STEPS) == list(range(1, VERSION))


@pytest.mark.parametrize("dump", OLD, ids=lambda path: path.stem)
def test_store_of_an_earlier_version_becomes_one_of_this_version(dump: Path, tmp_path: Path) -> None:
    old = kept_store(dump, tmp_path / "old.db")
    with sqlite3.connect(old) as reader:
        before = {
            name: reader.execute(f"SELECT COUNT(*) FROM {name}").fetchone() for name in NAMES if name != "metrics"
        }
    reader.close()
    database = SqliteDatabase(str(old))
    database.claim()
    assert {name: database.row(f"SELECT COUNT(*) FROM {name}") for name in before} == before
    assert database.rows("SELECT outcome, COUNT(*) FROM tasks GROUP BY outcome ORDER BY 1") == [
        ("", 4),
        ("COMPLETED", 5),
        ("FAILED", 1),
        ("STOPPED", 1),
    ]
    assert not database.upgrade(), "a second time there is nothing to do"
    database.close()
    new = SqliteDatabase(str(tmp_path / "new.db"))
    new.close()
    assert described(old) == described(tmp_path / "new.db")


def test_store_of_a_later_version_is_refused(tmp_path: Path) -> None:
    database = SqliteDatabase(str(tmp_path / "x.db"))
    database.run("UPDATE schema_version SET version = ?", VERSION + 1)
    with pytest.raises(StoreUnavailable, match="made by a later version of onceproof"):
        database.claim()
    database.close()


def test_upgrade_that_fails_leaves_the_store_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = kept_store(OLD[-1], tmp_path / "old.db")
    before = described(old)
    steps = {**STEPS, VERSION - 1: (*STEPS[VERSION - 1], "UPDATE nowhere SET x = 1")}
    monkeypatch.setattr("onceproof.implementation.stores.database.STEPS", steps)
    database = SqliteDatabase(str(old))
    with pytest.raises(StoreUnavailable, match="nowhere"):
        database.claim()
    database.close()
    assert described(old) == before


def test_file_shrinks_when_old_tasks_are_removed(tmp_path: Path) -> None:
    path = kept_store(OLD[0], tmp_path / "old.db")
    database = SqliteDatabase(str(path))
    database.claim()
    with database.transaction():
        for number in range(2000):
            database.run("INSERT INTO configs VALUES ('u', ?, 'q', ?, 0, 0)", f"f{number}", "x" * 1000)
    database.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    full = path.stat().st_size
    with database.transaction():
        database.run("DELETE FROM configs")
        assert Retention(database).remove(1 << 62) == 7
    database.shrink()
    database.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    assert path.stat().st_size < full / 10
    database.close()


def test_platform_goes_on_with_the_store_of_the_version_before(tmp_path: Path) -> None:
    platform = Platform(tmp_path, {"schedulers": 1, "agents": 1, "retention_hours": 0, "lease_seconds": 1})
    for name in ("echo", "shop/echo", "failing", "slow"):
        platform.function(name, ECHO)
    platform.data.mkdir()
    kept_store(OLD[-1], platform.data / "platform.db")
    platform.start()
    try:
        alice = platform.caller(user="alice")
        assert alice.get("echo", "done1")["returnPayload"] == "x1"
        assert alice.get("failing", "failed")["alreadyRetriedTimes"] == 1
        assert alice.submit("echo", b"", "done1") == ("done1", False), "its TaskID is known still"
        assert {task["taskId"] for task in alice.listed("echo", status="Succeeded")["tasks"]} == {
            "done0",
            "done1",
            "done2",
        }
        for number in range(4):
            assert platform.ended("slow", f"open{number}", user="alice")["status"] in ("Succeeded", "Failed", "Expired")
    finally:
        platform.end()


def test_damaged_store_is_one_clear_line(tmp_path: Path) -> None:
    platform = Platform(tmp_path)
    platform.data.mkdir()
    platform.function("echo", ECHO)
    store = platform.data / "platform.db"
    store.write_bytes(b"this is no database at all, whatever its name says" * 100)
    assert "the file is damaged: put a copy in its place" in (line := platform.refusal()) and line.count("\n") == 1
    shutil.copy(KEPT / "version1.sql", store)
    assert "not a database" in platform.refusal()
