"""Short storms on the real platform: the platform as it is holds; what is broken in it is found by its own claim."""

import json
from pathlib import Path

import pytest

from onceproof.conformance.reference.storm import run
from onceproof.conformance.reference.storm.verdict import Claim
from onceproof.model.checker.results import Verdict
from onceproof.reports.platform_storm import document, report_lines, verdict_of
from tests.helpers.fixture_types import Command

pytestmark = pytest.mark.slow

# What is broken, what alone is struck, for how many seconds, and the claim that this breaks.
MUTANTS = {
    "result-of-another-task": (("balancer",), 2, Claim.RESULT),
    "payload-dropped": (("balancer",), 2, Claim.PAYLOAD),
    "answers-before-the-commit": (("api",), 4, Claim.KEPT),
    "deletes-and-then-records": (("scheduler1", "scheduler2"), 6, Claim.KEPT),
}


def test_every_claim_of_the_platform_holds(tmp_path: Path, onceproof: Command) -> None:
    done = onceproof("storm", "platform", "--seconds", "6", "--folder", str(tmp_path / "storm"), "--json")
    found = json.loads(done.out)
    assert found["faults"] == []
    assert found["tasks"] > 10 and sum(found["strikes"].values()) > 2
    assert done.status in (0, 3)  # six seconds may not have shown every kind of task on a busy machine
    again = onceproof("storm", "platform", "--folder", str(tmp_path / "storm"))
    assert again.status == 2
    assert again.err.endswith("has the data of another storm; name a new folder\n")


@pytest.mark.parametrize("mutant", MUTANTS)
def test_what_is_broken_is_found(mutant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only, seconds, claim = MUTANTS[mutant]
    monkeypatch.setattr(run, "QUIET_SECONDS", 10.0)
    for seed in range(4):  # whether a kill meets the moment is chance, the more so where others have the processors
        result = run.storm(tmp_path / f"storm{seed}", seconds, seed=seed, only=only, mutant=mutant)
        if result.broken(claim):
            break
    assert verdict_of(result) is Verdict.VIOLATED
    assert result.broken(claim), "\n".join(report_lines(result))
    told = [one for one in document(result)["faults"] if one["claim"] == claim.value and one["task"]]
    assert any("submits it" in line for line in told[0]["story"])


def test_a_name_that_nothing_has_is_refused(onceproof: Command) -> None:
    done = onceproof("storm", "platform", "--only", "shceduler1")
    assert done.status == 2
    assert "--only: nothing is called `shceduler1`; did you mean `scheduler1`?" in done.err
