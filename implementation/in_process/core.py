"""The reference system in one process: every component wired to one SQLite file, one call for each action.

    core = Core("/tmp/x.db", Settings(synchronous="OFF"), ManualClock())
    core.step("submit", task="task1", submission="submission1")
    core.observer.messages()

`step` performs any action of the model by name; the components' methods of the same names can be called directly.
"""

from dataclasses import dataclass
from typing import Any

from onceproof.implementation.clock import ManualClock
from onceproof.implementation.components.agent import Agent
from onceproof.implementation.components.api_server import ApiServer
from onceproof.implementation.components.load_balancer import LoadBalancer
from onceproof.implementation.components.relay import Relay
from onceproof.implementation.components.resource_manager import ResourceManager
from onceproof.implementation.components.scheduler import Scheduler
from onceproof.implementation.components.task_store import TaskStore
from onceproof.implementation.in_process.actions import Actions
from onceproof.implementation.in_process.agent_slot import AgentSlot
from onceproof.implementation.in_process.client import Client
from onceproof.implementation.in_process.environment import Environment
from onceproof.implementation.in_process.ledger import Ledger
from onceproof.implementation.in_process.network import Network
from onceproof.implementation.in_process.observation import Observer
from onceproof.implementation.in_process.parts import is_wanted, names
from onceproof.implementation.probe import Probe
from onceproof.implementation.queues.table import TableQueue
from onceproof.implementation.settings import Settings
from onceproof.implementation.stores.sqlite import SqliteDatabase


@dataclass(frozen=True, slots=True)
class Classes:
    """What the parts of a core are made of; a variant of the core has other classes."""

    store: type[TaskStore] = TaskStore
    queue: type[TableQueue] = TableQueue
    scheduler: type[Scheduler] = Scheduler
    agent: type[Agent] = Agent


class Core:
    """N schedulers, M agents, API server, relay, load balancer, resource manager and client on one file.

    path: the SQLite file. settings: sizes, times, mechanisms. clock: moved by the actions lapse and lease_lapse.
    probe: passed by every action (None: off). classes: what it is made of.
    """

    def __init__(
        self,
        path: str,
        settings: Settings,
        clock: ManualClock,
        probe: Probe | None = None,
        classes: Classes = Classes(),
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.probe = probe
        self.classes = classes
        mechanisms = settings.mechanisms
        self.database = SqliteDatabase(path, settings.synchronous)
        self.network = Network()
        self.ledger = Ledger()
        self.store = classes.store(self.database, mechanisms.task_id_dedup)
        self.queue = classes.queue(self.database, clock, mechanisms, settings.lease_ns)
        self.observer = Observer(self.database, clock)
        self.client = Client(self.network, settings.users, settings.attempts, probe)
        self.api_server = ApiServer(self.store, self.queue, self.network, clock, mechanisms, probe)
        self.relay = Relay(self.store, self.queue, probe)
        self.load_balancer = LoadBalancer(self.database, clock, settings.beat_ns, probe)
        self.resource_manager = ResourceManager(self.store, clock, mechanisms, probe)
        self.environment = Environment(
            self.database, self.network, clock, settings.lease_ns, settings.beat_ns, self._time_out, probe
        )
        self.schedulers: dict[str, Scheduler] = {}
        self.agents: dict[str, AgentSlot] = {}
        self._actions = Actions(self)
        self.reset()

    def reset(self) -> None:
        """Back to the initial state: empty tables, empty memories, nothing on the wire."""
        self.database.reset()
        self.clock.rewind()
        self.network.reset()
        self.ledger.reset()
        self.client.reset()
        self.api_server.admitting.clear()
        self.relay.published.clear()
        self.schedulers = {name: self._new_scheduler(name) for name in names(self.settings, "scheduler")}
        self.agents = {name: self._new_slot(name) for name in names(self.settings, "agent")}
        with self.database.transaction():
            for scheduler in self.schedulers:
                self.load_balancer.beat(scheduler)
            for agent in self.agents:
                self.store.agent_boots(agent)

    def step(self, action: str, **arguments: Any) -> None:
        """Perform one action of the model; arguments are element names (attempts: `attempt1` or 1).

        NotEnabled: the system cannot do that now, and nothing has changed. KeyError: no such action or element.
        """
        self._actions.perform(action, arguments)

    def close(self) -> None:
        """Close the file."""
        self.database.close()

    def _new_scheduler(self, name: str) -> Scheduler:
        return self.classes.scheduler(
            name,
            self.store,
            self.queue,
            self.load_balancer,
            self.network,
            self.clock,
            self.settings.mechanisms,
            self.probe,
        )

    def _new_agent(self, name: str, incarnation: int) -> Agent:
        return self.classes.agent(
            name,
            incarnation,
            self.store,
            self.clock,
            self.network,
            self.ledger,
            self._is_settled,
            self.settings.mechanisms,
            self.probe,
        )

    def _new_slot(self, name: str) -> AgentSlot:
        return AgentSlot(
            name, self._new_agent, self.store, self.resource_manager, self.ledger, self.settings.mechanisms
        )

    def _is_settled(self, agent: str, message: str, attempt: int) -> bool:
        """The message is deleted, nobody has it in hand, and no request for it is on its way to the agent."""
        return self.queue.is_deleted(message) and not is_wanted(self, agent, message, attempt)

    def _time_out(self, scheduler: str, message: str, attempt: int) -> None:
        self.schedulers[scheduler].timed_out(message, attempt)
