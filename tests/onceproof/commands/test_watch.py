"""`check --watch`: checks again when a file that it read has changed, and only then."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from onceproof.commands._watch import changed_file, stamps, users_files
from onceproof.main import run

HELPER = "def free(st) -> bool:\n    return st.holder is None\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A spec, its model, and a file that the model imports."""
    assert run(["new", "lease", "--in", str(tmp_path)]) == 0
    model = (tmp_path / "lease.py").read_text(encoding="utf-8")
    model = model.replace("require(st.holder is None)", "require(free(st))").replace(
        "class Worker", "from helper import free\n\n\nclass Worker"
    )
    (tmp_path / "lease.py").write_text(model, encoding="utf-8")
    (tmp_path / "helper.py").write_text(HELPER, encoding="utf-8")
    return tmp_path


@pytest.fixture
def watched(folder: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "onceproof", "check", "lease.yaml", "--watch"]
    merged = subprocess.STDOUT
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=merged, text=True) as process:
        yield process
        process.kill()


def until_watching(process: subprocess.Popen[str]) -> str:
    """What it prints until it waits."""
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if line.startswith("watching"):
            return said
    raise AssertionError(f"it ended: {said}")


def test_check_runs_again_when_model_import_or_spec_changes(folder: Path, watched: subprocess.Popen[str]) -> None:
    assert "holds, complete  holds" in until_watching(watched)
    model = (folder / "lease.py").read_text(encoding="utf-8")
    (folder / "lease.py").write_text(model.replace("if st.fencing:", "if not st.fencing:"), encoding="utf-8")
    said = until_watching(watched)
    assert "lease.py has changed; checking again" in said and "one_writer is violated for worker1, worker2" in said
    (folder / "helper.py").write_text("def free(st) -> bool:\n    return st.holder is\n", encoding="utf-8")
    said = until_watching(watched)
    assert "helper.py has changed" in said and "helper.py:2: not Python: invalid syntax" in said
    (folder / "helper.py").write_text(HELPER, encoding="utf-8")
    assert "violated in 5 steps" in until_watching(watched)
    spec = (folder / "lease.yaml").read_text(encoding="utf-8")
    (folder / "lease.yaml").write_text(
        spec.replace("expect: holds", "expect: {violated: one_writer}"), encoding="utf-8"
    )
    assert "lease.yaml has changed" in (said := until_watching(watched)) and "as expected" in said
    watched.send_signal(signal.SIGINT)
    assert watched.wait() == 0


def test_a_change_is_a_file_that_is_written_made_or_removed(tmp_path: Path) -> None:
    files = [str(tmp_path / name) for name in ("a", "b")]
    (tmp_path / "a").write_text("one", encoding="utf-8")
    before = stamps(files)
    assert changed_file(before, stamps(files)) is None
    (tmp_path / "b").touch()
    assert changed_file(before, stamps(files)) == files[1]
    (tmp_path / "b").unlink()
    os.utime(tmp_path / "a", ns=(0, 0))
    assert changed_file(before, stamps(files)) == files[0]
    assert changed_file(stamps(files), stamps([])) == files[0]


def test_files_of_the_user_are_neither_installed_nor_ours() -> None:
    found = users_files()
    assert __file__ in found
    assert not any("site-packages" in file or file.endswith("commands/_watch.py") for file in found)


def test_watch_and_json_do_not_go_together(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", str(folder / "lease.yaml"), "--watch", "--json"]) == 2
    assert "--watch prints a report each time, and --json one document" in capsys.readouterr().err
