"""Every ended task is counted once, whatever happens to the process that counts."""

from typing import Any

import pytest

from onceproof.implementation.components.census import BUCKETS, Census, Ended, counted
from onceproof.implementation.components.retention import Retention
from onceproof.implementation.errors import StoreUnavailable
from onceproof.implementation.settings import SECOND_NS
from tests.helpers.core_steps import heard, held, taken_over
from tests.helpers.fixture_types import MakeCore


def ended(started: float | None, end: float, attempts: int = 1, received: int = 1, outcome: str = "COMPLETED") -> Ended:
    start_ns = None if started is None else int(started * SECOND_NS)
    return Ended("m", "t", outcome, attempts, 0, start_ns, int(end * SECOND_NS), received)


def test_numbers_of_ended_tasks_are_outcomes_times_retries_and_lapses() -> None:
    numbers = counted(
        [ended(0.02, 0.09), ended(0.02, 9999.0, attempts=3, received=4), ended(None, 1, outcome="STOPPED")]
    )
    assert numbers == {
        ("tasks_ended", "COMPLETED"): 2,
        ("tasks_ended", "STOPPED"): 1,
        ("retries", ""): 2,
        ("leases_lapsed", ""): 3,
        ("wait_seconds", "le=0.025"): 2,
        ("wait_seconds", "sum"): pytest.approx(0.04),
        ("wait_seconds", "count"): 2,
        ("run_seconds", "le=0.1"): 1,
        ("run_seconds", "le=+Inf"): 1,
        ("run_seconds", "sum"): pytest.approx(9999.05),
        ("run_seconds", "count"): 2,
    }
    assert list(BUCKETS) == sorted(BUCKETS)


def test_ended_task_is_counted_once_and_stays_counted_when_it_is_removed(make_core: MakeCore) -> None:
    core = make_core()
    census = Census(core.database)
    heard(core)
    assert census.count() == 0, "it has not ended"
    core.step("record", scheduler="scheduler1", message="message1")
    assert (census.count(), census.count()) == (1, 0)
    assert core.database.row("SELECT outcome FROM tasks") == ("COMPLETED",)
    core.step("delete", scheduler="scheduler1", message="message1")
    assert Retention(core.database).remove(core.clock.now_ns() + 1) == 1
    assert census.count() == 0
    assert census.numbers()["tasks_ended", "COMPLETED"] == 1


def test_takeover_is_counted_as_a_lapsed_lease(make_core: MakeCore) -> None:
    core = make_core()
    held(core)
    core.step("scheduler_crash", scheduler="scheduler1")
    taken_over(core)
    core.step("place", scheduler="scheduler2", message="message1", agent="agent1")
    core.step("dispatch", scheduler="scheduler2", message="message1", agent="agent1")
    core.step("start", agent="agent1", scheduler="scheduler2", message="message1", attempt="attempt1")
    core.step("finish", agent="agent1", message="message1", attempt="attempt1")
    core.step("hear", scheduler="scheduler2", agent="agent1", message="message1", attempt="attempt1")
    core.step("record", scheduler="scheduler2", message="message1")
    assert Census(core.database).count() == 1
    assert Census(core.database).numbers()["leases_lapsed", ""] == 1


def test_census_that_fails_halfway_has_counted_nothing(make_core: MakeCore, monkeypatch: pytest.MonkeyPatch) -> None:
    core = make_core()
    census = Census(core.database)
    heard(core)
    core.step("record", scheduler="scheduler1", message="message1")

    def fail(*_: Any) -> None:
        raise StoreUnavailable("full")

    with monkeypatch.context() as broken, pytest.raises(StoreUnavailable):
        broken.setattr(census, "add", fail)
        census.count()
    assert census.numbers() == {}
    assert census.count() == 1
