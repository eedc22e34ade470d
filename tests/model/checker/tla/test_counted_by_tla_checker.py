"""A checker of TLA+ that others wrote counts the states of what is exported, and comes to the same verdicts."""

import pytest

from onceproof.inputs.specs import load_specs
from onceproof.model.checker import compiled
from onceproof.model.checker.results import CheckResult, Limits, Verdict
from onceproof.model.checker.tla.export import export
from onceproof.model.language import System, build
from onceproof.model.language.declare import LIVENESS
from tests.helpers.random_models import random_system
from tests.model.checker.tla import tla_checker
from tests.model.checker.tla.tlc_comparison import counting
from tests.models.philosophers import PHILOSOPHERS
from tests.models.termination import TERMINATION
from tests.paths import SPECS

LIBRARY = load_specs([SPECS])
MOST = 420  # it takes about two milliseconds a state; `python -m bench.tla` has all of the library counted

pytestmark = pytest.mark.skipif(bool(tla_checker.why_not()), reason=tla_checker.why_not())


WHOLE_RUNS = ("infinitely_often", "stays")


def expected_error(result: CheckResult) -> str | None:
    """What a checker that stops at the first violation, and looks at safety first, ends with."""
    violated = {claim.kind for claim in result.properties if claim.verdict is Verdict.VIOLATED} - {*WHOLE_RUNS}
    if violated & {"always", "deadlock"}:
        return "InvariantViolation"
    return "LivenessViolation" if violated & LIVENESS else None


def compare(systems: list[System]) -> int:
    """Holds what it says of the systems that are small enough against what we say; returns how many these are."""
    checked = [(system, compiled.check(system, limits=Limits(max_states=MOST), symmetry=False)) for system in systems]
    small = [(system, result) for system, result in checked if result.complete and result.states <= MOST]
    # It takes minutes over formulas of runs as a whole, and knows none of steps; TLC checks both in `test_tlc`.
    asked = [[c for c in system.properties() if c.kind not in (*WHOLE_RUNS, "step")] for system, _ in small]
    exported = [export(system, "counted", claims) for (system, _), claims in zip(small, asked, strict=True)]
    counted = tla_checker.explored((one.module, f"{counting(one)}CHECK_DEADLOCK FALSE\n") for one in exported)
    judged = tla_checker.explored((one.module, f"{one.configuration}CHECK_DEADLOCK FALSE\n") for one in exported)
    for (_, result), count, verdict in zip(small, counted, judged, strict=True):
        assert (count.states, count.error) == (result.states, None), count.why
        assert verdict.error == expected_error(result), verdict.why
    return len(small)


def test_tla_checker_agrees_on_the_spec_library() -> None:
    assert compare([spec.system for spec in LIBRARY]) == 10


def test_tla_checker_agrees_on_textbook_models() -> None:
    assert compare([build(PHILOSOPHERS), build(TERMINATION)]) == 2


def test_tla_checker_agrees_on_random_models() -> None:
    assert compare([random_system(seed) for seed in range(60)]) > 40
