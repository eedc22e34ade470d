"""The queue on NATS JetStream: a work-queue stream that keeps and delivers the messages.

JetStream takes an acknowledgement from whoever once got the message, so a stale holder could delete what another
holds. Receipt fencing is therefore carried by the store: its `messages` table says whose receipt counts, as for the
queue on SQL, and JetStream hears (+WPI, ack, nak) only of what the store has allowed. Its memory of message ids is a
window of two minutes; what it takes twice after that finds its row in the store and is acknowledged away.
"""

import json
import time
from collections.abc import Callable, Collection, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, RetentionPolicy, StorageType, StreamConfig

from onceproof.implementation.clock import Clock
from onceproof.implementation.components.queue import Offer, Queue, Received
from onceproof.implementation.errors import NotEnabled, StoreUnavailable
from onceproof.implementation.queues.nats_link import NatsLink
from onceproof.implementation.queues.table import TableQueue
from onceproof.implementation.settings import SECOND_NS, Mechanisms, Settings
from onceproof.implementation.stores.database import Database

STREAM = "ONCEPROOF"
SUBJECT = "onceproof.queue"
PULL_SECONDS = 5.0
BACK_SECONDS = 0.1  # until what another scheduler is to have is delivered again, perhaps here, while a pull is open
CLUSTER_SECONDS = 15.0
BATCH_MAX = 100
REPLAY_NOTES = {
    "lapse": "the store's lease ends by the clock that is passed in; JetStream, which counts real time, delivers again "
    "after a tenth of a second, and the store says whether the message may be received",
    "receive": "the permitted scheduler pulls until JetStream has delivered the message to it; with owner_epoch off it "
    "hears of its queue when it gets it",
}


class JetStreamQueue(TableQueue):
    """One process's access; on_arrival() is called in another thread."""

    shares_store = False
    BY_KEY = "SELECT message FROM messages WHERE message_key = ?"
    LEASE = "SELECT leased_until_ns, deleted_at_ns IS NOT NULL FROM messages WHERE message = ?"
    OVERDUE = """SELECT message, task, submission, owner FROM messages
        WHERE deleted_at_ns IS NULL AND visible_at_ns < ? LIMIT 100"""
    LOOKED_AT = """UPDATE messages SET visible_at_ns = ?
        WHERE message = ? AND visible_at_ns < ? AND deleted_at_ns IS NULL"""

    def __init__(
        self, database: Database, clock: Clock, mechanisms: Mechanisms, lease_ns: int, url: str, replicas: int = 1
    ) -> None:
        super().__init__(database, clock, mechanisms, lease_ns)
        self.link = NatsLink(url)
        self.replicas = replicas
        self.redelivery_seconds: float | None = None  # of what was not acknowledged; None: after a lease
        self.pull_seconds = PULL_SECONDS
        self._outgoing: list[tuple[str, bytes, str]] = []
        self._arrived: dict[str, dict[str, Msg]] = {}
        self._taken: dict[str, Msg] = {}
        self._pulls: dict[str, int] = {}
        self._done: list[Callable[[], Coroutine[Any, Any, Any]]] = []  # what JetStream is to hear

    def prepare(self) -> None:
        """Make the stream if it is not there; StoreUnavailable if the server cannot be reached or will not."""
        config = StreamConfig(
            name=STREAM,
            subjects=[f"{SUBJECT}.*"],
            retention=RetentionPolicy.WORK_QUEUE,
            storage=StorageType.FILE,
            num_replicas=self.replicas,
        )
        deadline = time.monotonic() + CLUSTER_SECONDS
        while True:
            try:
                self.link.call(lambda js: js.add_stream(config))
                return
            except StoreUnavailable:
                # A cluster that has just been started answers, and says that it cannot do it yet.
                if not self.link.connected or time.monotonic() > deadline:
                    raise
                time.sleep(0.5)

    @contextmanager
    def publishing(self) -> Iterator[None]:
        """Rows are committed inside; then everything is published, and its acknowledgements are waited for."""
        self._outgoing.clear()
        yield
        outgoing, self._outgoing = self._outgoing, []
        self.link.publish_all(outgoing)

    def publish(self, message: str, task: str, submission: str, owner: str) -> bool:
        """As for the queue on SQL; a submission known already is published once more, for a relay may have died."""
        is_new = super().publish(message, task, submission, owner)
        key = self.message_key(task, submission, message)
        if not is_new:
            row = self.database.row(self.BY_KEY, key)
            message = message if row is None else str(row[0])
        self._outgoing.append((f"{SUBJECT}.{owner}", json.dumps({"message": message}).encode(), key))
        return is_new

    def offered(self, limit: int, scheduler: str, believed: Collection[str] = ()) -> list[Offer]:
        """Of the scheduler's own users who have messages by the store, what has arrived here; more is asked for.

        For another scheduler's users nothing is: what arrived here would wait for a lease until it goes there.
        """
        found: list[Offer] = []
        for head in {offer.user: offer for offer in super().offered(1, scheduler, believed)}.values():
            is_own = head.scheduler == scheduler if self.mechanisms.owner_epoch else head.user in believed
            if is_own:
                arrived = self.waiting(head.user, limit)
                found += [Offer(message, head.user, head.scheduler, head.epoch) for message in arrived]
            else:
                found.append(head)
                for delivery in self._arrived.pop(head.user, {}).values():
                    self.link.post(delivery.nak(delay=BACK_SECONDS))
        return found

    def waiting(self, owner: str, limit: int) -> list[str]:
        """Messages that have arrived here and were not received yet; more are asked for."""
        arrived = self._arrived.get(owner, {})
        if self._pulls.get(owner, 0) <= 0 and len(arrived) < limit:
            self._pulls[owner] = min(limit, BATCH_MAX)
            self._pull(owner, self._pulls[owner])
        return list(arrived)[:limit]

    def receive(self, message: str, scheduler: str, epochs: dict[str, int], in_hand: bool = False) -> Received:
        """Take a message that has arrived; the store decides, and JetStream gets it back if it says no."""
        delivery = next((known.pop(message) for known in self._arrived.values() if message in known), None)
        if delivery is None:
            raise NotEnabled(f"message {message} has not arrived here")
        try:
            received = super().receive(message, scheduler, epochs, in_hand)
        except NotEnabled:
            self._turn_back(message, delivery)
            raise
        self._taken[message] = delivery
        return received

    def renew(self, message: str, receipt: str) -> int:
        """Renew in the store; if the store allows it, JetStream hears that the message is still in progress."""
        try:
            until = super().renew(message, receipt)
        except NotEnabled:
            self._taken.pop(message, None)
            raise
        if message in self._taken:
            self._done.append(self._taken[message].in_progress)
        return until

    def release(self, message: str, receipt: str) -> None:
        """Give back in the store; JetStream may deliver it again at once, when the store has committed."""
        super().release(message, receipt)
        delivery = self._taken.pop(message, None)
        if delivery is not None:
            self._done.append(delivery.nak)

    def delete(self, message: str, receipt: str) -> None:
        """Delete in the store; if that was right, JetStream may delete it too, when the store has committed."""
        delivery = self._taken.pop(message, None)
        super().delete(message, receipt)
        if delivery is not None:
            self._done.append(delivery.ack)

    def committed(self) -> None:
        """The store has committed: JetStream may hear of it."""
        done, self._done = self._done, []
        for say in done:
            self.link.post(say())

    def rolled_back(self) -> None:
        """The store has rolled back: forget; what was delivered here comes again when JetStream's wait is over."""
        for memory in (self._done, self._arrived, self._taken):
            memory.clear()

    def republish_lost(self, owner: str) -> int:
        """Publish again what the store has and JetStream does not (it may lose what it had not synced); how many.

        Only where JetStream has nothing at all for that user, so that a long backlog is not taken for a loss.
        """
        before = self.clock.now_ns() - 3 * self.lease_ns
        overdue = [row for row in self.database.rows(self.OVERDUE, before) if row[3] == owner]
        if not overdue or self.link.pending(STREAM, self._durable(owner)) > 0:
            return 0
        now = self.clock.now_ns()
        self.link.publish_all(
            [(f"{SUBJECT}.{owner}", json.dumps({"message": row[0]}).encode(), f"{row[0]}/{now}") for row in overdue]
        )
        for row in overdue:
            self.database.run(self.LOOKED_AT, now, row[0], before)
        return len(overdue)

    def redeliver_within(self, seconds: float) -> None:
        """JetStream counts real time: what was delivered and not acknowledged comes again so soon."""
        self.redelivery_seconds = self.pull_seconds = seconds

    def purge(self) -> None:
        """Remove all messages."""
        self.link.call(lambda js: js.purge_stream(STREAM))

    def close(self) -> None:
        """Close the connection."""
        self.link.close()

    def _durable(self, owner: str) -> str:
        return f"user-{owner}"

    def _pull(self, owner: str, batch: int) -> None:
        config = ConsumerConfig(
            durable_name=self._durable(owner),
            filter_subject=f"{SUBJECT}.{owner}",
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=self.redelivery_seconds or self.lease_ns / SECOND_NS,
            max_ack_pending=10_000,
        )

        def arrived(delivery: Msg | None) -> None:
            if delivery is None:
                self._pulls[owner] = 0
                return
            self._pulls[owner] = self._pulls.get(owner, 1) - 1
            message = json.loads(delivery.data)["message"]
            self._arrived.setdefault(owner, {})[message] = delivery
            self.on_arrival()

        self.link.pull(STREAM, config, batch, self.pull_seconds, arrived)

    def _turn_back(self, message: str, delivery: Msg) -> None:
        """The store says no: the message is done (acknowledge it away) or somebody's (let it come again later)."""
        row: Any = self.database.row(self.LEASE, message)
        if row is None or row[1]:
            self.link.post(delivery.ack())
            return
        seconds = max(0.1, (int(row[0]) - self.clock.now_ns()) / SECOND_NS)
        self.link.post(delivery.nak(delay=min(seconds, self.redelivery_seconds or seconds)))


def open_queue(url: str, database: Database, clock: Clock, settings: Settings, replicas: int) -> Queue:
    """The queue on the JetStream servers of a URL."""
    return JetStreamQueue(database, clock, settings.mechanisms, settings.lease_ns, url, replicas)
