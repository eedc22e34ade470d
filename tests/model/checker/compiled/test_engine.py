"""The compiled engine finds what plain exploration finds: states, transitions, depth, verdicts, counterexamples."""

from typing import Any

import pytest

from onceproof.model.checker import compiled
from onceproof.model.checker.explicit.engine import check
from onceproof.model.checker.results import CheckResult, Limits
from onceproof.model.language import System, build
from onceproof.model.protocol.system import PROTOCOL
from tests.helpers.broken_protocols import BROKEN
from tests.helpers.comparison import comparable
from tests.helpers.random_models import random_system


def agree(system: System, limits: Limits | None = None) -> CheckResult:
    plain = check(system, limits=limits)
    if plain.complete:
        for workers in (1, 2):
            assert comparable(compiled.check(system, workers=workers)) == comparable(plain)
    return plain


@pytest.mark.parametrize("start", range(0, 80, 20))
def test_compiled_and_plain_engines_agree_on_random_models(start: int) -> None:
    results = [agree(random_system(seed), Limits(max_states=20_000)) for seed in range(start, start + 20)]
    assert sum(result.complete for result in results) >= 19, "only what is complete is compared"
    assert any(p.counterexample for result in results for p in result.properties)


@pytest.mark.parametrize("number", range(len(BROKEN)))
def test_compiled_and_plain_engines_agree_on_the_protocol(number: int) -> None:
    sizes, switches, budgets = BROKEN[number]
    result = agree(build(PROTOCOL, PROTOCOL.configure(sizes, switches, budgets)))
    assert result.complete
    assert any(p.counterexample for p in result.properties)


def judged(result: CheckResult) -> Any:
    """What symmetry must not change."""
    claims = [
        (p.name, p.verdict, p.vacuous, p.counterexample and len(p.counterexample.trace)) for p in result.properties
    ]
    return result.complete, result.depth, [name for name, count in result.fired.items() if count], claims


@pytest.mark.parametrize("start", range(0, 60, 30))
def test_symmetry_gives_the_same_verdicts_on_random_models(start: int) -> None:
    fewer = 0
    for seed in range(start, start + 30):
        system = random_system(seed)
        claims = [claim for claim in system.properties() if not claim.is_liveness]
        whole = compiled.check(system, claims, Limits(max_states=50_000), workers=1)
        if whole.complete:
            reduced = compiled.check(system, claims, workers=1, symmetry=True)
            assert judged(reduced) == judged(whole), seed
            assert reduced.states <= whole.states
            fewer += reduced.states < whole.states
    assert fewer >= 2


@pytest.mark.parametrize("number", range(len(BROKEN)))
def test_symmetry_gives_the_same_verdicts_on_the_protocol(number: int) -> None:
    sizes, switches, budgets = BROKEN[number]
    system = build(PROTOCOL, PROTOCOL.configure(sizes, switches, budgets))
    claims = [claim for claim in system.properties() if not claim.is_liveness]
    whole, reduced = (compiled.check(system, claims, symmetry=symmetry) for symmetry in (False, True))
    assert judged(reduced) == judged(whole)
    assert reduced.states < whole.states / 1.5
    for result in reduced.properties:
        if result.counterexample:
            trace = result.counterexample.trace
            for before, step, after in zip(trace.states, trace.steps, trace.states[1:], strict=False):
                assert system.step(before, step) == after


def test_fingerprints_give_the_same_results_on_random_models() -> None:
    compared = 0
    for seed in range(0, 20):
        system = random_system(seed)
        claims = [claim for claim in system.properties() if not claim.is_liveness]
        whole = compiled.check(system, claims, Limits(max_states=20_000), workers=1)
        if whole.complete:
            for workers in (1, 2):
                found = compiled.check(system, claims, workers=workers, fingerprint=True)
                assert comparable(found) == comparable(whole), seed
                assert "fingerprints" in found.notes[0]
                compared += 1
    assert compared >= 38


def test_fingerprints_give_the_same_counts_on_many_states() -> None:
    system = build(PROTOCOL, PROTOCOL.configure({"tasks": 2}, {}, {"scheduler_crash": 1}))
    report: dict[str, Any] = {}
    result = compiled.check(system, [], fingerprint=True, report=report)
    assert (result.states, result.transitions, result.depth) == (1_260_480, 7_855_312, 40)
    assert report["bytes"] / result.states < 14  # 12 where there are many more
    assert "bytes a state were taken at the peak" in result.notes[0]
    assert "probability 4.3e-08" in result.notes[0]
