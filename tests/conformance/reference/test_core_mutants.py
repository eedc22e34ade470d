"""Every broken variant of the core is found by replay; canaries of each kind by Hypothesis too."""

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from onceproof.conformance.coverage.run import Budget, cover
from onceproof.conformance.reference.core_driver import CoreDriver
from onceproof.conformance.reference.mutants import MUTANTS
from onceproof.conformance.reference.mutants.variant import Mutant
from onceproof.conformance.replay.lockstep import Disagreement, Kind, replay
from onceproof.conformance.testing.coverage_guided import Effort, drive
from onceproof.conformance.testing.stateful import machine_of
from onceproof.model.language import System
from tests.helpers.fixture_types import OpenCore
from tests.helpers.present import present
from tests.helpers.systems import small

CANARIES = {
    "dedup-missing": (Kind.UNEXPECTED, "admit", 4),
    "placement-in-memory-only": (Kind.DIFFERENT, "place", 6),
    "delete-without-receipt": (Kind.UNEXPECTED, "delete", 14),
    "forgotten-epoch-check": (Kind.UNEXPECTED, "receive", 5),
    "lost-join": (Kind.DIFFERENT, "join", 14),
    "outbox-forgotten": (Kind.DIFFERENT, "admit", 2),
    "visible-one-tick-late": (Kind.MISSING, "receive", 5),
    "starts-for-each-request": (Kind.UNEXPECTED, "start", 13),
}
SLOW = ("lost-join", "starts-for-each-request")  # bench/replay.py --mutants has all
GUIDED = [name for name in CANARIES if name not in SLOW]
PLAIN = [
    "relay-marks-at-once",
    "admitting-outlives-a-crash",
    "outbox-forgotten",
    "marks-nothing",
    "balancer-steals",
    "refusal-says-202",
]


def system_of(mutant: Mutant) -> System:
    return small(mutant.sizes, mutant.mechanisms, **mutant.faults)


def test_there_are_at_least_25_mutants_of_the_core() -> None:
    assert len(MUTANTS) >= 25 and set(CANARIES) | set(PLAIN) <= set(MUTANTS)


@pytest.mark.parametrize("name", MUTANTS)
def test_replay_finds_every_mutant_of_the_core(open_core: OpenCore, name: str) -> None:
    budget = Budget(interruptions=MUTANTS[name].interruptions)
    found = cover(system_of(MUTANTS[name]), open_core(MUTANTS[name].make), budget)
    assert found.disagreement is not None, f"{name} was not found in {found.steps} steps"
    trace = present(found.trace)
    assert trace.faults <= sum(MUTANTS[name].faults.values())
    if name in CANARIES:
        kind, action, length = CANARIES[name]
        assert (found.disagreement.kind, present(found.disagreement.step).action) == (kind, action)
        assert length <= len(trace) <= length + 2  # the way of a cover need not be the shortest
    if MUTANTS[name].interruptions:
        assert found.confirmation.certain  # a trace alone does not interrupt anything
        return
    again = replay(trace, open_core(MUTANTS[name].make), found.disagreement.forbidden).disagreement
    assert again is not None and again.resembles(found.disagreement)


@pytest.mark.parametrize("name", GUIDED)
def test_coverage_guided_testing_finds_mutants_of_the_core(open_core: OpenCore, name: str) -> None:
    found = drive(system_of(MUTANTS[name]), open_core(MUTANTS[name].make), Effort(examples=1500))
    assert found.disagreement is not None and not found.confirmation.flaky
    kind, action, length = CANARIES[name]
    assert (found.disagreement.kind, present(found.disagreement.step).action) == (kind, action)
    assert len(present(found.trace)) == length


QUICK = settings(
    max_examples=500,  # as many as are needed: a search ends with the first that fails
    stateful_step_count=30,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    print_blob=False,
    phases=[Phase.generate],  # shrinking is what guided runs are tested for
)


@pytest.mark.parametrize("name", PLAIN)
def test_state_machine_finds_mutants_of_the_core(open_core: OpenCore, name: str) -> None:
    machine = machine_of(system_of(MUTANTS[name]), open_core(MUTANTS[name].make))
    with pytest.raises(Disagreement):
        run_state_machine_as_test(machine, settings=QUICK)


def test_state_machine_finds_no_fault_in_the_core(core: CoreDriver) -> None:
    system = small({"submissions": 2}, scheduler_crash=1, reply_loss=1, response_loss=1)
    run_state_machine_as_test(machine_of(system, core), settings=settings(QUICK, max_examples=15))
