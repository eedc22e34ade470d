"""A connection to a PostgreSQL database, with the same face as the one to SQLite.

The statements are the same. What differs is written down here: placeholders, the name of the type for bytes, and that
PostgreSQL locks rows where SQLite locks the file, so that `FOR UPDATE` and `FOR SHARE` in them mean something.
"""

from functools import lru_cache
from typing import Any

import psycopg

from onceproof.implementation.errors import NotEnabled, StoreUnavailable
from onceproof.implementation.stores.schema import TABLES
from onceproof.implementation.stores.sqlite import Database, Row

# A process that was stopped in the middle of a transaction must not hold its row locks for ever.
IDLE_IN_TRANSACTION = "SET idle_in_transaction_session_timeout = '10s'"
SERVE_LOCK = 0x6F6E6365  # "once": whoever serves a database holds this advisory lock


@lru_cache(maxsize=512)
def postgres_text(sql: str) -> str:
    """The statement for PostgreSQL."""
    return sql.replace("%", "%%").replace("?", "%s").replace(" BLOB", " BYTEA")


class PostgresDatabase(Database):
    """One connection, made anew after it broke. url: postgresql://... ; busy_seconds: how long to wait for a lock."""

    BEGIN = "BEGIN"

    def __init__(self, url: str, busy_seconds: float = 5.0) -> None:
        self.path = url.rpartition("@")[2]
        self.url = url
        self.busy_seconds = busy_seconds
        self._depth = 0
        self._turnstile = None
        self._postgres: psycopg.Connection[Row] | None = None

    def make_tables(self) -> None:
        """Make what is not there; by one process alone, before the others start."""
        with self.transaction():
            for statement in TABLES:
                self.run(statement)

    def take_serve_lock(self) -> bool:
        """Hold this database for one platform, for as long as the connection lives; False if another has it."""
        row = self.row("SELECT pg_try_advisory_lock(?)", SERVE_LOCK)
        return row is not None and bool(row[0])

    def run(self, sql: str, *parameters: Any) -> int:
        """Execute a statement that writes; the number of rows that it changed."""
        return self._execute(sql, parameters).rowcount

    def rows(self, sql: str, *parameters: Any) -> list[Row]:
        """All rows of a query; outside of transactions it is asked again once if the connection turns out broken."""
        try:
            return self._execute(sql, parameters).fetchall()
        except StoreUnavailable:
            if self._depth > 0 or self._postgres is None or not self._postgres.closed:
                raise
            return self._execute(sql, parameters).fetchall()

    def close(self) -> None:
        """Close the connection; an open transaction is rolled back."""
        if self._postgres is not None:
            self._postgres.close()

    def _execute(self, sql: str, parameters: tuple[Any, ...]) -> psycopg.Cursor[Row]:
        try:
            return self._connected().execute(postgres_text(sql), parameters or None)
        except psycopg.errors.IntegrityError as error:
            raise NotEnabled(f"the store refuses it: {_line(error)}") from None
        except psycopg.Error as error:
            raise StoreUnavailable(f"{self.path}: {_line(error)}") from None

    def _connected(self) -> "psycopg.Connection[Row]":
        if self._postgres is None or (self._postgres.closed and self._depth == 0):
            self._postgres = psycopg.connect(self.url, autocommit=True, connect_timeout=5)
            self._postgres.execute(IDLE_IN_TRANSACTION)
            self._postgres.execute(f"SET lock_timeout = '{int(self.busy_seconds * 1000)}ms'")
        return self._postgres

    def _undo(self) -> None:
        """Roll this level back, if there is still a connection on which it is open."""
        if self._postgres is None or self._postgres.closed:
            return
        if self._postgres.info.transaction_status == psycopg.pq.TransactionStatus.IDLE:
            return
        if self._depth > 1:
            self.run(f"ROLLBACK TO level{self._depth - 1}")
            self.run(f"RELEASE level{self._depth - 1}")
        else:
            self.run("ROLLBACK")


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
