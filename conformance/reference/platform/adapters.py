"""Schedulers and agents: their processes with the faces of the components that they hold; a call is leave to act."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from onceproof.conformance.reference.platform.remote import Remote
from onceproof.implementation.errors import NotEnabled, require

if TYPE_CHECKING:
    from onceproof.conformance.reference.platform.system import PlatformCore


EXPIRES = "SELECT expires_ns FROM tasks JOIN messages ON messages.task = tasks.task WHERE messages.message = ?"
EXPIRE_AT = "UPDATE tasks SET expires_ns = ? WHERE task = (SELECT task FROM messages WHERE message = ?)"


@dataclass(frozen=True, slots=True)
class SeenWork:
    """A message in hand, as a scheduler tells of it."""

    stage: str
    attempt: int


@dataclass(frozen=True, slots=True)
class SeenExecution:
    """An attempt in an agent's memory, as it tells of it."""

    stage: str
    asked: set[str] = field(default_factory=set)


class Face:
    """A process, and the whole that it belongs to."""

    def __init__(self, remote: Remote, core: PlatformCore) -> None:
        self.remote, self.core, self.name = remote, core, remote.name

    def real(self, arguments: Mapping[str, Any]) -> dict[str, str]:
        """The arguments of an action as the platform names them."""
        names, told = self.core.names, {}
        for parameter, value in arguments.items():
            if parameter in ("attempt", "next_attempt"):
                value = f"attempt{value}"
            elif parameter == "task":
                value = f"{self.core.client.owner(value)}/f/{value}"
            elif parameter == "submission":
                value = names.real((arguments["task"], value))
            # What is not there yet has no name on the platform, so nothing that it proposes is about that.
            told[parameter] = str(value) if isinstance(value, tuple) else names.real(value)
        return told

    def step(self, action: str, arguments: Mapping[str, Any], **given: Any) -> Mapping[str, Any]:
        """Leave for an action; what was sent meanwhile is taken in."""
        passed = self.remote.step(action, self.real(arguments), **given)
        self.core.drain()
        return passed


class PlatformScheduler(Face):
    """A scheduler's process; whether it is there, and whether it is stopped, is known here."""

    told = ""

    @property
    def absent(self) -> str:
        """PAUSED or DOWN, where it is; a process that died by itself is down, too."""
        return self.told if self.remote.alive else "DOWN"

    @property
    def mode(self) -> str:
        """UP, PAUSED, DRAINING or DOWN."""
        return self.absent or str(self.remote.view[0])

    @property
    def works(self) -> dict[str, SeenWork]:
        """What it has in hand."""
        if self.absent == "DOWN":
            return {}
        return {self.core.names.modelled(message): SeenWork(*seen) for message, seen in self.remote.view[1].items()}

    @property
    def epochs(self) -> dict[str, int]:
        """The queues that it takes for its own."""
        return {} if self.absent == "DOWN" else dict(self.remote.view[2])

    def __getattr__(self, action: str) -> Callable[..., None]:
        def act(**arguments: Any) -> None:
            require(not self.absent, f"{self.name} is {self.absent}")
            self.step(action, {"scheduler": self.name, **arguments})

        return act

    def hear(self, agent: str, message: str, attempt: int) -> None:
        """The reply arrives, and is heard."""
        require(not self.absent, f"{self.name} is {self.absent}")
        exchange = (self.name, agent, message, attempt)
        require(exchange in self.core.network.replies, f"no reply {exchange} on the wire")
        real = (self.name, agent, self.core.names.real(message), attempt)
        if not self.core.wires[agent].has(self.name):
            self.remote.order("reach", agent=agent)  # a reply to one that has started anew comes on its new connection
        self.core.wires[agent].deliver_reply(real, self.core.network.replies[exchange])
        arguments = {"scheduler": self.name, "agent": agent, "message": message, "attempt": attempt}
        self.step("hear", arguments)
        del self.core.network.replies[exchange]

    def timed_out(self, message: str, attempt: int) -> None:
        """Its wait is over; a stopped process finds that when it wakes."""
        work = self.works.get(message)
        if work is not None and work.stage == "DISPATCHED" and work.attempt == attempt:
            self.remote.order("timed_out", message=self.core.names.real(message))

    def notice(self, agent: str) -> None:
        """Wait until it has noticed that its connection to an agent broke; a stopped process does when it wakes."""
        if self.absent != "DOWN":
            self.remote.order("broken", agent=agent)

    def require_held(self, message: str) -> None:
        """NotEnabled unless it runs and holds the message."""
        work = self.works.get(message)
        require(not self.absent and work is not None and work.stage == "HELD", f"{self.name} does not hold {message}")

    def scheduler_crash(self) -> None:
        """SIGKILL."""
        require(self.absent != "DOWN", f"{self.name} is down")
        self.remote.kill()
        self.told = "DOWN"

    def scheduler_restart(self) -> None:
        """A new process, which begins as the old one did."""
        require(self.absent == "DOWN", f"{self.name} is not down")
        self.remote.restart()
        self.remote.order("reset")
        self.step("scheduler_restart", {"scheduler": self.name})
        self.told = ""

    def scheduler_upgrade(self) -> None:
        """It drains from now on, or (graceful_drain off) ends at once."""
        require(not self.absent, f"{self.name} is {self.absent}")
        self.step("scheduler_upgrade", {"scheduler": self.name})
        if self.mode == "DOWN":
            self.remote.kill()
            self.told = "DOWN"

    def expire(self, message: str) -> None:
        """The task's age is over, as its row says for this step."""
        require(not self.absent, f"{self.name} is {self.absent}")
        real, database = self.core.names.real(message), self.core.database
        expires = database.row(EXPIRES, real)
        if expires is None:
            raise NotEnabled(f"there is no {message}")
        database.run(EXPIRE_AT, self.core.clock.now_ns(), real)
        try:
            self.step("expire", {"scheduler": self.name, "message": message})
        finally:
            database.run(EXPIRE_AT, expires[0], real)

    def scheduler_pause(self) -> None:
        """SIGSTOP."""
        require(self.mode == "UP", f"{self.name} is {self.mode}")
        self.remote.stop()
        self.told = "PAUSED"

    def scheduler_resume(self) -> None:
        """SIGCONT; the process has not noticed, and its next turn beats."""
        require(self.absent == "PAUSED", f"{self.name} is not paused")
        self.remote.resume()
        self.remote.order("ask")
        self.told = ""

    def upgrade_finish(self) -> None:
        """It has drained, and ends."""
        require(not self.absent, f"{self.name} is {self.absent}")
        self.step("upgrade_finish", {"scheduler": self.name})
        self.remote.kill()
        self.told = "DOWN"


class PlatformAgent(Face):
    """An agent's process, with the children that run its functions."""

    gone = False

    @property
    def memory(self) -> dict[tuple[str, int], SeenExecution]:
        """What it remembers."""
        if self.gone or not self.remote.alive:
            return {}
        return {
            (self.core.names.modelled(message), attempt): SeenExecution(stage, set(asked))
            for message, attempt, stage, asked, _ in self.remote.view or ()
        }

    def askers(self) -> set[tuple[str, str, int]]:
        """(scheduler, message, attempt) of everybody who is to be told a result."""
        return {(asker, *key) for key, known in self.memory.items() for asker in known.asked}

    def start(self, scheduler: str, message: str, attempt: int) -> None:
        """A request arrives, and the function is started: it says so itself."""
        self._request("start", scheduler, message, attempt)
        self.core.functions.await_start((self.name, message, attempt))

    def join(self, scheduler: str, message: str, attempt: int) -> None:
        """A request arrives for what runs."""
        self._request("join", scheduler, message, attempt)

    def answer(self, scheduler: str, message: str, attempt: int) -> None:
        """A request arrives for what has ended."""
        self._request("answer", scheduler, message, attempt)

    def finish(self, message: str, attempt: int) -> None:
        """The function is told to return."""
        self._end("finish", message, attempt, b"return")

    def function_failure(self, message: str, attempt: int) -> None:
        """The function is told to raise."""
        self._end("function_failure", message, attempt, b"raise")

    def forget(self, message: str, attempt: int) -> None:
        """What was deleted long ago may be forgotten."""
        require(not self.gone, f"{self.name} is gone")
        settled = self.core._is_settled(self.name, message, attempt)
        self.step("forget", {"agent": self.name, "message": message, "attempt": attempt}, settled=settled)

    def agent_crash(self) -> None:
        """SIGKILL, for its functions too; the next incarnation finds that it is gone, and waits to boot."""
        require(not self.gone, f"{self.name} is gone")
        self._be_replaced()

    def agent_recycle(self) -> None:
        """An idle one agrees to end; the next incarnation finds that it is gone, and waits to boot."""
        require(not self.gone, f"{self.name} is gone")
        self.step("agent_recycle", {"agent": self.name})
        self._be_replaced()

    def _be_replaced(self) -> None:
        self.remote.kill()
        self.core.functions.end_agent(self.name)
        wires = self.core.wires[self.name]
        wires.drain()
        connected = {line.scheduler for line in wires.from_schedulers}
        wires.break_all()
        self.remote.restart()
        self.gone = True
        for name in sorted(connected & set(self.core.schedulers)):
            self.core.schedulers[name].notice(self.name)  # type: ignore[attr-defined]

    def boot(self) -> None:
        """The incarnation that waits registers."""
        require(self.gone, f"{self.name} is not gone")
        self.step("agent_boot", {"agent": self.name})
        self.core.wires[self.name].connect()
        self.gone = False

    def _request(self, action: str, scheduler: str, message: str, attempt: int) -> Any:
        require(not self.gone, f"{self.name} is gone")
        exchange = (scheduler, self.name, message, attempt)
        network = self.core.network
        require(exchange in network.requests, f"no request {exchange} on the wire")
        order = network.requests[exchange]
        real = (scheduler, self.name, self.core.names.real(message), attempt)
        self.core.wires[self.name].deliver_request(real, order)
        arguments = {"agent": self.name, "scheduler": scheduler, "message": message, "attempt": attempt}
        self.remote.step(action, self.real(arguments), arrived=True)
        network.take_request(exchange)
        self.core.drain()
        return order

    def _end(self, action: str, message: str, attempt: int, word: bytes) -> None:
        known = self.memory.get((message, attempt))
        require(not self.gone and known is not None and known.stage == "RUNNING", f"{message} does not run here")
        real = self.core.names.real(message)
        task = next(task for m, k, _, _, task in self.remote.view if (m, k) == (real, attempt))
        task_id = self.core.names.task(task)
        ended = self.core.functions.end((self.name, message, attempt), word)
        self.step(action, {"agent": self.name, "message": message, "attempt": attempt}, functions=ended)
        (self.core.ledger.succeeded if word == b"return" else self.core.ledger.raised)[task_id, attempt] += 1
