"""A connection to the SQLite file: statements, and transactions that nest, so that actions can share a commit."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from implementation.errors import NotEnabled, StoreUnavailable
from implementation.schema import RESET, TABLES

Row = tuple[Any, ...]


class Database:
    """One connection to one SQLite file, in WAL mode. Not to be shared between threads that run at the same time.

    path: the file; it is made if absent. synchronous: FULL (each commit is on disk when it returns), NORMAL or OFF.
    busy_seconds: how long to wait for another process's transaction before StoreUnavailable is raised.
    """

    def __init__(self, path: str, synchronous: str = "FULL", busy_seconds: float = 5.0) -> None:
        self.path = path
        self._depth = 0
        try:
            self._connection = sqlite3.connect(
                path, timeout=busy_seconds, isolation_level=None, check_same_thread=False, cached_statements=256
            )
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute(f"PRAGMA synchronous={synchronous}")
            for statement in TABLES:
                self._connection.execute(statement)
        except sqlite3.Error as error:
            raise StoreUnavailable(f"{path}: {error}") from None

    def run(self, sql: str, *parameters: Any) -> int:
        """Execute a statement that writes; the number of rows that it changed."""
        try:
            return self._connection.execute(sql, parameters).rowcount
        except sqlite3.IntegrityError as error:
            raise NotEnabled(f"the store refuses it: {error}") from None
        except sqlite3.OperationalError as error:
            raise StoreUnavailable(f"{self.path}: {error}") from None

    def rows(self, sql: str, *parameters: Any) -> list[Row]:
        """All rows of a query."""
        try:
            return self._connection.execute(sql, parameters).fetchall()
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
        outermost = self._depth == 0
        self.run("BEGIN IMMEDIATE" if outermost else f"SAVEPOINT level{self._depth}")
        self._depth += 1
        try:
            yield
        except BaseException:
            self._depth -= 1
            self._undo(outermost)
            raise
        self._depth -= 1
        if not outermost:
            self.run(f"RELEASE level{self._depth}")
            return
        try:
            self.run("COMMIT")
        except StoreUnavailable:
            self._undo(outermost)
            raise

    def reset(self) -> None:
        """Delete every row of every table."""
        with self.transaction():
            for statement in RESET:
                self.run(statement)

    def close(self) -> None:
        """Close the connection; an open transaction is rolled back."""
        self._connection.close()

    def _undo(self, outermost: bool) -> None:
        """Roll back; SQLite may have done so itself already (a full disk), which is no second error."""
        if not outermost:
            self.run(f"ROLLBACK TO level{self._depth}")
            self.run(f"RELEASE level{self._depth}")
        elif self._connection.in_transaction:
            self.run("ROLLBACK")
