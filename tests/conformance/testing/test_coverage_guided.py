"""Hypothesis against drivers: coverage, shrinking, flaky systems, limits."""

import contextlib
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from onceproof.conformance.command_driver import ProcessDriver
from onceproof.conformance.coverage.run import Budget, cover
from onceproof.conformance.driver import Abilities, DriverError, Observation, ProcessLost, StepRefused
from onceproof.conformance.reference.core_driver import CoreDriver
from onceproof.conformance.replay.confirm import Confirmation
from onceproof.conformance.replay.lockstep import Kind, Lockstep, replay
from onceproof.conformance.replay.shrink import cheapest_way, cost, rebuilt
from onceproof.conformance.testing.coverage_guided import Effort, drive
from onceproof.model.checker.results import Stop, StopReason
from onceproof.model.language import Step, System
from tests.helpers.pace import slowness
from tests.helpers.present import present
from tests.helpers.systems import ModelDriver, small


def test_coverage_guided_testing_agrees_on_the_core_and_covers_much(core: CoreDriver) -> None:
    found = drive(small(), core, Effort(examples=80))
    assert found.disagreement is None and not found.stopped
    assert found.examples >= 80 and found.covered > 100
    assert found.covered <= found.seen


@pytest.mark.parametrize(("seconds", "most"), [(1e-6, 25), (0.002, 12), (5.0, 3)])
def test_slow_system_is_asked_for_fewer_forbidden_steps(
    seconds: float, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many at each new state as take 25 milliseconds."""
    clock, asked = [0.0], []

    def refused(_: Lockstep, steps: list[Step]) -> None:
        asked.append(len(steps))
        clock[0] += seconds * len(steps)

    monkeypatch.setattr(Lockstep, "expect_refusals", refused)
    monkeypatch.setattr("onceproof.conformance.testing.coverage_guided.time.monotonic", lambda: clock[0])
    system = small()
    found = drive(system, ModelDriver(system), Effort(examples=5))
    assert asked[0] == 3 and max(asked) == most and found.refused == sum(asked)


def test_coverage_guided_testing_is_determined_by_its_seed() -> None:
    system = small()
    one, again = (drive(system, ModelDriver(system), Effort(examples=15, seed=5, refusals=25)) for _ in range(2))
    assert (one.steps, one.refused, one.covered) == (again.steps, again.refused, again.covered)


class Forgetful(ModelDriver):
    """Refuses to delete once a scheduler has crashed; every nth time only."""

    def __init__(self, system: System, every: int = 1) -> None:
        super().__init__(system)
        self.crashed = False
        self.every, self.times = every, 0

    def reset(self, setting: Mapping[str, Any]) -> Abilities:
        self.crashed = False
        return super().reset(setting)

    def step(self, action: str, arguments: Mapping[str, str]) -> None:
        super().step(action, arguments)
        self.crashed |= action == "scheduler_crash"
        if action == "finish" and self.crashed:
            self.times += 1
            if self.times % self.every == 0:
                raise StepRefused("this function never returns")


def test_failing_run_is_shrunk_to_the_fewest_faults_and_steps() -> None:
    system = small(scheduler_crash=2, reply_loss=2)
    found = drive(system, Forgetful(system), Effort(examples=400))
    trace, disagreement = present(found.trace), present(found.disagreement)
    assert disagreement.kind is Kind.MISSING and not found.confirmation.flaky
    faults, steps = cost(trace)
    assert faults == 1 and steps <= 11
    assert [step.action for step in trace.steps].count("scheduler_crash") == 1
    again = replay(trace, Forgetful(system))
    assert present(again.disagreement).resembles(disagreement)


def test_flaky_system_is_reported_as_flaky_with_both_runs() -> None:
    system = small(scheduler_crash=2)
    found = drive(system, Forgetful(system, every=7), Effort(examples=400))
    assert found.confirmation.flaky
    assert found.disagreement is not None
    assert any(run.disagreement is None for run in found.confirmation.runs)


class Mortal(Forgetful):
    """Does not survive its own refusal."""

    def reset(self, setting: Mapping[str, Any]) -> Abilities:
        if self.times:
            raise DriverError("it is dead")
        return super().reset(setting)


def test_disagreement_is_reported_although_the_system_died_of_it() -> None:
    system = small(scheduler_crash=2)
    found = drive(system, Mortal(system), Effort(examples=400))
    disagreement = present(found.disagreement)
    assert disagreement.kind is Kind.MISSING and present(disagreement.step).action == "finish"
    assert found.confirmation == Confirmation(unconfirmed="it is dead")
    walked = cover(system, Mortal(system), Budget(refusals=0))
    assert present(walked.disagreement).resembles(disagreement)
    assert present(walked.trace).steps[-1].action == "finish"


class Deadly(ModelDriver):
    """A process of it dies of the first step that is refused."""

    def step(self, action: str, arguments: Mapping[str, str]) -> None:
        try:
            super().step(action, arguments)
        except StepRefused:
            raise ProcessLost("scheduler1 died") from None


def test_system_that_dies_of_a_forbidden_step_has_not_refused_it() -> None:
    system = small()
    found = cover(system, Deadly(system), Budget(refusals=3))
    disagreement = present(found.disagreement)
    assert (disagreement.kind, disagreement.reason) == (Kind.DIFFERENT, "scheduler1 died")
    assert len(disagreement.forbidden) == 1


class Babbling(ModelDriver):
    """Observes a value that the model does not have."""

    def observe(self) -> Observation:
        return {"call": {"task1": "x"}}


def test_driver_error_is_raised_without_shrinking() -> None:
    system = small()
    with pytest.raises(DriverError, match="call"):
        drive(system, Babbling(system), Effort(examples=10))


def test_coverage_guided_testing_keeps_its_time_limit(core: CoreDriver) -> None:
    found = drive(small(scheduler_pause=1), core, Effort(examples=100_000, max_seconds=1))
    assert found.stopped == Stop(StopReason.SECONDS, 1) and found.steps > 50


class Slow(ModelDriver):
    """Takes its time for each step: a run of 60 steps takes half a minute."""

    def step(self, action: str, arguments: Mapping[str, str]) -> None:
        threading.Event().wait(0.5)
        super().step(action, arguments)


HANGING = """
import json, sys
for line in sys.stdin:
    asked = json.loads(line)
    if asked["do"] == "step":
        continue
    abilities = {"protocol": 1, "name": "hanging", "performs": ["submit"], "observes": ["call"]}
    more = abilities if asked["do"] == "reset" else {"state": {}}
    print(json.dumps({"id": asked["id"], "ok": True, **more}), flush=True)
"""


def test_coverage_guided_testing_keeps_its_time_limit_with_a_slow_driver() -> None:
    system = small()
    began = time.monotonic()
    found = drive(system, Slow(system), Effort(max_seconds=1))
    assert found.stopped == Stop(StopReason.SECONDS, 1) and found.disagreement is None
    assert time.monotonic() - began < 1 + 2 * slowness(time.monotonic)


def test_coverage_guided_testing_keeps_its_time_limit_with_a_hanging_driver(tmp_path: Path) -> None:
    program = tmp_path / "hanging.py"
    program.write_text(HANGING.replace('"state": {}', '"state": {"call": {"task1,submission1": "UNSENT"}}'))
    driver = ProcessDriver(f"{sys.executable} {program}", answer_seconds=60)
    began = time.monotonic()
    with contextlib.closing(driver):
        found = drive(small(), driver, Effort(max_seconds=1))
    assert found.stopped == Stop(StopReason.SECONDS, 1) and found.disagreement is None
    assert time.monotonic() - began < 1 + 3 * slowness(time.monotonic)


def test_cheapest_way_prefers_steps_to_faults() -> None:
    system = small(scheduler_crash=1)
    crash = system.parse_step("scheduler_crash", {"scheduler": "scheduler1"})
    restart = system.parse_step("scheduler_restart", {"scheduler": "scheduler1"})
    there = present(rebuilt(system, [crash, restart]))
    assert cheapest_way(system, there.states[-1], until=float("inf")) == (system.initial, [])
    assert rebuilt(system, [restart]) is None
