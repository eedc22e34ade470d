"""What functions wrote: the end of each attempt's output, by task, in a file of its own beside the store.

A log is a courtesy: it is not part of what is promised. Where the file cannot be written there is none, and the task
goes its way. After a power failure the last ones may be missing.
"""

import contextlib
import os
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path

FILE = "logs.db"
WAIT_SECONDS = 0.5
BATCH = 1000
TABLE = """CREATE TABLE IF NOT EXISTS logs (task TEXT NOT NULL, attempt INTEGER NOT NULL, written_ns INTEGER NOT NULL,
    dropped INTEGER NOT NULL, output BLOB NOT NULL, PRIMARY KEY (task, attempt))"""
INDEX = "CREATE INDEX IF NOT EXISTS logs_written ON logs (written_ns)"
PUT = "INSERT OR REPLACE INTO logs (task, attempt, written_ns, dropped, output) VALUES (?, ?, ?, ?, ?)"
OF_TASK = "SELECT attempt, output, dropped FROM logs WHERE task = ? ORDER BY attempt"
REMOVE = "DELETE FROM logs WHERE rowid IN (SELECT rowid FROM logs WHERE written_ns < ? ORDER BY written_ns LIMIT ?)"


@dataclass(frozen=True, slots=True)
class AttemptLog:
    """The end of what one attempt wrote, and how many bytes before it were dropped."""

    attempt: int
    output: bytes
    dropped: int = 0


class TaskLogs:
    """The file of logs in a data folder. Each process has one of its own; all may write."""

    def __init__(self, folder: str) -> None:
        self.path = Path(folder) / FILE
        self._connection: sqlite3.Connection | None = None

    def put(self, task: str, log: AttemptLog) -> bool:
        """Keep the log of an attempt; False where it cannot be kept."""
        try:
            self._opened().execute(PUT, (task, log.attempt, time.time_ns(), log.dropped, log.output))
        except (sqlite3.Error, OSError):
            return False
        return True

    def of(self, task: str) -> list[AttemptLog]:
        """The logs of a task's attempts that wrote something, the first attempt first."""
        try:
            return [AttemptLog(row[0], bytes(row[1]), row[2]) for row in self._opened().execute(OF_TASK, (task,))]
        except (sqlite3.Error, OSError):
            return []

    def remove(self, before_ns: int, limit: int = BATCH) -> int:
        """Remove logs that were written before this time, at most so many; how many they were."""
        try:
            removed = self._opened().execute(REMOVE, (before_ns, limit)).rowcount
            if removed:
                self._opened().executescript("PRAGMA incremental_vacuum(2000)")
        except (sqlite3.Error, OSError):
            return 0
        return removed

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _opened(self) -> sqlite3.Connection:
        """The connection; made anew where the file was damaged, moved or removed."""
        if self._connection is None:
            connection = sqlite3.connect(self.path, timeout=WAIT_SECONDS, isolation_level=None, check_same_thread=False)
            try:
                connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("PRAGMA synchronous=NORMAL")
                connection.execute(TABLE)
                connection.execute(INDEX)
            except sqlite3.DatabaseError as error:
                connection.close()
                if "malformed" in str(error) or "not a database" in str(error):
                    for end in ("", "-wal", "-shm"):
                        with contextlib.suppress(OSError):
                            os.unlink(f"{self.path}{end}")
                raise
            self._connection = connection
        return self._connection


def tail_of(logs: list[AttemptLog], request_id: str, size: int) -> bytes:
    """The end of the last attempt's log, between two lines as the public API has them."""
    output = logs[-1].output[-size:] if logs else b""
    end = b"" if not output or output.endswith(b"\n") else b"\n"
    first, last = (f"FC Invoke {word} RequestId: {request_id}\n".encode() for word in ("Start", "End"))
    return first + output + end + last
