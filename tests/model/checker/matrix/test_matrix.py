"""The matrix: cases, sharing, processes, and minimal sets held against trying everything."""

import itertools
import os
import signal
from collections.abc import Iterable, Iterator, Sequence

import pytest

from onceproof.model.checker.explicit.engine import check
from onceproof.model.checker.matrix.cases import (
    Case,
    CaseResult,
    Setting,
    cases_of,
    content,
    counterexample,
    explored,
    not_explored,
)
from onceproof.model.checker.matrix.minimal_sets import SufficientSearch, breaking_faults
from onceproof.model.checker.matrix.replay import UntracedSystem, Witness, breaks
from onceproof.model.checker.matrix.workers import DIED, Workers
from onceproof.model.checker.results import INTERRUPTED, CheckResult, Limits, Stop, StopReason, Verdict
from onceproof.model.language import ConfigError, System
from onceproof.model.language.declare import DEADLOCK, Property
from onceproof.model.protocol.system import PROTOCOL
from tests.models.courier import COURIER

Names = tuple[str, ...]
MECHANISMS = ("resend", "patience", "doorman")
COLUMNS: list[Names] = [(), ("loss",), ("copy",), ("loss", "copy")]
SUBSETS: list[Names] = [c for size in range(4) for c in itertools.combinations(MECHANISMS, size)]
DISPATCH = Setting(PROTOCOL)


def off(*on: str) -> Names:
    return tuple(name for name in MECHANISMS if name not in on)


def serial(setting: Setting, limits: Limits | None = None) -> dict[Case, CaseResult]:
    """Every case of the courier."""
    cases = cases_of([off(*on) for on in SUBSETS], COLUMNS)
    return {case: explored(setting, case, setting.system(case), limits or Limits(), check) for case in cases}


def test_matrix_of_the_protocol_has_exact_lengths() -> None:
    rows: list[Names] = [(), ("sticky_placement",), ("agent_dedup",), ("renewal",)]
    columns: list[Names] = [(), ("scheduler_crash",), ("request_duplication",)]
    found = {}
    for case in cases_of(rows, columns):
        result = explored(DISPATCH, case, DISPATCH.system(case), Limits(), check)
        assert result.complete
        found[case.off, case.faults] = {f.name: f.length for f in result.findings.values() if f.broken}
    renewal = {"no_lost_task": 9, "message_settled": 9}
    assert found == {
        ((), ()): {},
        ((), ("scheduler_crash",)): {},
        ((), ("request_duplication",)): {},
        (("sticky_placement",), ()): {},
        (("sticky_placement",), ("scheduler_crash",)): {"at_most_once": 13},
        (("sticky_placement",), ("request_duplication",)): {},
        (("agent_dedup",), ()): {},
        (("agent_dedup",), ("scheduler_crash",)): {"at_most_once": 14},
        (("agent_dedup",), ("request_duplication",)): {"at_most_once": 10},
        (("renewal",), ()): renewal,
        (("renewal",), ("scheduler_crash",)): renewal,
        (("renewal",), ("request_duplication",)): renewal,
    }


def test_matrix_counterexample_is_stepped_through_again() -> None:
    case = Case(("sticky_placement",), ("scheduler_crash",))
    system = DISPATCH.system(case)
    finding = explored(DISPATCH, case, system, Limits(), check).findings["at_most_once"]
    again = counterexample(DISPATCH.system(case), finding)
    assert (len(again.trace), again.trace.faults) == (13, 1)
    assert system.holds(PROTOCOL.properties["at_most_once"], again.trace.states[-1], again.arguments) is False
    with pytest.raises(ValueError, match="is not enabled"):
        counterexample(DISPATCH.system(Case()), finding)


def test_matrix_takes_the_sizes_that_a_fault_needs_unless_given() -> None:
    setting = Setting(PROTOCOL, {"tasks": 2})
    assert setting.config(Case()).sizes["submissions"] == 1
    sizes = setting.config(Case((), ("response_loss", "function_failure"))).sizes
    assert (sizes["submissions"], sizes["attempts"]) == (2, 2)
    given = Setting(PROTOCOL, {"submissions": 1})
    assert given.config(Case((), ("response_loss",))).sizes["submissions"] == 1


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("at_most_onse",), "unknown property `at_most_onse`; did you mean `at_most_once`?"),
        (("rejection_seen",), "cannot be broken"),
    ],
)
def test_matrix_refuses_unknown_properties(names: Names, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        Setting(PROTOCOL, properties=names).checked()
    assert message in str(error.value)


def test_matrix_cases_are_equal_only_where_nothing_differs() -> None:
    def digest(*mechanisms: str, faults: Names = ()) -> bytes:
        return content(DISPATCH, DISPATCH.system(Case(mechanisms, faults)))

    assert digest() == digest()
    assert digest("graceful_drain") == digest()  # nobody is upgraded
    assert digest("graceful_drain", faults=("scheduler_upgrade",)) != digest(faults=("scheduler_upgrade",))
    assert digest(faults=("scheduler_crash",)) != digest()


def test_matrix_in_processes_finds_what_one_process_does() -> None:
    rows: list[Names] = [(), ("graceful_drain",), ("sticky_placement",)]
    cases = cases_of(rows, [(), ("reply_loss",)])
    with Workers(DISPATCH, Limits(), check, 2) as workers:
        found = {result.case: result for result in workers.run(cases)}
        assert {r.case for r in workers.run(cases)} == set(cases)  # known already
    assert set(found) == set(cases)
    shared = {result.case: result.shared for result in found.values() if result.shared}
    assert {tuple(sorted((str(a), str(b)))) for a, b in shared.items()} == {
        ("all on, no fault", "graceful_drain off, no fault"),
        ("all on, reply_loss", "graceful_drain off, reply_loss"),
    }
    for case, result in found.items():
        alone = explored(DISPATCH, case, DISPATCH.system(case), Limits(), check)
        assert (result.states, result.transitions, result.complete) == (alone.states, alone.transitions, True)
        assert {n: (f.verdict, f.length) for n, f in result.findings.items()} == {
            n: (f.verdict, f.length) for n, f in alone.findings.items()
        }


def dying(system: System, claims: Sequence[Property] | None, limits: Limits) -> CheckResult:
    if not system.config.switches["doorman"]:
        os.kill(os.getpid(), signal.SIGKILL)
    if not system.config.switches["patience"]:
        raise KeyError("a fault of the engine")
    return check(system, claims, limits)


def test_matrix_process_that_dies_makes_its_case_unknown() -> None:
    cases = [Case(("doorman",)), Case(), Case((), ("loss",))]
    with Workers(Setting(COURIER), Limits(), dying, 1) as workers:
        found = {result.case: result for result in workers.run(cases)}
    outcomes = [(found[case].stopped, found[case].unknown) for case in cases]
    assert outcomes == [(DIED, True), (None, False), (None, False)]
    with (
        Workers(Setting(COURIER), Limits(), dying, 1) as workers,
        pytest.raises(RuntimeError, match=r"(?s)patience off, no fault: .*a fault of the engine"),
    ):
        list(workers.run([Case(("patience",))]))


def test_limit_makes_the_hidden_matrix_cells_unknown() -> None:
    case = Case(("renewal",), ("stale_owner",))
    result = explored(DISPATCH, case, DISPATCH.system(case), Limits(max_states=300), check)
    assert not result.complete and result.stopped == Stop(StopReason.STATES, 300)
    assert result.findings["no_lost_task"].verdict is Verdict.UNKNOWN
    holder = result.findings["single_holder"]
    assert holder.broken and not holder.sure
    nothing = not_explored(DISPATCH, case, INTERRUPTED)
    assert set(nothing.findings) == set(result.findings)
    assert nothing.unknown


def test_replayed_counterexamples_are_judged_as_exploration_judges_them() -> None:
    """Every counterexample of every case, asked of every other set of mechanisms: it never claims what is not so."""
    setting = Setting(COURIER)
    results = serial(setting)
    claimed = 0
    for case, result in results.items():
        for finding in (f for f in result.findings.values() if f.broken):
            witness = Witness(setting, MECHANISMS, case.faults, finding)
            for on in SUBSETS:
                mask = sum(1 << MECHANISMS.index(name) for name in on)
                other = Case(off(*on), case.faults)
                broken = witness.breaks(mask)
                assert broken == breaks(UntracedSystem(setting, other), finding)  # what is remembered is right
                claimed += broken
                if broken:
                    assert results[other].findings[finding.name].broken
                if other == case:
                    assert broken  # and it is one where it comes from
    assert claimed == 60


def by_trying_all(results: dict[Case, CaseResult], claims: Names) -> set[Names]:
    """The minimal sufficient sets by their definition."""

    def holds(on: Names, faults: Names) -> bool:
        return all(results[Case(off(*on), faults)].findings[c].verdict is Verdict.HOLDS for c in claims)

    columns = [faults for faults in COLUMNS if holds(MECHANISMS, faults)]
    enough = [set(on) for on in SUBSETS if all(holds(on, faults) for faults in columns)]
    return {tuple(m for m in MECHANISMS if m in on) for on in enough if not any(other < on for other in enough)}


def test_minimal_sets_of_mechanisms_agree_with_trying_all() -> None:
    setting = Setting(COURIER)
    results = serial(setting)
    rows: list[Names] = [(), *((name,) for name in MECHANISMS)]
    known = {case: results[case] for case in cases_of(rows, COLUMNS)}
    search = SufficientSearch(setting, MECHANISMS, COLUMNS, known, {"both": ("taken_in_once", "arrives")})
    asked: list[Case] = []

    def run(cases: Iterable[Case]) -> Iterator[CaseResult]:
        for case in cases:
            asked.append(case)
            yield results[case]

    search.run(run, at_once=1)
    assert {r.property: set(r.sets) for r in search.results} == {
        "taken_in_once": by_trying_all(results, ("taken_in_once",)),
        "arrives": by_trying_all(results, ("arrives",)),
        DEADLOCK: by_trying_all(results, (DEADLOCK,)),
        "both": by_trying_all(results, ("taken_in_once", "arrives")),
    }
    assert {r.property: r.sets for r in search.results}["both"] == [("resend", "doorman")]
    assert all(r.tried == 3 and not r.undecided and not r.stopped for r in search.results)
    assert len(asked) == len(set(asked)) < len(results) - len(known)  # much is settled by what is known


def test_sets_of_mechanisms_left_open_by_a_limit_are_undecided() -> None:
    setting = Setting(COURIER)
    results = serial(setting)
    known = {case: results[case] for case in cases_of([()], COLUMNS)}
    search = SufficientSearch(setting, MECHANISMS, COLUMNS, known)
    search.run(
        lambda cases: (not_explored(setting, case, Stop(StopReason.STATES, 1)) for case in cases), at_once=2, most=1
    )
    taken = search.results[0]
    assert (taken.property, taken.sets, taken.tried, taken.stopped) == (
        "taken_in_once",
        [],
        1,
        Stop(StopReason.SET_SIZE, 1),
    )
    assert taken.undecided == [(), ("resend",), ("patience",), ("doorman",)]


def test_minimal_sets_of_faults_are_found() -> None:
    faults = ("lease_lapse", "broker_duplicate", "stale_owner")
    setting = Setting(PROTOCOL, properties=("single_holder", "at_most_once"))
    asked = []

    def run(cases: Iterable[Case]) -> Iterator[CaseResult]:
        for case in cases:
            asked.append(case.faults)
            yield explored(setting, case, setting.system(case), Limits(), check)

    holder, once = breaking_faults(setting, faults, 2, {}, run)
    assert holder.faults == [("broker_duplicate",), ("lease_lapse", "stale_owner")]
    assert [finding.length for finding in holder.sets] == [6, 8]
    assert (once.faults, once.undecided, once.tried) == ([], [], 2)
    assert len(asked) == 1 + 3 + 3
