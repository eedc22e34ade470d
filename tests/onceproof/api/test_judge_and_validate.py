"""`judge` and `validate` of the Python API."""

from pathlib import Path

import pytest

from onceproof import Guarantee, InputError, Verdict, build, judge, validate
from tests.conformance.judging.ledgers import as_ledger
from tests.conformance.validation.written import lines_of, random_run, written
from tests.models.philosophers import PHILOSOPHERS


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """A task that was started twice."""
    path = tmp_path / "ledger.ndjson"
    path.write_text(as_ledger("0 accepted a\n1 start a w1\n2 finish a w1\n5 start a w2\n6 finish a w2\n60 end -"))
    return path


def test_judge_returns_a_report_with_what_the_command_prints(ledger: Path) -> None:
    report = judge(ledger, lease=10)
    assert report.verdict is Verdict.VIOLATED and not report.holds
    assert report.guarantee is Guarantee.AT_LEAST_ONCE
    assert {each.anomaly.name for each in report.findings} == {
        "sequential_starts",
        "finished_twice",
        "started_on_two_workers",
    }
    assert "exactly once: violated" in str(report) and report.to_json()["verdict"] == "violated"


def test_judge_takes_an_expectation_and_says_what_is_missing(ledger: Path) -> None:
    assert judge(ledger, lease=10, expect=Guarantee.AT_LEAST_ONCE).holds
    unstated = judge(ledger, expect=Guarantee.AT_LEAST_ONCE)
    assert unstated.verdict is Verdict.UNKNOWN and "the lease is not stated" in str(unstated)


def test_wrong_logs_are_input_errors(tmp_path: Path, ledger: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        judge(tmp_path / "none")
    with pytest.raises(InputError, match="no event of the logs has the name of an action"):
        validate(PHILOSOPHERS, ledger)


def test_validate_returns_a_report_with_what_the_command_prints(tmp_path: Path) -> None:
    system = build(PHILOSOPHERS)
    run = next(run for seed in range(100) if len(run := random_run(system, seed, 12)) == 12)
    lines = lines_of(system, run)
    report = validate(PHILOSOPHERS, written(tmp_path / "log", lines))
    assert report.holds and report.verdict is Verdict.HOLDS and report.validation.explained == 1
    assert "the model admits this log" in str(report) and report.to_json()["verdict"] == "holds"
    eats = [number for number, line in enumerate(lines) if line["action"] == "take_left"]
    refuted = validate(PHILOSOPHERS, [written(tmp_path / "log", lines[: eats[0]] + lines[eats[0] + 1 :])])
    assert refuted.verdict is Verdict.VIOLATED and refuted.diagnoses[0].blocked
