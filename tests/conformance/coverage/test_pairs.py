"""Pairs of faults: the least sizes for each, and covers of all within one limit of time or steps."""

import itertools

import pytest

from onceproof.conformance.coverage import fault_pairs
from onceproof.conformance.coverage.fault_pairs import FaultPair, LeastSizes, Unsure, after_both, pairs_of
from onceproof.conformance.coverage.graph import explore
from onceproof.conformance.coverage.pairs import Outcome, cover_pairs
from onceproof.conformance.coverage.run import Budget
from onceproof.conformance.reference.mutants import MUTANTS
from onceproof.model.checker.results import Stop, StopReason
from onceproof.model.language import Model, Optional, Sort, State, System, action, build, fault, field, require
from onceproof.model.protocol.system import PROTOCOL
from tests.helpers.fixture_types import OpenCore
from tests.helpers.present import present
from tests.helpers.systems import ModelDriver, protocol


class Client(Sort):
    """Who may hold the lock."""


class Lock(State):
    holder = field(Optional[Client])
    down = field(bool)


@action
def acquire(st: Lock, client: Client) -> None:
    require(not st.down and st.holder is None)
    st.holder = client


@fault
def crash(st: Lock) -> None:
    require(not st.down)
    st.down = True


@fault
def steal(st: Lock, client: Client) -> None:
    require(st.holder is not None and st.holder != client)
    st.holder = client


@fault
def flood(st: Lock) -> None:
    require(st.down and not st.down)
    st.holder = None


def lock() -> System:
    return build(Model("lock", {"Lock": Lock, "acquire": acquire, "crash": crash, "steal": steal, "flood": flood}))


def test_pairs_are_of_all_that_is_bounded_and_of_each_with_itself() -> None:
    pairs = pairs_of(PROTOCOL)
    names = {*PROTOCOL.faults, "stops", "hand_overs", "expiries"}
    assert {frozenset((pair.one, pair.other)) for pair in pairs} == {
        frozenset(both) for both in itertools.combinations_with_replacement(names, 2)
    }
    assert len(pairs) == 190
    assert [str(FaultPair("a", "b")), str(FaultPair("a", "a"))] == ["a + b", "a twice"]


@pytest.mark.parametrize(
    ("pair", "above_one"),
    [
        (("scheduler_crash", "agent_crash"), {}),
        (("stale_owner", "scheduler_crash"), {"schedulers": 2}),
        (("stops", "stops"), {"tasks": 2}),  # a task is stopped once
        (("function_failure", "agent_crash"), {"attempts": 2}),
        (("response_loss", "stale_owner"), {"submissions": 2, "schedulers": 2}),
    ],
)
def test_least_sizes_are_found_by_search(pair: tuple[str, str], above_one: dict[str, int]) -> None:
    search = LeastSizes(protocol())
    found = present(search.find(FaultPair(*pair)))
    assert {name: size for name, size in search.of(found).items() if size > 1} == above_one
    used = {name: left for name, left in found.config.budgets.items() if left}
    assert sum(present(left) for left in used.values()) + found.config.sizes["stops"] == 2


def test_pair_that_cannot_happen_is_told_from_one_that_was_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    search = LeastSizes(lock())
    assert search.find(FaultPair("crash", "crash")) is None
    assert search.find(FaultPair("crash", "flood")) is None
    assert search.of(present(search.find(FaultPair("crash", "steal")))) == {"clients": 2}
    monkeypatch.setattr(fault_pairs, "MOST_STATES", 1)
    with pytest.raises(Unsure):
        search.find(FaultPair("crash", "crash"))


def test_transitions_after_both_are_those_that_leave_no_budget() -> None:
    system = present(LeastSizes(lock()).find(FaultPair("crash", "steal")))
    graph = explore(system)
    shown = {graph.edges[n].step.action for n in after_both(graph)}
    assert shown == {"crash", "steal"}  # either may be the second, and nothing can follow


def test_pairs_of_a_model_are_covered_in_full() -> None:
    system = lock()
    found = cover_pairs(system, ModelDriver(system, performs={"acquire", "crash"}))
    outcomes = {str(one.pair): one.outcome for one in found.pairs}
    assert outcomes["crash twice"] is outcomes["crash + flood"] is Outcome.IMPOSSIBLE
    assert outcomes["crash + steal"] is outcomes["steal twice"] is Outcome.NOT_PERFORMED
    assert found.complete and found.differs is None


def test_time_that_is_up_leaves_pairs_out_and_says_so() -> None:
    system = protocol()
    found = cover_pairs(system, ModelDriver(system), Budget(max_seconds=0.01))
    assert not found.complete and found.stopped == Stop(StopReason.SECONDS, 0.01)
    assert {one.outcome for one in found.pairs} <= {Outcome.OUT_OF_TIME, Outcome.PARTLY}


def test_steps_are_shared_among_the_pairs(open_core: OpenCore, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = pairs_of(PROTOCOL)[3:7]
    monkeypatch.setattr("onceproof.conformance.coverage.pairs.pairs_of", lambda model: chosen)
    found = cover_pairs(protocol(), open_core(), Budget(max_steps=400, refusals=0))
    taken = [present(one.coverage).steps for one in found.pairs]
    assert sum(taken) == 400 and min(taken) >= 100 - 3
    assert found.stopped == Stop(StopReason.STEPS, 400) and found.differs is None


def test_fault_of_a_pair_is_found(open_core: OpenCore, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = [FaultPair("scheduler_pause", "stale_owner"), FaultPair("scheduler_crash", "scheduler_pause")]
    monkeypatch.setattr("onceproof.conformance.coverage.pairs.pairs_of", lambda model: chosen)
    driver = open_core(MUTANTS["delete-without-receipt"].make)
    found = cover_pairs(protocol(), driver, Budget(refusals=5))
    differs = present(found.differs)
    assert not found.complete and present(present(differs.coverage).trace).faults >= 1
