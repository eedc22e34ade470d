"""Several initial states: depth 0 is all of them, in every engine, and a run says in which of them it begins."""

from pathlib import Path
from typing import Any

import pytest

from onceproof.model.checker import compiled
from onceproof.model.checker.engines import Options, check
from onceproof.model.checker.prover.encoding import encode
from onceproof.model.checker.prover.induction import prove, unbounded
from onceproof.model.checker.results import CheckResult, Limits, StopReason, Trace, Verdict
from onceproof.model.checker.tla.export import export
from onceproof.model.checker.walks import WalkOptions, walk
from onceproof.model.language import (
    Int,
    Model,
    ModelError,
    System,
    action,
    always,
    build,
    choose_from,
    eventually,
    field,
    infinitely_often,
    initial,
    refines,
    require,
    step,
    within,
)
from tests.model.checker.tla import tlc
from tests.models.starts import LAMPS, RING, STARTS, Start

ENGINES = ("direct", "plain", "compiled")
VERDICTS = {
    "jugs": {"not_solved": "violated", "deadlock": "holds"},
    "lamps": {
        "all_dark": "holds",
        "nobody_watches": "violated",
        "all_cold": "holds",
        "lit_gets_dark": "holds",
        "deadlock": "holds",
    },
    "ring": {"highest_leads": "holds", "elected": "holds", "last_place_leads": "holds", "deadlock": "holds"},
}


def numbers(result: CheckResult) -> tuple[int, int, int]:
    assert result.complete
    return result.states, result.transitions, result.depth


def replayed(trace: Trace) -> Trace:
    """The same run, taken step by step from its initial state."""
    system = trace.system
    states = [system.begun(trace.start)]
    assert states[0] in system.initials
    for taken in trace.steps:
        assert states[-1] is not None
        states.append(system.step(states[-1], taken))
    assert tuple(states) == trace.states
    return trace


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", STARTS)
def test_every_engine_counts_what_a_plain_program_counts(name: str, engine: str) -> None:
    start = STARTS[name]
    result = check(start.system, None, Options(engine=engine))
    assert len(start.system.initials) == len(start.initials)
    assert numbers(result) == start.counts
    assert {one.name: one.verdict.value for one in result.properties} == VERDICTS[name]
    for one in result.properties:
        if one.counterexample is not None:
            replayed(one.counterexample.trace)


def test_the_least_run_of_all_initial_states_is_shown() -> None:
    for engine in ENGINES:
        found = check(STARTS["jugs"].system, None, Options(engine=engine)).property("not_solved")
        assert found is not None and found.counterexample is not None
        trace = found.counterexample.trace
        assert (len(trace), trace.system.named_arguments(trace.start)) == (2, {"big": "1", "small": "0"})
        assert [step.action for step in trace.steps] == ["small_to_big", "fill_small"] or len(trace.steps) == 2


def test_runs_without_end_begin_in_any_initial_state() -> None:
    class Coin:
        side = field(Int(0, 3))

        @initial
        def any_side(st: Any) -> None:
            st.side = choose_from(range(4))

        @action
        def turn(st: Any) -> None:
            require(st.side < 2)
            st.side = 1 - st.side

        @eventually
        def comes_to_one(st: Any) -> bool:
            return st.side in (1, 2)

        @infinitely_often
        def not_three(st: Any) -> bool:
            return st.side != 3

    system = build(Model("coin", Coin))
    for engine in ENGINES:
        result = check(system, None, Options(engine=engine))
        assert numbers(result) == (4, 2, 0)
        for name in ("comes_to_one", "not_three"):
            found = result.property(name)
            assert found is not None and found.counterexample is not None
            trace = found.counterexample.trace
            assert system.named_arguments(trace.start) == {"side": "3"} and trace.loop == 0 and not trace.steps


def test_symmetry_counts_one_state_for_all_that_differ_in_names() -> None:
    result = compiled.check(LAMPS.system, LAMPS.system.properties(["deadlock"]), symmetry=True)
    assert result.symmetry == "node"
    states = {
        (tuple(sorted(zip(lit, warm, [node == watched for node in range(3)], strict=True))), left)
        for lit, warm, watched, left in reachable(LAMPS)
    }
    assert (result.states, result.verdict) == (len(states), Verdict.HOLDS)
    assert {p.name: p.verdict.value for p in compiled.check(LAMPS.system, symmetry=True).properties} == VERDICTS[
        "lamps"
    ]


def reachable(start: Start) -> set[Any]:
    """All states, by a plain program."""
    found = set(start.initials)
    waiting = list(found)
    while waiting:
        new = set(start.steps(waiting.pop())) - found
        found |= new
        waiting += new
    return found


def test_fingerprints_and_checkpoints_begin_in_all_of_them(tmp_path: Path) -> None:
    assert numbers(compiled.check(LAMPS.system, None, fingerprint=True)) == LAMPS.counts
    safety = LAMPS.system.properties(["deadlock"])
    file = tmp_path / "search"
    cut = compiled.check(LAMPS.system, safety, Limits(max_depth=1), checkpoint=file)
    assert not cut.complete
    assert numbers(compiled.check(LAMPS.system, safety, resume=file)) == LAMPS.counts


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("most", [1, 100, 108])
def test_a_limit_below_the_number_of_initial_states_is_kept(engine: str, most: int) -> None:
    claims = LAMPS.system.properties(["all_dark"])
    result = check(LAMPS.system, claims, Options(engine=engine, limits=Limits(max_states=most)))
    assert not result.complete and result.stopped is not None
    assert (result.states, result.stopped.reason) == (most, StopReason.STATES)
    assert result.bound == (-1 if most < len(LAMPS.initials) else 0)
    assert result.verdict is not Verdict.HOLDS


@pytest.mark.parametrize("engine", ["plain", "compiled"])
def test_walks_begin_in_all_of_them(engine: str) -> None:
    result = walk(RING.system, None, WalkOptions(runs=500, depth=20, engine=engine))
    assert result.violation is None and abs(result.distinct - RING.counts[0]) <= 2
    found = walk(STARTS["jugs"].system, None, WalkOptions(runs=500, depth=20, engine=engine))
    assert found.violation is not None and found.violation.trace.states[0] in STARTS["jugs"].system.initials
    replayed(found.violation.trace)


@pytest.mark.skipif(bool(tlc.why_not()), reason=tlc.why_not())
def test_tlc_counts_the_same() -> None:
    exported = [export(one.system, name, one.system.properties([])) for name, one in STARTS.items()]
    texts = [(name, one.module, one.configuration) for name, one in zip(STARTS, exported, strict=True)]
    found = list(tlc.checked(texts))
    assert [one.error for one in found] == ["", "", ""]
    assert [(one.states, one.transitions) for one in found] == [one.counts[:2] for one in STARTS.values()]


class Counter:
    """A count that starts low, and a mode that is whatever it was."""

    level = field(Int(0, 5))
    up = field(bool)

    @initial
    def low(st: Any) -> None:
        st.level = choose_from([0, 1, 2])
        st.up = choose_from([False, True])
        require(st.level < 2 or not st.up)

    @action
    def climb(st: Any) -> None:
        require(st.up and st.level < 4)
        st.level += 1

    @always
    def below_five(st: Any) -> bool:
        return st.level < 5

    @always
    def below_two(st: Any) -> bool:
        return st.level < 2

    @always
    def high_is_up(st: Any) -> bool:
        return st.level < 3 or st.up

    @always(invariant="bound")
    def climbs_to_four(st: Any) -> bool:
        return st.level <= 4


def test_a_proof_begins_with_whatever_may_be_chosen() -> None:
    model = Model("counter", Counter)
    proof = prove(model, unbounded(model), walks=0)
    assert [name for name in proof.properties if proof.answer(name).value == "proved"] == ["below_five", "high_is_up"]
    assert proof.first_failure("below_two").query.kind == "starts"


def test_what_a_start_may_choose_is_an_argument_of_it_in_a_proof() -> None:
    model = Model("counter", Counter)
    start = encode(model, unbounded(model), []).start
    assert [name for name, _ in start.constants] == ["|arg level|", "|arg up|"]


def test_a_proof_refuses_a_start_that_may_fail_and_one_that_is_impossible() -> None:
    class Overfull:
        level = field(Int(0, 2))

        @initial
        def any_level(st: Any) -> None:
            st.level = choose_from(range(4))

        @always
        def fits(st: Any) -> bool:
            return st.level < 3

    class Nowhere:
        level = field(Int(0, 2))

        @initial
        def nowhere(st: Any) -> None:
            require(st.level > 0)

        @always
        def high(st: Any) -> bool:
            return st.level > 1

    for declared, said in ((Overfull, "takes a start that cannot"), (Nowhere, "there is no initial state")):
        model = Model("start", declared)
        with pytest.raises(ModelError, match=said):
            encode(model, unbounded(model), list(model.properties.values()))


def test_a_system_with_several_initial_states_is_never_taken_for_one_with_the_first() -> None:
    system: System = LAMPS.system
    with pytest.raises(ModelError, match="the model has 108 initial states"):
        assert system.initial


class Abstract:
    """A count that may start at 0 or 1, and goes up by one."""

    level = field(Int(0, 9))

    @initial
    def zero_or_one(st: Any) -> None:
        st.level = choose_from([0, 1])

    @action
    def go_up(st: Any) -> None:
        require(st.level < 9)
        st.level += 1


def climbing(*starts: int) -> System:
    """A count that starts at any of these, climbs, and is compared with the abstract one."""

    class Climb:
        level = field(Int(0, 3))

        @initial
        def somewhere(st: Any) -> None:
            st.level = choose_from(list(starts))

        @action
        def climb(st: Any) -> None:
            st.level += 1

        @refines(Abstract)
        def as_abstract(st: Any, spec: Any) -> None:
            spec.level = st.level

        @step
        def never_from_two(before: Any, after: Any) -> bool:
            return before.level != 2 or after.level == 2

        @within
        def low(st: Any) -> bool:
            return st.level < 4

    return build(Model("climb", Climb))


def test_a_refinement_may_start_in_each_state_that_the_abstract_model_may_start_in() -> None:
    for engine in ("direct", "plain"):
        good = check(climbing(0, 1), None, Options(engine=engine)).property("as_abstract")
        assert good is not None and good.counterexample is None
        bad = check(climbing(0, 2, 1), None, Options(engine=engine)).property("as_abstract")
        assert bad is not None and bad.counterexample is not None
        trace = bad.counterexample.trace
        assert (trace.system.named_arguments(trace.start), len(trace)) == ({"level": "2"}, 0)


def test_the_nearest_start_leads_to_a_violated_step_and_to_the_end_of_a_range() -> None:
    for engine in ENGINES:
        claims = climbing(0).properties(["never_from_two"])
        system = climbing(0, 1, 2)
        result = check(system, system.properties([claims[0].name]), Options(engine=engine))
        broken = result.property("never_from_two")
        assert broken is not None and broken.counterexample is not None
        trace = broken.counterexample.trace
        assert (system.named_arguments(trace.start), len(trace)) == ({"level": "2"}, 1)
        left = result.property("range of level")
        assert left is not None and left.counterexample is not None
        assert system.named_arguments(left.counterexample.trace.start) == {"level": "2"}
        assert len(left.counterexample.trace) == 2


def test_an_initial_state_beyond_the_bound_takes_no_step() -> None:
    class Bounded:
        level = field(Int(0, 9))

        @initial
        def anywhere(st: Any) -> None:
            st.level = choose_from([0, 5, 7])

        @action
        def climb(st: Any) -> None:
            require(st.level < 9)
            st.level += 1

        @within
        def low(st: Any) -> bool:
            return st.level < 3

        @always
        def not_seven(st: Any) -> bool:
            return st.level != 7

    system = build(Model("bounded", Bounded))
    for engine in ENGINES:
        result = check(system, system.properties(["not_seven"]), Options(engine=engine))
        assert (result.states, result.transitions) == (3, 3), engine  # what lies outside is not counted, as in TLC
        assert (result.within, result.outside) == ("low", 3), engine  # 3, 5 and 7, which are judged all the same
        assert result.verdict is Verdict.VIOLATED
