"""The file that `driver new` writes: a driver that runs as soon as its first methods are written."""

import subprocess
import sys
from pathlib import Path

from onceproof.conformance.driver_check import Verdict, examine
from onceproof.conformance.driver_stub import stub
from onceproof.inputs.specs import load_spec
from tests.helpers.fixture_types import Command
from tests.paths import ROOT

SPEC = ROOT / "specs" / "client-retries-are-one-task.yaml"


def written(file: Path) -> str:
    """The stub of a driver with two of its methods written: it submits, and remembers that."""
    text = file.read_text()
    text = text.replace(
        "        raise NotImplementedError\n\n    @todo\n    def do_submit",
        "        self.calls: dict[object, object] = {}\n\n    def do_submit",
        1,
    )
    submit = text.index("def do_submit")
    text = text[:submit] + text[submit:].replace(
        "raise NotImplementedError", 'self.calls[task, submission] = "WAITING"', 1
    )
    call = text.index("    @todo\n    def see_call")
    return text[:call] + text[call:].replace("    @todo\n", "", 1).replace(
        "raise NotImplementedError", "return self.calls", 1
    )


def test_stub_has_every_action_and_field_and_runs_once_written(tmp_path: Path, onceproof: Command) -> None:
    file = tmp_path / "my_queue.py"
    status, out, err = onceproof("driver", "new", SPEC, file)
    assert (status, err) == (0, "") and f"onceproof driver check 'python3 {file}'" in out
    text = file.read_text()
    system = load_spec(SPEC).system
    for name in system.actions:
        assert f"    def do_{name}(self" in text
    assert "def see_stage(self) -> Cells:" in text
    assert 'The field `stage`, {"message1": value}: ABSENT, VISIBLE, INVISIBLE or DELETED.' in text
    assert "class MyQueue(Driver):" in text and "def see_starts" not in text  # nothing that runs could read it
    file.write_text(written(file))
    findings = list(examine(system, f"{sys.executable} {file}", 60))
    assert any("performs 1 of" in finding.text for finding in findings)
    # Its first mistake is the one that a stub invites: it takes a second submission although the first still waits.
    assert findings[-2].verdict is Verdict.DIFFERS and "submit(task1, submission" in findings[-2].text


def test_stub_is_formatted(tmp_path: Path) -> None:
    file = tmp_path / "my_queue.py"
    file.write_text(stub(load_spec(SPEC).system, "MyQueue", file.name, SPEC.name))
    length = ["--line-length", "120"]
    for command in (
        ["ruff", "check", "--isolated", "--select=E,F,I,W", *length],
        ["ruff", "format", "--check", *length],
    ):
        done = subprocess.run([sys.executable, "-m", *command, str(file)], capture_output=True, text=True, cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr


def test_existing_file_is_kept(tmp_path: Path, onceproof: Command) -> None:
    file = tmp_path / "driver.py"
    file.write_text("mine")
    status, out, err = onceproof("driver", "new", SPEC, file)
    assert (status, out) == (2, "") and "there is such a file already; nothing was written" in err
    assert file.read_text() == "mine"


def test_name_that_is_no_python_file_is_refused(tmp_path: Path, onceproof: Command) -> None:
    status, _, err = onceproof("driver", "new", SPEC, tmp_path / "driver.txt")
    assert status == 2 and "the name of a driver in Python ends in .py" in err and not list(tmp_path.iterdir())
