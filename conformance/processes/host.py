"""A process that holds one component of the reference system, and performs one action each time that it gets leave.

What a component sends goes back with the answer, to whoever plays the network.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from implementation.agent import Agent
from implementation.api_server import ApiServer
from implementation.clock import ManualClock
from implementation.database import Database
from implementation.errors import NotEnabled
from implementation.load_balancer import LoadBalancer
from implementation.network import Exchange, Order, Result
from implementation.probe import Probe
from implementation.queue import Queue
from implementation.relay import Relay
from implementation.scheduler import Scheduler
from implementation.settings import Settings
from implementation.task_store import Submission, TaskStore

RESET = "reset"


@dataclass(frozen=True)
class Leave:
    """Leave for one call of the component. now_ns: the time; given: what has arrived for it (an order, a result, a
    post), and what it may ask (whether a message is settled). probed: whether the call passes a probe."""

    call: str
    arguments: Mapping[str, Any]
    now_ns: int
    given: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Done:
    """What became of it. refused: why it was not enabled; failed: which exception ended it; effects: calls of the
    network and of the functions' ledger; passed: the actions whose probe it passed; view: its memory."""

    refused: str | None
    failed: str | None
    effects: list[tuple[str, tuple[Any, ...]]]
    passed: list[str]
    view: Any


def open_database(place: str, settings: Settings) -> Database:
    """A connection to a PostgreSQL database by its URL, or to an SQLite file by its path."""
    if not place.startswith("postgres"):
        return Database(place, settings.synchronous)
    # Imported here: the driver of PostgreSQL is not needed, and may not be there, where it is not used.
    from implementation.postgres import PostgresDatabase

    return PostgresDatabase(place)


class Wire:
    """The component's side of every wire: what it takes was given with the leave, what it sends is an effect."""

    def __init__(self) -> None:
        self.given: Mapping[str, Any] = {}
        self.effects: list[tuple[str, tuple[Any, ...]]] = []

    def take_request(self, exchange: Exchange) -> Order:
        """The order that has arrived; NotEnabled if none has."""
        order: Order = self._taken("order", f"no request {exchange} on the wire")
        self.effects.append(("take_request", (exchange,)))
        return order

    def take_reply(self, exchange: Exchange) -> Result:
        """The result that has arrived; NotEnabled if none has."""
        result: Result = self._taken("result", f"no reply {exchange} on the wire")
        self.effects.append(("take_reply", (exchange,)))
        return result

    def send_request(self, exchange: Exchange, order: Order) -> None:
        """An order goes out."""
        self.effects.append(("send_request", (exchange, order)))

    def send_reply(self, exchange: Exchange, result: Result) -> None:
        """A result goes out."""
        self.effects.append(("send_reply", (exchange, result)))

    def request(self, task: str, submission: str) -> Submission:
        """The POST that has arrived; NotEnabled if none has."""
        post: Submission = self._taken("post", f"no request {submission} of {task} on the wire")
        return post

    def take(self, task: str, submission: str) -> None:
        """The POST is off the wire."""
        self.effects.append(("take", (task, submission)))

    def answer(self, task: str, submission: str, answer: str) -> None:
        """An answer goes out."""
        self.effects.append(("answer", (task, submission, answer)))

    def break_all(self) -> None:
        """Connections break only with the process."""
        raise NotEnabled("the process lives")

    def start(self, agent: str, message: str, attempt: int, order: Order) -> None:
        """A user's function starts."""
        self.effects.append(("start", (agent, message, attempt, order)))

    def _taken(self, what: str, reason: str) -> Any:
        if self.given.get(what) is None:
            raise NotEnabled(reason)
        return self.given[what]


class Host:
    """One component with its own connection to the database."""

    def __init__(self, kind: str, name: str, path: str, settings: Settings) -> None:
        self.kind, self.name, self.settings = kind, name, settings
        self.clock, self.wire = ManualClock(), Wire()
        self.passed: list[str] = []
        self.database = open_database(path, settings)
        self.store = TaskStore(self.database, settings.mechanisms.task_id_dedup)
        self.queue = Queue(self.database, self.clock, settings.mechanisms, settings.lease_ns)
        self.probe = Probe(name, gate=lambda action, arguments: self.passed.append(action))
        self.component = self._make()

    def perform(self, leave: Leave) -> Done:
        """Do what there is leave for, and nothing else."""
        self.wire.given, self.wire.effects, self.passed = leave.given, [], []
        refused = failed = None
        if leave.call == RESET:
            self.clock.rewind()
            self.component = self._make()
        else:
            self.clock.move_to(leave.now_ns)
            try:
                getattr(self.component, leave.call)(**leave.arguments)
            except NotEnabled as error:
                refused = str(error)
            except Exception as error:
                failed = f"{type(error).__name__}: {error}"
        return Done(refused, failed, self.wire.effects, self.passed, self._view())

    def _make(self) -> Any:
        mechanisms, probe = self.settings.mechanisms, self.probe
        if self.kind == "scheduler":
            balancer = LoadBalancer(self.database, self.clock, self.settings.beat_ns)
            return Scheduler(self.name, self.store, self.queue, balancer, self.wire, self.clock, mechanisms, probe)
        if self.kind == "agent":
            return Agent(self.name, self.wire, self.wire, lambda *_: self.wire.given["settled"], mechanisms, probe)
        if self.kind == "api_server":
            return ApiServer(self.store, self.queue, self.wire, self.clock, mechanisms, probe)
        return Relay(self.store, self.queue, probe)

    def _view(self) -> Any:
        component = self.component
        views: dict[str, Callable[[], Any]] = {
            "scheduler": lambda: (component.mode, component.works, component.epochs),
            "agent": lambda: (component.gone, component.memory),
            "api_server": lambda: component.admitting,
            "relay": lambda: component.published,
        }
        return views[self.kind]()


def serve(connection: Connection, kind: str, name: str, path: str, settings: Settings) -> None:
    """Answer each leave until the other side is gone."""
    host = Host(kind, name, path, settings)
    with contextlib.suppress(EOFError, OSError):
        while True:
            connection.send(host.perform(connection.recv()))
