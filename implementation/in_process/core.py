"""The reference system in one process: every component wired to one SQLite file, one call for each action.

    core = Core("/tmp/x.db", Settings(synchronous="OFF"), ManualClock())
    core.step("submit", task="task1", submission="submission1")
    core.observer.messages()

`step` performs any action of the model by name; the components' methods of the same names can be called directly.
"""

from collections.abc import Callable
from typing import Any

from onceproof.implementation.clock import ManualClock
from onceproof.implementation.components.agent import Agent
from onceproof.implementation.components.api_server import ApiServer
from onceproof.implementation.components.load_balancer import LoadBalancer
from onceproof.implementation.components.queue import Queue
from onceproof.implementation.components.relay import Relay
from onceproof.implementation.components.resource_manager import ResourceManager
from onceproof.implementation.components.scheduler import Scheduler
from onceproof.implementation.components.task_store import TaskStore
from onceproof.implementation.errors import require
from onceproof.implementation.in_process.client import Client
from onceproof.implementation.in_process.environment import Environment
from onceproof.implementation.in_process.ledger import Ledger
from onceproof.implementation.in_process.network import Network
from onceproof.implementation.in_process.observation import Observer
from onceproof.implementation.probe import Probe
from onceproof.implementation.queues.table import TableQueue
from onceproof.implementation.settings import Settings
from onceproof.implementation.stores.database import Database
from onceproof.implementation.stores.sqlite import SqliteDatabase

CLIENT = ("submit", "hear_answer", "response_loss", "request_loss_at_api")
API_SERVER = ("admit", "refuse", "enqueue", "stop")
RELAY = ("relay", "relay_again", "mark_relayed", "relay_crash")
ENVIRONMENT = ("lapse", "lease_lapse", "request_loss", "request_duplication", "reply_loss")
LOAD_BALANCER = ("assign", "stale_owner")
SCHEDULER = (
    "receive",
    "broker_duplicate",
    "renew",
    "receipt_refused",
    "dispatch",
    "hear",
    "record",
    "record_failure",
    "retry",
    "overtaken",
    "skip",
    "delete",
    "expire",
    "scheduler_restart",
    "scheduler_resume",
    "scheduler_crash",
    "scheduler_pause",
    "scheduler_upgrade",
    "upgrade_finish",
)
RESOURCE_MANAGER = ("place", "fail_lost", "replace", "agent_boot")
AGENT = ("start", "join", "answer", "finish", "function_failure", "forget", "agent_crash", "agent_recycle")
ACTIONS = (
    *CLIENT,
    *API_SERVER,
    "api_crash",
    *RELAY,
    *ENVIRONMENT,
    *LOAD_BALANCER,
    *SCHEDULER,
    *RESOURCE_MANAGER,
    *AGENT,
)
ON_AGENT_GONE = ("agent_crash", "agent_recycle")
ON_SCHEDULER_DOWN = ("scheduler_crash", "scheduler_upgrade", "upgrade_finish")


class Core:
    """N schedulers, M agents, API server, relay, load balancer, resource manager and client on one file.

    path: the SQLite file. settings: sizes, times, mechanisms. clock: moved by the actions lapse and lease_lapse.
    probe: passed by every action (None: off).
    """

    def __init__(self, path: str, settings: Settings, clock: ManualClock, probe: Probe | None = None) -> None:
        self.settings = settings
        self.clock = clock
        self.probe = probe
        mechanisms = settings.mechanisms
        self.database = self.make_database(path)
        self.network = Network()
        self.ledger = Ledger()
        self.store = self.make_store()
        self.queue = self.make_queue()
        self.observer = Observer(self.database, clock)
        self.client = Client(self.network, settings.users, settings.attempts, probe)
        self.api_server = ApiServer(self.store, self.queue, self.network, clock, mechanisms, probe)
        self.relay = Relay(self.store, self.queue, probe)
        self.load_balancer = LoadBalancer(self.database, clock, settings.beat_ns, probe)
        self.resource_manager = ResourceManager(self.store, clock, mechanisms, probe)
        self.environment = Environment(
            self.database, self.network, clock, settings.lease_ns, settings.beat_ns, self._timed_out, probe
        )
        self.schedulers: dict[str, Scheduler] = {}
        self.agents: dict[str, Agent] = {}
        self._calls = self._all_calls()
        self.reset()

    def make_database(self, path: str) -> Database:
        """The connection to the database; a variant of the core overrides this."""
        return SqliteDatabase(path, self.settings.synchronous)

    def make_store(self) -> TaskStore:
        """The task store; a variant of the core overrides this."""
        return TaskStore(self.database, self.settings.mechanisms.task_id_dedup)

    def make_queue(self) -> Queue:
        """The queue; a variant of the core overrides this."""
        return TableQueue(self.database, self.clock, self.settings.mechanisms, self.settings.lease_ns)

    def make_scheduler(self, name: str) -> Scheduler:
        """One scheduler; a variant of the core overrides this."""
        return Scheduler(
            name,
            self.store,
            self.queue,
            self.load_balancer,
            self.network,
            self.clock,
            self.settings.mechanisms,
            self.probe,
        )

    def make_agent(self, name: str) -> Agent:
        """A fresh incarnation of an agent; a variant of the core overrides this."""
        return Agent(name, self.network, self.ledger, self._is_settled, self.settings.mechanisms, self.probe)

    def reset(self) -> None:
        """Back to the initial state: empty tables, empty memories, nothing on the wire."""
        self.database.reset()
        self.clock.rewind()
        self.network.reset()
        self.ledger.reset()
        self.client.reset()
        self.api_server.admitting.clear()
        self.relay.published.clear()
        self.schedulers = {name: self.make_scheduler(name) for name in self._names("scheduler")}
        self.agents = {name: self.make_agent(name) for name in self._names("agent")}
        with self.database.transaction():
            for scheduler in self.schedulers:
                self.load_balancer.beat(scheduler)
            for agent in self.agents:
                self.store.agent_boots(agent)

    def step(self, action: str, **arguments: Any) -> None:
        """Perform one action of the model; arguments are element names (attempts: `attempt1` or 1).

        NotEnabled: the system cannot do that now, and nothing has changed. KeyError: no such action or element.
        """
        for name in ("attempt", "next_attempt"):
            value = arguments.get(name)
            if isinstance(value, str):
                arguments[name] = int(value.removeprefix("attempt"))
        self._calls[action](arguments)

    def close(self) -> None:
        """Close the file."""
        self.database.close()

    def _names(self, sort: str) -> list[str]:
        number = self.settings.schedulers if sort == "scheduler" else self.settings.agents
        return [f"{sort}{index}" for index in range(1, number + 1)]

    def _all_calls(self) -> dict[str, Callable[[dict[str, Any]], Any]]:
        """For each action the call that performs it."""
        calls: dict[str, Callable[[dict[str, Any]], Any]] = {}
        for names, component in (
            (CLIENT, self.client),
            (API_SERVER, self.api_server),
            (RELAY, self.relay),
            (ENVIRONMENT, self.environment),
            (LOAD_BALANCER, self.load_balancer),
            (RESOURCE_MANAGER, self.resource_manager),
        ):
            for name in names:
                calls[name] = self._call_of(component, name)
        for name in SCHEDULER:
            calls[name] = self._call_of_scheduler(name)
        for name in AGENT:
            calls[name] = self._call_of_agent(name)
        calls.update(
            api_crash=lambda _: self._api_crash(),
            assign=lambda a: self._assign("assign", **a),
            stale_owner=lambda a: self._assign("stale_owner", **a),
            place=lambda a: self._place("place", **a),
            replace=lambda a: self._place("replace", **a),
            fail_lost=lambda a: self._fail_lost(**a),
            agent_boot=lambda a: self._agent_boot(**a),
        )
        return calls

    def _call_of(self, component: object, name: str) -> Callable[[dict[str, Any]], Any]:
        return lambda arguments: getattr(component, name)(**arguments)

    def _call_of_scheduler(self, name: str) -> Callable[[dict[str, Any]], Any]:
        def call(arguments: dict[str, Any]) -> None:
            scheduler = self.schedulers[arguments.pop("scheduler")]
            getattr(scheduler, name)(**arguments)
            if name in ON_SCHEDULER_DOWN and scheduler.mode == "DOWN":
                self.network.drop_scheduler(scheduler.name)
                self.load_balancer.withdraw(scheduler.name)
            elif name == "scheduler_pause":
                self.load_balancer.withdraw(scheduler.name)

        return call

    def _call_of_agent(self, name: str) -> Callable[[dict[str, Any]], Any]:
        def call(arguments: dict[str, Any]) -> None:
            agent = self.agents[arguments.pop("agent")]
            broken = agent.askers() | self.network.open_exchanges(agent.name) if name in ON_AGENT_GONE else set()
            if name == "agent_recycle" and self.settings.mechanisms.retain_until_delete:
                require(not self.store.is_needed(agent.name), f"{agent.name} has messages that are not deleted")
            getattr(agent, name)(**arguments)
            if name in ("finish", "function_failure"):
                key = (arguments["message"], arguments["attempt"])
                self.ledger.end(agent.memory[key].order.task, key[1], name == "finish")
            elif name in ON_AGENT_GONE:
                self._agent_is_gone(agent.name, broken)

        return call

    def _agent_is_gone(self, agent: str, broken: set[tuple[str, str, int]]) -> None:
        """Its incarnation is marked, its connections break, and whoever waits at one of them holds again."""
        self.store.agent_gone(agent, self.store.incarnation(agent))
        self.network.drop_agent(agent)
        for scheduler, message, attempt in broken:
            self._timed_out(scheduler, message, attempt)

    def _agent_boot(self, agent: str) -> None:
        self.resource_manager.agent_boot(agent)
        self.agents[agent] = self.make_agent(agent)

    def _api_crash(self) -> None:
        self.api_server.api_crash()
        self.client.all_connections_lost()

    def _assign(self, name: str, scheduler: str, user: str) -> None:
        getattr(self.load_balancer, name)(scheduler, user)
        self.schedulers[scheduler].learn(user)

    def _place(self, name: str, scheduler: str, message: str, agent: str) -> None:
        self.schedulers[scheduler].require_held(message)
        getattr(self.resource_manager, name)(scheduler, message, agent)

    def _fail_lost(self, scheduler: str, message: str) -> None:
        self.schedulers[scheduler].require_held(message)
        self.resource_manager.fail_lost(scheduler, message)
        self.schedulers[scheduler].settled(message)

    def _is_settled(self, agent: str, message: str, attempt: int) -> bool:
        """The message is deleted, nobody has it in hand, and no request for it is on its way to the agent."""
        in_hand = any(message in scheduler.works for scheduler in self.schedulers.values())
        asked = any(key[1:] == (agent, message, attempt) for key in self.network.requests)
        return self.queue.is_deleted(message) and not in_hand and not asked

    def _timed_out(self, scheduler: str, message: str, attempt: int) -> None:
        self.schedulers[scheduler].timed_out(message, attempt)
