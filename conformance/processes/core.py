"""The reference system with its components in processes of their own, on one database; the network is interposed.

Schedulers, agents, API server and relay are processes. Crashes are SIGKILL, pauses SIGSTOP, restarts new processes.
Balancer and resource manager keep no memory; they, the client and the network are here, where the faults are made.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from conformance.processes.host import open_database
from conformance.processes.remote import Nursery, Remote, RemoteScheduler
from implementation.agent import Agent, Execution
from implementation.clock import ManualClock
from implementation.core import Core
from implementation.database import Database
from implementation.errors import NotEnabled, require
from implementation.network import REQUEST
from implementation.scheduler import Scheduler
from implementation.settings import Settings


class RemoteAgent:
    """An agent's process."""

    def __init__(self, remote: Remote, core: Core) -> None:
        self.remote, self.name, self._core = remote, remote.name, core
        self.gone = False

    @property
    def memory(self) -> dict[tuple[str, int], Execution]:
        """What it remembers."""
        return {} if self.gone else dict(self.remote.view[1])

    def askers(self) -> set[tuple[str, str, int]]:
        """(scheduler, message, attempt) of everybody who is to be told a result."""
        return {(asker, *key) for key, execution in self.memory.items() for asker in execution.asked}

    def __getattr__(self, name: str) -> Callable[..., None]:
        """Any other action: by the process, if it is there."""

        def act(**arguments: Any) -> None:
            require(not self.gone, f"{self.name} is gone")
            given: dict[str, Any] = {}
            if "scheduler" in arguments:
                exchange = (arguments["scheduler"], self.name, arguments["message"], arguments["attempt"])
                waiting = exchange in self._core.network.requests
                given["order"] = self._core.network.requests[exchange] if waiting else None
            if name == "forget":
                given["settled"] = self._core._is_settled(self.name, arguments["message"], arguments["attempt"])
            self.remote.call(name, given, **arguments)

        return act

    def agent_crash(self) -> None:
        """SIGKILL."""
        require(not self.gone, f"{self.name} is gone")
        self.remote.kill()
        self.gone = True

    def agent_recycle(self) -> None:
        """An idle one is asked to end, and then ended for good."""
        require(not self.gone, f"{self.name} is gone")
        self.remote.call("agent_recycle")
        self.remote.kill()
        self.gone = True


class RemoteApiServer:
    """The API server's process."""

    def __init__(self, remote: Remote, core: Core) -> None:
        self.remote, self._core = remote, core

    @property
    def admitting(self) -> dict[tuple[str, str], Any]:
        """What it has recorded and not enqueued."""
        return dict(self.remote.view)

    def __getattr__(self, name: str) -> Callable[..., None]:
        def act(**arguments: Any) -> None:
            network = self._core.network
            key = (arguments["task"], arguments.get("submission", ""))
            post = network.submissions[key] if network.posts.get(key) == REQUEST else None
            self.remote.call(name, {"post": post}, **arguments)

        return act

    def api_crash(self) -> None:
        """SIGKILL; a new process takes its place at once."""
        self.remote.kill()
        self.remote.restart()
        self._core.network.break_all()


class RemoteRelay:
    """The relay's process."""

    def __init__(self, remote: Remote) -> None:
        self.remote = remote

    @property
    def published(self) -> set[tuple[str, str]]:
        """The rows that it has published and not marked."""
        return set(self.remote.view)

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda **arguments: self.remote.call(name, **arguments)

    def relay_crash(self) -> None:
        """SIGKILL; a new process takes its place at once."""
        self.remote.kill()
        self.remote.restart()


class ProcessCore(Core):
    """A core whose components are processes; ``close`` ends them all. path: an SQLite file, or a PostgreSQL URL."""

    def __init__(self, path: str, settings: Settings) -> None:
        self._path = path
        self._nursery = Nursery()
        self._remotes: dict[str, Remote] = {}
        try:
            super().__init__(path, settings, ManualClock())
        except BaseException:
            self._nursery.close()
            raise

    def now_ns(self) -> int:
        """The time now."""
        return self.clock.now_ns()

    def apply(self, effect: str, values: tuple[Any, ...]) -> None:
        """Do to the network or the ledger what a component did in its process."""
        if effect == "start":
            self.ledger.start(*values)
        else:
            getattr(self.network, effect)(*values)

    def make_database(self, path: str) -> Database:
        database = open_database(path, self.settings)
        make_tables = getattr(database, "make_tables", None)  # SQLite's are made by whoever opens the file
        if make_tables is not None:
            make_tables()
        return database

    def make_scheduler(self, name: str) -> Scheduler:
        return RemoteScheduler(self._process("scheduler", name))  # type: ignore[return-value]

    def make_agent(self, name: str) -> Agent:
        return RemoteAgent(self._process("agent", name), self)  # type: ignore[return-value]

    def reset(self) -> None:
        """Back to the initial state; processes that live on forget everything."""
        self.database.reset()
        self.clock.rewind()
        self._process("api_server", "api_server")
        self._process("relay", "relay")
        super().reset()

    def close(self) -> None:
        """End all processes, and close the file."""
        for remote in self._remotes.values():
            remote.kill()
        self._nursery.close()
        super().close()

    def _process(self, kind: str, name: str) -> Remote:
        """A process with a fresh component: a new one, or the one that is there, reset."""
        remote = self._remotes.get(name)
        if remote is None:
            self._remotes[name] = remote = Remote(self._nursery, kind, name, self._path, self.settings, self)
            return remote
        if remote.connection.closed:
            remote.restart()
            return remote
        if remote.stopped:
            remote.resume()
        remote.call("reset")
        return remote

    def _all_calls(self) -> dict[str, Callable[[dict[str, Any]], Any]]:
        self.api_server = RemoteApiServer(self._process("api_server", "api_server"), self)  # type: ignore[assignment]
        self.relay = RemoteRelay(self._process("relay", "relay"))  # type: ignore[assignment]
        return super()._all_calls()

    def _agent_boot(self, agent: str) -> None:
        if not self.agents[agent].gone:
            raise NotEnabled(f"{agent} is not gone")
        super()._agent_boot(agent)
