"""Group commits of the platform under its gate: two actions in one commit, compared after it, and killed in it."""

from collections.abc import Iterator

import pytest

from onceproof.conformance.coverage.run import Budget, Coverage, cover
from onceproof.conformance.driver import DriverError, Interruption
from onceproof.conformance.drivers import open_driver
from onceproof.conformance.reference.core_driver import CoreDriver
from onceproof.conformance.reference.platform.driver import PlatformDriver
from onceproof.model.language import System
from tests.helpers.present import present
from tests.helpers.systems import small

ONE = small({"schedulers": 1, "agents": 1})
TWO = small({"tasks": 2, "schedulers": 1, "agents": 1})


@pytest.fixture(scope="module")
def platform() -> Iterator[PlatformDriver]:
    driver = open_driver("platform")
    assert isinstance(driver, PlatformDriver)
    yield driver
    driver.close()


def grouped(driver: PlatformDriver, system: System, states: int, mutant: str = "") -> Coverage:
    """The pairs in the first states of a run."""
    driver.break_as(mutant)
    budget = Budget(max_states=states, refusals=0, sample=1, interruptions=(Interruption.GROUP,))
    return cover(system, driver, budget)


def test_a_row_is_published_and_marked_in_one_commit(platform: PlatformDriver) -> None:
    found = grouped(platform, ONE, 10)
    assert found.disagreement is None and found.interrupted[0].complete
    assert found.interrupted[0].points["relay + mark_relayed"] >= 3
    assert "group commits" not in found.replaced and "time" in found.replaced


@pytest.mark.slow
def test_two_submissions_are_admitted_in_one_commit(platform: PlatformDriver) -> None:
    found = grouped(platform, TWO, 18)
    assert found.disagreement is None
    assert found.interrupted[0].points["admit + admit"] >= 5


def test_a_commit_for_each_statement_is_found(platform: PlatformDriver) -> None:
    found = grouped(platform, ONE, 10, "commits-each-statement")
    disagreement = present(found.disagreement)
    assert "its process died in a commit of relay + mark_relayed" in disagreement.reason
    assert found.confirmation.certain


def test_driver_that_has_no_group_commits_says_so() -> None:
    core = CoreDriver()
    with pytest.raises(DriverError, match="cannot have a process do several actions in one commit"):
        cover(ONE, core, Budget(max_states=6, refusals=0, sample=1, interruptions=(Interruption.GROUP,)))
    core.close()
