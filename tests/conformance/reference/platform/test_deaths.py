"""Deaths in the middle of an action of the platform: by SIGKILL, at each point; what is half done then is found."""

from collections.abc import Iterator

import pytest

from onceproof.conformance.coverage.run import Budget, Coverage, cover
from onceproof.conformance.driver import Interruption
from onceproof.conformance.drivers import open_driver
from onceproof.conformance.reference.platform.driver import PlatformDriver
from tests.helpers.present import present
from tests.helpers.systems import small

SYSTEM = small({"schedulers": 1, "agents": 1})


@pytest.fixture(scope="module")
def platform() -> Iterator[PlatformDriver]:
    driver = open_driver("platform")
    assert isinstance(driver, PlatformDriver)
    yield driver
    driver.close()


def with_deaths(driver: PlatformDriver, mutant: str = "", how: Interruption = Interruption.DEATH) -> Coverage:
    """The first states of a run, with every death in them."""
    driver.break_as(mutant)
    return cover(SYSTEM, driver, Budget(max_states=4, refusals=0, sample=1, interruptions=(how,)))


def test_platform_is_as_before_or_as_after_at_every_point(platform: PlatformDriver) -> None:
    found = with_deaths(platform)
    assert found.disagreement is None
    assert found.interrupted[0].complete
    assert found.interrupted[0].points["admit"] >= 3


@pytest.mark.parametrize(
    ("mutant", "cell"),
    [("commits-each-statement", "recorded[task1]"), ("answers-before-the-commit", "call[task1, submission1]")],
)
def test_half_an_admission_is_found(platform: PlatformDriver, mutant: str, cell: str) -> None:
    found = with_deaths(platform, mutant)
    disagreement = present(found.disagreement)
    assert present(disagreement.step).action == "admit"
    assert "its process died in the middle" in disagreement.reason
    assert cell in [difference.label for difference in disagreement.differences]
    assert found.confirmation.certain


def test_platform_is_as_before_when_its_store_refuses_and_goes_on(platform: PlatformDriver) -> None:
    found = with_deaths(platform, how=Interruption.REFUSAL)
    assert found.disagreement is None
    assert found.interrupted[0].complete
    assert found.interrupted[0].points["admit"] >= 3


def test_acceptance_without_a_store_is_found(platform: PlatformDriver) -> None:
    found = with_deaths(platform, "answers-before-the-commit", Interruption.REFUSAL)
    assert present(present(found.disagreement).step).action == "admit"
