"""A scheduler: takes messages from the queues it owns, has agents run them, records results, deletes messages.

Its memory is `works`: one entry for each message in hand. All of it is lost in a crash; what must not be lost is in
the task store and the queue.
"""

from collections.abc import Callable
from dataclasses import dataclass

from onceproof.implementation.clock import Clock
from onceproof.implementation.components.load_balancer import LoadBalancer
from onceproof.implementation.components.messages import Order, Result, Wire
from onceproof.implementation.components.queue import Queue, Received
from onceproof.implementation.components.task_store import OPEN, TaskStore
from onceproof.implementation.errors import NotEnabled, require
from onceproof.implementation.probe import Probe, action
from onceproof.implementation.settings import Mechanisms

UP, PAUSED, DRAINING, DOWN = "UP", "PAUSED", "DRAINING", "DOWN"
HELD, DISPATCHED, SUCCEEDED, RAISED, RECORDED = "HELD", "DISPATCHED", "SUCCEEDED", "RAISED", "RECORDED"


@dataclass(slots=True)
class Work:
    """A message in hand. attempt and agent are those of the last dispatch; result is what was heard."""

    received: Received
    stage: str = HELD
    attempt: int = 0
    agent: str = ""
    result: Result | None = None


class Scheduler:
    """One scheduler process. Actions raise NotEnabled when they are not possible, and change nothing then."""

    def __init__(
        self,
        name: str,
        store: TaskStore,
        queue: Queue,
        balancer: LoadBalancer,
        wire: Wire,
        clock: Clock,
        mechanisms: Mechanisms,
        probe: Probe | None = None,
    ) -> None:
        self.name = name
        self.store = store
        self.queue = queue
        self.balancer = balancer
        self.wire = wire
        self.clock = clock
        self.mechanisms = mechanisms
        self.probe = probe
        self.identity = {"scheduler": name}
        self.mode = UP
        self.works: dict[str, Work] = {}
        self.epochs: dict[str, int] = {}

    def learn_owned(self) -> None:
        """Read from the store which queues this scheduler owns, under which epochs."""
        self.epochs = self.balancer.epochs(self.name)

    def learn(self, user: str) -> None:
        """Hear from the load balancer that this scheduler owns the user's queue now."""
        owner = self.balancer.owner(user)
        if owner is not None and owner[0] == self.name:
            self.epochs[user] = owner[1]

    def unlearn(self, user: str) -> None:
        """Hear from the load balancer that the user's queue is another's now."""
        self.epochs.pop(user, None)

    def owns(self, user: str) -> bool:
        """Whether messages of this queue would be given to this scheduler: by the store, or by its own belief."""
        if not self.mechanisms.owner_epoch:
            return user in self.epochs
        owner = self.balancer.owner(user)
        return owner is not None and owner[0] == self.name

    @action
    def receive(self, message: str) -> None:
        """Take a visible message of an owned queue; if it is in hand already (its lease lapsed), take the receipt."""
        require(self.mode == UP, f"{self.name} is {self.mode}")
        self._hold(message, lambda: self.queue.receive(message, self.name, self.epochs, message in self.works))

    @action
    def broker_duplicate(self, message: str) -> None:
        """The queue delivers a message to this scheduler that another one holds."""
        require(self.mode == UP, f"{self.name} is {self.mode}")
        require(message not in self.works, f"{self.name} has {message} in hand")
        self._hold(message, lambda: self.queue.duplicate(message, self.name))

    @action
    def renew(self, message: str) -> None:
        """Extend the invisibility of a message in hand."""
        require(self.mechanisms.renewal, "renewal is off")
        work = self._work(message)
        until = self.queue.renew(message, work.received.receipt)
        received = work.received
        work.received = Received(received.message, received.task, received.owner, received.receipt, until)

    @action
    def receipt_refused(self, message: str) -> None:
        """The queue does not know the receipt any more: drop the message, somebody else has it or it is done."""
        work = self._work(message)
        require(self.mechanisms.delete_after_result, "delete_after_result is off")
        if self.mechanisms.receipt_fencing:
            refused = not self.queue.is_current(message, work.received.receipt)
        else:
            refused = self.queue.is_deleted(message)
        require(refused, f"the queue takes the receipt of {message}")
        del self.works[message]

    @action
    def release(self, message: str) -> None:
        """Give back what was not sent to an agent: this scheduler drains, or its queue is another's now."""
        work = self._work(message, HELD)
        require(self.mechanisms.delete_after_result, "delete_after_result is off")
        require(
            self.mode == DRAINING or not self.owns(work.received.owner), f"{self.name} takes messages of this queue"
        )
        require(self.queue.is_current(message, work.received.receipt), f"the receipt of {message} is not current")
        require(self.store.run(message).outcome == OPEN, f"{message} has ended")
        self.queue.release(message, work.received.receipt)
        del self.works[message]

    @action
    def dispatch(self, message: str, agent: str) -> None:
        """Send the current attempt to an agent: the one that the task was placed on (sticky_placement off: any)."""
        work = self._work(message, HELD)
        run = self.store.run(message)
        require(run.outcome == OPEN, f"{message} has ended: {run.outcome}")
        if self.mechanisms.sticky_placement:
            placement = self.store.placement(message)
            require(placement is not None and placement.agent == agent, f"{message} was not placed on {agent}")
            require(placement is not None and not placement.gone, f"the incarnation of {agent} with {message} is gone")
        else:
            require(not self.store.is_gone(agent), f"{agent} is gone")
        order = Order(run.task, run.function, run.payload, run.task_id, run.request_id)
        self.wire.send_request((self.name, agent, message, run.attempt), order)
        work.stage, work.attempt, work.agent = DISPATCHED, run.attempt, agent

    @action
    def hear(self, agent: str, message: str, attempt: int) -> None:
        """A reply arrives; it is kept if this scheduler waits for it, else dropped."""
        self._require_running()
        result = self.wire.take_reply((self.name, agent, message, attempt))
        work = self.works.get(message)
        if work is not None and self._waits_for(work, attempt):
            work.stage, work.result = SUCCEEDED if result.succeeded else RAISED, result

    @action
    def record(self, message: str) -> None:
        """Write the result into the task store."""
        work = self._work(message, SUCCEEDED)
        value = work.result.value if work.result is not None else b""
        self.store.complete(message, work.attempt, value, *self._times(work))
        work.stage = RECORDED

    @action
    def record_failure(self, message: str) -> None:
        """The last attempt raised: the task has failed."""
        work = self._work(message, RAISED)
        run = self.store.run(message)
        require(work.attempt >= run.attempts_max, f"{message} has another attempt")
        self.store.fail(message, work.attempt, self._error(work), *self._times(work))
        work.stage = RECORDED

    @action
    def retry(self, message: str, next_attempt: int) -> None:
        """The attempt raised and there is another: it is current from now on."""
        work = self._work(message, RAISED)
        run = self.store.run(message)
        require(work.attempt < next_attempt <= run.attempts_max, f"{message} has no attempt {next_attempt}")
        require(next_attempt == work.attempt + 1, f"attempt {next_attempt} does not follow attempt {work.attempt}")
        self.store.next_attempt(message, work.attempt, next_attempt, self._error(work), self.clock.now_ns())
        work.stage, work.result = HELD, None

    @action
    def overtaken(self, message: str) -> None:
        """A result is in hand, but the task has ended (nothing left but to delete) or is in another attempt."""
        work = self._work(message)
        require(work.stage in (SUCCEEDED, RAISED), f"no result of {message} is in hand")
        run = self.store.run(message)
        if run.outcome != OPEN:
            work.stage, work.result = RECORDED, None
        else:
            require(run.attempt != work.attempt, f"{message} is open in attempt {run.attempt}")
            work.stage, work.result = HELD, None

    @action
    def skip(self, message: str) -> None:
        """The message in hand is of a task that has ended."""
        work = self._work(message, HELD)
        require(self.store.run(message).outcome != OPEN, f"{message} is open")
        work.stage = RECORDED

    @action
    def delete(self, message: str) -> None:
        """Delete a message whose task has ended."""
        work = self._work(message, RECORDED)
        self.queue.delete(message, work.received.receipt)
        del self.works[message]

    @action
    def expire(self, message: str) -> None:
        """End a task that is too old to be started."""
        work = self._work(message, HELD)
        self.store.expire(message, self.clock.now_ns())
        work.stage = RECORDED

    @action
    def scheduler_crash(self) -> None:
        """The process dies with all its memory."""
        require(self.mode != DOWN, f"{self.name} is down")
        self._die()

    @action
    def scheduler_restart(self) -> None:
        """The process starts again, with nothing in memory but what the store says it owns."""
        require(self.mode == DOWN, f"{self.name} is not down")
        self.balancer.beat(self.name)
        if self.mechanisms.owner_epoch:
            self.learn_owned()
        self.mode = UP

    @action
    def scheduler_pause(self) -> None:
        """The process is stopped (SIGSTOP): memory kept, nothing done, no heartbeat."""
        require(self.mode == UP, f"{self.name} is {self.mode}")
        self.mode = PAUSED

    @action
    def scheduler_resume(self) -> None:
        """The process goes on, believing all that it believed before."""
        require(self.mode == PAUSED, f"{self.name} is not paused")
        self.balancer.beat(self.name)
        self.mode = UP

    @action
    def scheduler_upgrade(self) -> None:
        """A new version is rolled out: finish what is in hand and take no more (graceful_drain off: stop at once)."""
        require(self.mode == UP, f"{self.name} is {self.mode}")
        if self.mechanisms.graceful_drain:
            self.balancer.withdraw(self.name)
            self.mode = DRAINING
        else:
            self._die()

    @action
    def upgrade_finish(self) -> None:
        """Nothing is in hand any more: the process ends."""
        require(self.mode == DRAINING, f"{self.name} is not draining")
        require(not self.works, f"{self.name} has {len(self.works)} messages in hand")
        self._die()

    def timed_out(self, message: str, attempt: int) -> None:
        """No reply came in time, or the connection broke: the message is held, to be dispatched again."""
        work = self.works.get(message)
        if work is not None and self._waits_for(work, attempt):
            work.stage = HELD

    def settled(self, message: str) -> None:
        """The resource manager has ended the task; what is left is to delete its message."""
        self._work(message, HELD).stage = RECORDED

    def ask_placement(self, message: str) -> None:
        """Ask the resource manager where a message is to run; NotEnabled if it is not held."""
        self._work(message, HELD)

    def _hold(self, message: str, deliver: Callable[[], Received]) -> None:
        with self.store.database.transaction():
            received = deliver()
            self.store.open_run(message, received.task)
        if message in self.works:
            self.works[message].received = received
        else:
            self.works[message] = Work(received)

    def _work(self, message: str, stage: str | None = None) -> Work:
        self._require_running()
        work = self.works.get(message)
        if work is None:
            raise NotEnabled(f"{self.name} does not have {message} in hand")
        require(stage in (None, work.stage), f"{message} is {work.stage} at {self.name}, not {stage}")
        return work

    def _require_running(self) -> None:
        require(self.mode in (UP, DRAINING), f"{self.name} is {self.mode}")

    def _waits_for(self, work: Work, attempt: int) -> bool:
        """Whichever agent it comes from, the result of the attempt that was asked for is what is waited for."""
        return work.stage == DISPATCHED and work.attempt == attempt

    def _times(self, work: Work) -> tuple[int, int]:
        """When the function ended and started, as its agent says."""
        result = work.result
        return (result.ended_ns or self.clock.now_ns(), result.started_ns) if result else (self.clock.now_ns(), 0)

    def _error(self, work: Work) -> str:
        return work.result.error if work.result is not None else ""

    def _die(self) -> None:
        self.mode = DOWN
        self.works.clear()
        self.epochs.clear()
