"""Deadlock without `@ending`: a state without a next step is one, in every engine, in walks and in what TLC is told."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from onceproof.model.checker import compiled
from onceproof.model.checker.explicit.engine import check
from onceproof.model.checker.results import CheckResult, Verdict
from onceproof.model.checker.tla.export import export
from onceproof.model.checker.walks import WalkOptions, walk
from onceproof.model.language import (
    ConfigError,
    Count,
    Model,
    ModelError,
    Sort,
    System,
    action,
    always,
    build,
    fault,
    field,
    require,
)
from tests.helpers.fixture_types import Command
from tests.helpers.results import violation

ENGINES: dict[str, Callable[[System], CheckResult]] = {
    "direct": lambda system: check(system, engine="direct"),
    "plain": check,
    "compiled": lambda system: compiled.check(system, workers=1),
    "symmetry": lambda system: compiled.check(system, workers=1, symmetry=True),
    "fingerprints": lambda system: compiled.check(system, workers=1, fingerprint=True),
}


class Fork(Sort, default=2):
    """What two processes take in different orders."""


def take(st: Any, fork: Fork) -> None:
    require(not st.taken[fork])
    st.taken[fork] = True


def give_back(st: Any, fork: Fork) -> None:
    other = next(one for one in Fork if one != fork)
    require(st.taken[fork] and not st.taken[other])
    st.taken[fork] = False


def wait(st: Any) -> None:
    """A step that changes nothing: TLC counts it as a next state."""


def drop(st: Any, fork: Fork) -> None:
    st.taken[fork] = False


def table(**more: Any) -> System:
    declared = {"taken": field(Fork, bool), "take": action(take), "give_back": action(give_back), **more}
    model = Model("table", {"__name__": "table", **declared})
    return build(model, model.configure(budgets=dict.fromkeys(model.faults, 2)))


@pytest.mark.parametrize("engine", ENGINES)
def test_state_without_a_step_is_a_deadlock_with_a_least_trace(engine: str) -> None:
    result = ENGINES[engine](table())
    assert (result.complete, result.verdict) == (True, Verdict.VIOLATED)
    assert [step.action for step in violation(result, "deadlock").trace.steps] == ["take", "take"]


@pytest.mark.parametrize("engine", ENGINES)
def test_step_that_changes_nothing_is_a_step_and_a_fault_is_none(engine: str) -> None:
    assert ENGINES[engine](table(wait=action(wait))).verdict is Verdict.HOLDS
    assert ENGINES[engine](table(drop=fault(drop))).verdict is Verdict.VIOLATED


@pytest.mark.parametrize("engine", ["plain", "compiled"])
def test_walks_find_deadlocks(engine: str) -> None:
    found = walk(table(), None, WalkOptions(runs=200, engine=engine))
    assert found.violation is not None and found.violation.property == "deadlock"
    assert [step.action for step in found.violation.trace.steps] == ["take", "take"]
    assert walk(table(wait=action(wait)), None, WalkOptions(runs=200, engine=engine)).violation is None


def test_what_is_not_asked_is_not_judged() -> None:
    system = table(sane=always(lambda st: True))
    for look in (check, compiled.check):
        result = look(system, system.properties(["sane"]))
        assert [found.name for found in result.properties] == ["sane"]
        assert result.verdict is Verdict.HOLDS
    assert "NoDeadlock" not in export(system, "table", system.properties(["sane"])).configuration
    assert "INVARIANT NoDeadlock" in export(system, "table", system.properties(["deadlock"])).configuration
    with pytest.raises(ConfigError, match="did you mean `deadlock`"):
        system.properties(["deadlok"])


def test_property_cannot_take_the_name() -> None:
    with pytest.raises(ModelError, match="cannot be called `deadlock`"):
        Model("x", {"__name__": "x", "n": field(Count(2)), "deadlock": always(lambda st: st.n < 2)})


MODEL = """
from onceproof import Count, action, always, field, require

n = field(Count(2))


@action
def go_on(st):
    require(st.n < 2)
    st.n += 1


@always
def small(st):
    return st.n <= 2
"""


def test_spec_asks_for_deadlock_or_leaves_it_out(onceproof: Command, tmp_path: Path) -> None:
    (tmp_path / "steps.py").write_text(MODEL)
    asked, left_out, both = tmp_path / "asked.yaml", tmp_path / "left_out.yaml", tmp_path / "both.yaml"
    asked.write_text("model: steps.py\nproperties: [deadlock]\nexpect: {violated: deadlock, length: 2}\n")
    left_out.write_text("model: steps.py\nproperties: [small]\nexpect: holds\n")
    both.write_text("model: steps.py\n")
    assert onceproof("check", asked).status == 0
    assert onceproof("check", left_out).status == 0
    ran = onceproof("check", both)
    assert ran.status == 1
    assert "this state is a deadlock because\n  no action is enabled, except perhaps faults" in ran.out
    assert "the model declares no proper ending (`@ending`)" in ran.out
