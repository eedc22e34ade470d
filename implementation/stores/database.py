"""A connection to a database: statements, and transactions that nest, so that actions can share a commit."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from onceproof.implementation.errors import StoreUnavailable
from onceproof.implementation.stores.schema import RESET, STEPS, TABLES, VERSION

Row = tuple[Any, ...]


class Database(ABC):
    """One connection. Not to be shared between threads that run at the same time.

    The SQL is the common part of all databases; an implementation translates the rest. Every method may raise
    StoreUnavailable, and NotEnabled where a constraint forbids what a statement would do.
    """

    BEGIN = "BEGIN"

    def __init__(self, path: str) -> None:
        self.path = path
        self.on_wait: Callable[[bool], None] = lambda _: None  # told when this connection begins and ends to wait
        self._depth = 0

    @abstractmethod
    def run(self, sql: str, *parameters: Any) -> int:
        """Execute a statement that writes; the number of rows that it changed."""

    @abstractmethod
    def rows(self, sql: str, *parameters: Any) -> list[Row]:
        """All rows of a query."""

    @abstractmethod
    def close(self) -> None:
        """Close the connection; an open transaction is rolled back."""

    @abstractmethod
    def is_in_transaction(self) -> bool:
        """Whether a transaction is open on the connection; one that broke has none."""

    @abstractmethod
    def claim(self) -> None:
        """Hold the database for one platform, for as long as the connection lives, and bring its tables up to date.

        StoreUnavailable if another platform has it, or its tables are of a version that is not known here.
        """

    @abstractmethod
    def hold(self) -> None:
        """See to it that the database is still held; TakenOver if another platform holds it now."""

    @abstractmethod
    def has_table(self, name: str) -> bool:
        """Whether there is such a table."""

    @abstractmethod
    def check_place(self) -> None:
        """StoreUnavailable if the database is no longer where it was opened (its file was moved or removed)."""

    @abstractmethod
    def shrink(self) -> None:
        """Give space that removed rows have left back to the file system, where the database does not by itself."""

    @abstractmethod
    def take_turn(self) -> None:
        """Before an outermost transaction: wait until this connection may write, where it has to."""

    @abstractmethod
    def end_turn(self) -> None:
        """After it."""

    @abstractmethod
    def make_durable(self) -> None:
        """Wait until all commits that this connection has seen are on disk, where a commit does not wait by itself.

        StoreUnavailable if they cannot be written; what was committed last may be lost then, or not.
        """

    def row(self, sql: str, *parameters: Any) -> Row | None:
        """The first row of a query, or None."""
        found = self.rows(sql, *parameters)
        return found[0] if found else None

    @contextmanager
    def transaction(self, durable: bool = True) -> Iterator[None]:
        """All statements inside take effect together or not at all.

        Inside another transaction it is a savepoint: an exception undoes the inner part alone, and the outermost
        commit makes all of it durable at once (a group commit). durable off: it may be so only after make_durable.
        """
        if self._depth > 0:
            with self._level(f"SAVEPOINT level{self._depth}", f"RELEASE level{self._depth}"):
                yield
            return
        self.take_turn()
        try:
            with self._level(self.BEGIN, "COMMIT"):
                yield
        finally:
            self.end_turn()
        if durable:
            self.make_durable()

    def make_tables(self) -> None:
        """Make all tables in an empty database."""
        with self.transaction():
            for statement in TABLES:
                self.run(statement)
            if self.row("SELECT version FROM schema_version") is None:
                self.run("INSERT INTO schema_version (version) VALUES (?)", VERSION)

    def upgrade(self) -> bool:
        """Make the tables, or turn those of an older version into the present ones; whether there was something to do.

        All in one transaction. StoreUnavailable for tables of a later version.
        """
        if not self.has_table("tasks"):
            self.make_tables()
            return True
        row = self.row("SELECT version FROM schema_version") if self.has_table("schema_version") else None
        found = 1 if row is None else int(row[0])
        if found > VERSION:
            raise StoreUnavailable(
                f"{self.path}: made by a later version of onceproof (its tables are of version {found}, "
                f"this one knows {VERSION})"
            )
        with self.transaction():
            for version in range(found, VERSION):
                for statement in STEPS[version]:
                    self.run(statement)
                self.run("UPDATE schema_version SET version = ?", version + 1)
        return found < VERSION

    def reset(self) -> None:
        """Delete every row of every table."""
        with self.transaction():
            for statement in RESET:
                self.run(statement)

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

    def _undo(self) -> None:
        """Roll this level back; the database may have ended all of it itself (a full disk): no second error."""
        if not self.is_in_transaction():
            return
        if self._depth > 1:
            self.run(f"ROLLBACK TO level{self._depth - 1}")
            self.run(f"RELEASE level{self._depth - 1}")
        else:
            self.run("ROLLBACK")
