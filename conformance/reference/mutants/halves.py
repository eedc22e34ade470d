"""Faults of actions that are no longer one: what is half done when a process dies, or when the store refuses."""

from __future__ import annotations

from typing import Any

from onceproof.conformance.driver import Interruption
from onceproof.conformance.reference.mutants.variant import RAISES, Mutant, changed, patch
from onceproof.implementation.components.agent import RUNNING, Agent, Execution
from onceproof.implementation.components.scheduler import RECORDED, SUCCEEDED, Scheduler
from onceproof.implementation.components.task_store import TaskStore
from onceproof.implementation.errors import StoreUnavailable, require
from onceproof.implementation.in_process.core import Core

ONE: dict[str, Any] = {"sizes": {"schedulers": 1, "agents": 1}}
DIES: dict[str, Any] = {**ONE, "interruptions": (Interruption.DEATH,)}
REFUSES: dict[str, Any] = {**ONE, "interruptions": (Interruption.REFUSAL,)}
DRAINS: dict[str, Any] = {**REFUSES, "faults": {"scheduler_upgrade": 1}}


def _two_commits(core: Core) -> None:
    api, store = core.api_server, core.store

    def admit(task: str, submission: str) -> None:
        order = api.connections.request(task, submission)
        store.record(order, api.clock.now_ns())
        store.put_outbox(order)
        api.connections.answer(task, submission, "SAYS_202")

    patch(api, "admit", admit)


def _answers_first(core: Core) -> None:
    api, store = core.api_server, core.store

    def admit(task: str, submission: str) -> None:
        order = api.connections.request(task, submission)
        with store.database.transaction():
            store.record(order, api.clock.now_ns())
            store.put_outbox(order)
            api.connections.answer(task, submission, "SAYS_202")

    patch(api, "admit", admit)


def _accepts_all_the_same(core: Core) -> None:
    admit = core.api_server.admit

    def admit_anyway(task: str, submission: str) -> None:
        try:
            admit(task, submission)
        except StoreUnavailable:
            core.network.answer(task, submission, "SAYS_202")

    patch(core.api_server, "admit", admit_anyway)


def _remembers_first(core: Core) -> None:
    relay = core.relay.relay

    def note_and_relay(task: str, submission: str, message: str) -> None:
        require((task, submission) not in core.relay.published, "published")
        try:
            relay(task, submission, message)
        except StoreUnavailable:
            core.relay.published.add((task, submission))
            raise

    patch(core.relay, "relay", note_and_relay)


def _next_attempt(store: TaskStore, message: str, attempt: int, next_attempt: int, error: str, now_ns: int) -> None:
    changed_rows = store.database.run(store.NEXT_ATTEMPT, next_attempt, message, attempt)
    require(changed_rows, f"message {message} is not open in attempt {attempt}")
    store.database.run(store.PUT_FAILED_ATTEMPT, message, attempt, error, now_ns)


def _starts_first(agent: Agent, scheduler: str, message: str, attempt: int) -> None:
    require((message, attempt) not in agent.memory, "known")
    agent._require_request(scheduler, message, attempt)
    require(agent.is_wanted(message, attempt), "not wanted")
    placed_on = (agent.name, agent.incarnation) if agent.mechanisms.sticky_placement else None
    order = agent.wire.take_request((scheduler, agent.name, message, attempt))
    agent.functions.start(agent.name, message, attempt, order)
    agent.store.begin(message, attempt, placed_on, agent.clock.now_ns())
    agent.memory[message, attempt] = Execution(order, RUNNING, {scheduler})


def _takes_first(agent: Agent, scheduler: str, message: str, attempt: int) -> None:
    """The request is off the wire before the store has said anything."""
    require((message, attempt) not in agent.memory, "known")
    agent._require_request(scheduler, message, attempt)
    require(agent.is_wanted(message, attempt), "not wanted")
    order = agent.wire.take_request((scheduler, agent.name, message, attempt))
    placed_on = (agent.name, agent.incarnation) if agent.mechanisms.sticky_placement else None
    agent.store.begin(message, attempt, placed_on, agent.clock.now_ns())
    agent.memory[message, attempt] = Execution(order, RUNNING, {scheduler})
    agent.functions.start(agent.name, message, attempt, order)


def _believes_first(scheduler: Scheduler, message: str) -> None:
    work = scheduler._work(message, SUCCEEDED)
    value = work.result.value if work.result is not None else b""
    run = scheduler.store.run(message)
    require(run.outcome == "OPEN" and run.attempt == work.attempt, "overtaken")
    work.stage = RECORDED
    scheduler.store.complete(message, work.attempt, value, *scheduler._times(work))


def _records_and_deletes(scheduler: Scheduler, message: str) -> None:
    """The message is deleted first, and is back when the result is in: commits the wrong way round."""
    work = scheduler._work(message, SUCCEEDED)
    run = scheduler.store.run(message)
    require(run.outcome == "OPEN" and run.attempt == work.attempt, "overtaken")
    database = scheduler.store.database
    row = database.row("SELECT deleted_at_ns FROM messages WHERE message = ?", message)
    database.run("UPDATE messages SET deleted_at_ns = 1 WHERE message = ? AND deleted_at_ns IS NULL", message)
    Scheduler.record(scheduler, message)
    if row is not None:
        database.run("UPDATE messages SET deleted_at_ns = ? WHERE message = ?", row[0], message)


def _drops_first(scheduler: Scheduler, message: str) -> None:
    work = scheduler._work(message, RECORDED)
    require(scheduler.queue.is_current(message, work.received.receipt), "an old receipt")
    del scheduler.works[message]
    scheduler.queue.delete(message, work.received.receipt)


def _is_up_first(scheduler: Scheduler) -> None:
    require(scheduler.mode == "DOWN", f"{scheduler.name} is not down")
    scheduler.mode = "UP"
    scheduler.balancer.beat(scheduler.name)
    scheduler.learn_owned()


HALVES = [
    Mutant("admission-in-two-commits", "a task is recorded, and later put into the outbox", patch=_two_commits, **DIES),
    Mutant("answer-before-the-commit", "202 is on its way before the record is", patch=_answers_first, **DIES),
    Mutant(
        "retry-in-two-commits",
        "the next attempt counts, and later it is noted that the one before failed",
        {"store": changed(TaskStore, next_attempt=_next_attempt)},
        interruptions=(Interruption.DEATH,),
        **RAISES,
    ),
    Mutant(
        "starts-before-the-note",
        "the function is started, and later it is noted that it was begun",
        {"agent": changed(Agent, start=_starts_first)},
        **DIES,
    ),
    Mutant(
        "deletes-before-it-records",
        "in one action the message is deleted, and then the result recorded",
        {"scheduler": changed(Scheduler, record=_records_and_deletes)},
        **DIES,
    ),
    Mutant(
        "accepted-without-a-store",
        "a submission is accepted although the store was locked",
        patch=_accepts_all_the_same,
        **REFUSES,
    ),
    Mutant(
        "published-without-a-store",
        "a row counts as published that the store refused",
        patch=_remembers_first,
        **REFUSES,
    ),
    Mutant(
        "request-lost-by-a-refusal",
        "a request is taken off the wire, and the store refuses the note",
        {"agent": changed(Agent, start=_takes_first)},
        **REFUSES,
    ),
    Mutant(
        "result-believed-before-the-store",
        "the scheduler takes a result for recorded that the store refuses",
        {"scheduler": changed(Scheduler, record=_believes_first)},
        **REFUSES,
    ),
    Mutant(
        "message-dropped-by-a-refusal",
        "the scheduler forgets a message that the queue does not delete",
        {"scheduler": changed(Scheduler, delete=_drops_first)},
        **REFUSES,
    ),
    Mutant(
        "up-before-the-store",
        "a scheduler is up that could not say so",
        {"scheduler": changed(Scheduler, scheduler_restart=_is_up_first)},
        sizes={"schedulers": 1, "agents": 1},
        faults={"scheduler_crash": 1},
        interruptions=(Interruption.REFUSAL,),
    ),
]
