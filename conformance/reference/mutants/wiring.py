"""Faults of what lies between: balancer, relay, resource manager, API server and network."""

from __future__ import annotations

from typing import Any

from onceproof.conformance.reference.mutants.variant import AGAIN, CRASH, PAUSE, Mutant, patch
from onceproof.implementation.components.task_store import Placement
from onceproof.implementation.errors import NotEnabled
from onceproof.implementation.in_process.core import Core


def _steals(core: Core) -> None:
    balancer = core.load_balancer
    patch(core.load_balancer, "assign", lambda scheduler, user: balancer._give(scheduler, user))


def _believes_the_paused(core: Core) -> None:
    withdraw = core.load_balancer.withdraw

    def withdraw_running(scheduler: str) -> None:
        if core.schedulers[scheduler].mode != "PAUSED":
            withdraw(scheduler)

    patch(core.load_balancer, "withdraw", withdraw_running)


def _fails_the_living(core: Core) -> None:
    def placed(message: str) -> Placement:
        placement = core.store.placement(message)
        if placement is None:
            raise NotEnabled(f"{message} has no place")
        return placement

    patch(core.resource_manager, "_lost", placed)


def _published_survives(core: Core) -> None:
    patch(core.relay, "relay_crash", lambda: None)


def _marks_at_once(core: Core) -> None:
    relay = core.relay.relay

    def relay_and_mark(task: str, submission: str, message: str) -> None:
        relay(task, submission, message)
        core.store.mark_relayed(task, submission)

    patch(core.relay, "relay", relay_and_mark)


def _says_202(core: Core) -> None:
    answer = core.network.answer
    patch(core.network, "answer", lambda task, submission, _: answer(task, submission, "SAYS_202"))


def _both_copies_at_once(core: Core) -> None:
    take = core.network.take_request

    def take_both(exchange: Any) -> Any:
        order = take(exchange)
        core.network.requests.pop(exchange, None)
        return order

    patch(core.network, "take_request", take_both)


def _admitting_survives(core: Core) -> None:
    patch(core.api_server, "api_crash", core.network.break_all)


WIRING = [
    Mutant("balancer-steals", "a queue is given away although its owner is up", patch=_steals, **CRASH),
    Mutant("balancer-trusts-the-paused", "a paused scheduler counts as up", patch=_believes_the_paused, **PAUSE),
    Mutant(
        "fails-the-living",
        "a task is failed without a look at its agent",
        patch=_fails_the_living,
        sizes={"schedulers": 1, "agents": 2},
        faults={"agent_crash": 1},
    ),
    Mutant(
        "relay-memory-outlives-a-crash",
        "what was published is still known after the crash",
        patch=_published_survives,
        sizes={"schedulers": 1, "agents": 1},
        faults={"relay_crash": 1},
    ),
    Mutant(
        "relay-marks-at-once",
        "published and marked in one go: nothing would be published again",
        patch=_marks_at_once,
        sizes={"schedulers": 1, "agents": 1},
        faults={"relay_crash": 1},
    ),
    Mutant("refusal-says-202", "a refused submission is answered 202", patch=_says_202, **AGAIN),
    Mutant(
        "both-copies-at-once",
        "a request that was sent twice arrives once",
        patch=_both_copies_at_once,
        sizes={"schedulers": 1, "agents": 1},
        faults={"request_duplication": 1},
    ),
    Mutant(
        "admitting-outlives-a-crash",
        "what the API server had at hand is there after its crash",
        patch=_admitting_survives,
        sizes={"schedulers": 1, "agents": 1},
        mechanisms={"atomic_admission": False},
        faults={"api_crash": 1},
    ),
]
