"""The queue in a table of the store: messages with receipts and invisibility times, and the owners of users' queues.

A message is visible when `visible_at_ns` is not in the future. A receipt is good until `leased_until_ns`, unless the
message was received again or deleted. Nothing marks a lapse: the clock passes `visible_at_ns`, that is all.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from itertools import count

from onceproof.implementation.clock import Clock
from onceproof.implementation.components.queue import END_OF_TIME_NS, Offer, Queue, Received
from onceproof.implementation.errors import NotEnabled, require
from onceproof.implementation.settings import Mechanisms, Settings
from onceproof.implementation.stores.database import Database

REPLAY_NOTES: dict[str, str] = {}


class TableQueue(Queue):
    """Messages as rows. A broker that does not fence receipts keeps these rows too, and inherits this class."""

    PUBLISH = """INSERT INTO messages (message, message_key, owner, task, submission, visible_at_ns, leased_until_ns)
        VALUES (?, ?, ?, ?, ?, ?, 0) ON CONFLICT (message_key) DO NOTHING"""
    IS_PUBLISHED = "SELECT 1 FROM messages WHERE task = ? AND submission = ?"
    # One step in the index for each user who has messages, and one for each message that is offered.
    OFFERED = """WITH RECURSIVE busy (owner) AS (
            SELECT MIN(owner) FROM messages WHERE deleted_at_ns IS NULL
            UNION ALL SELECT (SELECT MIN(messages.owner) FROM messages
                WHERE messages.owner > busy.owner AND messages.deleted_at_ns IS NULL)
            FROM busy WHERE busy.owner IS NOT NULL)
        SELECT messages.message, busy.owner, owners.scheduler, owners.epoch
        FROM busy JOIN messages ON messages.owner = busy.owner LEFT JOIN owners ON owners.owner = busy.owner
        WHERE messages.deleted_at_ns IS NULL AND messages.visible_at_ns <= COALESCE(
            (SELECT later.visible_at_ns FROM messages AS later
                WHERE later.owner = busy.owner AND later.deleted_at_ns IS NULL AND later.visible_at_ns <= ?
                ORDER BY later.visible_at_ns LIMIT 1 OFFSET ?), ?)
        ORDER BY busy.owner, messages.visible_at_ns"""
    WAITING = """SELECT message FROM messages WHERE owner = ? AND visible_at_ns <= ? AND deleted_at_ns IS NULL
        ORDER BY visible_at_ns LIMIT ?"""
    RECEIVE = """UPDATE messages SET visible_at_ns = ?, leased_until_ns = ?, receipt = ?, holder = ?, deleted_at_ns = ?,
        received = received + 1 WHERE message = ? AND visible_at_ns <= ? AND deleted_at_ns IS NULL
        RETURNING task, owner"""
    RECEIVE_INVISIBLE = """UPDATE messages SET receipt = ?, holder = ?, leased_until_ns = ?, visible_at_ns = ?
        WHERE message = ? AND visible_at_ns > ? AND deleted_at_ns IS NULL RETURNING task, owner"""
    IS_OWNER = """SELECT 1 FROM owners JOIN messages ON messages.owner = owners.owner
        WHERE messages.message = ? AND owners.scheduler = ? AND owners.epoch = ? FOR SHARE OF owners"""
    OWNER_OF = "SELECT owner FROM messages WHERE message = ?"
    RENEW = """UPDATE messages SET visible_at_ns = ?, leased_until_ns = ?
        WHERE message = ? AND receipt = ? AND leased_until_ns > ? AND deleted_at_ns IS NULL"""
    DELETE = """UPDATE messages SET deleted_at_ns = ?, holder = NULL
        WHERE message = ? AND receipt = ? AND leased_until_ns > ? AND deleted_at_ns IS NULL"""
    LET_GO = "UPDATE messages SET holder = NULL WHERE message = ? AND deleted_at_ns IS NOT NULL"
    RELEASE = """UPDATE messages SET visible_at_ns = ?, leased_until_ns = ?, holder = NULL
        WHERE message = ? AND receipt = ? AND leased_until_ns > ? AND deleted_at_ns IS NULL"""
    MESSAGE_OF = "SELECT message FROM messages WHERE task = ? ORDER BY message LIMIT 1"
    HAS = "SELECT 1 FROM messages WHERE message = ? AND task = ?"
    KEEP_RECEIPT = "INSERT INTO receipts (message, receipt) VALUES (?, ?)"
    RENEW_UNFENCED = """UPDATE messages SET visible_at_ns = CASE WHEN visible_at_ns > ? THEN ? ELSE visible_at_ns END,
        leased_until_ns = CASE WHEN visible_at_ns > ? THEN ? ELSE leased_until_ns END
        WHERE message = ? AND deleted_at_ns IS NULL
        AND EXISTS (SELECT 1 FROM receipts WHERE receipts.message = messages.message AND receipts.receipt = ?)"""
    DELETE_UNFENCED = """UPDATE messages SET deleted_at_ns = ?, holder = NULL WHERE message = ?
        AND deleted_at_ns IS NULL
        AND EXISTS (SELECT 1 FROM receipts WHERE receipts.message = messages.message AND receipts.receipt = ?)"""
    IS_DELETED = "SELECT deleted_at_ns IS NOT NULL FROM messages WHERE message = ?"
    IS_CURRENT = """SELECT 1 FROM messages
        WHERE message = ? AND receipt = ? AND leased_until_ns > ? AND deleted_at_ns IS NULL"""

    shares_store = True  # publishing and marking as relayed can be one transaction

    def __init__(self, database: Database, clock: Clock, mechanisms: Mechanisms, lease_ns: int) -> None:
        self.database = database
        self.clock = clock
        self.mechanisms = mechanisms
        self.lease_ns = lease_ns
        self.on_arrival = lambda: None
        self._serial = count(1)

    def message_key(self, task: str, submission: str, message: str) -> str:
        """What makes two publications the same one: the submission, or nothing (idempotent_relay off)."""
        key = f"{task}/{submission}"
        return key if self.mechanisms.idempotent_relay else f"{key}/{message}"

    @contextmanager
    def publishing(self) -> Iterator[None]:
        """Nothing to wait for: what is published is in the transaction."""
        yield

    def republish_lost(self, owner: str) -> int:
        """A queue in the store loses nothing."""
        return 0

    def committed(self) -> None:
        """Nobody else needs to hear of it."""

    def rolled_back(self) -> None:
        """Nothing is kept outside the transaction."""

    def prepare(self) -> None:
        """The store has made the tables."""

    def redeliver_within(self, seconds: float) -> None:
        """Invisibility ends by the clock that is passed in."""

    def purge(self) -> None:
        """The rows are the store's to remove."""

    def close(self) -> None:
        """The connection is the store's to close."""

    def publish(self, message: str, task: str, submission: str, owner: str) -> bool:
        """Put a message on the owner's queue, visible at once; False if the queue knows this submission already."""
        key = self.message_key(task, submission, message)
        return self.database.run(self.PUBLISH, message, key, owner, task, submission, self.clock.now_ns()) > 0

    def is_published(self, task: str, submission: str) -> bool:
        """Whether the queue has ever had a message of this submission."""
        return self.database.row(self.IS_PUBLISHED, task, submission) is not None

    def offered(self, limit: int, scheduler: str, believed: Collection[str] = ()) -> list[Offer]:
        """Of each user who has some, the messages that have been visible longest; of equal age all."""
        horizon = self._horizon(self.clock.now_ns())
        return [Offer(*row) for row in self.database.rows(self.OFFERED, horizon, limit - 1, horizon)]

    def waiting(self, owner: str, limit: int) -> list[str]:
        """Visible messages of a user's queue, the longest visible first."""
        return [row[0] for row in self.database.rows(self.WAITING, owner, self._horizon(self.clock.now_ns()), limit)]

    def receive(self, message: str, scheduler: str, epochs: dict[str, int], in_hand: bool = False) -> Received:
        """Take a visible message: it turns invisible and the scheduler gets its receipt.

        epochs: the queues that the scheduler believes it owns. With owner_epoch on the store has the last word, in
        the same transaction. in_hand: the scheduler has the message already, so it takes it only if it is visible.
        NotEnabled if the scheduler is not the owner or the message is not there to receive.
        """
        with self.database.transaction():
            self._check_owner(message, scheduler, epochs)
            now = self.clock.now_ns()
            until = now + self.lease_ns
            receipt = self.new_receipt(scheduler, now)
            deleted_at = None if self.mechanisms.delete_after_result else now
            horizon = now if in_hand else self._horizon(now)
            rows = self.database.rows(self.RECEIVE, until, until, receipt, scheduler, deleted_at, message, horizon)
            return self._received(message, receipt, until, rows)

    def duplicate(self, message: str, scheduler: str) -> Received:
        """Deliver an invisible message once more, as brokers that replicate do; the newest receipt is the good one."""
        with self.database.transaction():
            now = self.clock.now_ns()
            until = now + self.lease_ns
            receipt = self.new_receipt(scheduler, now)
            rows = self.database.rows(self.RECEIVE_INVISIBLE, receipt, scheduler, until, until, message, now)
            return self._received(message, receipt, until, rows)

    def renew(self, message: str, receipt: str) -> int:
        """Extend the invisibility; until when. NotEnabled if the receipt is not (or no longer) good for that."""
        now = self.clock.now_ns()
        until = now + self.lease_ns
        if self.mechanisms.receipt_fencing:
            changed = self.database.run(self.RENEW, until, until, message, receipt, now)
        else:
            changed = self.database.run(self.RENEW_UNFENCED, now, until, now, until, message, receipt)
        require(changed, f"the receipt of {message} is not current")
        return until

    def release(self, message: str, receipt: str) -> None:
        """Give a message back: it is visible at once. NotEnabled if the receipt is not current."""
        now = self.clock.now_ns()
        require(self.database.run(self.RELEASE, now, now, message, receipt, now), f"the receipt of {message} is old")

    def delete(self, message: str, receipt: str) -> None:
        """Delete the message for good. NotEnabled if the receipt is not (or no longer) good for that.

        delete_after_result off: it was deleted when it was received, and is only let go of now.
        """
        now = self.clock.now_ns()
        if not self.mechanisms.delete_after_result:
            changed = self.database.run(self.LET_GO, message)
        elif self.mechanisms.receipt_fencing:
            changed = self.database.run(self.DELETE, now, message, receipt, now)
        else:
            changed = self.database.run(self.DELETE_UNFENCED, now, message, receipt)
        require(changed, f"the receipt of {message} is not current")

    def has(self, message: str, task: str) -> bool:
        """Whether there is, or was, such a message of this task."""
        return self.database.row(self.HAS, message, task) is not None

    def message_of(self, task: str) -> str | None:
        """The message of a task, deleted or not; None while it is still in the outbox."""
        row = self.database.row(self.MESSAGE_OF, task)
        return None if row is None else str(row[0])

    def is_deleted(self, message: str) -> bool:
        """Whether the message was deleted."""
        row = self.database.row(self.IS_DELETED, message)
        return row is not None and bool(row[0])

    def is_current(self, message: str, receipt: str) -> bool:
        """Whether this receipt renews and deletes the message now."""
        return self.database.row(self.IS_CURRENT, message, receipt, self.clock.now_ns()) is not None

    def new_receipt(self, scheduler: str, now_ns: int) -> str:
        """A receipt that nobody else has ever had: who, when, and a serial number within this process."""
        return f"{scheduler}.{now_ns:x}.{next(self._serial)}"

    def _horizon(self, now_ns: int) -> int:
        """What becomes visible up to this time can be received: now, or any time when invisibility is off."""
        return now_ns if self.mechanisms.invisibility else END_OF_TIME_NS

    def _check_owner(self, message: str, scheduler: str, epochs: dict[str, int]) -> None:
        row = self.database.row(self.OWNER_OF, message)
        if row is None:
            raise NotEnabled(f"there is no message {message}")
        epoch = epochs.get(row[0])
        require(epoch is not None, f"{scheduler} does not know that it owns the queue of {row[0]}")
        if self.mechanisms.owner_epoch:
            found = self.database.row(self.IS_OWNER, message, scheduler, epoch)
            require(found, f"{scheduler} does not own the queue of {row[0]} under epoch {epoch}")

    def _received(self, message: str, receipt: str, until: int, rows: list[tuple[str, ...]]) -> Received:
        require(rows, f"message {message} is not there to receive")
        if not self.mechanisms.receipt_fencing:
            self.database.run(self.KEEP_RECEIPT, message, receipt)
        return Received(message, rows[0][0], rows[0][1], receipt, until)


def open_queue(url: str, database: Database, clock: Clock, settings: Settings, replicas: int) -> Queue:
    """The queue in the store's own tables."""
    return TableQueue(database, clock, settings.mechanisms, settings.lease_ns)
