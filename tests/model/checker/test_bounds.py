"""Bounds of exploration: the same states in all engines and in TLC, and verdicts that say no more than was seen."""

from collections import deque
from typing import Any

import pytest

from onceproof import check as check_model
from onceproof.model.checker import compiled
from onceproof.model.checker.explicit.engine import check
from onceproof.model.checker.results import CheckResult, Verdict
from onceproof.model.checker.tla.export import export
from onceproof.model.checker.walks import WalkOptions, walk
from onceproof.model.language import (
    Count,
    Fairness,
    Model,
    ModelError,
    Sort,
    System,
    action,
    always,
    build,
    eventually,
    field,
    infinitely_often,
    require,
    sometimes,
    stays,
    within,
)
from onceproof.model.language.declare import Property
from tests.helpers.comparison import comparable
from tests.helpers.random_models import random_system
from tests.helpers.results import result_of, violation
from tests.model.checker.tla import tlc

BOUND = """

@within
def few(st, p: Place):
    given(st.first is not None or st.total > 0)
    return st.level[p] < 2 and st.total + st.level[p] < 3
"""


def bounded(seed: int) -> System | None:
    """A random model with a bound; None where the initial state is outside."""
    try:
        return random_system(seed, BOUND)
    except ModelError as error:
        assert "no initial state is within `few`" in str(error)
        return None


def engines(system: System, claims: list[Property] | None = None) -> list[CheckResult]:
    return [check(system, claims, engine="direct"), check(system, claims), compiled.check(system, claims)]


def test_engines_agree_on_random_models_with_bounds() -> None:
    cut = 0
    for seed in range(24):
        system = bounded(seed)
        if system is None:
            continue
        direct, plain, fast = engines(system)
        assert comparable(direct) == comparable(plain) == comparable(fast), seed
        assert direct.outside == plain.outside == fast.outside
        safety = [claim for claim in system.properties() if not claim.is_liveness]
        reduced = compiled.check(system, safety, symmetry=True)
        verdicts = [(one.name, one.verdict) for one in check(system, safety).properties]
        assert [(one.name, one.verdict) for one in reduced.properties] == verdicts, seed
        cut += plain.outside > 0
        inside, outside = brute_force(system)
        assert (plain.states, plain.outside) == (inside, outside)
    assert cut >= 4, "bounds leave something out"


def brute_force(system: System) -> tuple[int, int]:
    """How many states are inside and outside, by a search in the model without its bound that stops by itself."""
    free = build(system.model.without_bounds(), system.config)
    (bound,) = system.bounds
    seen, waiting = set(free.initials), deque(free.initials)
    inside = 0
    while waiting:
        state = waiting.popleft()
        if any(system._judge.in_state(bound, state, one) is False for one in system.instances(bound)):
            continue
        inside += 1
        for _, after in free.successors(state):
            if after not in seen:
                seen.add(after)
                waiting.append(after)
    return inside, len(seen) - inside


class Node(Sort, default=3, symmetric=True):
    """A node."""


@action
def rise(st: Any, node: Node) -> None:
    """A clock goes on."""
    require(st.time[node] < 50)
    st.time[node] += 1


@action(fairness=Fairness.NONE)
def blink(st: Any, node: Node) -> None:
    """A lamp goes on or off."""
    st.lit[node] = not st.lit[node]


@within
def early(st: Any, node: Node) -> bool:
    """Clocks up to 2."""
    return bool(st.time[node] <= 2)


def clocks(**more: object) -> System:
    names = {"time": field(Node, Count(50)), "lit": field(Node, bool), "rise": rise, "blink": blink, "early": early}
    declared = {"__name__": "clocks", "Node": Node, **names, **more}
    return build(Model("clocks", {name: one for name, one in declared.items() if one is not None}))


def test_sleep_sets_and_symmetry_know_the_bound() -> None:
    system = clocks(low=always(lambda st: all(st.time[n] <= 3 for n in Node)))
    claims = system.properties(["low"])
    report: dict[str, Any] = {}
    whole, reduced = (
        compiled.check(system, claims, workers=1, report=report),
        compiled.check(system, claims, symmetry=True),
    )
    plain = check(system, claims)
    assert comparable(whole) == comparable(plain)
    assert (whole.states, whole.outside, whole.within) == (27 * 8, 27 * 8, "early")
    assert report["looked_up"] < whole.transitions, "steps that cannot cross the bound are still left out"
    assert reduced.states < whole.states and reduced.verdict is whole.verdict is Verdict.HOLDS
    assert not whole.exhaustive and whole.complete and whole.extent == "within early"


def test_a_state_outside_is_judged_and_is_no_deadlock() -> None:
    system = clocks(low=always(lambda st: all(st.time[n] <= 2 for n in Node)), blink=None)
    for result in engines(system):
        found = violation(result, "low")
        assert len(found.trace) == 3 and found.minimal.endswith("changes of actor, within early")
        assert result_of(result, "deadlock").verdict is Verdict.HOLDS
    late = clocks(late=sometimes(lambda st: any(st.time[n] == 4 for n in Node)))
    for result in engines(late):
        assert result_of(result, "late").vacuous == "no state within early satisfies it"


@pytest.mark.parametrize("mark", [eventually, infinitely_often, stays])
def test_liveness_is_unknown_where_runs_leave_the_bound(mark: Any) -> None:
    """Clocks go on for ever if they are fair: no run within the bound is, and beyond it nothing is known."""
    system = clocks(claim=mark(lambda st: any(st.time[n] == 9 for n in Node)))
    for result in engines(system):
        assert result_of(result, "claim").verdict is Verdict.UNKNOWN
        assert result.verdict is Verdict.UNKNOWN
    small = compiled.check(system, system.properties(["claim"]), symmetry=True)
    assert small.verdict is Verdict.UNKNOWN


def test_liveness_that_a_fair_run_within_the_bound_violates_is_violated() -> None:
    lazy = action(fairness=Fairness.NONE)(rise.function)
    system = clocks(rise=lazy, claim=eventually(lambda st: any(st.time[n] == 9 for n in Node)))
    for result in engines(system):
        found = violation(result, "claim")
        assert all(system.outside(state) is None for state in found.trace.states)


def test_random_runs_end_at_the_bound() -> None:
    system = clocks(low=always(lambda st: all(st.time[n] <= 3 for n in Node)))
    for engine in ("plain", "compiled"):
        result = walk(system, system.properties(["low"]), WalkOptions(200, engine=engine))
        assert result.violation is None and result.notes == ["runs end where they leave early"]


def test_a_bound_that_leaves_nothing_out_is_not_mentioned() -> None:
    system = clocks(early=within(lambda st: True))
    result = compiled.check(system, system.properties(["deadlock"]))
    assert (result.outside, result.within, result.extent) == (0, "", "complete")


def test_a_bound_counts_only_when_it_says_so() -> None:
    bound = within(when=lambda c: c.nodes > 5)(lambda st: False)
    assert not clocks(early=bound).bounds
    with pytest.raises(ModelError, match="no initial state is within `early`"):
        clocks(early=within(lambda st: False))


@pytest.mark.skipif(bool(tlc.why_not()), reason=tlc.why_not())
def test_tlc_counts_the_same_states_under_its_constraint() -> None:
    systems = [system for seed in range(5) if (system := bounded(seed)) is not None] + [clocks()]
    exported = [export(system, "bounded", []) for system in systems]
    assert all("CONSTRAINT" in one.configuration for one in exported)
    runs = [("bounded", one.module, one.configuration.replace("INVARIANT RangesKept\n", "")) for one in exported]
    for system, one in zip(systems, tlc.checked(runs), strict=True):
        result = compiled.check(system, [])
        assert one.error == "" and (one.states, one.transitions) == (result.states, result.transitions)
    lively = export(clocks(claim=stays(lambda st: True)), "bounded", clocks(claim=stays(lambda st: True)).properties())
    assert any("no proof that it holds" in remark for remark in lively.remarks)


def test_the_report_says_within() -> None:
    """As text and as JSON."""
    system = clocks(low=always(lambda st: all(st.time[n] <= 3 for n in Node)))
    report = check_model(system.model)
    assert report.holds and not report.complete and report.within == "early"
    assert "holds within early" in str(report)
    document = report.to_json()
    assert (document["verdict"], document["complete"], document["within"]) == ("holds", False, "early")
    assert document["outside"] == 216
