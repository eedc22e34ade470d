"""The census: every ended task is counted once, in numbers that outlive processes and the removal of old tasks.

It also notes the outcome in the task's own row, where an index serves listings with a filter.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from onceproof.implementation.settings import SECOND_NS
from onceproof.implementation.stores.database import Database

BATCH = 500
CHUNK = 100
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)
ENDED, WAIT, RUN = "tasks_ended", "wait_seconds", "run_seconds"
RETRIES, LAPSES = "retries", "leases_lapsed"
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Ended:
    """One ended task: when it was recorded, started and ended (ns), its attempts, how often it was received."""

    message: str
    task: str
    outcome: str
    attempts: int
    recorded_ns: int
    started_ns: int | None
    ended_ns: int
    received: int


def histogram(name: str, seconds: float) -> dict[Key, float]:
    """What one observation adds to a histogram: its bucket, the sum and the count."""
    bucket = next((str(limit) for limit in BUCKETS if seconds <= limit), "+Inf")
    return {(name, f"le={bucket}"): 1, (name, "sum"): seconds, (name, "count"): 1}


def counted(ended: Iterable[Ended]) -> dict[Key, float]:
    """What these tasks add to the numbers."""
    numbers: Counter[Key] = Counter()
    for one in ended:
        numbers[ENDED, one.outcome] += 1
        numbers[RETRIES, ""] += one.attempts - 1
        numbers[LAPSES, ""] += max(0, one.received - 1)
        if one.started_ns is not None:
            for name, ns in ((WAIT, one.started_ns - one.recorded_ns), (RUN, one.ended_ns - one.started_ns)):
                for key, amount in histogram(name, max(0, ns) / SECOND_NS).items():
                    numbers[key] += amount  # type: ignore[assignment]  # seconds are no whole number
    return dict(numbers)


class Census:
    """Counts what has ended since it last looked, a batch to a transaction."""

    UNCOUNTED = """SELECT runs.message, runs.task, runs.outcome, runs.attempt, tasks.recorded_ns, runs.started_ns,
        runs.ended_ns, COALESCE(messages.received, 1) FROM runs JOIN tasks ON tasks.task = runs.task
        LEFT JOIN messages ON messages.message = runs.message
        WHERE runs.counted = 0 AND runs.outcome <> 'OPEN' AND runs.ended_ns IS NOT NULL LIMIT ?"""
    MARK = "UPDATE runs SET counted = 1 WHERE message IN ({})"
    NOTE = "UPDATE tasks SET outcome = ? WHERE task IN ({})"
    ADD = """INSERT INTO metrics (name, labels, value) VALUES (?, ?, ?)
        ON CONFLICT (name, labels) DO UPDATE SET value = metrics.value + excluded.value"""
    NUMBERS = "SELECT name, labels, value FROM metrics"

    def __init__(self, database: Database) -> None:
        self.database = database

    def count(self, limit: int = BATCH) -> int:
        """Count at most so many ended tasks; how many they were."""
        ended = [Ended(*row) for row in self.database.rows(self.UNCOUNTED, limit)]
        if not ended:
            return 0
        by_outcome: dict[str, list[str]] = {}
        for one in ended:
            by_outcome.setdefault(one.outcome, []).append(one.task)
        with self.database.transaction():
            self._in_chunks(self.MARK, [one.message for one in ended])
            for outcome, tasks in by_outcome.items():
                self._in_chunks(self.NOTE, tasks, outcome)
            self.add(counted(ended))
        return len(ended)

    def add(self, numbers: dict[Key, float]) -> None:
        """Add to the numbers."""
        with self.database.transaction():
            for (name, labels), amount in numbers.items():
                if amount:
                    self.database.run(self.ADD, name, labels, float(amount))

    def numbers(self) -> dict[Key, float]:
        """All numbers: (name, labels) to the value."""
        return {(name, labels): value for name, labels, value in self.database.rows(self.NUMBERS)}

    def _in_chunks(self, sql: str, keys: list[str], *first: str) -> None:
        for start in range(0, len(keys), CHUNK):
            chunk = keys[start : start + CHUNK]
            self.database.run(sql.format(", ".join("?" * len(chunk))), *first, *chunk)
