"""The store in a SQLite file, in WAL mode."""

import fcntl
import os
import re
import sqlite3
from functools import lru_cache
from typing import Any

from onceproof.implementation.errors import NotEnabled, StoreUnavailable
from onceproof.implementation.stores.database import Database, Row

LOCKING = re.compile(r"\s+FOR (SHARE|UPDATE)( OF \w+)?( SKIP LOCKED)?$")


WAL_BYTES_KEPT = 64 << 20
INCREMENTAL = 2
PAGES_CUT = 2000


def in_words(error: Exception) -> str:
    """The error, with what would help where that is known."""
    if "malformed" in str(error) or "not a database" in str(error):
        return f"{error}; the file is damaged: put a copy in its place, or move it away to begin with an empty store"
    return str(error)


@lru_cache(maxsize=512)
def sqlite_text(sql: str) -> str:
    """The statement for SQLite, which locks the whole database and knows no row locks."""
    return LOCKING.sub("", sql)


class SqliteDatabase(Database):
    """One connection to one file.

    path: the file; it is made if absent. synchronous: FULL (each commit is on disk when it returns), NORMAL or OFF.
    busy_seconds: how long to wait for another process's transaction before StoreUnavailable is raised.
    turnstile: a file that writers lock in turn before they begin, so that the kernel wakes the next one at once;
    SQLite alone would have them look again after ever longer sleeps.

    FULL is done here and not by SQLite, which would hold the lock while the disk works: commits append to one log, so
    that whoever syncs it after its own commit has made durable all that it may have seen of others.
    """

    BEGIN = "BEGIN IMMEDIATE"

    def __init__(
        self, path: str, synchronous: str = "FULL", busy_seconds: float = 5.0, turnstile: str | None = None
    ) -> None:
        super().__init__(path)
        self._turnstile: int | None = None
        self._syncs = synchronous == "FULL"
        self._log: int | None = None
        try:
            self._connection = sqlite3.connect(
                path, timeout=busy_seconds, isolation_level=None, check_same_thread=False, cached_statements=256
            )
            self._connection.execute("PRAGMA auto_vacuum=INCREMENTAL")  # of a file that is made now
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute(f"PRAGMA synchronous={'NORMAL' if self._syncs else synchronous}")
            self._connection.execute(f"PRAGMA journal_size_limit={WAL_BYTES_KEPT}")
            if turnstile is not None:
                self._turnstile = os.open(turnstile, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except (sqlite3.Error, OSError) as error:
            raise StoreUnavailable(f"{path}: {in_words(error)}") from None
        if not self.has_table("tasks"):
            self.make_tables()
        self._inode = os.stat(path).st_ino

    def run(self, sql: str, *parameters: Any) -> int:
        try:
            changed = self._connection.execute(sqlite_text(sql), parameters).rowcount
        except sqlite3.IntegrityError as error:
            raise NotEnabled(f"the store refuses it: {error}") from None
        except sqlite3.DatabaseError as error:
            raise StoreUnavailable(f"{self.path}: {in_words(error)}") from None
        if self._depth == 0 and not self._connection.in_transaction:
            self.make_durable()
        return changed

    def rows(self, sql: str, *parameters: Any) -> list[Row]:
        try:
            return self._connection.execute(sqlite_text(sql), parameters).fetchall()
        except sqlite3.DatabaseError as error:
            raise StoreUnavailable(f"{self.path}: {in_words(error)}") from None

    def claim(self) -> None:
        """The lock on the data folder holds the file."""
        self.upgrade()
        if self.row("PRAGMA auto_vacuum") != (INCREMENTAL,):
            self.run("PRAGMA auto_vacuum=INCREMENTAL")
            self.run("VACUUM")  # a file of old cannot shrink before it is written anew

    def hold(self) -> None:
        """The lock on the data folder does."""

    def has_table(self, name: str) -> bool:
        return self.row("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", name) is not None

    def check_place(self) -> None:
        try:
            found = os.stat(self.path).st_ino
        except OSError as error:
            raise StoreUnavailable(f"{self.path}: {error.strerror}") from None
        if found != self._inode:
            raise StoreUnavailable(f"{self.path}: another file is in its place since it was opened")

    def shrink(self) -> None:
        """Cut free pages off the file, a few at a time, so that nobody waits long."""
        self.take_turn()
        try:
            self._connection.executescript(f"PRAGMA incremental_vacuum({PAGES_CUT})")  # execute() would cut one page
        except sqlite3.DatabaseError as error:
            raise StoreUnavailable(f"{self.path}: {in_words(error)}") from None
        finally:
            self.end_turn()

    def take_turn(self) -> None:
        if self._turnstile is None:
            return
        try:
            fcntl.flock(self._turnstile, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.on_wait(True)
            fcntl.flock(self._turnstile, fcntl.LOCK_EX)
            self.on_wait(False)

    def end_turn(self) -> None:
        if self._turnstile is not None:
            fcntl.flock(self._turnstile, fcntl.LOCK_UN)

    def make_durable(self) -> None:
        if not self._syncs:
            return
        try:
            if self._log is None:
                self._log = os.open(f"{self.path}-wal", os.O_RDONLY | os.O_CLOEXEC)
            os.fdatasync(self._log)
        except FileNotFoundError:
            return  # nothing was committed since the log was last copied into the file
        except OSError as error:
            raise StoreUnavailable(f"{self.path}: {error}") from None

    def is_in_transaction(self) -> bool:
        return self._connection.in_transaction

    def close(self) -> None:
        self._connection.close()
        if self._log is not None:
            os.close(self._log)
        if self._turnstile is not None:
            os.close(self._turnstile)


def open_database(url: str, folder: str, wait_seconds: float) -> Database:
    """The file in a platform's data folder, whose lock the platform holds already."""
    path = os.path.join(folder, "platform.db")
    return SqliteDatabase(path, "FULL", wait_seconds, turnstile=os.path.join(folder, "turnstile.lock"))
