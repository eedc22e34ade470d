"""What a whole system consists of, and what each part can be asked for.

Two systems fulfil it: the core, whose parts are the components themselves, in one process, and the platform under a
replay's gate, whose parts are adapters to its processes. Client, network, ledger and environment are the same in both.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from typing import Protocol

from onceproof.implementation.components.messages import Result
from onceproof.implementation.in_process.client import Client
from onceproof.implementation.in_process.environment import Environment
from onceproof.implementation.in_process.ledger import Ledger
from onceproof.implementation.in_process.network import Network
from onceproof.implementation.in_process.observation import Observer
from onceproof.implementation.settings import Settings

Asker = tuple[str, str, int]
"""(scheduler, message, attempt): a scheduler that is to hear a result."""


class ApiServerPart(Protocol):
    """The API server."""

    @property
    def admitting(self) -> Collection[tuple[str, str]]:
        """What it has recorded and not enqueued yet (atomic_admission off only)."""
        ...

    def admit(self, task: str, submission: str) -> None:
        """A submission is recorded."""

    def refuse(self, task: str, submission: str) -> None:
        """A submission of a known TaskID is refused."""

    def enqueue(self, task: str, submission: str, message: str) -> None:
        """What was recorded is put on the queue (atomic_admission off only)."""

    def stop(self, task: str, message: str) -> None:
        """The user stops a task."""

    def api_crash(self) -> None:
        """The process dies."""


class RelayPart(Protocol):
    """The relay."""

    @property
    def published(self) -> AbstractSet[tuple[str, str]]:
        """The rows of the outbox that it has published and not marked yet."""
        ...

    def relay(self, task: str, submission: str, message: str) -> None:
        """A pending row is published."""

    def relay_again(self, task: str, submission: str) -> None:
        """A pending row turns out to be published already."""

    def mark_relayed(self, task: str, submission: str) -> None:
        """A published row is marked."""

    def relay_crash(self) -> None:
        """The process dies."""


class LoadBalancerPart(Protocol):
    """The load balancer."""

    def assign(self, scheduler: str, user: str) -> None:
        """A queue without an owner that is up gets one."""

    def stale_owner(self, scheduler: str, user: str) -> None:
        """A queue gets another owner although its owner is up."""

    def hand_over(self, scheduler: str, user: str) -> None:
        """A queue is given to a scheduler with fewer."""

    def withdraw(self, scheduler: str) -> None:
        """No action: the scheduler's last heartbeat does not hold any more."""


class ResourceManagerPart(Protocol):
    """The resource manager; each of these answers a scheduler that asked where a message is to run."""

    def place(self, scheduler: str, message: str, agent: str) -> None:
        """An agent is chosen."""

    def replace(self, scheduler: str, message: str, agent: str) -> None:
        """Another agent is chosen, since the first is gone."""

    def fail_lost(self, scheduler: str, message: str) -> None:
        """The task is failed, since the agent that had begun it is gone."""

    def unplace(self, scheduler: str, message: str) -> None:
        """The task loses its place, since its agent is gone and had not begun it."""


class WorkPart(Protocol):
    """A message in a scheduler's hand: how far it is with it, and which attempt was dispatched last."""

    @property
    def stage(self) -> str:
        """How far the scheduler is."""
        ...

    @property
    def attempt(self) -> int:
        """The attempt that was dispatched last."""
        ...

    @property
    def result(self) -> Result | None:
        """What was heard of it."""
        ...


class SchedulerPart(Protocol):
    """A scheduler."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def mode(self) -> str:
        """UP, PAUSED, DRAINING or DOWN."""
        ...

    @property
    def works(self) -> Mapping[str, WorkPart]:
        """What it has in hand, by message."""
        ...

    @property
    def epochs(self) -> Mapping[str, int]:
        """The queues that it believes it owns, each with its epoch."""
        ...

    def receive(self, message: str) -> None:
        """It takes a visible message."""

    def broker_duplicate(self, message: str) -> None:
        """The queue delivers a message to it that another one holds."""

    def release(self, message: str) -> None:
        """It gives a message back that it has not sent to an agent."""

    def renew(self, message: str) -> None:
        """It renews the invisibility of a message."""

    def receipt_refused(self, message: str) -> None:
        """The queue refuses its receipt, and it drops the message."""

    def dispatch(self, message: str, agent: str) -> None:
        """It sends the current attempt to an agent."""

    def hear(self, agent: str, message: str, attempt: int) -> None:
        """A reply arrives."""

    def record(self, message: str) -> None:
        """It records a result."""

    def record_failure(self, message: str) -> None:
        """It records that the last attempt failed."""

    def retry(self, message: str, next_attempt: int) -> None:
        """It begins the next attempt."""

    def overtaken(self, message: str) -> None:
        """It finds that a result does not count any more."""

    def skip(self, message: str) -> None:
        """It finds that a task has ended."""

    def delete(self, message: str) -> None:
        """It deletes a message."""

    def expire(self, message: str) -> None:
        """It ends a task that is too old."""

    def scheduler_crash(self) -> None:
        """The process dies."""

    def scheduler_restart(self) -> None:
        """The process starts again, with an empty memory."""

    def scheduler_pause(self) -> None:
        """The process is stopped, as by SIGSTOP."""

    def scheduler_resume(self) -> None:
        """The process goes on, and has noticed nothing."""

    def scheduler_upgrade(self) -> None:
        """It drains from now on, or (graceful_drain off) ends."""

    def upgrade_finish(self) -> None:
        """It has drained, and ends."""

    def learn(self, user: str) -> None:
        """No action: it hears that it owns the user's queue."""

    def unlearn(self, user: str) -> None:
        """No action: it hears that the user's queue is another's."""

    def ask_placement(self, message: str) -> None:
        """No action: it asks where a message is to run; NotEnabled if it does not hold the message."""

    def settled(self, message: str) -> None:
        """No action: it hears that the resource manager has ended the task."""

    def timed_out(self, message: str, attempt: int) -> None:
        """No action: its wait for a reply is over."""


class ExecutionPart(Protocol):
    """An attempt in an agent's memory: how far it is, and who is to hear the result."""

    @property
    def stage(self) -> str:
        """RUNNING, DONE or RAISED."""
        ...

    @property
    def asked(self) -> AbstractSet[str]:
        """The schedulers that are to hear the result."""
        ...

    @property
    def result(self) -> Result | None:
        """How it ended."""
        ...


class AgentPart(Protocol):
    """The place of an agent: after its end a fresh incarnation boots there."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def memory(self) -> Mapping[tuple[str, int], ExecutionPart]:
        """What it remembers, by (message, attempt)."""
        ...

    def start(self, scheduler: str, message: str, attempt: int) -> None:
        """A request arrives, and the function is started."""

    def turn_away(self, scheduler: str, message: str, attempt: int) -> None:
        """A request arrives that does not count any more."""

    def join(self, scheduler: str, message: str, attempt: int) -> None:
        """A request arrives for what runs."""

    def answer(self, scheduler: str, message: str, attempt: int) -> None:
        """A request arrives for what has ended."""

    def finish(self, message: str, attempt: int) -> None:
        """The function returns."""

    def function_failure(self, message: str, attempt: int) -> None:
        """The function raises."""

    def forget(self, message: str, attempt: int) -> None:
        """It drops an attempt from its memory."""

    def agent_crash(self) -> None:
        """It dies, with its functions."""

    def agent_recycle(self) -> None:
        """It is idle, and taken away."""

    def agent_boot(self) -> None:
        """A fresh incarnation takes its place."""

    def askers(self) -> set[Asker]:
        """Everybody who is to hear a result."""
        ...


class Parts(Protocol):
    """A whole system."""

    @property
    def settings(self) -> Settings:
        """Sizes, times and mechanisms."""
        ...

    @property
    def client(self) -> Client:
        """The clients."""
        ...

    @property
    def network(self) -> Network:
        """What is on the wire."""
        ...

    @property
    def ledger(self) -> Ledger:
        """How often functions started and ended."""
        ...

    @property
    def environment(self) -> Environment:
        """What time and the network do."""
        ...

    @property
    def observer(self) -> Observer:
        """The tables, as the model names what is in them."""
        ...

    @property
    def api_server(self) -> ApiServerPart:
        """The API server."""
        ...

    @property
    def relay(self) -> RelayPart:
        """The relay."""
        ...

    @property
    def load_balancer(self) -> LoadBalancerPart:
        """The load balancer."""
        ...

    @property
    def resource_manager(self) -> ResourceManagerPart:
        """The resource manager."""
        ...

    @property
    def schedulers(self) -> Mapping[str, SchedulerPart]:
        """The schedulers, by name."""
        ...

    @property
    def agents(self) -> Mapping[str, AgentPart]:
        """The agents, by name."""
        ...


class ReferenceSystem(Parts, Protocol):
    """A whole system that a driver can hold."""

    def step(self, action: str, **arguments: str | int) -> None:
        """Perform one action of the model. NotEnabled: not possible now, nothing has changed."""

    def reset(self) -> None:
        """Back to the initial state."""

    def close(self) -> None:
        """End it."""


def names(settings: Settings, sort: str) -> list[str]:
    """The names of all schedulers, or of all agents."""
    number = settings.schedulers if sort == "scheduler" else settings.agents
    return [f"{sort}{index}" for index in range(1, number + 1)]


def is_wanted(parts: Parts, agent: str, message: str, attempt: int) -> bool:
    """Whether a scheduler has the message in hand, or a request for it is on its way to the agent."""
    in_hand = any(message in scheduler.works for scheduler in parts.schedulers.values())
    return in_hand or any(key[1:] == (agent, message, attempt) for key in parts.network.requests)
