"""The compiled engine finds what plain exploration finds: states, transitions, depth, verdicts, counterexamples."""

from typing import Any

import pytest

from model.checker import compiled
from model.checker.explore import check
from model.checker.results import CheckResult, Limits
from model.language import System, build
from model.protocol.system import PROTOCOL
from tests.random_models import random_system

BROKEN: list[tuple[dict[str, int], dict[str, bool], dict[str, int | None]]] = [
    ({"submissions": 2}, {"task_id_dedup": False}, {"response_loss": 1}),
    ({}, {"agent_dedup": False}, {"request_duplication": 1, "scheduler_crash": 1}),
    ({}, {"agent_dedup": False}, {"request_duplication": None}),
    ({"submissions": 2}, {"atomic_admission": False}, {"api_crash": 1}),
]


def told(result: CheckResult) -> Any:
    """All that engines must agree on."""
    claims = [
        (
            p.name,
            p.verdict,
            p.vacuous,
            p.counterexample
            and (
                (p.counterexample.trace.faults, p.counterexample.trace.loop)
                if p.kind == "eventually"
                else (p.counterexample.trace.faults, len(p.counterexample.trace), p.counterexample.trace.turns)
            ),
        )
        for p in result.properties
    ]
    return result.complete, result.states, result.transitions, result.depth, result.fired, claims


def agree(system: System, limits: Limits | None = None) -> CheckResult:
    plain = check(system, limits=limits)
    if plain.complete:
        for workers in (1, 2):
            assert told(compiled.check(system, workers=workers)) == told(plain)
    return plain


@pytest.mark.parametrize("start", range(0, 120, 20))
def test_random_models_are_judged_alike(start: int) -> None:
    results = [agree(random_system(seed), Limits(max_states=20_000)) for seed in range(start, start + 20)]
    assert any(p.counterexample for result in results for p in result.properties)


@pytest.mark.parametrize("number", range(len(BROKEN)))
def test_the_protocol_is_judged_alike(number: int) -> None:
    sizes, switches, budgets = BROKEN[number]
    result = agree(build(PROTOCOL, PROTOCOL.configure(sizes, switches, budgets)))
    assert result.complete
    assert any(p.counterexample for p in result.properties)
