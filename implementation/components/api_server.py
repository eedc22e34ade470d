"""The API server: takes submissions, records their TaskIDs, and answers only when that is on disk."""

from onceproof.implementation.clock import Clock
from onceproof.implementation.components.messages import SAYS_202, SAYS_400, Connections
from onceproof.implementation.components.queue import Queue
from onceproof.implementation.components.task_store import Submission, TaskStore
from onceproof.implementation.errors import require
from onceproof.implementation.probe import Probe, action
from onceproof.implementation.settings import Mechanisms


class ApiServer:
    """Its memory is `admitting`: what was recorded but not enqueued yet (atomic_admission off only)."""

    def __init__(
        self,
        store: TaskStore,
        queue: Queue,
        connections: Connections,
        clock: Clock,
        mechanisms: Mechanisms,
        probe: Probe | None = None,
    ) -> None:
        self.store = store
        self.queue = queue
        self.connections = connections
        self.clock = clock
        self.mechanisms = mechanisms
        self.probe = probe
        self.identity: dict[str, str] = {}
        self.admitting: dict[tuple[str, str], Submission] = {}

    @action
    def admit(self, task: str, submission: str) -> None:
        """Record a new TaskID together with its message to be (the outbox), and answer 202.

        atomic_admission off: record it now, enqueue and answer later. A known TaskID raises AlreadyRecorded.
        """
        order = self.connections.request(task, submission)
        with self.store.database.transaction():
            self.store.record(order, self.clock.now_ns())
            if self.mechanisms.atomic_admission:
                self.store.put_outbox(order)
        if self.mechanisms.atomic_admission:
            self.connections.answer(task, submission, SAYS_202)
        else:
            self.connections.take(task, submission)
            self.admitting[task, submission] = order

    @action
    def refuse(self, task: str, submission: str) -> None:
        """Answer 400: the store has this TaskID already."""
        self.connections.request(task, submission)
        require(self.mechanisms.task_id_dedup and self.store.is_recorded(task), f"{task} is not known yet")
        self.connections.answer(task, submission, SAYS_400)

    @action
    def enqueue(self, task: str, submission: str, message: str) -> None:
        """atomic_admission off: put the message of a recorded task on the queue, then answer 202."""
        require((task, submission) in self.admitting, f"{submission} of {task} is not being admitted")
        order = self.admitting[task, submission]
        self.queue.publish(message, task, submission, order.owner)
        del self.admitting[task, submission]
        self.connections.answer(task, submission, SAYS_202)

    @action
    def stop(self, task: str, message: str) -> None:
        """The user stops a task that has not ended."""
        require(self.queue.has(message, task), f"there is no message {message} of {task}")
        self.store.stop(message, task, self.clock.now_ns())

    @action
    def api_crash(self) -> None:
        """The process dies: its memory and every connection are lost."""
        self.admitting.clear()
        self.connections.break_all()
