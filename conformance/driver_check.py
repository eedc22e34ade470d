"""Tells the author of a driver what is missing or wrong, before any real run."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from onceproof.conformance.command_driver import ProcessDriver
from onceproof.conformance.driver import Driver, DriverError, StepRefused, StepUncertain
from onceproof.conformance.replay.confirm import confirm
from onceproof.conformance.replay.lockstep import Disagreement, Lockstep
from onceproof.conformance.replay.negative_tests import NegativeTests
from onceproof.model.checker.results import Trace
from onceproof.model.language import Step, System
from onceproof.model.language.layout import State

RUNS, STEPS, REFUSALS = 40, 40, 3
NONSENSE = "no-such-action"


class Verdict(StrEnum):
    """What a finding says of a driver."""

    OK = "ok"
    NOTE = "note"
    DIFFERS = "differs"  # the system is not as the model
    WRONG = "wrong"  # the driver breaks the protocol


@dataclass(frozen=True)
class Finding:
    """One line for the author. trace: the run that shows it, up to the step that differs."""

    verdict: Verdict
    text: str
    trace: Trace | None = None


def examine(system: System, command: str, answer_seconds: float) -> Iterator[Finding]:
    """Put a driver through the protocol; findings as they come, ended by the first that is wrong."""
    try:
        driver = ProcessDriver(command, answer_seconds)
    except DriverError as error:
        yield Finding(Verdict.WRONG, str(error))
        return
    try:
        yield from _examine(system, driver)
    except DriverError as error:
        yield Finding(Verdict.WRONG, str(error))
    finally:
        driver.kill()


def _examine(system: System, driver: ProcessDriver) -> Iterator[Finding]:
    lockstep = Lockstep(system, driver)
    try:
        lockstep.begin()
        yield Finding(Verdict.OK, "reset is answered, and the initial state is that of the model")
    except Disagreement as disagreement:
        yield Finding(Verdict.DIFFERS, f"the initial state is not that of the model: {_cells(disagreement)}")
        return
    abilities = lockstep.abilities
    fields = set(system.model.field_names)
    yield Finding(Verdict.NOTE, f"performs {len(abilities.performs)} of {len(system.model.actions)} actions")
    yield Finding(Verdict.NOTE, f"observes {len(abilities.observes)} of {len(fields)} fields")
    for name in sorted(abilities.observes - set(abilities.sources)):
        yield Finding(Verdict.NOTE, f"does not say where `{name}` is read (sources)")
    can = driver.interruptions
    if can.deaths or can.refusals:
        ways = f"may die in {len(can.deaths)} actions, and its store may refuse in {len(can.refusals)}"
        yield Finding(Verdict.NOTE, ways)
    yield from _refuses_nonsense(driver)
    answer = driver.ask({"do": "dance"})
    if answer["ok"]:
        yield Finding(Verdict.WRONG, "the unknown request `dance` was answered with ok: true, expected ok: false")
    else:
        yield Finding(Verdict.OK, "an unknown request is answered with ok: false")
    yield from _walks(lockstep)
    status = driver.quit()
    yield Finding(
        Verdict.WRONG if status else Verdict.OK, f"quit is answered, and the driver exits with status {status}"
    )


def _refuses_nonsense(driver: Driver) -> Iterator[Finding]:
    try:
        driver.step(NONSENSE, {})
    except StepRefused:
        yield Finding(Verdict.OK, "an unknown action is refused, definitely")
    except StepUncertain:
        yield Finding(Verdict.WRONG, 'an unknown action is refused indefinitely, expected "definite": true')
    else:
        yield Finding(Verdict.WRONG, f"the unknown action `{NONSENSE}` was performed, expected ok: false")


def _walks(lockstep: Lockstep) -> Iterator[Finding]:
    """Random runs: what is claimed is performed, what is forbidden refused, and reset resets."""
    chance = random.Random(0)
    negative_tests = NegativeTests(lockstep.system, lockstep.abilities)
    taken: Counter[str] = Counter()
    refused = 0
    path: list[Step] = []
    states: list[State] = []
    try:
        for _ in range(RUNS):
            initials = lockstep.system.initials
            path, states = [], [chance.choice(initials) if len(initials) > 1 else initials[0]]
            lockstep.begin(states[0])
            while len(path) < STEPS:
                ways = [way for way in lockstep.system.successors(lockstep.state) if lockstep.can(way[0])]
                if not ways:
                    break
                # What was taken least often so far: every claim is to be tried.
                step, after = min(ways, key=lambda way: (taken[way[0].action], chance.random()))
                path.append(step)
                states.append(after)
                lockstep.take(step, after)
                taken[step.action] += 1
                refused += lockstep.expect_refusals(negative_tests.choose(lockstep.state, REFUSALS))
    except Disagreement as disagreement:
        yield _difference(Trace(lockstep.system, tuple(states), tuple(path)), disagreement, lockstep.driver)
        return
    if not taken:
        yield Finding(Verdict.WRONG, "it performs none of the first steps of the model, so nothing can be replayed")
        return
    yield Finding(Verdict.OK, f"{taken.total()} steps agree with the model, {refused} forbidden steps were refused")
    for name in sorted(lockstep.abilities.performs - set(taken)):
        yield Finding(
            Verdict.NOTE, f"`{name}` was never tried: neither the configuration nor the other actions lead there"
        )


def _difference(trace: Trace, disagreement: Disagreement, driver: Driver) -> Finding:
    """What is said of a difference, after the same steps were taken some more times."""
    confirmation = confirm(trace, disagreement, driver)
    if confirmation.unconfirmed:
        return Finding(Verdict.WRONG, f"when the steps were repeated, {confirmation.unconfirmed}", trace)
    what = "; ".join(filter(None, [disagreement.reason, _cells(disagreement)])) or disagreement.kind.value
    asked = disagreement.forbidden[0] if disagreement.forbidden else disagreement.step
    where = "in the initial state of a later run"
    if asked is not None:
        call = f"{asked.action}({', '.join(trace.system.named_arguments(asked).values())})"
        where = f"step {len(trace)}, {call}" if not disagreement.forbidden else f"{call} after step {len(trace)}"
    again = sum(run.disagreement is not None for run in confirmation.runs)
    often = f"{again} of {len(confirmation.runs)} times when repeated"
    return Finding(Verdict.DIFFERS, f"{where}: {what} ({often})", trace)


def _cells(disagreement: Disagreement) -> str:
    return "; ".join(f"{d.label} is {d.system!r}, expected {d.model!r}" for d in disagreement.differences)
