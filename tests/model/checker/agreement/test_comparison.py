"""The net under the reader: a wrong reading of a function is a fault of onceproof, said aloud and never a verdict."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from onceproof.model.checker.agreement import content
from onceproof.model.checker.agreement.comparison import (
    Agreements,
    Comparison,
    Disagreement,
    Reading,
    check_agreement,
)
from onceproof.model.checker.engines import check
from onceproof.model.checker.prover.induction import prove
from onceproof.model.checker.tla.export import export
from onceproof.model.checker.walks import walk
from onceproof.model.language import System, build
from onceproof.model.language.declare import Property
from onceproof.model.language.reading import operators, result
from onceproof.model.language.reading.result import ActionReading
from onceproof.model.language.terms import TRUE, Const, not_
from onceproof.model.protocol.system import PROTOCOL
from tests.helpers.random_models import random_system
from tests.models.courier import COURIER
from tests.models.jugs import JUGS

CHANGED = ("receive", "join", "delete", "overtaken", "agent_recycle", "scheduler_crash")


@pytest.fixture(autouse=True)
def nothing_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def all_properties(system: System) -> list[Property]:
    return list(system.model.properties.values())


@pytest.mark.parametrize("unbounded", [False, True])
def test_protocol_is_read_as_it_runs(unbounded: bool) -> None:
    config = PROTOCOL.configure({"submissions": 2, "attempts": 2}, {}, dict.fromkeys(PROTOCOL.faults, 1))
    system = build(PROTOCOL, config)
    check_agreement(system, all_properties(system), unbounded=unbounded)


@pytest.mark.parametrize("seed", range(12))
def test_random_models_are_read_as_they_run(seed: int) -> None:
    system = random_system(seed)
    check_agreement(system, all_properties(system))


def wrong_readings(reading: ActionReading) -> list[ActionReading]:
    """The same action misread: each guard left out or turned round, each write left out, made always, or never."""
    found = [replace(reading, paths=())]
    for path in reading.paths:
        for place, term in enumerate(path.guard):
            rest = (*path.guard[:place], *path.guard[place + 1 :])
            found += [
                replace(reading, paths=(result.Path(guard, path.writes),)) for guard in (rest, (*rest, not_(term)))
            ]
        for place, write in enumerate(path.writes):
            rest_of = (*path.writes[:place], *path.writes[place + 1 :])
            found.append(replace(reading, paths=(result.Path(path.guard, rest_of),)))
            if write.condition is not TRUE:
                always = (*path.writes[:place], replace(write, condition=TRUE), *path.writes[place + 1 :])
                found.append(replace(reading, paths=(result.Path(path.guard, always),)))
    return found


def test_most_wrong_readings_of_the_protocol_are_found() -> None:
    config = PROTOCOL.configure({"submissions": 2}, {}, dict.fromkeys(PROTOCOL.faults, 1))
    system = build(PROTOCOL, config)
    every, missed, tried = system.all_readings, [], 0
    for name in CHANGED:
        for wrong in wrong_readings(every[name]):
            tried += 1
            system.all_readings = {name: wrong}
            try:
                check_agreement(system)
            except Disagreement as error:
                assert f"action `{name}(" in str(error)
            else:
                missed.append(wrong)
    # Some of them are no mistakes: a guard that another one implies, a write of what the cell holds anyway.
    assert tried > 40
    assert len(missed) <= 0.15 * tried


def test_a_difference_is_a_fault_of_onceproof_in_every_use(monkeypatch: pytest.MonkeyPatch) -> None:
    right = operators.below
    monkeypatch.setattr("onceproof.model.language.reading.expressions.below", lambda i, a, b: not_(right(i, a, b)))
    for use in (check, walk, lambda system: export(system, "M", [])):
        with pytest.raises(
            Disagreement, match=r"a fault of onceproof, not a verdict: it reads action `.*run, .*read, "
        ):
            use(build(JUGS))
    with pytest.raises(Disagreement):
        prove(COURIER, COURIER.configure())


def test_an_action_that_was_read_as_impossible_is_compared_too() -> None:
    system = build(JUGS)
    name, reading = next(iter(system.all_readings.items()))
    system.all_readings = {name: replace(reading, paths=(result.Path((Const(TRUE.kind, 0),), ()),))}
    with pytest.raises(Disagreement, match="read, it cannot happen"):
        check_agreement(system)


def test_what_agreed_is_remembered_by_its_content(monkeypatch: pytest.MonkeyPatch) -> None:
    system = build(JUGS)
    check_agreement(system)
    monkeypatch.setattr(Comparison, "run", lambda self, readings: pytest.fail("compared again"))
    check_agreement(build(JUGS))
    monkeypatch.setattr(content, "_version_of_language", lambda: "another")
    with pytest.raises(pytest.fail.Exception):
        check_agreement(build(JUGS))


def misread_switch() -> tuple[System, System]:
    """The protocol with a mechanism on, and off, where the reader did not notice that it is off."""
    on, off = (build(PROTOCOL, PROTOCOL.configure({}, {"renewal": setting})) for setting in (True, False))
    assert on.all_readings["lapse"] != off.all_readings["lapse"]
    off.all_readings["lapse"] = on.all_readings["lapse"]
    return on, off


def test_what_agreed_with_a_mechanism_on_is_compared_again_with_it_off() -> None:
    on, off = misread_switch()
    check_agreement(on)
    with pytest.raises(Disagreement, match="action `lapse"):
        check_agreement(off)


def test_many_systems_share_what_reads_and_runs_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    on, off = misread_switch()
    agreements, compared, right = Agreements(), list[int](), Comparison.run

    def run(self: Comparison, readings: list[Reading]) -> None:
        compared.append(len(readings))
        right(self, readings)

    monkeypatch.setattr(Comparison, "run", run)
    agreements.check(on)
    agreements.check(build(PROTOCOL, PROTOCOL.configure({}, {}, {"scheduler_crash": 1})))
    assert compared == [len(on.all_readings) + 1, 1]  # the first: what an ending is, too
    with pytest.raises(Disagreement, match="action `lapse"):
        agreements.check(off)
    assert 0 < compared[2] < 10
