"""Steps that are not looked up: independent ones are so indeed, and nothing that a search tells depends on it."""

import itertools
import random
from collections.abc import Iterator
from typing import Any

import pytest

from onceproof.model.checker import compiled
from onceproof.model.checker.compiled import sleep_sets
from onceproof.model.checker.compiled.frontier import expected_states
from onceproof.model.checker.explicit.engine import check
from onceproof.model.checker.ground.independence import Footprints
from onceproof.model.checker.ground.python_code import GeneratedSystem, generated
from onceproof.model.checker.results import Limits
from onceproof.model.language import System
from onceproof.model.language.layout import State as PackedState
from onceproof.model.protocol.system import PROTOCOL
from tests.helpers.comparison import numbers_and_verdicts
from tests.helpers.random_models import random_system
from tests.helpers.systems import protocol


def some_states(code: GeneratedSystem, most: int) -> list[PackedState]:
    queue = [code.system.initial]
    seen = set(queue)
    for state in queue:
        for _, after in code.successors(state):
            if after not in seen and len(seen) < 30 * most:
                seen.add(after)
                queue.append(after)
    return random.Random(3).sample(queue, min(most, len(queue)))


SYSTEMS = [random_system(seed) for seed in range(40)] + [
    protocol({"scheduler_crash": 1, "reply_loss": 1}, tasks=2),
    protocol({"agent_crash": 1, "relay_crash": 1, "request_duplication": 1}),
]


@pytest.mark.parametrize("system", SYSTEMS, ids=range(len(SYSTEMS)))
def test_independent_steps_commute_in_every_state(system: System) -> None:
    code = generated(system)
    for state, one, other in independent_pairs(code, 150):
        after = dict(code.successors(state))
        there = dict(code.successors(after[one]))[other]
        assert there == dict(code.successors(after[other]))[one]


def independent_pairs(code: GeneratedSystem, states: int) -> Iterator[tuple[PackedState, int, int]]:
    """Some states, each with every two of its steps that are held to be independent."""
    footprints = Footprints(code.ground)
    for state in some_states(code, states):
        for one, other in itertools.combinations(sorted(dict(code.successors(state))), 2):
            if footprints.independent(one, other):
                yield state, one, other


def test_two_thirds_of_the_random_models_have_independent_steps() -> None:
    """Else there would be nothing to commute."""
    having = sum(any(True for _ in independent_pairs(generated(system), 150)) for system in SYSTEMS)
    assert having >= 2 * len(SYSTEMS) / 3


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("system", SYSTEMS, ids=range(len(SYSTEMS)))
def test_sleep_sets_change_no_result_on_random_models(
    system: System, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims = [claim for claim in system.properties() if not claim.is_liveness]
    few: dict[str, Any] = {}
    monkeypatch.setattr(sleep_sets, "FIRST_RING", 16)  # so that it is too small, and has to grow
    with_it = [
        compiled.check(system, claims, workers=workers, report=few),
        compiled.check(system, claims, workers=workers, fingerprint=True),
    ]
    monkeypatch.setattr(sleep_sets, "MOST_WORDS", 0)
    all_: dict[str, Any] = {}
    without = compiled.check(system, claims, workers=workers, report=all_)
    assert all(numbers_and_verdicts(one) == numbers_and_verdicts(without) for one in with_it)
    assert few["looked_up"] <= all_["looked_up"] <= without.transitions


@pytest.mark.parametrize("seed", range(12))
def test_sleep_sets_change_no_result_under_random_faults_of_the_protocol(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rand = random.Random(seed)
    budgets = dict.fromkeys(rand.sample(sorted(PROTOCOL.faults), 4), 1)
    sizes = {sort: rand.choice((1, 2)) for sort in ("tasks", "schedulers", "agents")}
    system = protocol(budgets, **sizes, messages=2)
    claims = [claim for claim in system.properties() if not claim.is_liveness]
    limits = Limits(max_depth=13)
    with_it = [compiled.check(system, claims, limits, workers=2, symmetry=symmetry) for symmetry in (True, False)]
    monkeypatch.setattr(sleep_sets, "MOST_WORDS", 0)
    without = [compiled.check(system, claims, limits, workers=1, symmetry=symmetry) for symmetry in (True, False)]
    assert list(map(numbers_and_verdicts, with_it)) == list(map(numbers_and_verdicts, without))


@pytest.mark.parametrize("seed", range(30))
def test_sleep_sets_with_symmetry_change_no_result_on_random_models(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    system = random_system(seed)
    results = [compiled.check(system, symmetry=True, workers=workers) for workers in (1, 2)]
    monkeypatch.setattr(sleep_sets, "MOST_WORDS", 0)
    results.append(compiled.check(system, symmetry=True, workers=1))
    assert numbers_and_verdicts(results[0]) == numbers_and_verdicts(results[1]) == numbers_and_verdicts(results[2])


def test_sleep_sets_avoid_most_lookups_on_the_protocol() -> None:
    report: dict[str, Any] = {}
    system = protocol({}, tasks=2)
    result = compiled.check(system, workers=1, report=report, properties=system.properties()[:1])
    plain = check(system, system.properties()[:1])
    assert (result.states, result.transitions) == (plain.states, plain.transitions)
    assert result.states - 1 <= report["looked_up"] < 1.1 * result.states


def test_forecast_of_states_is_near_from_the_middle_on() -> None:
    sizes = [1, 4, 12, 30, 62, 110, 170, 230, 270, 280, 255, 205, 145, 90, 48, 22, 8, 2]
    for known in range(7, len(sizes)):
        assert 0.6 < expected_states(sizes[:known]) / sum(sizes) < 1.6
    assert expected_states([]) == 0
    assert expected_states([1, 3]) == 4
