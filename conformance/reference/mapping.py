"""How a reference system is read as a state of the model: one row for each field of the model.

`OBSERVED` says where each observed field is read, and how; `UNOBSERVED` why the others are not; `LENIENT` which actions
the system may do where the model would not. A cell that a reader leaves out has the model's initial value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from onceproof.implementation.in_process.observation import MessageRow, PlacementRow, RunRow, TaskRow
from onceproof.implementation.in_process.parts import Parts


class Snapshot:
    """A system as it is at one moment; each table is read once at most."""

    def __init__(self, system: Parts) -> None:
        self.system = system

    @cached_property
    def messages(self) -> dict[str, MessageRow]:
        """The rows of the queue."""
        return self.system.observer.messages()

    @cached_property
    def runs(self) -> dict[str, RunRow]:
        """The rows of executions."""
        return self.system.observer.runs()

    @cached_property
    def tasks(self) -> dict[str, TaskRow]:
        """The rows of tasks."""
        return self.system.observer.tasks()

    @cached_property
    def failed_attempts(self) -> dict[tuple[str, int], str]:
        """The rows of failed attempts."""
        return self.system.observer.failed_attempts()

    @cached_property
    def placements(self) -> dict[str, PlacementRow]:
        """The rows of placements."""
        return self.system.observer.placements()


@dataclass(frozen=True, slots=True)
class Observed:
    """An observed field: the model's name for it, where it stands in the system, and how it is read there."""

    field: str
    source: str
    read: Callable[[Snapshot], Mapping[str, Any]]


def outbox(snapshot: Snapshot) -> dict[str, str]:
    """A row is PENDING until this relay has published it (its memory) and RELAYED once that is marked (the table)."""
    published = snapshot.system.relay.published
    return {
        f"{task},{submission}": "RELAYED" if relayed else "PUBLISHED" if (task, submission) in published else "PENDING"
        for (task, submission), relayed in snapshot.system.observer.outbox().items()
    }


def exchanges(keys: Any) -> dict[str, bool]:
    """Messages between schedulers and agents, keyed as the model keys them."""
    return {f"{scheduler},{agent},{message},attempt{attempt}": True for scheduler, agent, message, attempt in keys}


def replies(snapshot: Snapshot) -> dict[str, str]:
    """Replies on the wire, by whether the function succeeded."""
    return {
        f"{scheduler},{agent},{message},attempt{attempt}": "SUCCESS" if result.succeeded else "FAILURE"
        for (scheduler, agent, message, attempt), result in snapshot.system.network.replies.items()
    }


def works(snapshot: Snapshot) -> dict[str, str]:
    """How far each scheduler is with what it has in hand."""
    return {f"{s.name},{m}": work.stage for s in snapshot.system.schedulers.values() for m, work in s.works.items()}


def trying(snapshot: Snapshot) -> dict[str, str]:
    """The attempt that a scheduler waits for or has the result of; what it tried before does not count."""
    return {
        f"{s.name},{m}": f"attempt{work.attempt}"
        for s in snapshot.system.schedulers.values()
        for m, work in s.works.items()
        if work.stage in ("DISPATCHED", "SUCCEEDED", "RAISED")
    }


def believes(snapshot: Snapshot) -> dict[str, bool]:
    """The queues that each scheduler takes for its own; with epochs the store decides, and the model has no belief."""
    if snapshot.system.settings.mechanisms.owner_epoch:
        return {}
    return {f"{s.name},{user}": True for s in snapshot.system.schedulers.values() for user in s.epochs}


def memory(snapshot: Snapshot) -> dict[str, str]:
    """What each agent remembers of each attempt."""
    return {
        f"{agent.name},{m},attempt{k}": known.stage
        for agent in snapshot.system.agents.values()
        for (m, k), known in agent.memory.items()
    }


def asked(snapshot: Snapshot) -> dict[str, bool]:
    """The schedulers that wait for each result of an agent."""
    return {
        f"{asker},{agent.name},{m},attempt{k}": True
        for agent in snapshot.system.agents.values()
        for (m, k), known in agent.memory.items()
        for asker in known.asked
    }


OBSERVED = (
    Observed(
        "call",
        "the client's memory of its calls",
        lambda s: {f"{t},{n}": v for (t, n), v in s.system.client.calls.items()},
    ),
    Observed(
        "post",
        "the wire between client and API server",
        lambda s: {f"{t},{n}": v for (t, n), v in s.system.network.posts.items()},
    ),
    Observed(
        "admitting", "the API server's memory", lambda s: {f"{t},{n}": True for t, n in s.system.api_server.admitting}
    ),
    Observed("recorded", "table tasks: there is a row", lambda s: dict.fromkeys(s.tasks, True)),
    Observed("outbox", "table outbox, and what the relay remembers as published", outbox),
    Observed("outcome", "table runs: outcome", lambda s: {m: run.outcome for m, run in s.runs.items()}),
    Observed("attempt", "table runs: attempt", lambda s: {m: f"attempt{run.attempt}" for m, run in s.runs.items()}),
    Observed(
        "begun",
        "table runs: begun, the number of the attempt that was begun last",
        lambda s: {f"{m},attempt{k}": True for m, run in s.runs.items() for k in range(1, run.begun + 1)},
    ),
    Observed(
        "attempt_failed",
        "table attempts: there is a row",
        lambda s: {f"{m},attempt{k}": True for m, k in s.failed_attempts},
    ),
    Observed("task_of", "table messages: task", lambda s: {m: row.task for m, row in s.messages.items()}),
    Observed(
        "stage",
        "table messages: deleted, or invisible until a time that has not come, or visible",
        lambda s: {m: row.stage for m, row in s.messages.items()},
    ),
    Observed(
        "current",
        "table messages: holder, while its lease lasts",
        lambda s: {m: row.holder for m, row in s.messages.items()},
    ),
    Observed(
        "enqueued",
        "table messages: task and submission",
        lambda s: {f"{row.task},{row.submission}": True for row in s.messages.values()},
    ),
    Observed("owner", "table owners: scheduler", lambda s: s.system.observer.owners()),
    Observed("believes", "each scheduler's memory of what it owns (only with owner_epoch off)", believes),
    Observed(
        "mode",
        "each scheduler's mode",
        lambda s: {name: scheduler.mode for name, scheduler in s.system.schedulers.items()},
    ),
    Observed("work", "each scheduler's memory: stage of a message in hand", works),
    Observed("trying", "each scheduler's memory: attempt that was dispatched", trying),
    Observed("placed", "table placements: agent", lambda s: {m: place.agent for m, place in s.placements.items()}),
    Observed(
        "superseded",
        "tables placements and agents: the incarnations differ",
        lambda s: {m: place.superseded for m, place in s.placements.items()},
    ),
    Observed("gone", "table agents: gone", lambda s: s.system.observer.agents_gone()),
    Observed("request", "the wire: requests not yet delivered", lambda s: exchanges(s.system.network.requests)),
    Observed("duplicate", "the wire: second copies of requests", lambda s: exchanges(s.system.network.duplicates)),
    Observed("reply", "the wire: replies not yet delivered", replies),
    Observed("memory", "each agent's memory: stage of an attempt", memory),
    Observed("asked", "each agent's memory: who asked", asked),
    Observed(
        "starts",
        "the functions' own ledger: starts (2 stands for more)",
        lambda s: {f"{t},attempt{k}": min(n, 2) for (t, k), n in s.system.ledger.starts.items()},
    ),
    Observed(
        "succeeded",
        "the functions' own ledger: returns",
        lambda s: {f"{t},attempt{k}": True for t, k in s.system.ledger.succeeded},
    ),
    Observed(
        "raised",
        "the functions' own ledger: exceptions",
        lambda s: {f"{t},attempt{k}": True for t, k in s.system.ledger.raised},
    ),
)

UNOBSERVED = {
    "user_of": "a constant: task i belongs to user ((i - 1) mod users) + 1 in both",
    "misused": "a ghost: the model's own note that an old receipt was used",
    "needless": "a ghost: the model's own note that a message was given away although its holder lived",
    "overslept": "a ghost: the model's own note that a lease lapsed while its holder was paused",
}

LENIENT = {
    "lapse": "the passing of time, not an act of the system: the driver can let any lease end",
    "lease_lapse": "the passing of time, not an act of the system: the driver can let any lease end",
    "api_crash": "a process can die at any time; the model leaves out what would change nothing",
    "relay_crash": "a process can die at any time; the model leaves out what would change nothing",
}
