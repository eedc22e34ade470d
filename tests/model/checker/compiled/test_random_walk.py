"""Random walks of the compiled engine."""

import pytest

from onceproof.model.checker import compiled
from onceproof.model.language import build
from onceproof.model.protocol.system import PROTOCOL
from tests.models.jugs import JUGS


def test_compiled_walks_depend_on_the_seed_and_not_on_the_workers() -> None:
    system = build(PROTOCOL, PROTOCOL.configure({"tasks": 2}, {}, {"scheduler_crash": 1}))
    one, two = (compiled.walk(system, walks=2000, depth=60, seed=7, workers=n) for n in (1, 2))
    assert (one.steps, one.distinct, one.deepest) == (two.steps, two.distinct, two.deepest)
    assert one.violation is None and one.walks == 2000 and one.deepest == 60
    assert compiled.walk(system, walks=2000, depth=60, seed=8, workers=1).distinct != one.distinct


def test_violation_found_by_a_compiled_walk_is_a_run_of_the_model() -> None:
    system = build(JUGS)
    one, two = (compiled.walk(system, walks=1000, depth=50, seed=1, workers=n) for n in (1, 2))
    assert one.violation is not None and two.violation is not None
    assert one.violation.trace.steps == two.violation.trace.steps
    assert one.violation.property == "never_four"
    trace = one.violation.trace
    for before, step, after in zip(trace.states, trace.steps, trace.states[1:], strict=False):
        assert system.step(before, step) == after
    assert system.holds(system.properties(["never_four"])[0], trace.states[-1], ()) is False
    assert all(system.holds(system.properties(["never_four"])[0], state, ()) for state in trace.states[:-1])


def test_compiled_walk_estimates_the_number_of_states() -> None:
    system = build(JUGS)
    found = compiled.walk(system, system.properties(["both_full"]), walks=200, depth=100, seed=3)
    assert found.distinct == 16
    small = build(PROTOCOL, PROTOCOL.configure({"tasks": 1}))
    seen = compiled.walk(small, walks=6000, depth=80, seed=3)
    assert 0.9 * 160 <= seen.distinct <= 1.02 * 160 == pytest.approx(1.02 * compiled.check(small, []).states)
