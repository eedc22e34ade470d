"""The store in a PostgreSQL database.

The statements are the same. What differs is written down here: placeholders, the name of the type for bytes, that texts
are compared byte by byte (which makes a prefix a range of an index, as in SQLite), and that PostgreSQL locks rows where
SQLite locks the file, so that `FOR UPDATE` and `FOR SHARE` in them mean something.
"""

from functools import lru_cache
from typing import Any

import psycopg

from onceproof.implementation.errors import NotEnabled, StoreUnavailable, TakenOver
from onceproof.implementation.stores.database import Database, Row
from onceproof.implementation.stores.schema import NAMES

# A process that was stopped in the middle of a transaction must not hold its row locks for ever.
IDLE_IN_TRANSACTION = "SET idle_in_transaction_session_timeout = '10s'"
# Columns of ours whose texts are not compared byte by byte: those of a store of version 1.
OTHER_ORDER = """SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema()
    AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C' AND table_name IN
    (SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace)
    AND table_name IN ({names}) ORDER BY table_name, column_name""".format(
    names=", ".join(f"'{name}'" for name in NAMES)
)
HELD = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND objid = ? AND granted"
SERVE_LOCK = 0x6F6E6365  # "once": whoever serves a database holds this advisory lock


@lru_cache(maxsize=512)
def postgres_text(sql: str) -> str:
    """The statement for PostgreSQL."""
    text = sql.replace("%", "%%").replace("?", "%s").replace(" BLOB", " BYTEA")
    if text.startswith(("CREATE TABLE", "ALTER TABLE")):
        text = text.replace(" TEXT", ' TEXT COLLATE "C"')
    return text


class PostgresDatabase(Database):
    """One connection, made anew after it broke. url: postgresql://... ; busy_seconds: how long to wait for a lock."""

    def __init__(self, url: str, busy_seconds: float = 5.0) -> None:
        super().__init__(url.rpartition("@")[2])
        self.url = url
        self.busy_seconds = busy_seconds
        self._postgres: psycopg.Connection[Row] | None = None

    def claim(self) -> None:
        """Take the advisory lock, then bring the tables up to date: one process does, before others start."""
        row = self.row("SELECT pg_try_advisory_lock(?)", SERVE_LOCK)
        if row is None or not row[0]:
            raise StoreUnavailable(f"{self.path}: another platform serves this database")
        with self.transaction():
            if self.upgrade():
                for table, column in self.rows(OTHER_ORDER):
                    self.run(f"ALTER TABLE {table} ALTER COLUMN {column} TYPE TEXT")  # see postgres_text

    def hold(self) -> None:
        """The lock ends with the connection, and with the server: take it again, on the server that there is now."""
        if self.row(HELD, SERVE_LOCK) is not None:
            return
        row = self.row("SELECT pg_try_advisory_lock(?)", SERVE_LOCK)
        if row is None or not row[0]:
            raise TakenOver(f"{self.path}: another platform serves this database now")

    def has_table(self, name: str) -> bool:
        return self.row("SELECT 1 WHERE to_regclass(?) IS NOT NULL", name) is not None

    def check_place(self) -> None:
        """A server is asked, or does not answer: there is no place to look at."""

    def shrink(self) -> None:
        """PostgreSQL's own vacuum does that."""

    def run(self, sql: str, *parameters: Any) -> int:
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
        if self._postgres is not None:
            self._postgres.close()

    def _execute(self, sql: str, parameters: tuple[Any, ...]) -> psycopg.Cursor[Row]:
        self.on_wait(True)
        try:
            return self._connected().execute(postgres_text(sql), parameters or None)
        except psycopg.errors.IntegrityError as error:
            raise NotEnabled(f"the store refuses it: {_line(error)}") from None
        except psycopg.Error as error:
            raise StoreUnavailable(f"{self.path}: {_line(error)}") from None
        finally:
            self.on_wait(False)

    def _connected(self) -> "psycopg.Connection[Row]":
        if self._postgres is None or (self._postgres.closed and self._depth == 0):
            self._postgres = psycopg.connect(self.url, autocommit=True, connect_timeout=5)
            self._postgres.execute(IDLE_IN_TRANSACTION)
            self._postgres.execute(f"SET lock_timeout = '{int(self.busy_seconds * 1000)}ms'")
        return self._postgres

    def take_turn(self) -> None:
        """Rows are locked, not the database: nobody waits before that."""

    def end_turn(self) -> None:
        """Nobody waits."""

    def make_durable(self) -> None:
        """A commit waits by itself."""

    def is_in_transaction(self) -> bool:
        if self._postgres is None or self._postgres.closed:
            return False
        return self._postgres.info.transaction_status != psycopg.pq.TransactionStatus.IDLE


def open_database(url: str, folder: str, wait_seconds: float) -> Database:
    """A connection to the database of a URL."""
    return PostgresDatabase(url, wait_seconds)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
