"""What the components need of a queue: messages with receipts and invisibility times, whatever broker keeps them."""

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from onceproof.implementation.settings import Mechanisms

END_OF_TIME_NS = 2**62


@dataclass(frozen=True, slots=True)
class Received:
    """A message as its consumer has it: the receipt renews and deletes it, until leased_until_ns unless renewed."""

    message: str
    task: str
    owner: str
    receipt: str
    leased_until_ns: int


@dataclass(frozen=True, slots=True)
class Offer:
    """A message that can be received now, the user whose queue it is on, and that queue's owner and epoch, if any."""

    message: str
    user: str
    scheduler: str | None
    epoch: int | None


class Queue(Protocol):
    """Messages of all users. Each method is one transaction of the store, or part of the caller's.

    shares_store: publishing a message and marking its row as relayed can be one transaction.
    on_arrival: called, possibly in another thread, when messages have arrived that nobody asked for at that moment.
    """

    shares_store: bool
    mechanisms: Mechanisms
    on_arrival: Callable[[], object]

    def publishing(self) -> AbstractContextManager[None]:
        """Around the publication of several messages; a broker waits for its acknowledgements at the end."""
        ...

    def publish(self, message: str, task: str, submission: str, owner: str) -> bool:
        """Put a message on the owner's queue, visible at once; False if the queue knows this submission already."""
        ...

    def is_published(self, task: str, submission: str) -> bool:
        """Whether the queue has ever had a message of this submission."""
        ...

    def offered(self, limit: int, scheduler: str, believed: Collection[str] = ()) -> list[Offer]:
        """Messages that a scheduler can receive now, at most so many of each user; users without any cost nothing.

        believed: whose queues it believes to own, which counts where the store has not the last word. Of a queue that
        belongs to another scheduler there may be offers, too: they say whose it is.
        """
        ...

    def waiting(self, owner: str, limit: int) -> list[str]:
        """Messages of a user's queue that can be received now."""
        ...

    def receive(self, message: str, scheduler: str, epochs: dict[str, int], in_hand: bool = False) -> Received:
        """Take a visible message: it turns invisible and the scheduler gets its receipt.

        epochs: the queues that the scheduler believes it owns. in_hand: the scheduler has the message already.
        NotEnabled if the scheduler is not the owner or the message is not there to receive.
        """
        ...

    def duplicate(self, message: str, scheduler: str) -> Received:
        """Deliver an invisible message once more, as brokers that replicate do; the newest receipt is the good one."""
        ...

    def renew(self, message: str, receipt: str) -> int:
        """Extend the invisibility; until when (nanoseconds). NotEnabled if the receipt is not good for that."""
        ...

    def release(self, message: str, receipt: str) -> None:
        """Give a message back: it is visible at once. NotEnabled if the receipt is not current."""
        ...

    def delete(self, message: str, receipt: str) -> None:
        """Delete the message for good. NotEnabled if the receipt is not good for that."""
        ...

    def has(self, message: str, task: str) -> bool:
        """Whether there is, or was, such a message of this task."""
        ...

    def message_of(self, task: str) -> str | None:
        """The message of a task, deleted or not; None while it is still in the outbox."""
        ...

    def is_deleted(self, message: str) -> bool:
        """Whether the message was deleted."""
        ...

    def is_current(self, message: str, receipt: str) -> bool:
        """Whether this receipt renews and deletes the message now."""
        ...

    def committed(self) -> None:
        """What was done since the last time is committed (on disk, if the queue is elsewhere): a broker may know."""
        ...

    def rolled_back(self) -> None:
        """What was done since the last time was undone."""
        ...

    def republish_lost(self, owner: str) -> int:
        """Publish again what the store has and the broker has lost; how many messages."""
        ...

    def prepare(self) -> None:
        """Make what the broker needs, before the platform starts; StoreUnavailable if that is not possible."""
        ...

    def redeliver_within(self, seconds: float) -> None:
        """For a replay, whose clock stands still: a broker that counts real time delivers again after so long."""
        ...

    def purge(self) -> None:
        """Remove all messages from the broker; those in the store are rows, which the store removes."""
        ...

    def close(self) -> None:
        """Close the connection to the broker."""
        ...
