"""Whether a reference system's data is where it belongs: payloads, results and owners, wherever something holds them.

The model has no data, and needs none: what a payload or a result must be follows from the task and the attempt that it
is of, and those are compared with the model. Each place that holds data is a row of `PLACES`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from onceproof.conformance.reference.mapping import Snapshot
from onceproof.implementation.components.messages import Result
from onceproof.implementation.components.resource_manager import LOST
from onceproof.implementation.in_process.contents import FUNCTION, error_of, payload_of, result_of
from onceproof.implementation.in_process.observation import RunRow

Held = tuple[tuple[object, ...], str, str]
"""The indices of what is held, what belongs there, and what is there."""


@dataclass(frozen=True, slots=True)
class Place:
    """Something that holds data: what it is called in reports, where it stands, and what is in it."""

    name: str
    source: str
    read: Callable[[Snapshot], Iterator[Held]]


def misplaced(snapshot: Snapshot) -> dict[str, tuple[str, str]]:
    """By place, what belongs there and what is there instead; nothing where all is right.

    A system may wrap what it holds: what belongs there must be a part of what is there.
    """
    return {
        f"{place.name}[{', '.join(map(_index, indices))}]": (wanted, found)
        for place in PLACES
        for indices, wanted, found in place.read(snapshot)
        if wanted not in found
    }


def _tasks(snapshot: Snapshot) -> Iterator[Held]:
    client = snapshot.system.client
    for task, row in snapshot.tasks.items():
        yield (task,), payload_of(task).decode(), row.payload.decode()
        wanted = f"{FUNCTION} of {client.owner(task)}, tried {client.attempts} times"
        yield (task,), wanted, f"{row.function} of {row.owner}, tried {row.attempts} times"


def _messages(snapshot: Snapshot) -> Iterator[Held]:
    for message, row in snapshot.messages.items():
        yield (message,), snapshot.system.client.owner(row.task), row.owner


def _requests(snapshot: Snapshot) -> Iterator[Held]:
    network = snapshot.system.network
    for orders in (network.requests, network.duplicates):
        for exchange, order in orders.items():
            task = _task(snapshot, exchange[2])
            yield exchange, payload_of(task).decode(), order.payload.decode()
            yield exchange, f"{FUNCTION} of {task}", f"{order.function} of {order.task_id}"


def _replies(snapshot: Snapshot) -> Iterator[Held]:
    for exchange, result in snapshot.system.network.replies.items():
        yield exchange, _wanted(snapshot, exchange[2], exchange[3], result.succeeded), _text(result)


def _works(snapshot: Snapshot) -> Iterator[Held]:
    for scheduler in snapshot.system.schedulers.values():
        for message, work in scheduler.works.items():
            if work.stage in ("SUCCEEDED", "RAISED"):
                wanted = _wanted(snapshot, message, work.attempt, work.stage == "SUCCEEDED")
                yield (scheduler.name, message), wanted, _text(work.result)


def _memory(snapshot: Snapshot) -> Iterator[Held]:
    for agent in snapshot.system.agents.values():
        for (message, attempt), known in agent.memory.items():
            if known.stage != "RUNNING":
                wanted = _wanted(snapshot, message, attempt, known.stage == "DONE")
                yield (agent.name, message, attempt), wanted, _text(known.result)


def _functions(snapshot: Snapshot) -> Iterator[Held]:
    for (task, attempt), payload in snapshot.system.ledger.received.items():
        yield (task, attempt), payload_of(task).decode(), payload


def _runs(snapshot: Snapshot) -> Iterator[Held]:
    for message, run in snapshot.runs.items():
        yield (message,), _task(snapshot, message), run.task
        if run.outcome == "COMPLETED":
            yield (message,), _wanted(snapshot, message, run.attempt, True), run.result.decode()
        elif run.outcome == "FAILED" and LOST not in run.error:
            yield (message,), _wanted(snapshot, message, run.attempt, False), run.error


def expected_end(snapshot: Snapshot, message: str, run: RunRow) -> str:
    """What a run that is completed or failed must have as its result or error."""
    if run.outcome == "FAILED" and LOST in run.error:
        return LOST
    return _wanted(snapshot, message, run.attempt, run.outcome == "COMPLETED")


def _attempts(snapshot: Snapshot) -> Iterator[Held]:
    for (message, attempt), error in snapshot.failed_attempts.items():
        yield (message, attempt), _wanted(snapshot, message, attempt, False), error


PLACES = (
    Place("tasks", "table tasks: payload; owner, function and attempts", _tasks),
    Place("messages.owner", "table messages: owner", _messages),
    Place("request.order", "the wire: what requests carry", _requests),
    Place("reply.result", "the wire: what replies carry", _replies),
    Place("work.result", "each scheduler's memory: the result in hand", _works),
    Place("memory.result", "each agent's memory: the result of what has ended", _memory),
    Place("function.payload", "users' functions: what each was given", _functions),
    Place("runs", "table runs: task, result, error", _runs),
    Place("attempts.error", "table attempts: error", _attempts),
)


def _index(index: object) -> str:
    """An index as the model names it."""
    return f"attempt{index}" if isinstance(index, int) else str(index)


def _task(snapshot: Snapshot, message: str) -> str:
    row = snapshot.messages.get(message)
    return row.task if row is not None else f"(no task: there is no {message})"


def _wanted(snapshot: Snapshot, message: str, attempt: int, succeeded: bool) -> str:
    payload = payload_of(_task(snapshot, message))
    return result_of(payload, attempt).decode() if succeeded else error_of(payload, attempt)


def _text(result: Result | None) -> str:
    """What a result says; nothing where there is none."""
    if result is None:
        return ""
    return result.value.decode() if result.succeeded else result.error
