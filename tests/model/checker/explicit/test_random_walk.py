"""Random runs: seeded, shortened, and honest about how much they saw."""

from onceproof.model.checker.explicit.random_walk import shortest_along, walk
from onceproof.model.checker.results import Limits, Stop, StopReason
from onceproof.model.language import Step, build
from tests.helpers.present import present
from tests.helpers.systems import protocol
from tests.models.jugs import JUGS


def test_walks_are_determined_by_their_seed() -> None:
    one, two = (walk(protocol({"scheduler_crash": 1}), seed=7, runs=50) for _ in range(2))
    assert (one.steps, one.distinct, one.fired, one.deepest) == (two.steps, two.distinct, two.fired, two.deepest)
    assert walk(protocol({"scheduler_crash": 1}), seed=8, runs=50).fired != one.fired


def test_violation_found_by_a_walk_is_shortened_and_reproduced() -> None:
    system = protocol({"request_duplication": 1}, ["agent_dedup"])
    found = walk(system, seed=1, runs=2000)
    violation = present(found.violation)
    trace = violation.trace
    assert violation.property == "at_most_once"
    assert (len(trace), trace.faults) == (10, 1), "as short as exploration finds it"
    assert present(found.length_found) >= 10
    again = walk(system, seed=1, runs=present(found.run) + 1)
    assert present(again.violation).trace.steps == trace.steps
    for state, step, after in zip(trace.states, trace.steps, trace.states[1:], strict=False):
        assert system.step(state, step) == after


def test_walks_of_the_full_design_find_no_violation() -> None:
    result = walk(protocol(), runs=500)
    assert result.violation is None
    assert result.runs == 500
    assert result.distinct <= 160
    assert result.distinct <= result.estimated_states
    assert 0.9 < result.coverage <= 1


def test_walk_estimates_are_exact_when_every_state_was_seen() -> None:
    result = walk(build(JUGS), build(JUGS).properties(["both_full"]), runs=300)
    assert (result.distinct, result.estimated_states, result.seen) == (16, 16, {"both_full": True})
    assert 0.999 < result.coverage <= 1


def test_walks_keep_their_time_limit() -> None:
    result = walk(protocol(), runs=10**9, limits=Limits(max_seconds=0))
    assert result.stopped == Stop(StopReason.SECONDS, 0)
    assert result.runs < 10**9


def test_shortening_keeps_only_the_steps_that_are_needed() -> None:
    system = build(JUGS)
    claim = system.model.properties["never_four"]
    names = ["fill_small", "fill_big", "empty_small", "big_to_small", "empty_small", "empty_small", "big_to_small"]
    steps = [Step(name, ()) for name in [*names, "fill_big", "big_to_small", "empty_big"]]
    trace = shortest_along(system, claim, system.initial, steps).trace
    assert [step.action for step in trace.steps] == [
        "fill_big", "big_to_small", "empty_small", "big_to_small", "fill_big", "big_to_small",
    ]  # fmt: skip
