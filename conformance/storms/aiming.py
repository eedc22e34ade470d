"""Aiming: the model's shortest counterexample as a schedule. Which fault, at which moment of the task, for how long."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from onceproof.conformance.storms.outcomes import Claim
from onceproof.conformance.storms.prediction import fault_of, predict
from onceproof.conformance.storms.profile import Profile
from onceproof.conformance.storms.schedule import MOMENTS, Fault, Moment, Schedule, usual
from onceproof.model.checker.results import Counterexample

OUTLIVES = 1.5  # leases that a task takes whose first run must still go on when the second one starts


def aimed(profile: Profile, faults: Iterable[Fault]) -> list[Schedule]:
    """A schedule for each counterexample that the model has to a claim under one of these faults, whenever it comes."""
    found: dict[Schedule, None] = {}
    for fault in faults:
        schedule = usual(fault, MOMENTS[fault][0])
        predicted = predict(profile, schedule, anywhen=True)
        if fault is Fault.KILL_PARENT and not any(each.breaks for each in predicted.values()):
            # What was left behind shows only where it still runs when the lease ends.
            schedule = replace(schedule, length=OUTLIVES)
            predicted = predict(profile, schedule, anywhen=True)
        for claim in Claim:
            counterexample = predicted[claim].counterexample
            if counterexample is not None:
                found[aim(fault, fault_of(profile.topology, schedule), counterexample)] = None
    return list(found)


def aim(fault: Fault, name: str | None, counterexample: Counterexample) -> Schedule:
    """The schedule that takes a real system along a counterexample: the fault comes where it comes in the model.

    name: what the model calls the fault; None where there is none.
    """
    actions = [step.action for step in counterexample.trace.steps]
    if fault is Fault.NONE or name is None:
        return usual(fault, Moment.AFTER_START)
    if fault is Fault.RESUBMIT:
        again = [number for number, action in enumerate(actions) if action == "submit"][1:]
        return usual(fault, _of_submission(actions[: again[0]] if again else []))
    schedule = usual(fault, _moment(actions[: actions.index(name)]))
    if name == "scheduler_crash" and _overlap(actions):
        return replace(schedule, length=OUTLIVES)
    return schedule


def _moment(before: Sequence[str]) -> Moment:
    """How far the task had come when the fault came."""
    if "start" not in before:
        return Moment.BEFORE_START
    if "finish" not in before:
        return Moment.AFTER_START
    return Moment.AFTER_ACK if "delete" in before else Moment.BEFORE_ACK


def _of_submission(before: Sequence[str]) -> Moment:
    if "start" not in before:
        return Moment.QUEUED
    return Moment.AFTER_ACK if "delete" in before else Moment.AFTER_START


def _overlap(actions: Sequence[str]) -> bool:
    """Whether the second run starts before the first one ends."""
    starts = [number for number, action in enumerate(actions) if action == "start"]
    return len(starts) > 1 and "finish" not in actions[starts[0] : starts[1]]
