"""`check` of what takes long: checkpoints, resuming, fingerprints; and what cannot be gone on with."""

import json
from pathlib import Path
from typing import Any

import pytest

from onceproof.main import run
from onceproof.model.checker import compiled, engines
from tests.paths import SPECS

SPEC = str(SPECS / "scheduler-failover.yaml")
SAFETY = "faults: {scheduler_crash: 1}\nproperties: [at_most_once, single_holder]\n"


@pytest.fixture
def spec(tmp_path: Path) -> str:
    path = tmp_path / "safety.yaml"
    path.write_text(SAFETY)
    return str(path)


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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--resume", "nowhere"], "nowhere"),
        (["--resume", SPEC], "not a checkpoint of this version"),
        (["--fingerprint", "--engine", "plain"], "only the compiled engine has --fingerprint"),
        ([str(SPECS / "plain-day.yaml"), "--checkpoint", "kept"], "a checkpoint is of one spec, found 2"),
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
