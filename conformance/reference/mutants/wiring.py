"""Faults of what lies between: balancer, relay, resource manager, API server and network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from onceproof.conformance.reference.mutants.variant import AGAIN, CRASH, LOSS, PAUSE, Mutant, patch
from onceproof.implementation.components.task_store import OPEN, Placement
from onceproof.implementation.errors import NotEnabled, require
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


def _unplaces(core: Core, condition: Callable[[str], bool]) -> None:
    def unplace(scheduler: str, message: str) -> None:
        require(condition(message), "not to be placed anew")
        require(core.store.database.run(core.store.UNPLACE, message), f"{message} has no place")

    patch(core.resource_manager, "unplace", unplace)


def _unplaces_the_begun(core: Core) -> None:
    def is_lost(message: str) -> bool:
        placement = core.store.placement(message)
        return placement is not None and placement.gone and core.store.run(message).outcome == OPEN

    _unplaces(core, is_lost)


def _unplaces_the_living(core: Core) -> None:
    def is_unbegun(message: str) -> bool:
        run = core.store.run(message)
        return run.outcome == OPEN and not run.is_begun

    _unplaces(core, is_unbegun)


def _fails_the_unbegun(core: Core) -> None:
    def fail_lost(scheduler: str, message: str) -> None:
        placement = core.store.placement(message)
        require(placement is not None and placement.gone, "its agent is there")
        core.store.fail(message, core.store.run(message).attempt, "lost", core.clock.now_ns())

    patch(core.resource_manager, "fail_lost", fail_lost)


def _hands_over_in_name(core: Core) -> None:
    hand_over = core.load_balancer.hand_over

    def hand_over_and_back(scheduler: str, user: str) -> None:
        owner = core.load_balancer.owner(user)
        hand_over(scheduler, user)
        core.database.run(core.load_balancer.OWN, user, owner[0] if owner else scheduler)

    patch(core.load_balancer, "hand_over", hand_over_and_back)


def _hands_over_from_the_dead(core: Core) -> None:
    balancer = core.load_balancer

    def hand_over(scheduler: str, user: str) -> None:
        owner = balancer.owner(user)
        require(owner is not None and owner[0] != scheduler, "no other has it")
        balancer._give(scheduler, user)

    patch(balancer, "hand_over", hand_over)


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
        "hands-over-in-name",
        "a queue is said to be handed over, and the store still has its owner",
        patch=_hands_over_in_name,
        sizes={"agents": 1, "hand_overs": 1},
    ),
    Mutant(
        "hands-over-from-the-dead",
        "a queue is handed over, as if by its owner, although that is not up",
        patch=_hands_over_from_the_dead,
        sizes={"agents": 1, "hand_overs": 1},
        faults={"scheduler_upgrade": 1},
    ),
    Mutant(
        "unplaces-the-begun",
        "the task of a dead agent is placed anew without a look at whether it was begun",
        patch=_unplaces_the_begun,
        **LOSS,
    ),
    Mutant(
        "unplaces-the-living",
        "a task is placed anew without a look at its agent",
        patch=_unplaces_the_living,
        **LOSS,
    ),
    Mutant(
        "fails-the-unbegun",
        "the task of a dead agent is failed without a look at whether it was begun",
        patch=_fails_the_unbegun,
        **LOSS,
    ),
    Mutant(
        "fails-the-living",
        "a task is failed without a look at its agent",
        patch=_fails_the_living,
        **LOSS,
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
