"""Faults of data: every step is the right one, and somebody gets what is another's, or nothing."""

from __future__ import annotations

from typing import Any

from onceproof.conformance.reference.mutants.variant import RAISES, Mutant, changed, reworded
from onceproof.implementation.components.agent import Agent
from onceproof.implementation.components.messages import Result
from onceproof.implementation.components.scheduler import Scheduler
from onceproof.implementation.components.task_store import TaskStore
from onceproof.implementation.queues.table import TableQueue

ONE: dict[str, Any] = {"sizes": {"schedulers": 1, "agents": 1}}
TWO: dict[str, Any] = {"sizes": {"tasks": 2, "users": 2, "schedulers": 1, "agents": 1}}


def _tells_the_first(agent: Agent, message: str, attempt: int, stage: str, result: Result) -> None:
    """What the agent ran first is what it tells of everything."""
    told = next((known.result for known in agent.memory.values() if known.result is not None), result)
    Agent._end(agent, message, attempt, stage, told if told.succeeded == result.succeeded else result)


def _hears_no_value(scheduler: Scheduler, agent: str, message: str, attempt: int) -> None:
    """What was heard is cut off before its value."""
    Scheduler.hear(scheduler, agent, message, attempt)
    work = scheduler.works.get(message)
    if work is not None and work.result is not None:
        work.result = Result(work.result.succeeded, error=work.result.error)


def _publishes_to_first(queue: TableQueue, message: str, task: str, submission: str, owner: str) -> bool:
    return TableQueue.publish(queue, message, task, submission, "user1")


CONTENTS = [
    Mutant(
        "payload-dropped",
        "the task is sent to its agent without its payload",
        {"store": reworded(TaskStore, "RUN", "tasks.payload", "substr(tasks.payload, 1, 0)")},
        **ONE,
    ),
    Mutant(
        "payload-of-another-task",
        "every function is given the payload of the first task",
        {"store": reworded(TaskStore, "RUN", "tasks.payload", "(SELECT payload FROM tasks ORDER BY task LIMIT 1)")},
        **TWO,
    ),
    Mutant(
        "payload-not-recorded",
        "the store records a task without its payload",
        {"store": reworded(TaskStore, "RECORD", "VALUES (?, ?, ?, ?, ?", "VALUES (?, ?, ?, ?, substr(?, 1, 0)")},
        **ONE,
    ),
    Mutant(
        "result-of-another-task",
        "a task is completed with the result that the store had first",
        {
            "store": reworded(
                TaskStore,
                "COMPLETE",
                "result = ?",
                "result = COALESCE((SELECT result FROM runs WHERE result IS NOT NULL LIMIT 1), ?)",
            )
        },
        **TWO,
    ),
    Mutant(
        "result-dropped",
        "a task is completed, and its result is not written",
        {"store": reworded(TaskStore, "COMPLETE", "result = ?", "result = substr(?, 1, 0)")},
        **ONE,
    ),
    Mutant(
        "agent-tells-its-first-result",
        "an agent tells of each function what the first one returned",
        {"agent": changed(Agent, _end=_tells_the_first)},
        **TWO,
    ),
    Mutant(
        "reply-without-value",
        "a scheduler hears that a function succeeded, and not what it returned",
        {"scheduler": changed(Scheduler, hear=_hears_no_value)},
        **ONE,
    ),
    Mutant(
        "error-dropped",
        "that an attempt failed is noted, and not why",
        {
            "store": reworded(
                TaskStore, "PUT_FAILED_ATTEMPT", "VALUES (?, ?, ?, ?)", "VALUES (?, ?, substr(?, 1, 0), ?)"
            )
        },
        **RAISES,
    ),
    Mutant(
        "queue-of-another-user",
        "every message is put on the first user's queue",
        {"queue": changed(TableQueue, publish=_publishes_to_first)},
        **TWO,
    ),
    Mutant(
        "owner-of-another-task",
        "a task is recorded as the first user's",
        {
            "store": reworded(
                TaskStore, "RECORD", "VALUES (?, ?,", "VALUES (?, COALESCE((SELECT owner FROM tasks LIMIT 1), ?),"
            )
        },
        **TWO,
    ),
]
