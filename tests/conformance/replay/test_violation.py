"""A counterexample that a running system follows to its end is a violation there, and is said to be one."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import onceproof as api
from onceproof.conformance.reference.core_driver import CoreDriver
from tests.helpers.fixture_types import Command
from tests.helpers.present import present
from tests.helpers.systems import ModelDriver
from tests.paths import ROOT

BREAKS = ROOT / "specs" / "failover-chooses-another-agent.yaml"


@pytest.fixture(scope="module")
def counterexample() -> api.CounterexampleReport:
    return present(api.check(BREAKS).counterexample)


def test_violation_on_a_running_system_is_confirmed(
    counterexample: api.CounterexampleReport, tmp_path: Path, onceproof: Command
) -> None:
    file = tmp_path / "trace.itf.json"
    counterexample.save(file)
    status, out, _ = onceproof("replay", file)
    assert status == 1
    assert out == f"{file}: at_most_once is violated on the running system, confirmed in 3 of 3 runs\n"
    document = json.loads(onceproof("replay", file, "--json").out)
    assert document["verdict"] == "violated"
    assert document["violation"] == {"property": "at_most_once", "confirmed": True, "runs": 3, "of": 3, "unseen": []}


def test_what_the_property_reads_and_nobody_sees_is_not_confirmed(counterexample: api.CounterexampleReport) -> None:
    report = api.replay(counterexample, ModelDriver(counterexample.trace.system, hidden={"starts"}))
    assert report.verdict is api.Agreement.AGREES
    assert "whether at_most_once is violated there is not seen: the driver does not observe `starts`" in str(report)


def test_system_that_sometimes_escapes_is_flaky(counterexample: api.CounterexampleReport) -> None:
    class Sometimes(ModelDriver):
        runs = 0

        def reset(self, setting: Mapping[str, Any]) -> api.Abilities:
            self.runs += 1
            return super().reset({})

        def step(self, action: str, arguments: Mapping[str, str]) -> None:
            if self.runs == 2 and action == "start":
                raise api.StepRefused("not this time")
            super().step(action, arguments)

    report = api.replay(counterexample, Sometimes(counterexample.trace.system))
    assert report.verdict is api.Agreement.FLAKY
    assert "at_most_once is violated on the running system, seen in 2 of 3 runs" in str(report)


def test_trace_that_violates_nothing_agrees(counterexample: api.CounterexampleReport, core: CoreDriver) -> None:
    assert api.replay(counterexample.trace, core).verdict is api.Agreement.AGREES
