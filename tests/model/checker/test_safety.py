"""Properties of steps: every engine judges each step that changes something, and shows the least run to a bad one."""

from collections.abc import Callable
from typing import Any

import pytest

from onceproof.explain.explanation import explain
from onceproof.model.checker import compiled
from onceproof.model.checker.explicit.engine import check
from onceproof.model.checker.results import Verdict
from onceproof.model.checker.safety import violated_by
from onceproof.model.checker.tla.export import export
from onceproof.model.checker.walks import WalkOptions, walk
from onceproof.model.language import Count, Model, ModelError, System, action, build, field, given, require, step
from onceproof.model.language.system import Step
from tests.helpers.comparison import comparable
from tests.helpers.results import result_of, violation
from tests.model.checker.tla import tlc
from tests.models.elections import ELECTIONS

ON_DISK, IN_MEMORY = {"on_disk": True}, {"on_disk": False}
HELD = ["term_never_falls", "log_only_grows"]


def elections(switches: dict[str, bool], restarts: int | None = 1) -> System:
    return build(ELECTIONS, ELECTIONS.configure({}, switches, {"restart": restarts}))


@pytest.mark.parametrize("restarts", [0, 1, None])
@pytest.mark.parametrize("switches", [ON_DISK, IN_MEMORY])
def test_all_engines_agree_on_steps(switches: dict[str, bool], restarts: int | None) -> None:
    system = elections(switches, restarts)
    direct, plain = check(system, engine="direct"), check(system)
    assert comparable(direct) == comparable(plain) == comparable(compiled.check(system, workers=2))
    reduced = compiled.check(system, symmetry=True)
    assert reduced.states < plain.states
    verdicts = [(one.name, one.verdict, one.vacuous) for one in plain.properties]
    assert [(one.name, one.verdict, one.vacuous) for one in reduced.properties] == verdicts
    falls = restarts != 0 and switches is IN_MEMORY
    assert (result_of(plain, "term_never_falls").verdict is Verdict.VIOLATED) == falls


@pytest.mark.parametrize("engine", ["direct", "plain", "compiled", "symmetry"])
def test_counterexample_is_least_and_ends_with_the_step(engine: str) -> None:
    system = elections(IN_MEMORY)
    if engine in ("direct", "plain"):
        result = check(system, engine=engine)
    else:
        result = compiled.check(system, symmetry=engine == "symmetry")
    found = violation(result, "term_never_falls")
    assert [system.call(one) for one in found.trace.steps] == ["stand(node1)", "restart(node1)"]
    assert found.trace.faults == 1 and found.minimal == "faults, then steps, then changes of actor"
    explained = explain(found)
    assert explained.because == ["`after.term[node1] >= before.term[node1]` is false: they are 0 and 1"]
    assert [one.mechanism for one in explained.prevented_by] == ["on_disk"]
    one_vote = violation(result, "one_vote_a_term")
    assert explain(one_vote).given, "the antecedent is explained, too"


def test_sleep_sets_leave_out_lookups_and_no_step_is_left_unjudged() -> None:
    system = build(ELECTIONS, ELECTIONS.configure({"nodes": 3}, ON_DISK, {"restart": 1}))
    report: dict[str, Any] = {}
    result = compiled.check(system, system.properties(HELD), report=report)
    assert report["looked_up"] < result.transitions, "some steps are only counted"
    assert result.transitions == check(system).transitions
    assert result.verdict is Verdict.HOLDS


@pytest.mark.parametrize("engine", ["plain", "compiled"])
def test_random_runs_find_bad_steps(engine: str) -> None:
    system = elections(IN_MEMORY)
    found = walk(system, system.properties(["term_never_falls"]), WalkOptions(100, seed=3, engine=engine)).violation
    assert found is not None
    assert found.property == "term_never_falls" and found.trace.steps[-1].action == "restart"
    assert violated_by(system, system.model.properties["term_never_falls"], found.trace.states) == found.arguments


def counter(claim: Callable[..., bool], **more: object) -> System:
    def up(st: Any) -> None:
        require(st.n < 3)
        st.n += 1

    def idle(st: Any) -> None:
        require(st.n == 2)

    names = {
        "__name__": "counter",
        "n": field(Count(3)),
        "grad": field(bool),
        "up": action(up),
        "idle": action(idle),
        "claim": step(claim),
    }
    return build(Model("counter", names | more))


def grows(before: Any, after: Any) -> bool:
    return bool(after.n > before.n)


def test_a_step_that_changes_nothing_is_not_judged() -> None:
    system = counter(grows)
    for result in (check(system, engine="direct"), check(system), compiled.check(system)):
        assert result_of(result, "claim").verdict is Verdict.HOLDS
    assert not list(system.steps_within((3, 0)))
    assert system.holds_of_step(system.model.properties["claim"], (2, 0), (2, 0), ()) is None


def test_a_step_out_of_the_range_of_a_field_is_none() -> None:
    """There is no state after it, so only the range is violated; other steps of the same state are judged."""

    def over(st: Any) -> None:
        require(st.n == 2)
        st.n = st.n + 2

    system = counter(lambda before, after: after.n < 3, over=action(over))
    for result in (check(system, engine="direct"), check(system), compiled.check(system)):
        assert [one.name for one in result.properties if one.verdict is Verdict.VIOLATED] == ["claim", "range of n"]
        assert violation(result, "claim").trace.steps[-1] == Step("up", ())


def never_meant(before: Any, after: Any) -> bool:
    given(after.n < before.n)
    return bool(after.n == 0)


def test_what_is_said_of_no_step_is_vacuous() -> None:
    system = counter(never_meant)
    for result in (check(system, engine="direct"), check(system), compiled.check(system)):
        assert result_of(result, "claim").vacuous


def of_one(st: Any) -> bool:
    return bool(st.n == 0)


def writes(before: Any, after: Any) -> bool:
    after.n = 0
    return True


def misspelt(before: Any, after: Any) -> bool:
    return bool(after.grade >= before.n)


@pytest.mark.parametrize(
    ("claim", "message"),
    [
        (
            of_one,
            "`of_one` speaks of a step and needs two parameters for states, the one before it and the one after it: "
            "of_one(before, after)",
        ),
        (writes, "a property must not write"),
        (misspelt, "the model has no field `grade`; did you mean `grad`?"),
    ],
)
def test_mistakes_are_told_in_one_line(claim: Callable[..., bool], message: str) -> None:
    with pytest.raises(ModelError) as error:
        system = counter(claim)
        system.property_reading(system.model.properties["claim"])
    assert message in str(error.value) and "\n" not in str(error.value)


@pytest.mark.skipif(bool(tlc.why_not()), reason=tlc.why_not())
def test_tlc_judges_the_same_steps() -> None:
    """Each property of steps by itself: the same counts where it holds, the same length where it does not."""
    expected, runs = [], []
    for system, names in ((elections(ON_DISK), HELD), (elections(IN_MEMORY), ["term_never_falls"])):
        for name in names:
            claims = system.properties([name])
            exported, result = export(system, "elections", claims), check(system, claims)
            assert f"PROPERTY {name}" in exported.configuration
            runs.append(("elections", exported.module, exported.configuration))
            holds = result.verdict is Verdict.HOLDS
            expected.append(
                (result.states, result.transitions, "", 0)
                if holds
                else ("", "", name, len(violation(result, name).trace))
            )
    found = list(tlc.checked(runs))
    assert [one.error for one in found] == [""] * len(runs)
    for one, (states, transitions, violated, length) in zip(found, expected, strict=True):
        assert (one.violated, one.length) == (violated, length)
        assert violated or (one.states, one.transitions) == (states, transitions)
