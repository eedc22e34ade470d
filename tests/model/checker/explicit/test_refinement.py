"""Refinement on explicit graphs: two-phase commit is transaction commit, and each mutant of it is not."""

from pathlib import Path

import pytest

from onceproof.inputs.models import resolve
from onceproof.model.checker.deadline import OutOfTime
from onceproof.model.checker.explicit import engine
from onceproof.model.checker.explicit import refinement as explicit_refinement
from onceproof.model.checker.results import CheckResult, Limits, Verdict
from onceproof.model.language import Model, System, build
from onceproof.model.language.refinement import refinement_of
from tests.paths import ROOT

GALLERY = ROOT / "docs" / "models"
NAME = "commits_as_one"
# Each line is changed in one place, so that the protocol breaks.
MUTANTS = {
    "commits without hearing of anybody": (
        "not st.hears_all or forall(Manager, lambda manager: st.heard[manager])",
        "True",
    ),
    "hears of who is not prepared": (" and st.prepared[manager])", ")"),
    "aborts by itself after it is prepared": (
        "require(st.stage[manager] == Stage.WORKING)\n    st.stage[manager] = Stage.ABORTED",
        "require(st.stage[manager] != Stage.COMMITTED)\n    st.stage[manager] = Stage.ABORTED",
    ),
    "changes its decision": (
        "require(st.decision == Decision.NONE)\n    st.decision = Decision.ABORT",
        "st.decision = Decision.ABORT",
    ),
    "commits for itself": (
        "if st.decision == Decision.COMMIT else",
        "if st.decision != Decision.ABORT or not st.heard[manager] else",
    ),
}


def two_phase(folder: Path, old: str = "", new: str = "") -> Model:
    """Two-phase commit with one place changed."""
    for name in ("transaction_commit", "two_phase_commit"):
        text = (GALLERY / f"{name}.py").read_text(encoding="utf-8")
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    assert text.count(old) == 1 or not old
    (folder / "two_phase_commit.py").write_text(text.replace(old, new) if old else text, encoding="utf-8")
    return resolve("two_phase_commit.py", folder).model


def by_hand(system: System) -> tuple[int, bool]:
    """How many steps the shortest run takes that the abstract model does not have, by taking all steps; and if any."""
    refinement = refinement_of(system, system.model.properties[NAME])
    depths, states = {system.initial: 0}, [system.initial]
    for state in states:
        for _, after in system.successors(state):
            mine, theirs = refinement.mapping.image(state), refinement.mapping.image(after)
            followers = {end for _, end in refinement.abstract.successors(mine)}
            if mine != theirs and theirs not in followers:
                return depths[state] + 1, True
            if after not in depths:
                depths[after] = depths[state] + 1
                states.append(after)
    return 0, False


def checked(system: System, name: str, limits: Limits | None = None) -> CheckResult:
    """What an engine finds of the refinement."""
    return engine.check(system, system.properties([NAME]), limits, name)


@pytest.mark.parametrize("name", ["direct", "plain"])
def test_two_phase_commit_is_transaction_commit(name: str) -> None:
    system = build(resolve("two_phase_commit.py", GALLERY).model)
    found = checked(system, name)
    assert (found.states, found.verdict, found.vacuous) == (288, Verdict.HOLDS, [])
    assert refinement_of(system, system.model.properties[NAME]).abstract.model.name == "transaction_commit"


@pytest.mark.parametrize("name", ["direct", "plain"])
@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS.keys())
def test_mutant_is_caught_by_a_shortest_run(mutant: tuple[str, str], name: str, tmp_path: Path) -> None:
    system = build(two_phase(tmp_path, *mutant))
    (found,) = checked(system, name).properties
    assert found.counterexample is not None and found.verdict is Verdict.VIOLATED
    assert (len(found.counterexample.trace), True) == by_hand(system)
    *_, before, after = found.counterexample.trace.states
    refinement = refinement_of(system, system.model.properties[NAME])
    assert not refinement.keeps(before, after)


def test_limit_leaves_it_unknown_unless_what_was_found_violates_it(tmp_path: Path) -> None:
    system = build(two_phase(tmp_path))
    found = checked(system, "plain", Limits(max_depth=3))
    assert (found.verdict, found.bound) == (Verdict.UNKNOWN, 3)


def test_mapping_that_never_changes_makes_it_vacuous(tmp_path: Path) -> None:
    system = build(
        two_phase(tmp_path, "spec.stage[manager] = st.stage[manager]", "spec.stage[manager] = Stage.WORKING")
    )
    found = checked(system, "plain")
    assert found.verdict is Verdict.HOLDS
    assert found.vacuous == [f"{NAME}: no step changes anything in the abstract model: all states have one image"]


def test_interrupt_while_steps_are_judged_leaves_it_unknown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(engine, "judged", interrupted)
    found = checked(build(two_phase(tmp_path)), "plain")
    assert found.verdict is Verdict.UNKNOWN and found.stopped is not None and found.stopped.interrupted


@pytest.mark.parametrize(("looks", "verdict"), [(1, Verdict.UNKNOWN), (40, Verdict.VIOLATED)])
def test_what_was_wrong_before_the_time_was_up_is_a_violation(
    looks: int, verdict: Verdict, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    left = iter(range(looks))

    def time_is_up() -> None:
        if next(left, None) is None:
            raise OutOfTime

    monkeypatch.setattr(explicit_refinement, "check_time", time_is_up)
    (found,) = checked(build(two_phase(tmp_path, *MUTANTS["commits without hearing of anybody"])), "plain").properties
    assert found.verdict is verdict
    assert found.counterexample is None or not found.counterexample.minimal
