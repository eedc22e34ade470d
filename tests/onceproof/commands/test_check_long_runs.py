"""`check` of what takes long: checkpoints, resuming, fingerprints; and what cannot be gone on with."""

import json
import os
import pty
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from onceproof import check
from onceproof.inputs.specs import load_spec
from onceproof.main import run
from onceproof.model.checker import compiled, engines
from onceproof.model.checker.results import Stop, StopReason
from onceproof.reports.ways_on import ways_on
from tests.paths import SPECS

SPEC = str(SPECS / "scheduler-failover.yaml")
SAFETY = "faults: {scheduler_crash: 1}\nproperties: [at_most_once, single_holder]\n"


@pytest.fixture
def spec(tmp_path: Path) -> str:
    path = tmp_path / "safety.yaml"
    path.write_text(SAFETY)
    return str(path)


@pytest.fixture
def large() -> str:
    return str(SPECS / "two-tasks-failover.yaml")


def checked(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    status = run(["check", "--json", "--engine", "compiled", "--no-symmetry", *arguments])
    return status, json.loads(capsys.readouterr().out)["specs"][0]


def test_check_resumes_from_a_checkpoint(spec: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(tmp_path / "kept")
    status, first = checked(capsys, spec, "--checkpoint", file, "--max-states", "500")
    assert (status, first["verdict"], first["complete"]) == (3, "unknown", False)
    status, second = checked(capsys, spec, "--resume", file)
    assert (status, second["verdict"], second["states"], second["transitions"]) == (0, "holds", 2120, 7412)


def test_check_with_fingerprints_says_how_sure_it_is(spec: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, report = checked(capsys, spec, "--fingerprint")
    assert (status, report["states"], report["verdict"]) == (0, 2120, "holds")
    assert any("with probability" in note for note in report["notes"])


def test_check_that_memory_ends_says_what_helps(large: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, report = checked(capsys, large, "--max-memory", "2M")
    assert (status, report["stopped"], report["verdict"]) == (3, "--max-memory", "unknown")
    checkpoint, fingerprint, disk, ray, symmetry = report["ways_on"]
    assert "`--checkpoint FILE` keeps what was found" in checkpoint
    assert "at most 12 bytes a state, here 3" in fingerprint
    assert disk.startswith("`--disk FOLDER` keeps states in files")
    assert ray == "`--ray ADDRESS` spreads the states over the nodes of a Ray cluster"
    assert symmetry.startswith("without `--no-symmetry` states that differ only in which Task or Message or Scheduler")
    kept = str(tmp_path / "kept")
    status, report = checked(capsys, large, "--max-memory", "2M", "--checkpoint", kept)
    assert f"`onceproof check {large} --no-symmetry --resume {kept}` goes on from there" in report["ways_on"][0]
    status, report = checked(capsys, large, "--max-memory", "2M", "--fingerprint")
    assert len(report["ways_on"]) == 3 and report["states"] > 64_000


def test_search_that_lost_a_node_says_what_helps(spec: str) -> None:
    loaded = load_spec(Path(spec))
    result = compiled.check(loaded.system, workers=1)
    assert result.memory is not None
    memory, lost = replace(result.memory, cluster=True), Stop(StopReason.PROCESS_LOST)
    (way,) = ways_on(loaded, replace(result, stopped=lost, memory=memory))
    assert way.startswith("with `--checkpoint FOLDER`, which all nodes see, a search goes on from its last level")


def test_check_keeps_states_on_disk_and_goes_on(large: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(tmp_path / "states")
    status, report = checked(capsys, large, "--disk", folder, "--max-memory", "2M", "--max-depth", "12")
    assert (status, report["verdict"], report["depth"]) == (3, "unknown", 12)
    command = f"onceproof check {large} --no-symmetry --disk {folder}"
    assert report["ways_on"] == [f"{folder} has all that was found: `{command}` goes on"]
    status, report = checked(capsys, large, "--disk", folder, "--max-memory", "2M")
    assert (status, report["states"], report["transitions"], report["depth"]) == (0, 344_512, 2_118_688, 40)


def test_check_on_disk_goes_on_after_a_kill(large: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "states"
    command = [sys.executable, "-m", "onceproof", "check", large, "--no-symmetry", "--disk", str(folder), "--quiet"]
    process = subprocess.Popen(command)
    while not (folder / "level-000009.states").exists():
        assert process.poll() is None, "it was over before it could be killed"
    process.kill()
    process.wait()
    status, report = checked(capsys, large, "--disk", str(folder))
    assert (status, report["states"], report["transitions"], report["depth"]) == (0, 344_512, 2_118_688, 40)


def test_search_that_memory_ended_can_still_be_kept(large: str, tmp_path: Path) -> None:
    kept, asked = tmp_path / "kept", []

    def file(size: int) -> Path:
        asked.append(size)
        return kept

    first = check(large, max_memory=2 << 20, symmetry=False, at_memory_limit=file)
    assert first.stopped is not None and asked == [first.states * 16]
    second = check(large, symmetry=False, resume=kept)
    assert (second.states, second.transitions, second.depth) == (344_512, 2_118_688, 40)


def test_somebody_at_a_terminal_is_asked_for_the_file(large: str, tmp_path: Path) -> None:
    child, terminal = pty.fork()
    if child == 0:
        command = [sys.executable, "-m", "onceproof", "check", large, "--max-memory", "2M", "--no-symmetry"]
        os.execv(sys.executable, command)
    kept, said = tmp_path / "kept", b""
    answers = [f"{tmp_path}/nowhere/kept\r".encode(), f"{kept}\r".encode()]
    while True:
        try:
            said += os.read(terminal, 4096)
        except OSError:  # the process has closed the terminal
            break
        if answers and said.count(b"(Enter: to none)") > 2 - len(answers) and said.endswith(b": "):
            os.write(terminal, answers.pop(0))
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
    assert b"A checkpoint would take 1.0 MB" in said and b"nowhere" in said and b"goes on from there" in said
    assert kept.exists()


def test_plan_says_what_a_check_will_take(large: str, capsys: pytest.CaptureFixture[str]) -> None:
    """344,512 states; of 100,000 one can tell how many about, of 500 one cannot."""
    assert run(["check", large, "--plan", "--no-symmetry", "--max-states", "100000", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["plans"]
    assert found["states"]["least"] <= 344_512 <= found["states"]["most"] and not found["explored"]["complete"]
    assert found["ways"]["fingerprint"]["bytes"][1] == 12 * found["states"]["most"]
    assert run(["check", large, "--plan", "--no-symmetry", "--max-states", "100000"]) == 0
    text = capsys.readouterr().out
    assert "states are to be expected" in text and "--disk FOLDER" in text and "fits" in text
    assert run(["check", large, "--plan", "--no-symmetry", "--max-states", "500"]) == 0
    assert "it is too early to say" in capsys.readouterr().out
    assert run(["check", large, "--plan"]) == 0
    text = capsys.readouterr().out
    assert "these are all: there is nothing to plan" in text and "leaves one state in 7.7" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--resume", "nowhere"], "nowhere"),
        (["--plan", "--disk", "kept"], "--plan does not check anything: it cannot be given with --disk"),
        (["--resume", SPEC], "not a checkpoint of this version"),
        (["--fingerprint", "--engine", "plain"], "only the compiled engine has --fingerprint"),
        ([str(SPECS / "plain-day.yaml"), "--checkpoint", "kept"], "a checkpoint is of one spec, found 2"),
        ([str(SPECS / "plain-day.yaml"), "--disk", "kept"], "a folder of --disk is of one spec, found 2"),
        (["--disk", "kept", "--fingerprint"], "a search on disk keeps whole states, and itself"),
        (["--disk", "nowhere/kept"], "nowhere/kept: no such file or directory"),
    ],
)
def test_check_refuses_wrong_checkpoint_options(
    spec: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["check", spec, *arguments]) == 2
    assert message in capsys.readouterr().err


def test_check_refuses_a_checkpoint_of_another_model(
    spec: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(tmp_path / "kept")
    checked(capsys, spec, "--checkpoint", file, "--max-states", "500")
    assert run(["check", str(SPECS / "plain-day.yaml"), "--resume", file]) == 2
    assert "of another model, configuration" in capsys.readouterr().err


def test_check_interrupted_before_the_compiled_search_keeps_what_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What plain exploration found by then is report."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(compiled, "check", interrupted)
    monkeypatch.setattr(engines, "SMALL_STATES", 500)
    assert run(["check", "--json", SPEC]) == 3
    report = json.loads(capsys.readouterr().out)["specs"][0]
    assert (report["verdict"], report["complete"]) == ("unknown", False)
    assert 500 <= report["states"] < 2120
