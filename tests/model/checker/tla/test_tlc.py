"""TLC reads what is exported as it is, counts the same states and transitions, and finds the same violations."""

from typing import Any

import pytest

from onceproof.inputs.specs import load_specs
from onceproof.model.checker import compiled
from onceproof.model.checker.results import Verdict
from onceproof.model.checker.tla.export import export
from onceproof.model.language import (
    Count,
    Model,
    System,
    action,
    build,
    ending,
    eventually,
    fault,
    field,
    given,
    infinitely_often,
    leads_to,
    require,
    sometimes,
    stays,
)
from tests.model.checker.tla import tlc
from tests.model.checker.tla.tlc_comparison import MOST, counting, differences, explored, exported
from tests.paths import SPECS

LIBRARY = load_specs([SPECS])

MOST_WITH_LIVENESS = 400  # TLC's search for fair runs takes much longer; the bench has it done for all
PARTS = 4

pytestmark = pytest.mark.skipif(bool(tlc.why_not()), reason=tlc.why_not())


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_tlc_counts_states_and_transitions_and_comes_to_the_same_verdicts(part: int) -> None:
    results = [(spec, explored(spec)) for spec in LIBRARY[part::PARTS]]
    small = [(spec, result) for spec, result in results if result.complete and result.states <= MOST]
    assert len(small) >= 8
    modules = [exported(spec, liveness=result.states <= MOST_WITH_LIVENESS) for spec, result in small]
    judged = list(tlc.checked(("counted", one.module, one.configuration) for one in modules))
    violating = [index for index, found in enumerate(judged) if found.violated]
    again = tlc.checked(("counted", modules[index].module, counting(modules[index])) for index in violating)
    counted = dict(zip(violating, again, strict=True))
    for index, (spec, result) in enumerate(small):
        found = differences(result, judged[index], counted.get(index, judged[index]))
        unasked = result.states > MOST_WITH_LIVENESS and found == "violated: nothing, expected temporal"
        assert found == "" or unasked, spec.name


def fill(st: Any) -> None:
    require(st.level < 3)
    st.level += 1


def leak(st: Any) -> None:
    require(st.level == 3)
    st.level = 0


def full(st: Any) -> bool:
    return st.level == 3


def at_least_two(st: Any) -> bool:
    return st.level >= 2


def glass(leaks: int | None, **more: object) -> System:
    declared = {
        "level": field(Count(3)),
        "fill": action(fill),
        "leak": fault(leak),
        "half_full": sometimes(at_least_two),
    }
    model = Model("glass", {"__name__": "glass", **declared, **more})
    return build(model, model.configure({}, {}, {"leak": leaks}))


def test_tlc_finds_deadlocks_and_shows_what_happens_sometimes() -> None:
    """Full, the glass can only leak, which is a fault: that is a deadlock unless it is the wanted end."""
    stuck, ended, never_ending = glass(1, over=ending(at_least_two)), glass(1, over=ending(full)), glass(1)
    never = export(stuck, "glass", stuck.properties())
    assert any("Never_half_full" in remark for remark in never.remarks)
    empty = glass(1, over=ending(lambda st: st.level == 0))
    runs = [
        (export(system, "glass", [system.deadlock]).module, "INIT Init\nNEXT Next\nINVARIANT NoDeadlock\n")
        for system in (stuck, ended, empty, never_ending)
    ]
    runs.append((never.module, "INIT Init\nNEXT Next\nINVARIANT Never_half_full\n"))
    found = list(tlc.checked(("glass", module, configuration) for module, configuration in runs))
    assert [one.error for one in found] == [""] * 5
    assert [one.violated for one in found] == ["", "", "NoDeadlock", "NoDeadlock", "Never_half_full"]
    assert [one.length for one in found] == [0, 0, 3, 3, 2]
    for system, one in zip((stuck, ended), found, strict=False):
        result = compiled.check(system)
        assert (one.states, one.transitions) == (result.states, result.transitions)
        assert result.property("deadlock") is not None


def test_tlc_refuses_what_is_not_tla() -> None:
    """So that a run that read nothing is never taken for one that found nothing."""
    (found,) = tlc.checked([("broken", "---- MODULE broken ----\nx == = 1\n====\n", "INIT x\nNEXT x\n")])
    assert found.error and not found.complete


def pour(st: Any) -> None:
    st.level += 1


def test_tlc_finds_where_a_range_is_left_and_what_runs_as_a_whole_do_not() -> None:
    """The state before the step that leaves the range; and each demand of endless runs, kept and not kept."""
    over = glass(1, pour=action(pour))
    exported = export(over, "glass", over.properties(["deadlock"]))
    assert any("RangesKept" in remark for remark in exported.remarks)
    claims = {
        "comes": eventually(lambda st: st.level == 3),
        "never_comes": eventually(lambda st: st.level == 4 - 5),
        "follows": leads_to(follows),
        "again": infinitely_often(lambda st: st.level == 3),
        "not_again": infinitely_often(lambda st: st.level == 0),
        "settles": stays(lambda st: st.level == 3),
        "does_not_settle": stays(lambda st: st.level == 1),
    }
    runs = [("glass", exported.module, exported.configuration)]
    for name, claim in claims.items():
        system = glass(1, **{name: claim})
        one = export(system, "glass", system.properties([name]))
        runs.append(("glass", one.module, one.configuration))
        verdict = compiled.check(system, system.properties([name])).verdict
        assert (verdict is Verdict.VIOLATED) == (name in ("never_comes", "not_again", "does_not_settle"))
    first, *found = tlc.checked(runs)
    assert (first.error, first.violated, first.length) == ("", "RangesKept", 3)
    assert [one.error for one in found] == [""] * len(claims)
    expected = ["temporal" if name in ("never_comes", "not_again", "does_not_settle") else "" for name in claims]
    assert [one.violated for one in found] == expected


def follows(st: Any) -> bool:
    given(st.level == 1)
    return bool(st.level == 3)


@pytest.mark.parametrize("name", ["settles", "does_not_settle", "again", "not_again"])
def test_tlc_knows_that_faults_end_also_where_any_number_may_happen(name: str) -> None:
    """A leak may come at any time, but not for ever: in the end the glass is full."""
    claims = {
        "settles": stays(lambda st: st.level == 3),
        "does_not_settle": stays(lambda st: st.level < 3),
        "again": infinitely_often(lambda st: st.level == 3),
        "not_again": infinitely_often(lambda st: st.level == 0),
    }
    system = glass(None, **{name: claims[name]})
    result = compiled.check(system, system.properties([name]))
    exported = export(system, "glass", system.properties([name]))
    (found,) = tlc.checked([("glass", exported.module, exported.configuration)])
    assert (found.error, found.violated) == ("", "temporal" if "not" in name else "")
    assert result.verdict is (Verdict.VIOLATED if "not" in name else Verdict.HOLDS)
