"""A connection to the SQLite file: statements, and transactions that nest, so that actions can share a commit."""

import fcntl
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from onceproof.implementation.errors import NotEnabled, StoreUnavailable
from onceproof.implementation.stores.schema import RESET, TABLES

Row = tuple[Any, ...]
LOCKING = re.compile(r"\s+FOR (SHARE|UPDATE)( OF \w+)?( SKIP LOCKED)?$")


@lru_cache(maxsize=512)
def sqlite_text(sql: str) -> str:
    """The statement for SQLite, which locks the whole database and knows no row locks."""
    return LOCKING.sub("", sql)


class Database:
    """One connection to one SQLite file, in WAL mode. Not to be shared between threads that run at the same time.

    path: the file; it is made if absent. synchronous: FULL (each commit is on disk when it returns), NORMAL or OFF.
    busy_seconds: how long to wait for another process's transaction before StoreUnavailable is raised.
    turnstile: a file that writers lock in turn before they begin, so that the kernel wakes the next one at once;
    SQLite alone would have them look again after ever longer sleeps.
    """

    BEGIN = "BEGIN IMMEDIATE"

    def __init__(
        self, path: str, synchronous: str = "FULL", busy_seconds: float = 5.0, turnstile: str | None = None
    ) -> None:
        self.path = path
        self._depth = 0
        self._turnstile: int | None = None
        try:
            self._connection = sqlite3.connect(
                path, timeout=busy_seconds, isolation_level=None, check_same_thread=False, cached_statements=256
            )
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute(f"PRAGMA synchronous={synchronous}")
            for statement in TABLES:
                self._connection.execute(statement)
            if turnstile is not None:
                self._turnstile = os.open(turnstile, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except (sqlite3.Error, OSError) as error:
            raise StoreUnavailable(f"{path}: {error}") from None

    def run(self, sql: str, *parameters: Any) -> int:
        """Execute a statement that writes; the number of rows that it changed."""
        try:
            return self._connection.execute(sqlite_text(sql), parameters).rowcount
        except sqlite3.IntegrityError as error:
            raise NotEnabled(f"the store refuses it: {error}") from None
        except sqlite3.OperationalError as error:
            raise StoreUnavailable(f"{self.path}: {error}") from None

    def rows(self, sql: str, *parameters: Any) -> list[Row]:
        """All rows of a query."""
        try:
            return self._connection.execute(sqlite_text(sql), parameters).fetchall()
        except sqlite3.OperationalError as error:
            raise StoreUnavailable(f"{self.path}: {error}") from None

    def row(self, sql: str, *parameters: Any) -> Row | None:
        """The first row of a query, or None."""
        found = self.rows(sql, *parameters)
        return found[0] if found else None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All statements inside take effect together or not at all.

        Inside another transaction it is a savepoint: an exception undoes the inner part alone, and the outermost
        commit makes all of it durable at once (a group commit).
        """
        if self._depth > 0:
            with self._level(f"SAVEPOINT level{self._depth}", f"RELEASE level{self._depth}"):
                yield
            return
        if self._turnstile is not None:
            fcntl.flock(self._turnstile, fcntl.LOCK_EX)
        try:
            with self._level(self.BEGIN, "COMMIT"):
                yield
        finally:
            if self._turnstile is not None:
                fcntl.flock(self._turnstile, fcntl.LOCK_UN)

    @contextmanager
    def _level(self, begin: str, end: str) -> Iterator[None]:
        self.run(begin)
        self._depth += 1
        try:
            yield
            self.run(end)
        except BaseException:
            self._undo()
            raise
        finally:
            self._depth -= 1

    def reset(self) -> None:
        """Delete every row of every table."""
        with self.transaction():
            for statement in RESET:
                self.run(statement)

    def close(self) -> None:
        """Close the connection; an open transaction is rolled back."""
        self._connection.close()
        if self._turnstile is not None:
            os.close(self._turnstile)

    def _undo(self) -> None:
        """Roll this level back; SQLite may have ended all of it itself already (a full disk): no second error."""
        if not self._connection.in_transaction:
            return
        if self._depth > 1:
            self.run(f"ROLLBACK TO level{self._depth - 1}")
            self.run(f"RELEASE level{self._depth - 1}")
        else:
            self.run("ROLLBACK")
