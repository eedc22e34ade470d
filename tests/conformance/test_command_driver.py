"""Foreign drivers: the protocol, the worked example in Node.js, and every way to go wrong, none of which may hang."""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from onceproof.conformance.command_driver import ProcessDriver
from onceproof.conformance.coverage.run import Budget, cover
from onceproof.conformance.driver import DriverError, Interruption
from onceproof.conformance.driver_check import examine
from onceproof.conformance.replay.lockstep import Kind, replay
from onceproof.conformance.testing.coverage_guided import Effort, drive
from onceproof.model.language import System
from tests.helpers.fixture_types import Command
from tests.helpers.present import present
from tests.helpers.systems import small
from tests.paths import HELPERS, ROOT

NODE = f"node {ROOT / 'conformance' / 'examples' / 'admission.js'}"
FAILOVER = ROOT / "specs" / "scheduler-failover.yaml"

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not on this machine")


def odd(mode: str) -> str:
    return f"{sys.executable} {HELPERS / 'odd_driver.py'} {mode}"


def resubmitting() -> System:
    return small({"submissions": 2}, response_loss=1)


WRONG = {
    "garbage": r"`Segmentation fault`, which is not JSON; expected .*\"id\": 1.* the answer to reset",
    "no-object": r"wrote `\[1, 2\]`, expected",
    "no-ok": r"wrote `.*`, expected .*\"ok\": true or false",
    "deep": "is not JSON",
    "never": "wrote nothing for 1 s, expected an answer to reset",
    "late": "wrote nothing for 1 s, expected an answer to step submit",
    "exits": "exited with status 7, expected an answer to step submit; it said last: out of luck",
    "killed": "was ended by SIGKILL, expected an answer to step submit",
    "closes": "closed its output, expected an answer to step submit",
    "twice": "answered request 1 .*twice, or too late|before observe was asked the driver wrote",
    "out-of-order": 'answered request 2, expected {"id": 1',
    "true-id": 'answered request true, expected {"id": 1',
    "speaks-first": "`ready!`",
    "endless-line": "without an end of line",
    "half-a-line": "without an end of line",
    "version": "speaks protocol 2, expected 1",
    "no-list": 'said "performs": "all" at reset, expected a list of names',
    "performs-nothing": "performs nothing",
    "unknown-action": "action `submitt`, which the model lacks; did you mean `submit`",
    "unknown-field": "observes `cal`, which the model lacks; did you mean `call`",
    "unknown-value": "= 'WAITIN', expected one of UNSENT, WAITING",
    "interrupts-a-list": r'said "interruptions": \["submit"\] at reset, expected {"deaths": {action: fault}',
    "interrupts-numbers": r'said "interruptions": .*1.* at reset, expected {"deaths": {action: fault}',
    "data-list": r'observed "data": \[\], expected "data": {place: {"wanted": text, "found": text}}',
    "data-texts": 'observed "data": {"payload": "x"}, expected',
    "data-number": 'observed "data": {"payload": {"wanted": 1}}, expected',
    "no-state": 'observed null, expected "state"',
    "no-reason": "refused without a reason",
}


@pytest.mark.parametrize(
    ("mode", "message"),
    [
        ("interrupts-what", "interrupts an action `submitt`, which the model lacks; did you mean `submit`"),
        ("interrupts-by-what", "interrupts a fault `api_crush`, which the model lacks; did you mean `api_crash`"),
        ("interrupts-whatever", 'answered an interruption with null, expected "interrupted": true or false'),
        ("", "can interrupt none of these actions by a death"),
    ],
)
def test_interruptions_that_are_none_are_said_in_one_line(mode: str, message: str) -> None:
    driver = ProcessDriver(odd(mode or "plain"), answer_seconds=20)
    try:
        with pytest.raises(DriverError, match=message):
            cover(small(), driver, Budget(interruptions=(Interruption.DEATH,)))
    finally:
        driver.close()


@pytest.mark.parametrize("mode", WRONG)
def test_faulty_driver_is_reported_without_hanging(mode: str) -> None:
    driver = ProcessDriver(odd(mode), answer_seconds=1 if mode in ("never", "late") else 20)
    try:
        with pytest.raises(DriverError, match=WRONG[mode]):
            cover(small(), driver)
    finally:
        driver.close()
    assert driver._process.poll() is not None


@pytest.mark.parametrize("command", ["/no/such/driver", "", "'"])
def test_driver_command_that_cannot_start_is_reported(command: str) -> None:
    with pytest.raises(DriverError, match="cannot be started"):
        ProcessDriver(command)


def test_driver_that_floods_stderr_does_not_block() -> None:
    driver = ProcessDriver(odd("floods-stderr"))
    found = cover(small(), driver)
    driver.close()
    assert found.disagreement is None and found.covered == found.performable == 1


@pytest.mark.parametrize(("mode", "kind"), [("refuses-all", Kind.MISSING), ("forgets", Kind.DIFFERENT)])
def test_system_that_differs_is_a_disagreement_and_no_driver_error(mode: str, kind: Kind) -> None:
    driver = ProcessDriver(odd(mode))
    found = cover(small(), driver)
    driver.close()
    disagreement = present(found.disagreement)
    assert disagreement.kind is kind
    assert present(disagreement.step).action == "submit"


def test_after_an_uncertain_step_the_observation_decides() -> None:
    driver = ProcessDriver(odd("uncertain"))
    found = cover(small(), driver)
    driver.close()
    disagreement = present(found.disagreement)
    assert (disagreement.kind, disagreement.reason) == (Kind.DIFFERENT, "the line broke")


def test_silence_costs_a_path_and_not_the_cover(tmp_path: Path) -> None:
    driver = ProcessDriver(f"{odd('stalls-once')} {tmp_path / 'stalled'}", answer_seconds=3)
    found = cover(small(), driver)
    driver.close()
    assert found.disagreement is None and found.covered == found.performable == 1
    assert found.silent == 1


def test_driver_that_goes_wrong_leaves_the_trace_until_then(onceproof: Command, tmp_path: Path) -> None:
    for command in (["replay", "--cover", FAILOVER], ["test", FAILOVER]):
        trace = tmp_path / f"{command[0]}.itf.json"
        status, _, err = onceproof(*command, "--driver", odd("exits"), "--trace-out", trace)
        assert status == 2 and "exited with status 7" in err
        assert f"; {trace} has the 1 step until then" in err
        status, out, _ = onceproof("show", trace)
        assert status == 0 and "submit(task1, submission1)" in out


def test_driver_that_does_not_quit_is_killed() -> None:
    driver = ProcessDriver(odd("stays"))
    cover(small(), driver)
    started = time.monotonic()
    driver.close()
    assert driver._process.poll() is not None and time.monotonic() - started < 60


@needs_node
def test_node_example_driver_is_short_and_agrees() -> None:
    assert len((ROOT / "conformance/examples/admission.js").read_text().splitlines()) < 150
    driver = ProcessDriver(NODE)
    found = cover(resubmitting(), driver)
    assert found.disagreement is None and found.complete
    assert (found.covered, found.performable, found.steps) == (54, 54, 113)
    assert set(found.skipped) == {"assign"}
    assert drive(resubmitting(), driver, Effort(examples=10)).disagreement is None
    driver.close()


@needs_node
def test_node_example_without_its_guard_is_found_by_replay_and_by_test(tmp_path: Path) -> None:
    text = (ROOT / "conformance/examples/admission.js").read_text()
    condition = "need(!s.dedup || !s.known[task], 'the task is known');"
    assert condition in text
    broken = tmp_path / "broken.js"
    broken.write_text(text.replace(condition, ""))
    driver = ProcessDriver(f"node {broken}")
    for found in (cover(resubmitting(), driver), drive(resubmitting(), driver, Effort(examples=100))):
        trace, disagreement = present(found.trace), present(found.disagreement)
        assert (disagreement.kind, present(disagreement.step).action) == (Kind.UNEXPECTED, "admit")
        assert replay(trace, driver, disagreement.forbidden).disagreement is not None
        assert len(trace) == 4
    driver.close()


@needs_node
def test_driver_check_finds_nothing_wrong_with_the_node_example() -> None:
    findings = list(examine(resubmitting(), NODE, 10))
    assert {finding.verdict for finding in findings} == {"ok", "note"}
    assert any("performs 7 of" in finding.text for finding in findings)


@pytest.mark.parametrize(
    ("mode", "verdict"),
    [("garbage", "wrong"), ("stays", "wrong"), ("unknown-action", "wrong"), ("forgets", "differs"), ("twice", "wrong")],
)
def test_driver_check_reports_what_is_wrong(mode: str, verdict: str) -> None:
    findings = list(examine(small(), odd(mode), 2))
    assert verdict in {finding.verdict for finding in findings}


def test_driver_check_runs_as_a_command() -> None:
    command = [sys.executable, "-m", "onceproof", "driver", "check", odd("garbage"), "--answer-seconds", "10"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "is not JSON" in done.stdout and done.stderr == ""
    assert done.stdout.endswith("the driver breaks the protocol\n")


@pytest.mark.parametrize(
    ("mode", "status", "conclusion"),
    [
        ("none", 0, "all right"),
        ("forgets", 1, "the system is not as the model"),
        ("twice", 2, "the driver breaks the protocol"),
    ],
)
def test_driver_check_exit_status_and_json_agree(onceproof: Command, mode: str, status: int, conclusion: str) -> None:
    got, out, err = onceproof("driver", "check", odd(mode), FAILOVER, "--answer-seconds", "5", "--json")
    assert (got, err) == (status, "")
    document = json.loads(out)
    assert document["conclusion"] == conclusion
    assert {finding["verdict"] for finding in document["findings"]} <= {"ok", "note", "differs", "wrong"}


def test_driver_check_names_a_spec_that_is_not_there(onceproof: Command) -> None:
    status, out, err = onceproof("driver", "check", odd("none"), "no.yaml")
    assert (status, out) == (2, "") and "no.yaml" in err and err.count("\n") == 1


@pytest.mark.parametrize(("mode", "status"), [("garbage", 2), ("exits", 2), ("refuses-all", 1), ("none", 0)])
@pytest.mark.parametrize("command", ["replay", "test"])
def test_exit_status_tells_a_faulty_driver_from_a_disagreement(
    onceproof: Command, command: str, mode: str, status: int
) -> None:
    words = ["replay", "--cover", FAILOVER] if command == "replay" else ["test", FAILOVER, "--examples", "20"]
    got, out, err = onceproof(*words, "--driver", odd(mode))
    assert got == status
    assert err.count("\n") == (status == 2)
    assert ("MISSING at step 1: submit(task1, submission1)" in out) == (status == 1)


def test_explain_mapping_shows_what_a_foreign_driver_announces(onceproof: Command) -> None:
    status, out, _ = onceproof("replay", "--explain-mapping", "--json", "--driver", odd("none"))
    report = json.loads(out)
    assert (status, list(report["observed"])) == (0, ["call"])
    assert "submit" not in report["not_performed"] and "admit" in report["not_performed"]
