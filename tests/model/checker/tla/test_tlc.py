"""TLC reads what is exported as it is, counts the same states and transitions, and finds the same violations."""

import pytest

from onceproof.inputs.specs import Spec, load_specs
from onceproof.model.checker import compiled
from onceproof.model.checker.results import CheckResult, Limits, Verdict
from onceproof.model.checker.tla.export import Exported, export
from onceproof.model.language import (
    Count,
    Model,
    State,
    System,
    action,
    build,
    ending,
    fault,
    field,
    require,
    sometimes,
)
from tests.model.checker.tla import tlc
from tests.paths import SPECS

LIBRARY = load_specs([SPECS])

MOST = 20_000  # states; `python -m bench.tla` has the larger specs counted, too
COUNTING = "INIT Init\nNEXT Next\nINVARIANT TypeOK\n"
MOST_WITH_LIVENESS = 1_000  # TLC's search for fair runs takes much longer; the bench has it done for all
PARTS = 4

pytestmark = pytest.mark.skipif(bool(tlc.why_not()), reason=tlc.why_not())


def exported(spec: Spec, *, liveness: bool = True) -> Exported:
    deadlock = spec.chosen is None and spec.system.ending is not None
    claims = [claim for claim in spec.properties if liveness or claim.kind != "eventually"]
    return export(spec.system, "counted", claims, deadlock=deadlock)


def explored(spec: Spec, most: int = MOST) -> CheckResult:
    chosen = None if spec.chosen is None else spec.properties
    return compiled.check(spec.system, chosen, Limits(max_states=most), symmetry=False)


def violated(result: CheckResult) -> set[str]:
    """The names that TLC has for what is violated; it looks at invariants before it looks at runs."""
    found = [(claim.kind, claim.name) for claim in result.properties if claim.verdict is Verdict.VIOLATED]
    invariants = {
        "NoDeadlock" if kind == "deadlock" else name for kind, name in found if kind in ("always", "deadlock")
    }
    return invariants or {"temporal" for kind, _ in found if kind == "eventually"} or {""}


def steps_to(result: CheckResult, name: str) -> int:
    found = result.property("deadlock" if name == "NoDeadlock" else name)
    assert found is not None and found.counterexample is not None
    return len(found.counterexample.trace)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_tlc_counts_states_and_transitions_and_comes_to_the_same_verdicts(part: int) -> None:
    results = [(spec, explored(spec)) for spec in LIBRARY[part::PARTS]]
    small = [(spec, result) for spec, result in results if result.complete and result.states <= MOST]
    assert len(small) >= 8
    modules = [exported(spec, liveness=result.states <= MOST_WITH_LIVENESS) for spec, result in small]
    judged = list(tlc.checked(("counted", one.module, one.configuration) for one in modules))
    violating = [index for index, found in enumerate(judged) if found.violated]
    again = tlc.checked(("counted", modules[index].module, COUNTING) for index in violating)
    counted = dict(zip(violating, again, strict=True))
    for index, (spec, result) in enumerate(small):
        found = differences(result, judged[index], counted.get(index, judged[index]))
        unasked = result.states > MOST_WITH_LIVENESS and found == "violated: nothing, expected temporal"
        assert found == "" or unasked, spec.name


def differences(result: CheckResult, judged: tlc.Found, counted: tlc.Found) -> str:
    """What TLC says otherwise than we do, of a module with all its properties and with none; "" for nothing."""
    if judged.error or counted.error:
        return judged.error or counted.error
    if judged.violated not in violated(result):
        return f"violated: {judged.violated or 'nothing'}, expected {' or '.join(sorted(violated(result)))}"
    if judged.violated not in ("", "temporal") and judged.length != steps_to(result, judged.violated):
        return f"{judged.violated} after {judged.length} steps, expected {steps_to(result, judged.violated)}"
    found = (counted.states, counted.transitions, counted.complete)
    expected = (result.states, result.transitions, True)
    return "" if found == expected else f"{found}, expected {expected}"


def fill(st: State) -> None:
    require(st.level < 3)
    st.level += 1


def leak(st: State) -> None:
    require(st.level == 3)
    st.level = 0


def full(st: State) -> bool:
    return st.level == 3


def at_least_two(st: State) -> bool:
    return st.level >= 2


def glass(**more: object) -> System:
    declared = {
        "level": field(Count(3)),
        "fill": action(fill),
        "leak": fault(leak),
        "half_full": sometimes(at_least_two),
    }
    model = Model("glass", {"__name__": "glass", **declared, **more})
    return build(model, model.configure({}, {}, {"leak": 1}))


def test_tlc_finds_deadlocks_and_shows_what_happens_sometimes() -> None:
    """Full, the glass can only leak, which is a fault: that is a deadlock unless it is the wanted end."""
    stuck, ended = glass(over=ending(at_least_two)), glass(over=ending(full))
    never = export(stuck, "glass", stuck.properties())
    assert any("Never_half_full" in remark for remark in never.remarks)
    empty = glass(over=ending(lambda st: st.level == 0))
    runs = [
        (export(system, "glass", [], deadlock=True).module, "INIT Init\nNEXT Next\nINVARIANT NoDeadlock\n")
        for system in (stuck, ended, empty)
    ]
    runs.append((never.module, "INIT Init\nNEXT Next\nINVARIANT Never_half_full\n"))
    found = list(tlc.checked(("glass", module, configuration) for module, configuration in runs))
    assert [one.error for one in found] == [""] * 4
    assert [one.violated for one in found] == ["", "", "NoDeadlock", "Never_half_full"]
    assert [one.length for one in found] == [0, 0, 3, 2]
    for system, one in zip((stuck, ended), found, strict=False):
        result = compiled.check(system)
        assert (one.states, one.transitions) == (result.states, result.transitions)
        assert result.property("deadlock") is not None


def test_tlc_refuses_what_is_not_tla() -> None:
    """So that a run that read nothing is never taken for one that found nothing."""
    (found,) = tlc.checked([("broken", "---- MODULE broken ----\nx == = 1\n====\n", "INIT x\nNEXT x\n")])
    assert found.error and not found.complete
