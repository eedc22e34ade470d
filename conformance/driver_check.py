"""Tells the author of a driver what is missing or wrong, before any real run."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from onceproof.conformance.command_driver import ProcessDriver
from onceproof.conformance.driver import Driver, DriverError, StepRefused, StepUncertain
from onceproof.conformance.replay.lockstep import Disagreement, Lockstep
from onceproof.conformance.replay.negative_tests import NegativeTests
from onceproof.model.language import Step, System

RUNS, STEPS, REFUSALS = 40, 40, 3
NONSENSE = "no-such-action"


@dataclass(frozen=True)
class Finding:
    """One line for the author. verdict: ok, wrong (the driver breaks the protocol), differs (the system is not as the
    model), or note."""

    verdict: str
    text: str


def examine(system: System, command: str, answer_seconds: float) -> Iterator[Finding]:
    """Put a driver through the protocol; findings as they come, ended by the first that is wrong."""
    try:
        driver = ProcessDriver(command, answer_seconds)
    except DriverError as error:
        yield Finding("wrong", str(error))
        return
    try:
        yield from _examine(system, driver)
    except DriverError as error:
        yield Finding("wrong", str(error))
    finally:
        driver.kill()


def _examine(system: System, driver: ProcessDriver) -> Iterator[Finding]:
    lockstep = Lockstep(system, driver)
    try:
        lockstep.begin()
        yield Finding("ok", "reset is answered, and the initial state is that of the model")
    except Disagreement as disagreement:
        yield Finding("differs", f"the initial state is not that of the model: {_cells(disagreement)}")
        return
    abilities = lockstep.abilities
    fields = {name for name, place in system.layout.places.items() if place.field is not None}
    yield Finding("note", f"performs {len(abilities.performs)} of {len(system.model.actions)} actions")
    yield Finding("note", f"observes {len(abilities.observes)} of {len(fields)} fields")
    for name in sorted(abilities.observes - set(abilities.sources)):
        yield Finding("note", f"does not say where `{name}` is read (sources)")
    yield from _refuses_nonsense(driver)
    answer = driver.ask({"do": "dance"})
    verdict = "wrong" if answer["ok"] else "ok"
    yield Finding(verdict, "a request that is none is answered with ok: false" if verdict == "ok" else "it dances")
    yield from _walks(lockstep)
    status = driver.quit()
    yield Finding("wrong" if status else "ok", f"quit is answered, and the driver exits with status {status}")


def _refuses_nonsense(driver: Driver) -> Iterator[Finding]:
    try:
        driver.step(NONSENSE, {})
    except StepRefused:
        yield Finding("ok", "an unknown action is refused, definitely")
    except StepUncertain:
        yield Finding("wrong", 'an unknown action is refused indefinitely, expected "definite": true')
    else:
        yield Finding("wrong", f"the unknown action `{NONSENSE}` was performed, expected ok: false")


def _walks(lockstep: Lockstep) -> Iterator[Finding]:
    """Random runs: what is claimed is performed, what is forbidden refused, and reset resets."""
    chance = random.Random(0)
    negative_tests = NegativeTests(lockstep.system, lockstep.abilities)
    taken: Counter[str] = Counter()
    refused = 0
    path: list[Step] = []
    try:
        for _ in range(RUNS):
            lockstep.begin()
            path = []
            while len(path) < STEPS:
                ways = [way for way in lockstep.system.successors(lockstep.state) if lockstep.can(way[0])]
                if not ways:
                    break
                # What was taken least often so far: every claim is to be tried.
                step, after = min(ways, key=lambda way: (taken[way[0].action], chance.random()))
                path.append(step)
                lockstep.take(step, after)
                taken[step.action] += 1
                refused += lockstep.expect_refusals(negative_tests.choose(lockstep.state, REFUSALS))
    except Disagreement as disagreement:
        where = f"after {', '.join(step.action for step in path)}" if path else "initially"
        yield Finding("differs", f"{where}: {disagreement.kind.value} {_cells(disagreement) or disagreement.reason}")
        return
    if not taken:
        yield Finding("wrong", "it performs none of the steps that come first, so that nothing can be replayed")
        return
    yield Finding("ok", f"{taken.total()} steps agree with the model, {refused} forbidden ones were refused")
    for name in sorted(lockstep.abilities.performs - set(taken)):
        yield Finding("note", f"`{name}` was never tried: the configuration or the other actions do not lead there")


def _cells(disagreement: Disagreement) -> str:
    return "; ".join(f"{d.label} is {d.system!r}, expected {d.model!r}" for d in disagreement.differences)
