"""The test harness around one platform: its processes, and all that stands between them, where the faults are made.

The client, the network, the clock and whoever starts processes are here. Adapters to the processes work on it; it
knows none of them.
"""

from __future__ import annotations

import contextlib
import functools
import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from onceproof.conformance.reference.platform.names import NamedObserver, Names
from onceproof.conformance.reference.platform.proxies import FUNCTION, AgentProxy, Functions, Post
from onceproof.conformance.reference.platform.remote import ForkServer, Remote
from onceproof.implementation.clock import ManualClock
from onceproof.implementation.components.messages import Exchange, Order, Result
from onceproof.implementation.in_process.client import Client
from onceproof.implementation.in_process.contents import payload_of
from onceproof.implementation.in_process.ledger import Ledger
from onceproof.implementation.in_process.network import Network
from onceproof.implementation.in_process.parts import names
from onceproof.implementation.platform.config import PlatformConfig
from onceproof.implementation.platform.stores import claim_database, open_queue
from onceproof.implementation.settings import SECOND_NS, Mechanisms, Settings

PATH = "/2023-03-30/functions/f/"


class Harness:
    """``close`` ends all processes.

    folder: for the platform's files; made here, and removed by whoever gave it. fork_server: starts the processes,
    and outlives them. store and queue: as for `serve`. mutant: how the processes are broken, or "".
    """

    def __init__(
        self, folder: str, settings: Settings, fork_server: ForkServer, store: str, queue: str, mutant: str
    ) -> None:
        Path(folder).mkdir()
        (Path(folder) / "f.py").write_text(FUNCTION, encoding="utf-8")
        self.folder, self.settings = folder, settings
        self.config = config_of(folder, settings, fork_server.gate, store, queue)
        self._fork_server, self._mutant = fork_server, mutant
        self.clock = ManualClock()
        self.names = Names()
        self.told: dict[str, tuple[str, str]] = {}  # what the API should say of an ended task, and says
        self.network = Network()
        self.ledger = Ledger()
        self.client = Client(self.network, settings.users, settings.attempts)
        self.remotes: dict[str, Remote] = {}
        self.proxies: dict[str, AgentProxy] = {}
        with contextlib.ExitStack() as opening:
            self.database = claim_database(self.config)
            opening.callback(self.database.close)
            self.queue = open_queue(self.config, self.database, self.clock, self.config.core_settings())
            opening.callback(self.queue.close)
            self._listener = opening.enter_context(socket.create_server(("127.0.0.1", 0)))
            self.port = int(self._listener.getsockname()[1])
            self.observer = NamedObserver(self.database, self.clock, self.names)
            self.functions = Functions(f"{folder}/functions.sock", self._started)
            opening.callback(self.functions.close)
            for agent in names(settings, "agent"):
                proxy = AgentProxy(agent, folder, names(settings, "scheduler"), self._requested, self._replied)
                opening.callback(proxy.close)
                self.proxies[agent] = proxy
            opening.callback(self._kill_all)
            self._open = opening.pop_all()

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
            if name in self.proxies:
                self.proxies[name].break_all()
            remote.restart()
        return remote

    def reset(self) -> None:
        """Empty tables, nothing on the wire, no function runs, no name is bound."""
        self.names.clear()
        self.told.clear()
        self.functions.end_all()
        self.database.reset()
        self.clock.rewind()
        self.network.reset()
        self.ledger.reset()
        self.client.reset()

    def drain(self) -> None:
        """Take in what the processes have sent."""
        for proxy in self.proxies.values():
            proxy.drain()
        self.functions.drain()

    def real(self, arguments: Mapping[str, Any]) -> dict[str, str]:
        """The arguments of an action as the platform names them."""
        real = {}
        for parameter, value in arguments.items():
            if parameter in ("attempt", "next_attempt"):
                value = f"attempt{value}"
            elif parameter == "task":
                value = f"{self.client.owner(value)}/f/{value}"
            elif parameter == "submission":
                value = self.names.real((arguments["task"], value))
            # What is not there yet has no name on the platform, so nothing that it proposes is about that.
            real[parameter] = str(value) if isinstance(value, tuple) else self.names.real(value)
        return real

    def post(self, task: str) -> Post:
        """The POST of a task, which arrives now."""
        headers = f"X-Fc-Invocation-Type: Async\r\nX-Fc-Async-Task-Id: {task}\r\n"
        body = json.dumps({"connect": self.functions.path, "payload": payload_of(task).decode()}).encode()
        return Post(self.port, "POST", f"{PATH}invocations", self.client.owner(task), body, headers)

    def get(self, task: str) -> Post:
        """The question of a user about a task."""
        return Post(self.port, "GET", f"{PATH}async-tasks/{task}", self.client.owner(task), b"")

    def put_stop(self, task: str) -> Post:
        """The request to stop a task, which arrives now."""
        return Post(self.port, "PUT", f"{PATH}async-tasks/{task}/stop", self.client.owner(task), b"")

    def close(self) -> None:
        """End all processes, and close everything."""
        self._open.close()

    def _kill_all(self) -> None:
        for remote in self.remotes.values():
            with contextlib.suppress(Exception):
                remote.kill()

    def _requested(self, exchange: Exchange, order: Order) -> None:
        self.network.send_request(self._modelled(exchange), order)

    def _replied(self, exchange: Exchange, result: Result) -> None:
        self.network.send_reply(self._modelled(exchange), result)

    def _started(self, task_id: str, attempt: int, payload: str) -> None:
        self.ledger.start("", "", attempt, Order(task_id, payload=payload.encode()))

    def _modelled(self, exchange: Exchange) -> Exchange:
        scheduler, agent, message, attempt = exchange
        return scheduler, agent, self.names.modelled(message), attempt


def config_of(folder: str, settings: Settings, gate: str, store: str, queue: str) -> PlatformConfig:
    """The platform's configuration for a replay under a gate."""
    off = [name for name in Mechanisms.__slots__ if not getattr(settings.mechanisms, name)]
    return PlatformConfig(
        data=folder,
        functions=folder,
        store=store,
        queue=queue,
        schedulers=settings.schedulers,
        agents=settings.agents,
        slots=64,
        lease_seconds=settings.lease_ns / SECOND_NS,
        beat_seconds=settings.beat_ns / SECOND_NS,
        on_agent_loss="fail" if settings.mechanisms.fail_on_agent_loss else "rerun",
        function_timeout_seconds=3600,
        gate=gate,
        without=",".join(name for name in off if name != "fail_on_agent_loss"),  # which has a setting of its own
    )
