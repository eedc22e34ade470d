"""Listings: every filter finds what a plain look at all tasks finds, and none reads all tasks for it."""

import itertools
from pathlib import Path
from typing import Any

import pytest

from onceproof.implementation.components.census import Census
from onceproof.implementation.platform.http.records import Filter, Records
from onceproof.implementation.stores.database import Row
from onceproof.implementation.stores.sqlite import SqliteDatabase

TASK = """INSERT INTO tasks (task, owner, function, task_id, attempts, recorded_ns, request_id, qualifier, stop_asked)
    VALUES (?, ?, ?, ?, 1, ?, 'r', 'LATEST', ?)"""
RUN = "INSERT INTO runs (message, task, outcome, attempt, begun, started_ns, ended_ns) VALUES (?, ?, ?, ?, ?, 0, ?)"
PLACED = "INSERT INTO placements (message, agent, incarnation) VALUES (?, 'agent1', 1)"
# (outcome of the run, attempt, the one that was begun last, stop asked) and the status that it shows as.
KINDS = [
    (None, 1, 0, False, "Enqueued"),
    ("OPEN", 1, 0, False, "Dequeued"),
    ("OPEN", 1, 1, False, "Running"),
    ("OPEN", 2, 1, False, "Retrying"),
    ("OPEN", 2, 2, False, "Running"),
    (None, 1, 0, True, "Stopping"),
    ("STOPPED", 1, 1, True, "Stopping"),
    ("COMPLETED", 1, 1, False, "Succeeded"),
    ("FAILED", 1, 1, False, "Failed"),
    ("STOPPED", 1, 0, True, "Stopped"),
    ("EXPIRED", 1, 0, False, "Expired"),
]
STATUSES = [kind[-1] for kind in KINDS]


def fill(database: SqliteDatabase, tasks: int, owner: str = "ann", function: str = "f") -> None:
    with database.transaction():
        for number, kind in zip(range(tasks), itertools.cycle(KINDS)):
            outcome, attempt, begun, stopping, status = kind
            task = f"{owner}/{function}/{'ab'[number % 2]}{number}"
            task_id = task.rpartition("/")[2]
            database.run(TASK, task, owner, function, task_id, (number // 3) * 1_000_000, int(stopping))
            if outcome is not None:
                database.run(RUN, f"m-{task}", task, outcome, attempt, begun, None if status == "Stopping" else 0)
            if begun:
                database.run(PLACED, f"m-{task}")


@pytest.fixture
def database(tmp_path: Path) -> Any:
    made = SqliteDatabase(str(tmp_path / "x.db"), "OFF")
    fill(made, 99)
    fill(made, 20, "bob")
    fill(made, 20, "ann", "f/a")
    yield made
    made.close()


def pages(records: Records, **wanted: Any) -> list[str]:
    """The TaskIDs of all pages."""
    found, token = [], ""
    while True:
        page, token = records.listed(Filter("ann", "f", token=token, **wanted))
        found += [f"{record.task_id} {record.status}" for record in page]
        if not token:
            return found


def plainly(ascending: bool, status: str, prefix: str, begin: int, end: int) -> list[str]:
    """The same, by looking at every task."""
    found = []
    for number in range(99):
        task_id = f"{'ab'[number % 2]}{number}"
        time_ms = number // 3
        shown = STATUSES[number % len(KINDS)]
        if status in ("", shown) and task_id.startswith(prefix) and begin <= time_ms <= end:
            found.append((time_ms, task_id, shown))
    return [f"{task_id} {shown}" for _, task_id, shown in sorted(found, reverse=not ascending)]


@pytest.mark.parametrize("counted", [0, 7, 1000], ids=["census-before", "census-halfway", "census-after"])
@pytest.mark.parametrize("status", ["", *dict.fromkeys(STATUSES)])
def test_listing_finds_what_a_look_at_all_tasks_finds(database: SqliteDatabase, status: str, counted: int) -> None:
    if counted:
        Census(database).count(counted)
    records = Records(database)
    for prefix, ascending, (begin, end) in itertools.product(("", "a", "none"), (False, True), ((0, 99), (5, 20))):
        found = pages(records, limit=4, status=status, prefix=prefix, ascending=ascending, begin_ms=begin, end_ms=end)
        assert found == plainly(ascending, status, prefix, begin, end), (prefix, ascending, begin)


def test_listing_finds_the_same_where_many_have_the_prefix(
    database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = pages(Records(database), prefix="a", limit=4)
    monkeypatch.setattr("onceproof.implementation.platform.http.records.FEW", 2)
    assert pages(Records(database), prefix="a", limit=4) == few


@pytest.mark.parametrize(
    "wanted", [*({"status": status} for status in ["", *dict.fromkeys(STATUSES)]), {"prefix": "a"}]
)
def test_no_listing_reads_all_tasks(database: SqliteDatabase, wanted: dict[str, Any]) -> None:
    asked: list[tuple[str, tuple[Any, ...]]] = []
    rows = database.rows

    def noted(sql: str, *values: Any) -> list[Row]:
        asked.append((sql, values))
        return rows(sql, *values)

    database.rows = noted  # type: ignore[method-assign]
    Records(database).listed(Filter("ann", "f", **wanted))
    plans = [row[3] for sql, values in asked for row in rows(f"EXPLAIN QUERY PLAN {sql}", *values)]
    assert not [step for step in plans if step.startswith("SCAN") and "USING INDEX runs_" not in step], plans
