"""The resource manager: says which agent has a task, and what happens to the task of an agent that is gone."""

from onceproof.implementation.clock import Clock
from onceproof.implementation.components.task_store import OPEN, Placement, TaskStore
from onceproof.implementation.errors import NotEnabled, require
from onceproof.implementation.probe import Probe, action
from onceproof.implementation.settings import Mechanisms

LOST = "was lost with the task"


class ResourceManager:
    """Placements and agent incarnations are rows in the store; this component keeps no memory.

    The scheduler argument of its actions is the one that asks, for the messages it holds.
    """

    def __init__(self, store: TaskStore, clock: Clock, mechanisms: Mechanisms, probe: Probe | None = None) -> None:
        self.store = store
        self.clock = clock
        self.mechanisms = mechanisms
        self.probe = probe
        self.identity: dict[str, str] = {}

    @action
    def place(self, scheduler: str, message: str, agent: str) -> None:
        """Choose the agent for a message that has none; the choice is in the store before anything is dispatched."""
        require(self.mechanisms.sticky_placement, "sticky_placement is off")
        self.store.place(message, agent)

    @action
    def fail_lost(self, scheduler: str, message: str) -> None:
        """fail_on_agent_loss: the agent that had begun the task is gone, so the task has failed, visibly."""
        require(self.mechanisms.fail_on_agent_loss, "fail_on_agent_loss is off")
        with self.store.database.transaction():
            placement = self._lost(message, begun=True)
            error = f"agent {placement.agent} (incarnation {placement.incarnation}) {LOST}"
            self.store.fail(message, self.store.run(message).attempt, error, self.clock.now_ns())

    @action
    def replace(self, scheduler: str, message: str, agent: str) -> None:
        """fail_on_agent_loss off: the agent that had begun the task is gone, so another one runs it again."""
        require(not self.mechanisms.fail_on_agent_loss, "fail_on_agent_loss is on")
        with self.store.database.transaction():
            self._lost(message, begun=True)
            self.store.replace(message, agent)

    @action
    def unplace(self, scheduler: str, message: str) -> None:
        """The agent that had the task is gone and had not begun it: it is to be placed anew."""
        with self.store.database.transaction():
            self._lost(message, begun=False)
            self.store.unplace(message)

    @action
    def agent_boot(self, agent: str, *, address: str = "") -> None:
        """A fresh VM takes the place of one that is gone; it has another incarnation number, and its own address."""
        require(self.store.is_gone(agent), f"{agent} is not gone")
        self.store.agent_boots(agent, address)

    def _lost(self, message: str, begun: bool) -> Placement:
        """The placement of an open message, begun or not, on an agent that is gone; NotEnabled if it is not so."""
        run = self.store.run(message)
        require(run.outcome == OPEN, f"{message} has ended")
        require(run.is_begun == begun, f"{message} was {'not begun' if begun else 'begun'} by the agent that has it")
        placement = self.store.placement(message)
        if placement is None or not placement.gone:
            raise NotEnabled(f"the agent that has {message} is not gone")
        return placement
