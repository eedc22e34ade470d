"""The relay: carries pending rows of the outbox to the queue, and marks each one afterwards."""

from onceproof.implementation.components.queue import Queue
from onceproof.implementation.components.task_store import TaskStore
from onceproof.implementation.errors import require
from onceproof.implementation.probe import Probe, action


class Relay:
    """Its memory is `published`: the rows whose message is on the queue and that it has not marked yet."""

    def __init__(self, store: TaskStore, queue: Queue, probe: Probe | None = None) -> None:
        self.store = store
        self.queue = queue
        self.probe = probe
        self.identity: dict[str, str] = {}
        self.published: set[tuple[str, str]] = set()

    @action
    def relay(self, task: str, submission: str, message: str) -> None:
        """Publish a pending row as a new message; NotEnabled if the queue knows this submission (relay_again then)."""
        owner = self._pending_owner(task, submission)
        require(self.queue.publish(message, task, submission, owner), f"{submission} of {task} is on the queue")
        self.published.add((task, submission))

    @action
    def relay_again(self, task: str, submission: str) -> None:
        """The queue knows this submission already (this relay or an earlier one died before marking): no message."""
        owner = self._pending_owner(task, submission)
        require(self.queue.mechanisms.idempotent_relay, "idempotent_relay is off")
        require(self.queue.is_published(task, submission), f"{submission} of {task} is not on the queue of {owner}")
        self.published.add((task, submission))

    @action
    def mark_relayed(self, task: str, submission: str) -> None:
        """Mark a published row in the outbox, so that no relay looks at it again."""
        require((task, submission) in self.published, f"{submission} of {task} was not published by this relay")
        self.store.mark_relayed(task, submission)
        self.published.discard((task, submission))

    @action
    def relay_crash(self) -> None:
        """The process dies and forgets what it has published; what was not marked is pending for the next one."""
        self.published.clear()

    def _pending_owner(self, task: str, submission: str) -> str:
        require((task, submission) not in self.published, f"{submission} of {task} was published already")
        owner = self.store.pending_owner(task, submission)
        require(owner is not None, f"{submission} of {task} is not pending in the outbox")
        return owner or ""
