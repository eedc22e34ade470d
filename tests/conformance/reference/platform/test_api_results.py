"""What users are told over HTTP is compared as soon as a task has ended."""

from collections.abc import Iterator

import pytest

from onceproof.conformance.coverage.graph import explore
from onceproof.conformance.drivers import open_driver
from onceproof.conformance.reference.platform.driver import PlatformDriver
from onceproof.conformance.replay.lockstep import replay
from onceproof.model.checker.results import Trace
from tests.helpers.present import present
from tests.helpers.systems import small


@pytest.fixture(scope="module")
def platform() -> Iterator[PlatformDriver]:
    driver = open_driver("platform")
    assert isinstance(driver, PlatformDriver)
    yield driver
    driver.close()


def run_to(action: str, failures: int = 0) -> Trace:
    """The shortest run that ends in an action."""
    system = small({"schedulers": 1, "agents": 1}, function_failure=failures)
    graph = explore(system)
    edge = next(edge for edge in graph.edges if edge.step.action == action)
    edges = [*(graph.edges[number] for number in graph.way_to(edge.source)), edge]
    states = (graph.states[0], *(graph.states[each.target] for each in edges))
    return Trace(system, states, tuple(each.step for each in edges))


@pytest.mark.parametrize(
    ("trace", "told"),
    [
        (run_to("record"), "<result of <payload of task1>, attempt 1>"),
        (run_to("record_failure", 1), "<error of <payload of task1>, attempt 1>"),
    ],
    ids=["result", "error"],
)
def test_the_api_tells_the_end_of_a_task(platform: PlatformDriver, trace: Trace, told: str) -> None:
    platform.break_as("")
    assert replay(trace, platform).disagreement is None
    assert platform.system.harness.told["task1"][0] == told


def test_a_result_that_the_api_does_not_tell_is_found(platform: PlatformDriver) -> None:
    platform.break_as("tells-no-result")
    disagreement = present(replay(run_to("record"), platform).disagreement)
    assert present(disagreement.step).action == "record"
    (lost,) = disagreement.differences
    assert (lost.label, lost.system) == ("GET[task1]", "Succeeded: ")
