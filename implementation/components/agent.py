"""An agent: starts users' functions, remembers what it runs and ran, and sends every asker the result."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from onceproof.implementation.clock import Clock
from onceproof.implementation.components.messages import Order, Result, Wire
from onceproof.implementation.components.task_store import OPEN, TaskStore
from onceproof.implementation.errors import NotEnabled, require
from onceproof.implementation.probe import Probe, action
from onceproof.implementation.settings import Mechanisms

RUNNING, DONE, RAISED = "RUNNING", "DONE", "RAISED"


class Functions(Protocol):
    """Where users' functions run."""

    def start(self, agent: str, message: str, attempt: int, order: Order) -> None:
        """Start the function for one attempt, when the transaction (if there is one) is committed.

        Its end is reported by Agent.finish or Agent.function_failure.
        """
        ...


@dataclass(slots=True)
class Execution:
    """One attempt in an agent's memory: its order, whether it still runs, who asked, and the result."""

    order: Order
    stage: str = RUNNING
    asked: set[str] = field(default_factory=set)
    result: Result | None = None


class Agent:
    """One incarnation of an agent. Its memory is keyed by (message, attempt) and dies with it.

    What it starts it notes in the store first: of a task without a note, everybody knows that nothing was started.
    is_settled(agent, message, attempt) says whether the message is deleted and nobody can ask for it any more,
    which is what allows to forget it.
    """

    def __init__(
        self,
        name: str,
        incarnation: int,
        store: TaskStore,
        clock: Clock,
        wire: Wire,
        functions: Functions,
        is_settled: Callable[[str, str, int], bool],
        mechanisms: Mechanisms,
        probe: Probe | None = None,
    ) -> None:
        self.name = name
        self.incarnation = incarnation
        self.store = store
        self.clock = clock
        self.wire = wire
        self.functions = functions
        self.is_settled = is_settled
        self.mechanisms = mechanisms
        self.probe = probe
        self.identity = {"agent": name}
        self.gone = False
        self.memory: dict[tuple[str, int], Execution] = {}

    @action
    def start(self, scheduler: str, message: str, attempt: int) -> None:
        """A request for what is not in memory and counts: it is noted as begun, and started.

        agent_dedup off: for every request. note_before_start off: without the note.
        """
        known = self.memory.get((message, attempt))
        require(known is None or not self.mechanisms.agent_dedup, f"{self.name} knows {message} attempt {attempt}")
        self._require_request(scheduler, message, attempt)
        placed_on = (self.name, self.incarnation) if self.mechanisms.sticky_placement else None
        self.store.begin(
            message, attempt, placed_on, self.clock.now_ns() if self.mechanisms.note_before_start else None
        )
        order = self._take(scheduler, message, attempt)
        execution = known or Execution(order)
        execution.stage = RUNNING
        execution.asked.add(scheduler)
        self.memory[message, attempt] = execution
        self.functions.start(self.name, message, attempt, order)

    @action
    def turn_away(self, scheduler: str, message: str, attempt: int) -> None:
        """A request that does not count any more, by the store, and is not in memory: nothing is started."""
        known = self.memory.get((message, attempt))
        require(known is None or not self.mechanisms.agent_dedup, f"{self.name} knows {message} attempt {attempt}")
        self._require_request(scheduler, message, attempt)
        require(not self.is_wanted(message, attempt), f"{message} is open in attempt {attempt}")
        self.wire.turn_away((scheduler, self.name, message, attempt))

    @action
    def join(self, scheduler: str, message: str, attempt: int) -> None:
        """A request for what is running: nothing is started, the asker is remembered (unless join_running is off)."""
        require(self.mechanisms.agent_dedup, "agent_dedup is off")
        execution = self._known(message, attempt)
        require(execution.stage == RUNNING, f"{message} attempt {attempt} is not running at {self.name}")
        self._take(scheduler, message, attempt)
        if self.mechanisms.join_running:
            execution.asked.add(scheduler)

    @action
    def answer(self, scheduler: str, message: str, attempt: int) -> None:
        """A request for what has ended: the result is sent at once (join_running off: only to the first asker)."""
        require(self.mechanisms.agent_dedup, "agent_dedup is off")
        execution = self._known(message, attempt)
        if execution.stage == RUNNING or execution.result is None:
            raise NotEnabled(f"{message} attempt {attempt} is still running at {self.name}")
        self._take(scheduler, message, attempt)
        if self.mechanisms.join_running or scheduler in execution.asked:
            self.wire.send_reply((scheduler, self.name, message, attempt), execution.result)

    @action
    def finish(self, message: str, attempt: int, *, value: bytes = b"") -> None:
        """The function returned: send every asker the result."""
        self._end(message, attempt, DONE, Result(True, value))

    @action
    def function_failure(self, message: str, attempt: int, *, error: str = "raised") -> None:
        """The function raised: send every asker the error."""
        self._end(message, attempt, RAISED, Result(False, error=error))

    @action
    def forget(self, message: str, attempt: int) -> None:
        """Drop an ended attempt whose message is deleted (retain_until_delete off: as soon as it has ended)."""
        execution = self._known(message, attempt)
        require(execution.stage != RUNNING, f"{message} attempt {attempt} is running at {self.name}")
        settled = not self.mechanisms.retain_until_delete or self.is_settled(self.name, message, attempt)
        require(settled, f"{message} may be asked for again")
        del self.memory[message, attempt]

    @action
    def agent_crash(self) -> None:
        """The VM dies with its memory and with the functions in it."""
        self._die()

    @action
    def agent_recycle(self) -> None:
        """The platform takes an idle VM away; if it must remember, only one that remembers nothing."""
        require(all(known.stage != RUNNING for known in self.memory.values()), f"{self.name} is not idle")
        require(not self.memory or not self.mechanisms.retain_until_delete, f"{self.name} remembers tasks")
        self._die()

    def is_wanted(self, message: str, attempt: int) -> bool:
        """Whether the store still wants this attempt run."""
        run = self.store.run(message)
        return run.outcome == OPEN and run.attempt == attempt

    def askers(self) -> set[tuple[str, str, int]]:
        """(scheduler, message, attempt) of everybody who is to hear a result."""
        return {(asker, *key) for key, execution in self.memory.items() for asker in execution.asked}

    def _die(self) -> None:
        require(not self.gone, f"{self.name} is gone")
        self.gone = True
        self.memory.clear()

    def _known(self, message: str, attempt: int) -> Execution:
        execution = self.memory.get((message, attempt))
        if execution is None:
            raise NotEnabled(f"{self.name} knows nothing of {message} attempt {attempt}")
        return execution

    def _require_request(self, scheduler: str, message: str, attempt: int) -> None:
        require(not self.gone, f"{self.name} is gone")
        exchange = (scheduler, self.name, message, attempt)
        require(self.wire.has_request(exchange), f"no request {exchange} has arrived")

    def _take(self, scheduler: str, message: str, attempt: int) -> Order:
        require(not self.gone, f"{self.name} is gone")
        return self.wire.take_request((scheduler, self.name, message, attempt))

    def _end(self, message: str, attempt: int, stage: str, result: Result) -> None:
        execution = self._known(message, attempt)
        require(execution.stage == RUNNING, f"{message} attempt {attempt} is not running at {self.name}")
        execution.stage, execution.result = stage, result
        for scheduler in sorted(execution.asked):
            self.wire.send_reply((scheduler, self.name, message, attempt), result)
        if self.mechanisms.join_running:
            execution.asked.clear()
