"""``replay``, ``cover``, ``state_machine``: how drivers are given, opened and closed, and what the reports say."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import onceproof
from onceproof.api.state_machine import DriverWhenNeeded
from onceproof.conformance.driver import Observation
from onceproof.conformance.replay.lockstep import Kind
from tests.models import jugs
from tests.paths import SPECS

FULL = {"fill_big": (5, None), "empty_big": (0, None), "fill_small": (None, 3), "empty_small": (None, 0)}


class Jugs:
    """Two jugs that do as the model does; ``leak``: the big one holds a gallon less."""

    leak = 0

    def __init__(self) -> None:
        self.closed = False

    def reset(self, setting: Mapping[str, Any]) -> onceproof.Abilities:
        self.big = self.small = 0
        performs = frozenset({*FULL, "small_to_big", "big_to_small"})
        return onceproof.Abilities("jugs", performs=performs, observes=frozenset({"big", "small"}))

    def step(self, action: str, arguments: Mapping[str, str]) -> None:
        if action in FULL:
            big, small = FULL[action]
            self.big = self.big if big is None else max(big - self.leak, 0)
            self.small = self.small if small is None else small
            return
        poured = min(self.small, 5 - self.big) if action == "small_to_big" else -min(self.big, 3 - self.small)
        self.big, self.small = self.big + poured, self.small - poured

    def observe(self) -> Observation:
        return {"big": self.big, "small": self.small}

    def close(self) -> None:
        self.closed = True


class Leaking(Jugs):
    leak = 1


def four() -> onceproof.CounterexampleReport:
    """The run that measures four gallons."""
    found = onceproof.check(jugs).counterexample
    assert found is not None
    return found


def test_a_counterexample_is_replayed_on_a_driver_class_object_or_function() -> None:
    kept = Jugs()
    for driver in (Jugs, lambda: Jugs(), kept):
        report = onceproof.replay(four(), driver)
        assert report.verdict is onceproof.Agreement.VIOLATED and not report.agrees
        assert (report.steps, report.compared) == (6, 7), str(report)
    assert not kept.closed, "an object that was passed in belongs to whoever made it"
    assert "never_four is violated on the running system, confirmed in 3 of 3 runs" in str(report)
    assert "agrees in all 6 steps" in str(onceproof.replay(four().trace, Jugs))


def test_a_replay_stops_where_the_system_differs() -> None:
    report = onceproof.replay(four().trace, Leaking)
    assert report.verdict is onceproof.Agreement.DIFFERS and report.steps == 0
    assert report.disagreement is not None and report.disagreement.kind is Kind.DIFFERENT
    assert str(report.disagreement) == "different at `fill_big`; big is 4, in the model 5"
    assert report.to_json()["disagreement"]["differences"] == [{"cell": "big", "model": 5, "system": 4}]


def test_a_saved_trace_is_replayed_on_the_reference_system(tmp_path: Path) -> None:
    found = onceproof.check(SPECS / "failover-chooses-another-agent.yaml").counterexample
    assert found is not None
    found.save(tmp_path / "twice.itf.json")
    assert onceproof.replay(tmp_path / "twice.itf.json").verdict is onceproof.Agreement.VIOLATED


def test_a_cover_takes_every_transition() -> None:
    report = onceproof.cover(jugs, Jugs)
    assert report.agrees and report.covered == report.transitions == 96, str(report)
    report = onceproof.cover(jugs, Leaking)
    assert report.verdict is onceproof.Agreement.DIFFERS and report.trace is not None
    assert len(report.trace) == 1
    assert not onceproof.replay(report.trace, Leaking).agrees


def test_what_a_limit_leaves_is_undecided() -> None:
    report = onceproof.cover(jugs, Jugs, max_steps=10)
    assert report.verdict is onceproof.Agreement.UNDECIDED and not report.agrees
    assert "stopped   --max-steps 10" in str(report)
    assert onceproof.cover(jugs, Jugs, sample=2).agrees, "a sample is what was asked for"


def test_a_driver_that_is_not_there_is_wrong_input() -> None:
    with pytest.raises(onceproof.InputError, match="no-such-program"):
        onceproof.cover(jugs, "no-such-program --fast")
    with pytest.raises(onceproof.InputError, match="the trace has no steps"):
        onceproof.replay(onceproof.Trace(onceproof.build(jugs.JUGS), (onceproof.build(jugs.JUGS).initial,), ()), Jugs)


def test_a_state_machine_finds_a_leaking_jug() -> None:
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(onceproof.state_machine(jugs, Jugs))
    with pytest.raises(onceproof.Disagreement, match="big is 4, in the model 5"):
        run_state_machine_as_test(onceproof.state_machine(jugs, Leaking))


def test_a_driver_is_opened_by_the_first_run_and_closed_after_the_last() -> None:
    made: list[Jugs] = []

    def make() -> Jugs:
        made.append(Jugs())
        return made[-1]

    driver = DriverWhenNeeded(make, 1.0)
    assert not made
    driver.reset({})
    driver.reset({})
    assert len(made) == 1
    driver.close()
    assert made[0].closed
    driver.reset({})
    assert len(made) == 2
