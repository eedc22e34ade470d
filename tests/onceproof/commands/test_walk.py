"""`onceproof walk`: what it prints, writes and returns."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from onceproof.main import run
from onceproof.model.checker import swarm
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


def test_swarm_tells_what_it_met_by_cells(capsys: pytest.CaptureFixture[str]) -> None:
    spec = str(SPECS / "scheduler-failover.yaml")
    assert run(["walk", spec, "--swarm", "--members", "3"]) == 0
    printed = capsys.readouterr().out
    assert "scheduler-failover: 3 members, seeds 0 to 2, at most 200 steps deep" in printed
    assert re.search(r"^ +all +no fault +scheduler_crash$", printed, re.MULTILINE)
    assert re.search(r"^  agent_dedup +\d+ +0 +\d+$", printed, re.MULTILINE)
    assert "not met: receipt_fencing" in printed
    assert "one member met every state that it could find" in printed and "that is not a proof" in printed
    assert run(["walk", spec, "--swarm", "--members", "3", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    cells = {(cell["mechanism"], cell["fault"]): cell["states_met"] for cell in document["cells"]}
    assert cells["agent_dedup", "no fault"] == 0 < cells["agent_dedup", "scheduler_crash"]
    assert (document["verdict"], document["members"], document["complete"]) == ("unknown", 3, True)


def test_violation_of_a_swarm_is_found_again_by_its_seed(capsys: pytest.CaptureFixture[str]) -> None:
    spec = SPECS / "request-twice-started-twice.yaml"
    assert run(["walk", str(spec), "--swarm"]) == 0
    printed = capsys.readouterr().out
    assert "at_most_once is violated for task1, attempt1" in printed and "10 steps, 1 fault" in printed
    again = next(line for line in printed.splitlines() if line.startswith("reproduce: ")).split()
    assert again[4:6] == ["--swarm", "--members"]
    assert run(again[2:]) == 0
    assert "10 steps, 1 fault" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--swarm", "--runs", "5"], "walk: --runs does not go with --swarm"),
        (["--swarm", "--engine", "plain"], "walk: --engine does not go with --swarm"),
        (["--members", "5"], "walk: --members goes with --swarm"),
        (["--swarm", "--members", "0"], "--members"),
    ],
)
def test_options_of_a_walk_that_do_not_go_together_are_refused(
    options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["walk", str(SPECS / "plain-day.yaml"), *options]) == 2
    assert message in capsys.readouterr().err


def test_swarm_ended_by_ctrl_c_reports_what_was_met(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    added = swarm._Swarm._report

    def interrupted(one: Any) -> None:
        added(one)
        raise KeyboardInterrupt

    monkeypatch.setattr(swarm._Swarm, "_report", interrupted)
    assert run(["walk", str(SPECS / "plain-day.yaml"), "--swarm", "--json"]) == 3
    report = json.loads(capsys.readouterr().out)
    assert (report["stopped"], report["verdict"]) == ("interrupted", "unknown")
    assert report["members"] >= 1 and report["visits"] >= 100


def test_model_without_properties_is_walked_for_deadlocks_and_ranges(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "log.py"
    model.write_text("""
from onceproof import Int, Seq, State, action, field


class Log(State):
    "What was said."
    said = field(Seq(Int(0, 1), 2))


@action
def say(st: Log) -> None:
    "Something more."
    st.said.append(1)
""")
    for options in ([], ["--swarm", "--members", "1"]):
        assert run(["walk", str(model), *options]) == 1
        assert "range of said is violated" in capsys.readouterr().out
