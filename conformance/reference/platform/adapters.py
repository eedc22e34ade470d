"""Adapters to schedulers and agents: a call permits a process to act, and waits for what it reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from onceproof.conformance.reference.platform.harness import Harness
from onceproof.conformance.reference.platform.remote import Remote
from onceproof.implementation.components.messages import Result
from onceproof.implementation.errors import NotEnabled, require
from onceproof.implementation.in_process.parts import Asker
from onceproof.implementation.platform.gate.gate import Control

EXPIRES = "SELECT expires_ns FROM tasks JOIN messages ON messages.task = tasks.task WHERE messages.message = ?"
EXPIRE_AT = "UPDATE tasks SET expires_ns = ? WHERE task = (SELECT task FROM messages WHERE message = ?)"


@dataclass(frozen=True, slots=True)
class ReportedWork:
    """A message in hand, as a scheduler reports it."""

    stage: str
    attempt: int
    result: Result | None


@dataclass(frozen=True, slots=True)
class ReportedExecution:
    """An attempt in an agent's memory, as the agent reports it."""

    stage: str
    asked: set[str]
    result: Result | None


def _result(told: list[Any] | None) -> Result | None:
    """A result as a process reports it at its gate."""
    return None if told is None else Result(told[0], told[1].encode(), told[2])


class Adapter:
    """A process, and the harness around it."""

    def __init__(self, remote: Remote, harness: Harness) -> None:
        self.remote, self.harness, self.name = remote, harness, remote.name

    def permit(self, action: str, arguments: Mapping[str, Any], **given: Any) -> Mapping[str, Any]:
        """Permit an action; what was sent meanwhile is taken in."""
        passed = self.remote.step(action, self.harness.real(arguments), **given)
        self.harness.drain()
        return passed


class SchedulerAdapter(Adapter):
    """A scheduler's process; whether it is there, and whether it is stopped, is known here."""

    def __init__(self, remote: Remote, harness: Harness) -> None:
        super().__init__(remote, harness)
        self._absence = ""

    @property
    def absent(self) -> str:
        """PAUSED or DOWN, where it is; a process that died by itself is down, too."""
        return self._absence if self.remote.alive else "DOWN"

    @property
    def mode(self) -> str:
        """UP, PAUSED, DRAINING or DOWN."""
        return self.absent or str(self.remote.view[0])

    @property
    def works(self) -> dict[str, ReportedWork]:
        """What it has in hand."""
        if self.absent == "DOWN":
            return {}
        modelled = self.harness.names.modelled
        return {
            modelled(message): ReportedWork(stage, attempt, _result(told))
            for message, (stage, attempt, told) in self.remote.view[1].items()
        }

    @property
    def epochs(self) -> dict[str, int]:
        """The queues that it takes for its own."""
        return {} if self.absent == "DOWN" else dict(self.remote.view[2])

    def begin(self) -> None:
        """Have its process, which is new or has forgotten everything, register."""
        self.remote.control(Control.RESET)
        self.remote.step("scheduler_restart", {"scheduler": self.name})

    def receive(self, message: str) -> None:
        """It takes a message that is visible."""
        self._act("receive", message=message)

    def broker_duplicate(self, message: str) -> None:
        """The queue delivers a message to it that another one holds."""
        self._act("broker_duplicate", message=message)

    def release(self, message: str) -> None:
        """It gives a message back."""
        self._act("release", message=message)

    def renew(self, message: str) -> None:
        """It renews the invisibility of a message."""
        self._act("renew", message=message)

    def receipt_refused(self, message: str) -> None:
        """The queue refuses its receipt."""
        self._act("receipt_refused", message=message)

    def dispatch(self, message: str, agent: str) -> None:
        """It sends a request to an agent."""
        self._act("dispatch", message=message, agent=agent)

    def hear(self, agent: str, message: str, attempt: int) -> None:
        """The reply arrives, and is heard."""
        self._require_present()
        exchange = (self.name, agent, message, attempt)
        replies, proxy = self.harness.network.replies, self.harness.proxies[agent]
        require(exchange in replies, f"no reply {exchange} on the wire")
        if not proxy.has(self.name):
            self.remote.control(
                Control.REACH, agent=agent
            )  # a reply to one that has started anew comes on its new connection
        proxy.deliver_reply((self.name, agent, self.harness.names.real(message), attempt), replies[exchange])
        self._act("hear", agent=agent, message=message, attempt=attempt)
        del replies[exchange]

    def record(self, message: str) -> None:
        """It records a result."""
        self._act("record", message=message)

    def record_failure(self, message: str) -> None:
        """It records that the last attempt failed."""
        self._act("record_failure", message=message)

    def retry(self, message: str, next_attempt: int) -> None:
        """It begins the next attempt."""
        self._act("retry", message=message, next_attempt=next_attempt)

    def overtaken(self, message: str) -> None:
        """It finds that a result does not count any more."""
        self._act("overtaken", message=message)

    def skip(self, message: str) -> None:
        """It finds that a task has ended."""
        self._act("skip", message=message)

    def delete(self, message: str) -> None:
        """It deletes a message."""
        self._act("delete", message=message)

    def expire(self, message: str) -> None:
        """The task's age is over, as its row says for this step."""
        self._require_present()
        real, database = self.harness.names.real(message), self.harness.database
        expires = database.row(EXPIRES, real)
        if expires is None:
            raise NotEnabled(f"there is no {message}")
        database.run(EXPIRE_AT, self.harness.clock.now_ns(), real)
        try:
            self._act("expire", message=message)
        finally:
            database.run(EXPIRE_AT, expires[0], real)

    def scheduler_crash(self) -> None:
        """SIGKILL."""
        require(self.absent != "DOWN", f"{self.name} is down")
        self.remote.kill()
        self._absence = "DOWN"

    def scheduler_restart(self) -> None:
        """A new process, which begins as the old one did."""
        require(self.absent == "DOWN", f"{self.name} is not down")
        self.remote.restart()
        self.begin()
        self.harness.drain()
        self._absence = ""

    def scheduler_upgrade(self) -> None:
        """It drains from now on, or (graceful_drain off) ends at once."""
        self._act("scheduler_upgrade")
        if self.mode == "DOWN":
            self._end()

    def scheduler_pause(self) -> None:
        """SIGSTOP."""
        require(self.mode == "UP", f"{self.name} is {self.mode}")
        self.remote.stop()
        self._absence = "PAUSED"

    def scheduler_resume(self) -> None:
        """SIGCONT; the process has not noticed, and its next turn beats."""
        require(self.absent == "PAUSED", f"{self.name} is not paused")
        self.remote.resume()
        self.remote.control(Control.ASK)
        self._absence = ""

    def upgrade_finish(self) -> None:
        """It has drained, and ends."""
        self._act("upgrade_finish")
        self._end()

    def learn(self, user: str) -> None:
        """With owner_epoch on it asks the store which queues it owns; else it hears that it got one."""
        if not self.harness.settings.mechanisms.owner_epoch:
            self.remote.control(Control.LEARN, user=user)

    def unlearn(self, user: str) -> None:
        """With owner_epoch off it hears that its queue is another's."""
        if not self.harness.settings.mechanisms.owner_epoch:
            self.remote.control(Control.UNLEARN, user=user)

    def ask_placement(self, message: str) -> None:
        """It asks the resource manager where a message is to run; NotEnabled if it does not."""
        work = self.works.get(message)
        require(not self.absent and work is not None and work.stage == "HELD", f"{self.name} does not hold {message}")
        self.remote.control(Control.ASK)
        asking = self.remote.view[3]
        require(self.harness.names.real(message) in asking, f"{self.name} does not ask where {message} is to run")

    def settled(self, message: str) -> None:
        """It has heard that the resource manager has ended the task."""
        self.remote.control(Control.SETTLED, message=self.harness.names.real(message))

    def timed_out(self, message: str, attempt: int) -> None:
        """Its wait for a reply is over, if it waits."""
        work = self.works.get(message)
        if work is not None and work.stage == "DISPATCHED" and work.attempt == attempt:
            self.remote.control(Control.TIMED_OUT, message=self.harness.names.real(message))

    def notice(self, agent: str) -> None:
        """Wait until it has noticed that its connection to an agent broke; a stopped process does when it wakes."""
        if self.absent != "DOWN":
            self.remote.control(Control.BROKEN, agent=agent)

    def _act(self, action: str, **arguments: Any) -> None:
        self._require_present()
        self.permit(action, {"scheduler": self.name, **arguments})

    def _require_present(self) -> None:
        require(not self.absent, f"{self.name} is {self.absent}")

    def be_down(self) -> None:
        """It is dead, and is to be started again."""
        self._absence = "DOWN"

    def _end(self) -> None:
        self.remote.kill()
        self._absence = "DOWN"


class AgentAdapter(Adapter):
    """An agent's process, with the children that run its functions.

    is_settled(agent, message, attempt): whether nobody can ask for it any more. noticed(agent, schedulers): waits
    until these schedulers have noticed that their connections to it broke.
    """

    def __init__(
        self,
        remote: Remote,
        harness: Harness,
        is_settled: Callable[[str, str, int], bool],
        noticed: Callable[[str, set[str]], None],
    ) -> None:
        super().__init__(remote, harness)
        self._is_settled, self._noticed = is_settled, noticed
        self.gone = False

    @property
    def memory(self) -> dict[tuple[str, int], ReportedExecution]:
        """What it remembers."""
        if self.gone or not self.remote.alive:
            return {}
        return {
            (self.harness.names.modelled(message), attempt): ReportedExecution(stage, set(asked), _result(told))
            for message, attempt, stage, asked, _, told in self.remote.view or ()
        }

    def begin(self) -> None:
        """Have its process, which is new or has forgotten everything, register; its connections are there."""
        self.remote.control(Control.RESET)
        proxy = self.harness.proxies[self.name]
        if not proxy.to_agent:
            proxy.connect()

    def askers(self) -> set[Asker]:
        """Everybody who is to hear a result."""
        return {(asker, *key) for key, known in self.memory.items() for asker in known.asked}

    def start(self, scheduler: str, message: str, attempt: int) -> None:
        """A request arrives, and the function is started: it says so itself."""
        self._request("start", scheduler, message, attempt)
        self.harness.functions.await_start((self.name, message, attempt))

    def turn_away(self, scheduler: str, message: str, attempt: int) -> None:
        """A request arrives that does not count any more."""
        self._request("turn_away", scheduler, message, attempt)

    def join(self, scheduler: str, message: str, attempt: int) -> None:
        """A request arrives for what runs."""
        self._request("join", scheduler, message, attempt)

    def answer(self, scheduler: str, message: str, attempt: int) -> None:
        """A request arrives for what has ended."""
        self._request("answer", scheduler, message, attempt)

    def finish(self, message: str, attempt: int) -> None:
        """The function is made to return."""
        task_id = self._end("finish", message, attempt, b"return")
        self.harness.ledger.end(task_id, attempt, True)

    def function_failure(self, message: str, attempt: int) -> None:
        """The function is made to raise."""
        task_id = self._end("function_failure", message, attempt, b"raise")
        self.harness.ledger.end(task_id, attempt, False)

    def forget(self, message: str, attempt: int) -> None:
        """What was deleted long ago may be forgotten."""
        self._require_present()
        settled = self._is_settled(self.name, message, attempt)
        self.permit("forget", {"agent": self.name, "message": message, "attempt": attempt}, settled=settled)

    def agent_crash(self) -> None:
        """SIGKILL, for its functions too; the next incarnation finds that it is gone, and waits to boot."""
        self._require_present()
        self.be_replaced()

    def agent_recycle(self) -> None:
        """An idle one agrees to end; the next incarnation finds that it is gone, and waits to boot."""
        self._require_present()
        self.permit("agent_recycle", {"agent": self.name})
        self.be_replaced()

    def agent_boot(self) -> None:
        """The incarnation that waits registers."""
        require(self.gone, f"{self.name} is not gone")
        self.permit("agent_boot", {"agent": self.name})
        self.harness.proxies[self.name].connect()
        self.gone = False

    def be_replaced(self) -> None:
        """It is dead, or dies now: its functions end, its connections break, and the next incarnation waits to boot."""
        self.remote.kill()
        self.harness.functions.end_agent(self.name)
        proxy = self.harness.proxies[self.name]
        proxy.drain()
        connected = {line.scheduler for line in proxy.from_schedulers}
        proxy.break_all()
        self.remote.restart()
        self.gone = True
        self._noticed(self.name, connected)

    def _request(self, action: str, scheduler: str, message: str, attempt: int) -> None:
        self._require_present()
        exchange = (scheduler, self.name, message, attempt)
        network = self.harness.network
        require(exchange in network.requests, f"no request {exchange} on the wire")
        real = (scheduler, self.name, self.harness.names.real(message), attempt)
        self.harness.proxies[self.name].deliver_request(real, network.requests[exchange])
        arguments = {"agent": self.name, "scheduler": scheduler, "message": message, "attempt": attempt}
        self.remote.step(action, self.harness.real(arguments), arrived=True)
        network.take_request(exchange)
        self.harness.drain()

    def _end(self, action: str, message: str, attempt: int, word: bytes) -> str:
        """Have a function end; the TaskID that it ran for."""
        known = self.memory.get((message, attempt))
        require(not self.gone and known is not None and known.stage == "RUNNING", f"{message} does not run here")
        real = self.harness.names.real(message)
        task = next(task for m, k, _, _, task, _ in self.remote.view if (m, k) == (real, attempt))
        ended = self.harness.functions.end((self.name, message, attempt), word)
        self.permit(action, {"agent": self.name, "message": message, "attempt": attempt}, functions=ended)
        return self.harness.names.task(task)

    def _require_present(self) -> None:
        require(not self.gone, f"{self.name} is gone")
