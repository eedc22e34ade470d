"""What commands take for a spec: spec files, models, and options that say how they are built."""

import json
import shlex
from pathlib import Path

import pytest

from onceproof.main import run
from tests.paths import ROOT, SPECS

MODEL = ROOT / "tests" / "models" / "lease.py"


@pytest.fixture
def lease(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A model in the working directory: two workers and one mechanism, which a fault needs."""
    (tmp_path / "my lease.py").write_text(MODEL.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return "my lease.py"


def test_a_model_is_checked_without_a_spec_file(lease: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", lease, "--faults", "lease_ends=1", "--json"]) == 0
    (spec,) = json.loads(capsys.readouterr().out)["specs"]
    assert (spec["spec"], spec["verdict"], spec["complete"]) == ("my lease", "holds", True)


def test_reproduce_line_keeps_all_options(lease: str, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--size", "workers=3", "--mechanism", "fencing=off", "--faults=lease_ends=1"]
    wanted = "onceproof check 'my lease.py' --size workers=3 --mechanism fencing=off --faults lease_ends=1 "
    assert run(["check", lease, *options]) == 1
    printed = capsys.readouterr().out
    again = next(line for line in printed.splitlines() if line.startswith("reproduce: "))
    assert again.removeprefix("reproduce: ") + " " == wanted
    assert run(shlex.split(again)[2:]) == 1
    assert capsys.readouterr().out.splitlines()[:-3] == printed.splitlines()[:-3]


def test_walk_says_how_to_walk_again(lease: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["walk", lease, "--faults", "lease_ends=1", "--mechanism", "fencing=off"]) == 1
    printed = capsys.readouterr().out
    again = next(line for line in printed.splitlines() if line.startswith("reproduce: "))
    assert "walk 'my lease.py' --mechanism fencing=off --faults lease_ends=1 --seed 0" in again
    assert run(shlex.split(again)[2:]) == 1


def test_export_and_prove_take_models(lease: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["export", lease, "--to", "tla", "--size", "workers=3"]) == 0
    assert (tmp_path / "my_lease.cfg").exists()
    capsys.readouterr()
    assert run(["prove", lease, "--with-faults", "", "--properties", "never_spoiled", "--json"]) in (0, 3)
    proof = json.loads(capsys.readouterr().out)
    assert [claim["name"] for claim in proof["properties"]] == ["never_spoiled"]


def test_options_change_what_a_spec_says_and_drop_what_it_expects(capsys: pytest.CaptureFixture[str]) -> None:
    spec = str(SPECS / "request-twice-started-twice.yaml")
    assert run(["check", spec, "--mechanism", "agent_dedup=on", "--json"]) == 0
    (report,) = json.loads(capsys.readouterr().out)["specs"]
    assert (report["verdict"], report["expected"]) == ("holds", "holds")


def test_parameters_are_set_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    model = str(ROOT / "docs" / "models" / "alternating_bit.py")
    counts = []
    for capacity in ("1", "2"):
        assert run(["check", model, "--parameter", f"capacity={capacity}", "--json"]) == 0
        counts.append(json.loads(capsys.readouterr().out)["specs"][0]["states"])
    assert counts[0] < counts[1]


def test_a_model_and_specs_are_checked_together(lease: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", lease, str(SPECS / "plain-day.yaml"), lease, "--json"]) == 1  # `lapse_seen` needs a fault
    assert [one["spec"] for one in json.loads(capsys.readouterr().out)["specs"]] == ["my lease", "plain-day"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--size", "workrs=3"], "my lease.py: unknown size `workrs`; did you mean `workers`?"),
        (["--size", "workers"], "expected NAME=NUMBER with a number of at least 1, such as nodes=3, found `workers`"),
        (["--size", "workers=0"], "found `workers=0`"),
        (["--sizes", "workers=2,workers=3"], "`workers` is given twice"),
        (
            ["--faults", "lease_ends=often"],
            "expected NAME=NUMBER or NAME=any, such as crash=1, found",
        ),
        (["--faults", "lease_end=1"], "my lease.py: unknown fault `lease_end`; did you mean `lease_ends`?"),
        (["--mechanism", "fencing"], "expected NAME=on or NAME=off, found `fencing`"),
        (["--mechanism", "fence=off"], "my lease.py: unknown mechanism `fence`; did you mean `fencing`?"),
        (
            ["--properties", "never_spoild"],
            "unknown property `never_spoild`; did you mean `never_spoiled`?",
        ),
    ],
)
def test_wrong_settings_are_refused_in_a_line(
    lease: str, options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["check", lease, *options]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1


def test_models_that_are_not_there_are_refused(lease: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "leese.py"]) == 2
    assert capsys.readouterr().err == "onceproof: no model file `leese.py` (relative to .)\n"
    assert run(["walk", f"{lease}:OTHER"]) == 2
    assert "has no model called `OTHER`" in capsys.readouterr().err


def test_settings_go_with_cover_and_not_with_a_trace(lease: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["replay", "trace.itf.json", "--size", "workers=2"]) == 2
    assert "replay: --size goes with --cover: a trace says how its model is built" in capsys.readouterr().err
