"""The place of an agent in process: its present incarnation, and what the platform around it does about it."""

from collections.abc import Callable

from onceproof.implementation.components.agent import Agent, Execution
from onceproof.implementation.components.messages import Order
from onceproof.implementation.components.resource_manager import ResourceManager
from onceproof.implementation.components.task_store import TaskStore
from onceproof.implementation.errors import require
from onceproof.implementation.in_process.contents import error_of, result_of
from onceproof.implementation.in_process.ledger import Ledger
from onceproof.implementation.in_process.parts import Asker
from onceproof.implementation.settings import Mechanisms


class AgentSlot:
    """make: a fresh incarnation. The store knows whether the present one is gone; the ledger how functions ended."""

    def __init__(
        self,
        name: str,
        make: Callable[[str, int], Agent],
        store: TaskStore,
        resource_manager: ResourceManager,
        ledger: Ledger,
        mechanisms: Mechanisms,
    ) -> None:
        self.name = name
        self.make = make
        self.store = store
        self.resource_manager = resource_manager
        self.ledger = ledger
        self.mechanisms = mechanisms
        self.agent = make(name, 1)

    @property
    def memory(self) -> dict[tuple[str, int], Execution]:
        """What the present incarnation remembers."""
        return self.agent.memory

    def askers(self) -> set[Asker]:
        """Everybody who is to hear a result."""
        return self.agent.askers()

    def start(self, scheduler: str, message: str, attempt: int) -> None:
        """A request arrives, and the function is started."""
        self.agent.start(scheduler, message, attempt)

    def turn_away(self, scheduler: str, message: str, attempt: int) -> None:
        """A request arrives that does not count any more."""
        self.agent.turn_away(scheduler, message, attempt)

    def join(self, scheduler: str, message: str, attempt: int) -> None:
        """A request arrives for what runs."""
        self.agent.join(scheduler, message, attempt)

    def answer(self, scheduler: str, message: str, attempt: int) -> None:
        """A request arrives for what has ended."""
        self.agent.answer(scheduler, message, attempt)

    def finish(self, message: str, attempt: int) -> None:
        """The function returns."""
        order = self._order(message, attempt)
        self.agent.finish(message, attempt, value=result_of(order.payload, attempt))
        self.ledger.end(order.task, attempt, True)

    def function_failure(self, message: str, attempt: int) -> None:
        """The function raises."""
        order = self._order(message, attempt)
        self.agent.function_failure(message, attempt, error=error_of(order.payload, attempt))
        self.ledger.end(order.task, attempt, False)

    def forget(self, message: str, attempt: int) -> None:
        """An ended attempt is dropped from memory."""
        self.agent.forget(message, attempt)

    def agent_crash(self) -> None:
        """The incarnation dies."""
        self.agent.agent_crash()
        self._mark_gone()

    def agent_recycle(self) -> None:
        """An idle incarnation is taken away; if it must remember, only one that no message needs."""
        if self.mechanisms.retain_until_delete:
            require(not self.store.is_needed(self.name), f"{self.name} has messages that are not deleted")
        self.agent.agent_recycle()
        self._mark_gone()

    def agent_boot(self) -> None:
        """A fresh incarnation takes the place of one that is gone."""
        self.resource_manager.agent_boot(self.name)
        self.agent = self.make(self.name, self.store.incarnation(self.name))

    def _order(self, message: str, attempt: int) -> Order:
        """What the function that ends was given; an agent that knows of none will say so."""
        known = self.agent.memory.get((message, attempt))
        return known.order if known is not None else Order("")

    def _mark_gone(self) -> None:
        self.store.agent_gone(self.name, self.store.incarnation(self.name))
