"""A checker of TLA+ that others wrote counts the states of what is exported, and comes to the same verdicts."""

import pytest

from onceproof.inputs.specs import load_specs
from onceproof.model.checker import compiled
from onceproof.model.checker.results import CheckResult, Limits, Verdict
from onceproof.model.checker.tla.export import export
from onceproof.model.language import System, build
from onceproof.model.language.declare import LIVENESS, Property
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
FAULTS_END = " /\\ <>[][WithoutFaults]_vars"


def known_claims(system: System) -> list[Property]:
    """The claims that this checker can judge; TLC judges the others in `test_tlc`.

    It takes minutes over formulas of runs as a whole, and knows none of steps.
    It cannot read the demand that faults end, and promises mean another thing without it.
    """
    left_out = {*WHOLE_RUNS, "step", *(LIVENESS if FAULTS_END in export(system, "counted", []).module else ())}
    return [claim for claim in system.properties() if claim.kind not in left_out]


def expected_error(result: CheckResult, asked: list[Property]) -> str | None:
    """What a checker that stops at the first violation, and looks at safety first, ends with."""
    names = {claim.name for claim in asked}
    violated = {claim.kind for claim in result.properties if claim.verdict is Verdict.VIOLATED and claim.name in names}
    if violated & {"always", "deadlock"}:
        return "InvariantViolation"
    return "LivenessViolation" if violated & LIVENESS else None


def compare(systems: list[System]) -> int:
    """Holds what it says of the systems that are small enough against what we say; returns how many these are."""
    checked = [(system, compiled.check(system, limits=Limits(max_states=MOST), symmetry=False)) for system in systems]
    small = [(system, result) for system, result in checked if result.complete and result.states <= MOST]
    exported = [export(system, "counted", known_claims(system)) for system, _ in small]
    modules = [one.module.replace(FAULTS_END, "") for one in exported]
    counted = tla_checker.explored(
        (module, f"{counting(one)}CHECK_DEADLOCK FALSE\n") for module, one in zip(modules, exported, strict=True)
    )
    judged = tla_checker.explored(
        (module, f"{one.configuration}CHECK_DEADLOCK FALSE\n") for module, one in zip(modules, exported, strict=True)
    )
    for (system, result), count, verdict in zip(small, counted, judged, strict=True):
        assert (count.states, count.error) == (result.states, None), count.why
        assert verdict.error == expected_error(result, known_claims(system)), verdict.why
    return len(small)


def test_tla_checker_agrees_on_the_spec_library() -> None:
    assert compare([spec.system for spec in LIBRARY]) == 10


def test_tla_checker_agrees_on_textbook_models() -> None:
    assert compare([build(PHILOSOPHERS), build(TERMINATION)]) == 2


def test_tla_checker_agrees_on_random_models() -> None:
    assert compare([random_system(seed) for seed in range(60)]) > 40
