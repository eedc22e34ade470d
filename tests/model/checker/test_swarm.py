"""Swarms: what their members meet is what there is to meet, and what they tell of it is true."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from onceproof.inputs.specs import load_specs
from onceproof.model.checker import compiled
from onceproof.model.checker import swarm as swarms
from onceproof.model.checker.compiled import swarm as members
from onceproof.model.checker.compiled.codegen.functions import Functions
from onceproof.model.checker.compiled.llvm.kernel import Kernel
from onceproof.model.checker.compiled.swarm import Dive, Diver, Met, dive_of, plan_of
from onceproof.model.checker.engines import EngineError
from onceproof.model.checker.ground.python_code import generated
from onceproof.model.checker.results import Limits, StopReason
from onceproof.model.checker.swarm import SwarmOptions, swarm
from onceproof.model.language import Model, System, action, always, build, fault, field, require, step
from onceproof.model.language.state import State as StateClass
from onceproof.model.protocol.system import PROTOCOL
from tests.helpers.random_models import random_system
from tests.models.jugs import JUGS
from tests.paths import SPECS

FEW = SwarmOptions(members=3, workers=1)
LIBRARY = load_specs([SPECS])


def searched(system: System, seed: int = 1, depth: int = 10_000, left_out: Sequence[str] = ()) -> Met:
    """One search without any property."""
    plan = plan_of(Functions(generated(system), []), [])
    return Diver(plan).dive(Dive(seed, depth, frozenset(left_out)), lambda met: True)


@pytest.mark.parametrize("spec", [one for one in LIBRARY if "two" not in one.name], ids=lambda spec: spec.name)
def test_member_meets_each_state_once(spec: Any) -> None:
    found = searched(spec.system)
    assert found.complete and found.states == compiled.check(spec.system, [], symmetry=False).states


@pytest.mark.parametrize("seed", range(40))
def test_member_meets_each_state_of_a_random_model_once(seed: int) -> None:
    system = random_system(seed)
    result = compiled.check(system, [], symmetry=False)
    if result.complete and result.exhaustive:
        assert searched(system, seed).states == result.states


CRASHES: tuple[dict[str, int], ...] = ({"scheduler_crash": 1, "reply_loss": 1}, {"reply_loss": 1})


def test_member_that_leaves_a_fault_out_meets_what_is_there_without_it() -> None:
    system, without = (build(PROTOCOL, PROTOCOL.configure({"tasks": 1}, {}, faults)) for faults in CRASHES)
    met = searched(system, left_out=["scheduler_crash"])
    assert met.ended and not met.complete
    assert met.states == compiled.check(without, [], symmetry=False).states
    assert searched(system).states > met.states


def test_member_goes_no_deeper_than_it_may() -> None:
    met = searched(build(JUGS), depth=3)
    assert met.deepest == 3 and met.ended and not met.complete


def test_members_differ_in_depth_and_in_faults() -> None:
    dives = [dive_of(seed, 80, ["crash", "loss", "pause"]) for seed in range(40)]
    assert {dive.depth for dive in dives} == {80, 40, 20, 10}
    assert {len(dive.left_out) for dive in dives} == {0, 1, 2, 3}
    assert dives == [dive_of(seed, 80, ["crash", "loss", "pause"]) for seed in range(40)]


def test_member_with_kernels_run_by_python_meets_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "SIZE", 16)
    monkeypatch.setattr(members, "ROOM", 1 << 10)
    monkeypatch.setattr(members, "ROUNDS", 40)

    def met() -> tuple[Any, ...]:
        seen: list[int] = []

        def go_on(more: int) -> bool:
            seen.append(more)
            return len(seen) < 3

        plan = plan_of(Functions(generated(random_system(8)), []), [])
        found = Diver(plan).dive(Dive(5, 12, frozenset()), go_on)
        return found.states, found.deepest, found.registers.tolist(), found.ended, seen

    by_machine = met()
    monkeypatch.setattr(Kernel, "__call__", lambda self, *arguments: self.python(*arguments))
    with np.errstate(over="ignore"):
        assert met() == by_machine


def test_cells_tell_in_how_many_states_a_mechanism_matters_after_a_fault() -> None:
    config = PROTOCOL.configure({"tasks": 1}, {}, {"scheduler_crash": 1, "reply_loss": 1})
    system = build(PROTOCOL, config)
    found = swarm(system, None, replace(FEW, members=8))
    probed = swarms._probed(system, system.properties())
    states = reachable(system)
    columns = ["every state", "no fault", "scheduler_crash", "reply_loss"]
    assert sorted(found.columns[2:]) == sorted(columns[2:]) and found.columns[:2] == columns[:2]
    asked = {claim.name.removesuffix(" matters"): claim for claim in [*probed.questions]}
    for row, counts in zip(found.rows[1:], found.table[1:], strict=True):
        claim = asked.get(row) or probed.properties([row])[0]
        shows = generated(probed).properties([claim]).shown
        showing = [state for state in states if shows(state)]
        for column, count in zip(found.columns, counts, strict=True):
            exact = sum(happened(probed, state, column) for state in showing)
            assert count == pytest.approx(exact, rel=0.12, abs=2), (row, column)
    assert found.distinct == pytest.approx(len(states), rel=0.1)
    assert {row: count for row, (count, *_) in zip(found.rows, found.table, strict=True)}["agent_dedup"] > 0


def reachable(system: System) -> set[Any]:
    """All states, one after the other."""
    waiting, met = list(system.initials), set(system.initials)
    step_from = generated(system).successors
    while waiting:
        more = {after for _, after in step_from(waiting.pop())} - met
        met |= more
        waiting += more
    return met


def happened(system: System, state: Any, column: str) -> bool:
    """Whether the faults of a column led to a state, which has what is left of their budgets."""
    places = system.layout.places
    left = {name: state[places[f"left_of_{name}"].offset] for name in ("scheduler_crash", "reply_loss")}
    return column == "every state" or (all(left.values()) if column == "no fault" else left[column] == 0)


@pytest.mark.parametrize("workers", [1, 2])
def test_violation_is_that_of_the_first_member_that_meets_one(workers: int) -> None:
    system = build(JUGS)
    found = swarm(system, system.properties(["never_four"]), SwarmOptions(8, 40, 3, workers))
    assert found.violation is not None and found.violation.property == "never_four"
    assert (found.violated_by, len(found.violation.trace)) == (4, 6)
    again = swarm(system, system.properties(["never_four"]), SwarmOptions(1, 40, 4, 1))
    assert again.violation is not None and again.violation.trace.steps == found.violation.trace.steps


def test_deadlock_and_a_violating_step_are_met() -> None:
    class Light(StateClass):
        on = field(bool)
        broken = field(bool)

    @always
    def fine(st: Light) -> bool:
        return not st.broken

    @step
    def stays_on(before: Light, after: Light) -> bool:
        return not before.on or after.on

    def light(**functions: Any) -> System:
        model = Model("light", Light, functions)
        return build(model, model.configure({}, {}, dict.fromkeys(model.faults, 1)))

    @action
    def switch_on(st: Light) -> None:
        require(not st.on)
        st.on = True

    @fault
    def goes_out(st: Light) -> None:
        require(st.on)
        st.on = False

    found = swarm(light(switch_on=switch_on, fine=fine), None, FEW)
    assert found.violation is not None and found.violation.property == "deadlock"
    broken = swarm(light(switch_on=switch_on, goes_out=goes_out, stays_on=stays_on), None, replace(FEW, members=8))
    assert broken.violation is not None and broken.violation.property in ("stays_on", "deadlock")


@pytest.mark.parametrize("seconds", [0.001, 0.5])
def test_swarm_keeps_its_time(seconds: float) -> None:
    system = build(PROTOCOL, PROTOCOL.configure({"tasks": 2}, {}, {"agent_crash": 1}))
    found = swarm(system, None, replace(FEW, members=1000, limits=Limits(max_seconds=seconds)))
    assert found.stopped is not None and found.stopped.reason is StopReason.SECONDS
    assert found.seconds < seconds + 1 and found.members < 1000


def test_swarm_refuses_what_it_cannot_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    refining = next(spec for spec in LIBRARY if any(c.kind == "refines" for c in spec.system.model.properties.values()))
    claims = [c for c in refining.system.model.properties.values() if c.kind == "refines"]
    with pytest.raises(EngineError, match="a swarm judges no refinement: choose properties without"):
        swarm(refining.system, claims, FEW)
    monkeypatch.setattr(compiled, "why_not", lambda system, properties: "it is too large")
    with pytest.raises(EngineError, match="a swarm needs the compiled engine, which cannot do this: it is too large"):
        swarm(build(JUGS), None, FEW)
