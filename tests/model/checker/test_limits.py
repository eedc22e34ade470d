"""Limits are kept: the number of states exactly, the time within a second; and no more is claimed than was seen."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from onceproof.inputs.specs import load_specs
from onceproof.model.checker import compiled
from onceproof.model.checker import engines as registry
from onceproof.model.checker.engines import Options
from onceproof.model.checker.engines import check as check_any
from onceproof.model.checker.explicit.engine import check
from onceproof.model.checker.results import CheckResult, Limits, Stop, StopReason, Verdict
from onceproof.model.language import (
    Count,
    Model,
    Sort,
    System,
    action,
    always,
    build,
    ending,
    eventually,
    exists,
    field,
    forall,
    require,
)
from tests.helpers.pace import slowness
from tests.paths import SPECS

DELETED = load_specs([SPECS / "deleted-when-received.yaml"])[0].system
STATES, VIOLATED_AFTER = 160, 5

Check = Callable[[System, Limits], CheckResult]
ENGINES: dict[str, Check] = {
    "direct": lambda system, limits: check(system, None, limits, "direct"),
    "plain": lambda system, limits: check(system, None, limits, "plain"),
    "compiled": lambda system, limits: compiled.check(system, None, limits, workers=1),
    "two workers": lambda system, limits: compiled.check(system, None, limits, workers=2),
    "symmetry": lambda system, limits: compiled.check(system, None, limits, workers=2, symmetry=True),
    "fingerprints": lambda system, limits: compiled.check(system, None, limits, workers=2, fingerprint=True),
}
engines = pytest.mark.parametrize("engine", ENGINES)


@engines
def test_max_states_is_exact_and_claims_finished_levels_only(engine: str) -> None:
    bounds = []
    total = ENGINES[engine](DELETED, Limits()).states
    for most in (1, 2, 3, 11, 17, 24, 40, total - 1, total):
        result = ENGINES[engine](DELETED, Limits(max_states=most))
        assert (result.states, result.complete) == (most, most == total)
        assert result.verdict is Verdict.VIOLATED or result.bound < VIOLATED_AFTER, most
        assert result.complete or (result.stopped is not None and result.stopped.reason is StopReason.STATES)
        bounds.append(result.bound)
    assert bounds == sorted(bounds)
    assert bounds[0] < 2 < bounds[-3]


SIZE = 400


def right(st: Any) -> None:
    require(st.x < SIZE)
    st.x += 1


def up(st: Any) -> None:
    require(st.y < SIZE)
    st.y += 1


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("most", [5_000, 50_001])
def test_max_states_is_exact_for_workers_at_full_speed(most: int, workers: int) -> None:
    fields = {"x": field(Count(SIZE)), "y": field(Count(SIZE))}
    grid = build(Model("grid", {"__name__": "grid", **fields, "right": action(right), "up": action(up)}))
    result = compiled.check(grid, [], Limits(max_states=most), workers=workers)
    assert (result.states, result.complete) == (most, False)
    corner = next(depth for depth in range(1000) if (depth + 1) * (depth + 2) // 2 > most)
    assert result.bound == corner - 1 or result.depth >= SIZE


def step_on(st: Any) -> None:
    require(st.x < 4)
    st.x += 1


@engines
@pytest.mark.parametrize(("depth", "verdict"), [(3, Verdict.UNKNOWN), (4, Verdict.VIOLATED), (5, Verdict.VIOLATED)])
def test_deadlock_at_the_greatest_depth_allowed_is_found(engine: str, depth: int, verdict: Verdict) -> None:
    names = {"x": field(Count(9)), "step_on": action(step_on), "over": ending(lambda st: st.x == 9)}
    result = ENGINES[engine](build(Model("steps", {"__name__": "steps", **names})), Limits(max_depth=depth))
    assert result.verdict is verdict
    assert result.bound == min(depth, 4)
    if verdict is Verdict.VIOLATED:
        found = result.property("deadlock")
        assert found is not None and found.counterexample is not None and len(found.counterexample.trace) == 4


class Lamp(Sort, default=1500):
    """One of very many."""


def switch_on(st: Any, lamp: Lamp) -> None:
    require(not st.lit[lamp])
    st.lit[lamp] = True


def not_all(st: Any) -> bool:
    return not forall(Lamp, lambda lamp: st.lit[lamp])


def some_lit(st: Any) -> bool:
    return exists(Lamp, lambda lamp: st.lit[lamp])


@pytest.mark.parametrize("engine", ["direct", "plain", "compiled", "auto"])
def test_max_seconds_is_kept_with_thousands_of_steps_in_each_state(engine: str) -> None:
    """Also while code is generated: that takes much longer here than the time allowed."""
    names = {
        "lit": field(Lamp, bool),
        "switch_on": action(switch_on),
        "not_all": always(not_all),
        "some_lit": eventually(some_lit),
    }
    system = build(Model("lamps", {"__name__": "lamps", **names}))
    began, began_cpu = time.monotonic(), time.process_time()
    result = check_any(system, None, Options(engine=engine, limits=Limits(max_seconds=1.0)))
    spent = min(time.monotonic() - began, time.process_time() - began_cpu)  # on a busy machine it waits for others
    assert spent < 1.0 + slowness()
    assert result.verdict is Verdict.UNKNOWN
    assert result.stopped is not None and result.stopped.reason is StopReason.SECONDS


@pytest.mark.parametrize("deeper", [True, False])
def test_search_that_came_deeper_is_told_when_the_time_is_up(deeper: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """By symmetry one state stands for many: that there are fewer of them says nothing of how much was seen."""
    (spec,) = load_specs([SPECS / "two-tasks-failover.yaml"])
    states, depth = (500, 14) if deeper else (400, 5)

    def ended(*_: object) -> CheckResult:
        stop = Stop(StopReason.SECONDS, 1.0)
        return CheckResult("compiled", False, states, 0, depth + 1, 0.1, {}, [], stop, finished_depth=depth)

    monkeypatch.setattr(registry, "_compiled", ended)
    result = check_any(spec.system, [], Options(limits=Limits(max_seconds=500.0)))
    assert result.engine == ("compiled" if deeper else "plain")
    assert result.stopped == Stop(StopReason.SECONDS, 500.0)
