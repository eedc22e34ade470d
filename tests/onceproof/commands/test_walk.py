"""`onceproof walk`: what it prints, writes and returns."""

import json
from pathlib import Path
from typing import Any

import pytest

from onceproof.main import run
from onceproof.model.checker.compiled import random_walk
from tests.paths import SPECS


def test_walk_finds_shortens_and_writes_an_expected_violation(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trace = tmp_path / "found.itf.json"
    spec = SPECS / "request-twice-started-twice.yaml"
    assert run(["walk", str(spec), "--trace-out", str(trace), "--seed", "1"]) == 0
    printed = capsys.readouterr().out
    assert "at_most_once is violated for task1, attempt1" in printed
    assert "10 steps, 1 fault" in printed
    again = next(line for line in printed.splitlines() if line.startswith("reproduce: ")).split()
    assert run(again[2:]) == 0
    assert "10 steps, 1 fault" in capsys.readouterr().out
    assert run(["show", str(trace)]) == 0


def test_walk_exits_with_1_on_an_unexpected_violation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = tmp_path / "surprise.yaml"
    spec.write_text("faults: {request_duplication: 1}\nmechanisms: {agent_dedup: off}\nexpect: holds\n")
    assert run(["walk", str(spec), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["verdict"], report["counterexample"]["length"]) == ("violated", 10)


def test_walk_with_the_compiled_engine_is_the_same_for_any_number_of_workers(
    capsys: pytest.CaptureFixture[str],
) -> None:
    spec = str(SPECS / "request-twice-started-twice.yaml")
    report = []
    for workers in ("1", "2"):
        assert run(["walk", spec, "--engine", "compiled", "--workers", workers, "--seed", "3", "--json"]) == 0
        report.append(json.loads(capsys.readouterr().out))
    assert [(one["run"], one["length_found"], one["engine"], one["states_met_exact"]) for one in report] == [
        (report[0]["run"], report[0]["length_found"], "compiled", False)
    ] * 2
    assert report[0]["counterexample"]["steps"] == report[1]["counterexample"]["steps"]
    assert report[0]["counterexample"]["length"] == 10


def test_walk_that_finds_nothing_says_that_this_is_no_proof(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["walk", str(SPECS / "plain-day.yaml"), "--runs", "200"]) == 0
    printed = capsys.readouterr().out
    assert "200 runs" in printed and "that is not a proof" in printed


def test_walk_is_undecided_when_an_expected_violation_is_not_met(capsys: pytest.CaptureFixture[str]) -> None:
    spec = str(SPECS / "request-twice-started-twice.yaml")
    assert run(["walk", spec, "--runs", "5", "--depth", "3"]) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([str(SPECS)], "expected one spec"),
        ([str(SPECS / "plain-day.yaml"), "--runs", "0"], "--runs"),
        ([str(SPECS / "joiner-never-told.yaml")], "no *always* property"),
        ([str(SPECS / "plain-dya.yaml")], "plain-dya.yaml"),
    ],
)
def test_walk_refuses_wrong_input(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["walk", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_walk_ended_by_ctrl_c_reports_what_was_walked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Compiled walks go round by round; one that is interrupted does not count."""
    rounds: list[int] = []
    walked = random_walk._Walkers.round

    def interrupted(walkers: Any, start: int, stop: int) -> None:
        if len(rounds) == 2:
            raise KeyboardInterrupt
        rounds.append(stop - start)
        walked(walkers, start, stop)

    monkeypatch.setattr(random_walk._Walkers, "round", interrupted)
    assert run(["walk", str(SPECS / "plain-day.yaml"), "--engine", "compiled", "--json"]) == 3
    report = json.loads(capsys.readouterr().out)
    assert (report["runs"], report["stopped"], report["verdict"]) == (sum(rounds), "interrupted", "unknown")
    assert report["steps"] > 0
