"""Faults of agents and schedulers: what they forget, and what they do not look at."""

from __future__ import annotations

from typing import Any

from onceproof.conformance.reference.mutants.variant import CRASH, ONE_AGENT, PAUSE, RAISES, UPGRADE, Mutant, changed
from onceproof.implementation.components.agent import Agent, Execution
from onceproof.implementation.components.messages import Order
from onceproof.implementation.components.scheduler import Scheduler
from onceproof.implementation.errors import require


def _lost_join(agent: Agent, scheduler: str, message: str, attempt: int) -> None:
    require(agent._known(message, attempt).stage == "RUNNING", "not running")
    agent._take(scheduler, message, attempt)


def _starts_each(agent: Agent, scheduler: str, message: str, attempt: int) -> None:
    agent._require_request(scheduler, message, attempt)
    agent.store.begin(message, attempt, (agent.name, agent.incarnation), agent.clock.now_ns())
    order = agent._take(scheduler, message, attempt)
    execution = agent.memory.setdefault((message, attempt), Execution(order))
    execution.stage = "RUNNING"
    execution.asked.add(scheduler)
    agent.functions.start(agent.name, message, attempt, order)


def _tells_one(agent: Agent, message: str, attempt: int, stage: str, result: Any) -> None:
    execution = agent._known(message, attempt)
    execution.asked = set(sorted(execution.asked)[:1])
    Agent._end(agent, message, attempt, stage, result)


def _silent(agent: Agent, scheduler: str, message: str, attempt: int) -> None:
    require(agent._known(message, attempt).stage != "RUNNING", "still running")
    agent._take(scheduler, message, attempt)


def _turns_away_what_counts(agent: Agent, scheduler: str, message: str, attempt: int) -> None:
    require((message, attempt) not in agent.memory, "known here")
    agent._require_request(scheduler, message, attempt)
    agent.wire.turn_away((scheduler, agent.name, message, attempt))


def _forgets(agent: Agent, message: str, attempt: int) -> None:
    require(agent._known(message, attempt).stage != "RUNNING", "still running")
    del agent.memory[message, attempt]


RELEASE_ANY = "UPDATE messages SET visible_at_ns = ?, leased_until_ns = 0, holder = NULL WHERE message = ?"

AGENT = [
    Mutant(
        "lost-join",
        "a scheduler that asks while the function runs is not remembered",
        {"agent": changed(Agent, join=_lost_join)},
        **CRASH,
    ),
    Mutant(
        "starts-for-each-request",
        "the agent does not look in its memory",
        {"agent": changed(Agent, start=_starts_each)},
        **CRASH,
    ),
    Mutant(
        "tells-one-asker",
        "of several askers only one hears the result",
        {"agent": changed(Agent, _end=_tells_one)},
        **CRASH,
    ),
    Mutant(
        "answers-nobody",
        "a scheduler that asks after the end is not answered",
        {"agent": changed(Agent, answer=_silent)},
        sizes=ONE_AGENT,
        faults={"reply_loss": 1},
    ),
    Mutant(
        "turns-away-what-counts",
        "the agent turns a request away without a look at the store",
        {"agent": changed(Agent, turn_away=_turns_away_what_counts)},
        sizes={"schedulers": 1, "agents": 1, "stops": 1},
    ),
    Mutant(
        "forgets-too-early",
        "the agent forgets as soon as the function has ended",
        {"agent": changed(Agent, forget=_forgets)},
        **CRASH,
    ),
]


def _receives_while_draining(scheduler: Scheduler, message: str) -> None:
    scheduler._require_running()
    scheduler._hold(
        message, lambda: scheduler.queue.receive(message, scheduler.name, scheduler.epochs, message in scheduler.works)
    )


def _releases_what_runs(scheduler: Scheduler, message: str) -> None:
    work = scheduler._work(message)
    require(scheduler.mode == "DRAINING" or not scheduler.owns(work.received.owner), "takes messages of this queue")
    require(scheduler.store.run(message).outcome == "OPEN", "has ended")
    scheduler.queue.release(message, work.received.receipt)
    del scheduler.works[message]


def _releases_at_any_time(scheduler: Scheduler, message: str) -> None:
    work = scheduler._work(message, "HELD")
    require(scheduler.store.run(message).outcome == "OPEN", "has ended")
    scheduler.queue.release(message, work.received.receipt)
    del scheduler.works[message]


def _keeps_what_it_released(scheduler: Scheduler, message: str) -> None:
    work = scheduler._work(message, "HELD")
    Scheduler.release(scheduler, message)
    scheduler.works[message] = work


def _releases_another_one_s(scheduler: Scheduler, message: str) -> None:
    work = scheduler._work(message, "HELD")
    require(scheduler.mode == "DRAINING" or not scheduler.owns(work.received.owner), "takes messages of this queue")
    require(scheduler.store.run(message).outcome == "OPEN", "has ended")
    now = scheduler.clock.now_ns()
    scheduler.store.database.run(RELEASE_ANY, now, message)
    del scheduler.works[message]


def _deletes_early(scheduler: Scheduler, message: str) -> None:
    work = scheduler._work(message)
    require(work.stage in ("SUCCEEDED", "RECORDED"), "no result in hand")
    scheduler.queue.delete(message, work.received.receipt)
    del scheduler.works[message]


def _dispatches_anywhere(scheduler: Scheduler, message: str, agent: str) -> None:
    require(not scheduler.store.is_gone(agent), f"{agent} is gone")
    placement = scheduler.store.placement(message)
    require(placement is not None and not placement.gone, f"{message} has no place")
    work = scheduler._work(message, "HELD")
    run = scheduler.store.run(message)
    require(run.outcome == "OPEN", f"{message} has ended")
    scheduler.wire.send_request((scheduler.name, agent, message, run.attempt), Order(run.task))
    work.stage, work.attempt, work.agent = "DISPATCHED", run.attempt, agent


def _keeps_its_memory(scheduler: Scheduler) -> None:
    scheduler.mode = "DOWN"
    scheduler.epochs.clear()


def _wakes_with_nothing(scheduler: Scheduler) -> None:
    Scheduler.scheduler_resume(scheduler)
    scheduler.works.clear()


def _leaves_at_once(scheduler: Scheduler) -> None:
    require(scheduler.mode == "DRAINING", "not draining")
    scheduler._die()


def _gives_up_early(scheduler: Scheduler, message: str) -> None:
    work = scheduler._work(message, "RAISED")
    scheduler.store.fail(message, work.attempt, "raised", scheduler.clock.now_ns())
    work.stage = "RECORDED"


def _hears_anything(scheduler: Scheduler, agent: str, message: str, attempt: int) -> None:
    scheduler._require_running()
    result = scheduler.wire.take_reply((scheduler.name, agent, message, attempt))
    work = scheduler.works.get(message)
    if work is not None:
        work.stage, work.attempt = "SUCCEEDED" if result.succeeded else "RAISED", attempt
        work.result = result


SCHEDULER = [
    Mutant(
        "receives-while-draining",
        "the mode is not looked at",
        {"scheduler": changed(Scheduler, receive=_receives_while_draining)},
        **UPGRADE,
    ),
    Mutant(
        "releases-what-runs",
        "a draining scheduler gives back what an agent runs",
        {"scheduler": changed(Scheduler, release=_releases_what_runs)},
        **UPGRADE,
    ),
    Mutant(
        "releases-at-any-time",
        "a scheduler gives back what it is to have run",
        {"scheduler": changed(Scheduler, release=_releases_at_any_time)},
        sizes={"agents": 1, "hand_overs": 1},
    ),
    Mutant(
        "keeps-what-it-released",
        "a scheduler gives a message back, and goes on with it",
        {"scheduler": changed(Scheduler, release=_keeps_what_it_released)},
        **UPGRADE,
    ),
    Mutant(
        "releases-another-one-s",
        "a message is given back with a receipt that is another scheduler's by now",
        {"scheduler": changed(Scheduler, release=_releases_another_one_s)},
        sizes=ONE_AGENT,
        faults={"lease_lapse": 1, "scheduler_upgrade": 1},
    ),
    Mutant(
        "hand-over-unheard",
        "the owner of a queue that is handed over goes on believing that it has it",
        {"scheduler": changed(Scheduler, unlearn=lambda self, user: None)},
        sizes={"agents": 1, "hand_overs": 1},
        mechanisms={"owner_epoch": False},
    ),
    Mutant(
        "deletes-before-recording",
        "two steps in the wrong order: the message is deleted before the result is stored",
        {"scheduler": changed(Scheduler, delete=_deletes_early)},
        **CRASH,
    ),
    Mutant(
        "dispatches-anywhere",
        "the placement is there, and not looked at",
        {"scheduler": changed(Scheduler, dispatch=_dispatches_anywhere)},
        sizes={"schedulers": 1, "agents": 2},
    ),
    Mutant(
        "memory-outlives-a-crash",
        "the restarted scheduler has the old one's messages",
        {"scheduler": changed(Scheduler, _die=_keeps_its_memory)},
        **CRASH,
    ),
    Mutant(
        "wakes-with-nothing",
        "a resumed scheduler has forgotten what it held",
        {"scheduler": changed(Scheduler, scheduler_resume=_wakes_with_nothing)},
        **PAUSE,
    ),
    Mutant(
        "stops-without-draining",
        "an upgrade does not wait for what is in hand",
        {"scheduler": changed(Scheduler, upgrade_finish=_leaves_at_once)},
        **UPGRADE,
    ),
    Mutant(
        "gives-up-one-attempt-early",
        "off by one: the last retry is never made",
        {"scheduler": changed(Scheduler, record_failure=_gives_up_early)},
        **RAISES,
    ),
    Mutant(
        "hears-what-it-does-not-await",
        "any reply is taken for the one that is awaited",
        {"scheduler": changed(Scheduler, hear=_hears_anything)},
        sizes=ONE_AGENT,
        faults={"reply_loss": 1, "request_duplication": 1},
    ),
]
