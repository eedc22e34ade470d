"""Mechanisms that are off and make no difference: told where every reachable state has the same steps, only there."""

from collections.abc import Iterable

import pytest

from onceproof.model.checker.without_effect import without_effect
from onceproof.model.language import System, build
from tests.helpers.fixture_types import Command
from tests.helpers.systems import small
from tests.paths import ROOT

MECHANISMS = ("task_id_dedup", "idempotent_relay", "renewal", "receipt_fencing", "graceful_drain", "join_running")


def same_with(system: System, mechanism: str) -> bool:
    """Whether the system with the mechanism on has the same steps in every reachable state: tried one by one."""
    other = build(system.model, system.config.with_switches(**{mechanism: True}))
    seen, waiting = {system.initial}, [system.initial]
    while waiting:
        state = waiting.pop()
        ways = list(system.successors(state))
        if ways != list(other.successors(state)):
            return False
        for _, after in ways:
            if after not in seen:
                seen.add(after)
                waiting.append(after)
    return True


@pytest.mark.parametrize(
    "faults", [{}, {"scheduler_pause": 1}, {"relay_crash": 1}], ids=lambda faults: ",".join(faults)
)
def test_without_effect_is_what_trying_each_state_says(faults: dict[str, int | None]) -> None:
    found: dict[str, bool] = {}
    for mechanism in MECHANISMS:
        system = small({"schedulers": 1}, {mechanism: False}, **faults)
        found[mechanism] = without_effect(system) == [mechanism]
        assert found[mechanism] == same_with(system, mechanism), mechanism
    assert {True, False} == set(found.values())


def off(names: Iterable[str], submissions: int) -> list[str]:
    return without_effect(small({"submissions": submissions}, dict.fromkeys(names, False), response_loss=1))


def test_a_second_submission_is_what_deduplication_is_about() -> None:
    assert off(["task_id_dedup"], 1) == ["task_id_dedup"]
    assert off(["task_id_dedup"], 2) == []
    assert off([], 2) == []


def test_check_tells_in_text_and_json(onceproof: Command) -> None:
    spec = ROOT / "specs" / "plain-day.yaml"
    told = "graceful_drain is off, which makes no difference here: with it on every reachable state has the same steps"
    ran = onceproof("check", spec, "--mechanism", "graceful_drain=off")
    assert told in " ".join(ran.out.split())
    assert '"without_effect": ["graceful_drain"]' in onceproof(
        "check", spec, "--mechanism", "graceful_drain=off", "--json"
    ).out.replace("\n", "").replace("  ", "").replace("[ ", "[")
    assert "makes no difference" not in onceproof("check", ROOT / "specs" / "zombie-deletes-with-old-receipt.yaml").out
