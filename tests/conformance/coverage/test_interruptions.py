"""Interrupted actions: the core is as before or as after at every point, and broken variants are not."""

import pytest

from onceproof.conformance.coverage.graph import explore
from onceproof.conformance.coverage.interruptions import unlike_first
from onceproof.conformance.coverage.run import Budget, cover
from onceproof.conformance.driver import DriverError, Interruption
from onceproof.conformance.reference.core_driver import CoreDriver
from onceproof.conformance.reference.interruptions import DEATHS
from onceproof.model.checker.results import StopReason
from onceproof.model.language import System
from onceproof.model.protocol.system import PROTOCOL
from tests.helpers.fixture_types import Command
from tests.helpers.present import present
from tests.helpers.systems import ModelDriver, small
from tests.paths import SPECS

BOTH = (Interruption.DEATH, Interruption.REFUSAL)
ONE = {"schedulers": 1, "agents": 1}
SYSTEMS = (
    small({**ONE, "attempts": 2}, function_failure=2),
    small({**ONE, "stops": 1, "expiries": 1, "submissions": 2}, response_loss=1),
    small({**ONE}, {"fail_on_agent_loss": False}, agent_crash=1),
    small({**ONE}, {"atomic_admission": False}, scheduler_upgrade=1),
    small({**ONE, "schedulers": 2, "hand_overs": 1}),
)


@pytest.mark.parametrize("system", SYSTEMS)
def test_core_is_as_before_or_as_after_at_every_point(core: CoreDriver, system: System) -> None:
    found = cover(system, core, Budget(max_states=120, refusals=0, sample=1, interruptions=BOTH))
    assert found.disagreement is None
    deaths, refusals = found.interrupted
    assert deaths.complete and refusals.complete
    assert sum(deaths.points.values()) > deaths.transitions > 60
    assert sum(refusals.points.values()) > refusals.transitions > 60


def test_every_point_of_an_action_is_tried(core: CoreDriver) -> None:
    found = cover(small(ONE), core, Budget(refusals=0, interruptions=BOTH))
    deaths, refusals = found.interrupted
    tried = {"admit": (5, 4), "relay": (1, 2), "receive": (5, 8), "mark_relayed": (1, 1)}
    graph = found.plan.graph
    for action, (dying, refused) in tried.items():
        times = sum(edge.step.action == action for edge in graph.edges)
        assert deaths.points[action] == times * dying
        assert refusals.points[action] == times * refused


def test_deaths_are_of_actions_and_faults_that_the_model_has() -> None:
    assert set(DEATHS) <= set(PROTOCOL.actions)
    assert set(DEATHS.values()) - {""} <= set(PROTOCOL.faults)


def test_interruptions_end_with_the_time_and_say_what_is_left(core: CoreDriver) -> None:
    found = cover(small(scheduler_crash=1), core, Budget(max_seconds=0.5, refusals=0, sample=1, interruptions=BOTH))
    assert found.disagreement is None and not found.complete
    assert present(found.stopped).reason is StopReason.SECONDS
    deaths = found.interrupted[0]
    assert sum(deaths.left.values()) == deaths.transitions - deaths.interrupted > 0


def test_transitions_that_change_something_else_come_first() -> None:
    graph = explore(small(ONE))
    numbers = unlike_first(graph, range(len(graph.edges)))
    assert sorted(numbers) == list(range(len(graph.edges)))
    actions = {edge.step.action for edge in graph.edges}
    assert {graph.edges[number].step.action for number in numbers[:40]} == actions


def test_driver_that_cannot_interrupt_says_so() -> None:
    system = small(ONE)
    with pytest.raises(DriverError, match="cannot interrupt an action by a death"):
        cover(system, ModelDriver(system), Budget(refusals=0, interruptions=BOTH))


def test_command_reports_points_by_action(onceproof: Command) -> None:
    ran = onceproof("replay", "--cover", SPECS / "plain-day.yaml", "--crash-points", "--store-failures")
    assert ran.status == 0
    assert "a process died at 511 points, in 339 of 339 transitions (100.0 %)" in ran.out
    assert "the store refused at 586 points, in 339 of 339 transitions (100.0 %)" in ran.out
