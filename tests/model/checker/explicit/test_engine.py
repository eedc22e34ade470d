"""Exploration in plain Python: exact counts, verdicts, shortest counterexamples, limits."""

import dataclasses

import pytest

from onceproof.model.checker.explicit.engine import check
from onceproof.model.checker.explicit.graph import DirectStepper, explore
from onceproof.model.checker.results import INTERRUPTED, Limits, Stop, StopReason, Verdict
from onceproof.model.language import Fairness, Model, build
from onceproof.model.language.layout import State as PackedState
from tests.helpers.results import result_of, violation
from tests.helpers.systems import protocol
from tests.models import philosophers
from tests.models.jugs import JUGS
from tests.models.philosophers import PHILOSOPHERS


def test_jugs_have_16_states_and_four_litres_in_six_steps() -> None:
    result = check(build(JUGS))
    assert (result.states, result.transitions, result.depth) == (16, 96, 7)
    assert result.verdict is Verdict.VIOLATED
    trace = violation(result, "never_four").trace
    assert [step.action for step in trace.steps] == [
        "fill_big",
        "big_to_small",
        "empty_small",
        "big_to_small",
        "fill_big",
        "big_to_small",
    ]
    assert result_of(result, "both_full").verdict is Verdict.HOLDS


def test_rude_philosophers_starve_and_get_stuck() -> None:
    system = build(PHILOSOPHERS, PHILOSOPHERS.configure({}, {"polite": False}, {}))
    result = check(system)
    assert len(violation(result, "deadlock").trace) == 4
    hungry = violation(result, "fed").trace
    assert hungry.loop == len(hungry) == 4, "the run stays in the state where both hold one fork"
    assert result_of(result, "own_fork").verdict is Verdict.HOLDS


def test_polite_philosophers_are_fed_if_eating_is_strongly_fair() -> None:
    result = check(build(PHILOSOPHERS))
    assert result.verdict is Verdict.HOLDS
    assert (result.states, result.transitions) == (16, 24)


def test_polite_philosophers_dance_for_ever_if_eating_is_only_weakly_fair() -> None:
    weak = dataclasses.replace(philosophers.eat, fairness=Fairness.WEAK)
    result = check(build(Model("weak", {**vars(philosophers), "eat": weak})))
    dance = violation(result, "fed").trace
    assert dance.loop is not None and dance.loop < len(dance)
    assert dance.states[dance.loop] == dance.states[-1]
    assert {step.action for step in dance.steps[dance.loop :]} == {"take_left", "put_down"}


@pytest.mark.parametrize(
    ("sizes", "faults", "counts"),
    [
        ({}, {}, (160, 419, 15)),
        ({}, {"scheduler_crash": 1}, (2120, 7412, 22)),
        ({}, {"reply_loss": 1}, (272, 723, 18)),
        ({"submissions": 2}, {"response_loss": 1}, (782, 2382, 18)),
        ({"attempts": 2}, {"function_failure": 1}, (352, 947, 21)),
    ],
)
def test_full_design_holds_with_exact_counts(
    sizes: dict[str, int], faults: dict[str, int], counts: tuple[int, int, int]
) -> None:
    result = check(protocol(faults, **sizes))
    assert (result.states, result.transitions, result.depth) == counts
    assert result.verdict is Verdict.HOLDS
    assert result.complete and not result.vacuous


@pytest.mark.parametrize(
    ("off", "sizes", "faults", "property_name", "length"),
    [
        ("atomic_admission", {"submissions": 2}, {"api_crash": 1}, "truthful_rejection", 5),
        ("delete_after_result", {}, {}, "delete_after_completion", 5),
        ("receipt_fencing", {}, {"scheduler_pause": 1}, "settled_by_holder", 9),
        ("agent_dedup", {}, {"request_duplication": 1}, "at_most_once", 10),
        ("fail_on_agent_loss", {}, {"agent_crash": 1}, "at_most_once", 12),
        ("note_before_start", {}, {"agent_crash": 1}, "at_most_once", 13),
    ],
)
def test_without_a_mechanism_a_property_is_violated_in_exactly_so_many_steps(
    off: str, sizes: dict[str, int], faults: dict[str, int], property_name: str, length: int
) -> None:
    result = check(protocol(faults, [off], **sizes))
    broken = violation(result, property_name)
    trace = broken.trace
    assert (len(trace), trace.faults) == (length, sum(faults.values()))
    system = trace.system
    for state, step, after in zip(trace.states, trace.steps, trace.states[1:], strict=False):
        assert system.step(state, step) == after
    claim = system.model.properties[property_name]
    assert system.holds(claim, trace.states[-1], broken.arguments) is False
    assert all(system.holds(claim, state, broken.arguments) is not False for state in trace.states[:-1])


def test_only_the_chosen_properties_are_judged() -> None:
    system = protocol()
    result = check(system, system.properties(["at_most_once"]))
    assert [p.name for p in result.properties] == ["at_most_once"]


@pytest.mark.parametrize(
    ("limits", "stopped"),
    [
        (Limits(max_states=50), Stop(StopReason.STATES, 50)),
        (Limits(max_depth=5), Stop(StopReason.DEPTH, 5)),
        (Limits(max_seconds=0), Stop(StopReason.SECONDS, 0)),
    ],
)
def test_limit_makes_the_verdict_unknown(limits: Limits, stopped: Stop) -> None:
    result = check(protocol({"scheduler_crash": 1}), limits=limits)
    assert (result.verdict, result.complete, result.stopped) == (Verdict.UNKNOWN, False, stopped)
    assert {p.verdict for p in result.properties} <= {Verdict.UNKNOWN, Verdict.HOLDS}
    assert all(p.verdict is Verdict.UNKNOWN for p in result.properties if p.kind != "sometimes")


def test_limit_beyond_the_last_state_changes_nothing() -> None:
    result = check(protocol(), limits=Limits(max_states=160, max_depth=16))
    assert (result.verdict, result.complete, result.states) == (Verdict.HOLDS, True, 160)


def test_violation_found_before_the_limit_counts() -> None:
    result = check(protocol({}, ["delete_after_result"]), limits=Limits(max_depth=6))
    assert result.verdict is Verdict.VIOLATED
    assert not result.complete


def test_interrupted_exploration_keeps_what_was_found() -> None:
    system = protocol({"scheduler_crash": 1})
    ordinary = DirectStepper(system)

    class Interrupted:
        steps = ordinary.steps
        calls = 0

        def successors(self, state: PackedState) -> list[tuple[int, PackedState]]:
            self.calls += 1
            if self.calls == 100:
                raise KeyboardInterrupt
            return ordinary.successors(state)

    graph = explore(system, Interrupted())
    assert (graph.explored, graph.complete, graph.stopped) == (99, False, INTERRUPTED)
    assert len(graph.edge_targets) == len(graph.edge_steps) == graph.first_edge[-1]


def test_vacuous_success_is_reported() -> None:
    system = protocol(submissions=1)
    named = system.properties(["truthful_rejection", "at_most_once", "rejection_seen"])
    result = check(system, named)
    assert result.verdict is Verdict.HOLDS
    assert result.vacuous == [
        "truthful_rejection: the situation that it is about never occurs",
        "rejection_seen: no reachable state satisfies it",
    ]


def test_fault_that_never_happens_is_vacuous() -> None:
    system = protocol({"scheduler_crash": 1, "function_failure": 1}, ["delete_after_result"])
    assert "function_failure" not in check(system).never_fired
    idle = check(protocol({"relay_crash": 1}, ["atomic_admission"]))
    assert "relay_crash: this fault has a budget but never happens" in idle.vacuous
