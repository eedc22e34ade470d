"""The reference platform under a gate, with the face of the core: one call for each action of the model.

API server, relay, balancer, resource manager, schedulers, agents and users' functions are processes that run their own
loops; the client, the network, the clock and whoever starts processes are here, where the faults are made.
"""

from __future__ import annotations

import contextlib
import functools
import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from onceproof.conformance.reference.platform.adapters import PlatformAgent, PlatformScheduler
from onceproof.conformance.reference.platform.names import NamedObserver, Names
from onceproof.conformance.reference.platform.proxies import FUNCTION, AgentProxy, Functions, Post
from onceproof.conformance.reference.platform.remote import ForkServer, Remote
from onceproof.conformance.reference.platform.service_adapters import Api, Balancer, Relay, Resources
from onceproof.implementation.clock import ManualClock
from onceproof.implementation.components.messages import Exchange, Order, Result
from onceproof.implementation.components.queue import Queue
from onceproof.implementation.errors import require
from onceproof.implementation.in_process.core import ON_AGENT_GONE, Core
from onceproof.implementation.platform.config import PlatformConfig
from onceproof.implementation.platform.http.service import PUT_CONFIG
from onceproof.implementation.platform.stores import claim_database, open_queue
from onceproof.implementation.settings import SECOND_NS, Mechanisms, Settings
from onceproof.implementation.stores.database import Database

PATH = "/2023-03-30/functions/f/"


class PlatformCore(Core):
    """A core whose parts are the platform's processes; ``close`` ends them all.

    folder: for its files; made here, and removed by whoever gave it. fork_server: starts its processes, and stays.
    store and queue: as for `serve`. mutant: how its processes are broken, or "".
    """

    def __init__(
        self, folder: str, settings: Settings, fork_server: ForkServer, store: str, queue: str, mutant: str = ""
    ) -> None:
        off = [name for name in Mechanisms.__slots__ if not getattr(settings.mechanisms, name)]
        off = [name for name in off if name != "fail_on_agent_loss"]  # which has a setting of its own
        self.folder = folder
        Path(folder).mkdir()
        (Path(self.folder) / "f.py").write_text(FUNCTION, encoding="utf-8")
        self.config = PlatformConfig(
            data=self.folder,
            functions=self.folder,
            store=store,
            queue=queue,
            schedulers=settings.schedulers,
            agents=settings.agents,
            slots=64,
            lease_seconds=settings.lease_ns / SECOND_NS,
            beat_seconds=settings.beat_ns / SECOND_NS,
            on_agent_loss="fail" if settings.mechanisms.fail_on_agent_loss else "rerun",
            function_timeout_seconds=3600,
            gate=fork_server.gate,
            without=",".join(off),
        )
        self.names = Names()
        self.remotes: dict[str, Remote] = {}
        self.wires: dict[str, AgentProxy] = {}
        self._fork_server, self._mutant = fork_server, mutant
        self._elsewhere: Queue | None = None
        self._listener: socket.socket | None = None
        try:
            super().__init__(self.folder, settings, ManualClock())
        except BaseException:
            self.close()
            raise

    def make_database(self, path: str) -> Database:
        """The store, claimed for this platform; the other processes are started on it."""
        self.database = claim_database(self.config)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        return self.database

    def make_scheduler(self, name: str) -> Any:
        return PlatformScheduler(self.process("scheduler", name), self)

    def make_agent(self, name: str) -> Any:
        return PlatformAgent(self.process("agent", name), self)

    def process(self, role: str, name: str) -> Remote:
        """A process that has forgotten everything: a new one, or the one that is there."""
        remote = self.remotes.get(name)
        if remote is None:
            listener = self._listener if role == "api" else None
            fork = functools.partial(self._fork_server.fork, role, name, self.config, self._mutant, listener)
            self.remotes[name] = Remote(name, self.clock.now_ns, fork)
            return self.remotes[name]
        if remote.stopped:
            remote.resume()
        if not remote.alive:
            if name in self.wires:
                self.wires[name].break_all()
            remote.restart()
        return remote

    def reset(self) -> None:
        """Back to the initial state: empty tables and memories; processes that live on forget everything."""
        self.names.clear()
        self.functions.end_all()
        self.database.reset()
        self.clock.rewind()
        self.network.reset()
        self.ledger.reset()
        self.client.reset()
        if self.api_server.admitting:
            self.api_server.forget()  # type: ignore[attr-defined]
        for name in ("api", "resources", "balancer", "relay"):
            self.process(name, name).order("reset")
        self.agents = {name: self.make_agent(name) for name in self._names("agent")}
        for name in self.agents:
            self.remotes[name].order("reset")
            if not self.wires[name].to_agent:
                self.wires[name].connect()
        retries = json.dumps({"maxAsyncRetryAttempts": self.settings.attempts - 1})
        with self.database.transaction():
            for number in range(1, self.settings.users + 1):
                user = f"user{number}"
                self.store.put_user(user)
                self.database.run(PUT_CONFIG, user, "f", "LATEST", retries, 0, 0)
        self.schedulers = {name: self.make_scheduler(name) for name in self._names("scheduler")}
        for scheduler in self.schedulers.values():
            remote = self.remotes[scheduler.name]
            remote.order("reset")
            remote.step("scheduler_restart", {"scheduler": scheduler.name})
        self.drain()
        self.network.reset()

        self._empty_queue()

    def _empty_queue(self) -> None:
        """Nothing is on the queue that is elsewhere."""
        if self._elsewhere is None:
            self._elsewhere = open_queue(self.config, self.database, self.clock, self.config.core_settings())
        self._elsewhere.purge()

    def drain(self) -> None:
        """Take in what the processes have sent."""
        for wires in self.wires.values():
            wires.drain()
        self.functions.drain()

    def post(self, task: str) -> Post:
        """The POST of a task, which arrives now."""
        headers = f"X-Fc-Invocation-Type: Async\r\nX-Fc-Async-Task-Id: {task}\r\n"
        body = self.functions.path.encode()
        return Post(self.port, "POST", f"{PATH}invocations", self.client.owner(task), body, headers)

    def put_stop(self, task: str) -> Post:
        """The request to stop a task, which arrives now."""
        return Post(self.port, "PUT", f"{PATH}async-tasks/{task}/stop", self.client.owner(task), b"")

    def close(self) -> None:
        """End all processes."""
        for remote in self.remotes.values():
            with contextlib.suppress(Exception):
                remote.kill()
        for wires in self.wires.values():
            wires.close()
        if hasattr(self, "functions"):
            self.functions.close()
        if self._listener is not None:
            self._listener.close()
        if self._elsewhere is not None:
            self._elsewhere.close()
        if hasattr(self, "database"):
            self.database.close()

    def _all_calls(self) -> dict[str, Callable[[dict[str, Any]], Any]]:
        self._interpose()
        return super()._all_calls()

    def _interpose(self) -> None:
        """Put what stands between in its place, and start what stays for good."""
        self.observer = NamedObserver(self.database, self.clock, self.names)
        self.environment.database = NamedDatabase(self.database, self.names)  # type: ignore[assignment]
        self.functions = Functions(f"{self.folder}/functions.sock", self._started)
        for agent in self._names("agent"):
            self.wires[agent] = AgentProxy(agent, self.folder, self._names("scheduler"), self._requested, self._replied)
        self.api_server = Api(self.process("api", "api"), self)  # type: ignore[assignment]
        self.relay = Relay(self.process("relay", "relay"), self)  # type: ignore[assignment]
        self.load_balancer = Balancer(self.process("balancer", "balancer"), self)  # type: ignore[assignment]
        self.resource_manager = Resources(self.process("resources", "resources"), self)  # type: ignore[assignment]

    def _call_of_agent(self, name: str) -> Callable[[dict[str, Any]], Any]:
        def call(arguments: dict[str, Any]) -> None:
            agent = self.agents[arguments.pop("agent")]
            broken = agent.askers() | self.network.open_exchanges(agent.name)
            getattr(agent, name)(**arguments)
            if name in ON_AGENT_GONE:
                self._agent_is_gone(agent.name, broken)

        return call

    def _is_settled(self, agent: str, message: str, attempt: int) -> bool:
        return self.queue.is_deleted(self.names.real(message)) and not self._is_wanted(agent, message, attempt)

    def _is_wanted(self, agent: str, message: str, attempt: int) -> bool:
        """Somebody has it in hand, or asks for it."""
        in_hand = any(message in scheduler.works for scheduler in self.schedulers.values())
        return in_hand or any(key[1:] == (agent, message, attempt) for key in self.network.requests)

    def _requested(self, exchange: Exchange, order: Order) -> None:
        self.network.send_request(self._modelled(exchange), order)

    def _replied(self, exchange: Exchange, result: Result) -> None:
        self.network.send_reply(self._modelled(exchange), result)

    def _started(self, task_id: str, attempt: int) -> None:
        self.ledger.starts[task_id, attempt] += 1

    def _modelled(self, exchange: Exchange) -> Exchange:
        scheduler, agent, message, attempt = exchange
        return scheduler, agent, self.names.modelled(message), attempt

    def _assign(self, name: str, scheduler: str, user: str) -> None:
        getattr(self.load_balancer, name)(scheduler, user)
        if not self.settings.mechanisms.owner_epoch:
            self.remotes[scheduler].order("learn", user=user)

    def _agent_boot(self, agent: str) -> None:
        self.agents[agent].boot()  # type: ignore[attr-defined]

    def _place(self, name: str, scheduler: str, message: str, agent: str) -> None:
        self._ask(scheduler, message)
        getattr(self.resource_manager, name)(scheduler, message, agent)

    def _ask(self, scheduler: str, message: str) -> None:
        """Have a scheduler ask the resource manager for what it holds; NotEnabled if it does not ask for this."""
        self.schedulers[scheduler].require_held(message)
        remote = self.remotes[scheduler]
        remote.order("ask")
        require(self.names.real(message) in remote.view[3], f"{scheduler} does not ask where {message} is to run")

    def _fail_lost(self, scheduler: str, message: str) -> None:
        self._ask(scheduler, message)
        self.resource_manager.fail_lost(scheduler, message)
        self.remotes[scheduler].order("settled", message=self.names.real(message))

    def _agent_is_gone(self, agent: str, broken: set[tuple[str, str, int]]) -> None:
        self.network.drop_agent(agent)
        for scheduler, message, attempt in broken:
            self._timed_out(scheduler, message, attempt)


class NamedDatabase:
    """The store with the model's names as parameters, for what passes as time."""

    def __init__(self, database: Database, names: Names) -> None:
        self._database, self._names = database, names
        self.transaction = database.transaction

    def row(self, sql: str, *values: Any) -> Any:
        """The first row of a query."""
        return self._database.row(sql, *map(self._names.real, values))

    def run(self, sql: str, *values: Any) -> int:
        """Execute a statement."""
        return self._database.run(sql, *map(self._names.real, values))
