"""`onceproof new`: what it writes works, and nothing is overwritten."""

import subprocess
import sys
from pathlib import Path

import pytest

from onceproof.main import run


def test_what_is_written_passes_its_own_test(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["new", "my_lock", "--in", "deep/er"]) == 0
    printed = capsys.readouterr().out
    assert "deep/er/my_lock.yaml  what is checked of it:  onceproof check deep/er/my_lock.yaml" in printed
    folder = tmp_path / "deep" / "er"
    assert sorted(path.name for path in folder.iterdir()) == ["my_lock.py", "my_lock.yaml", "test_my_lock.py"]
    assert run(["check", "deep/er/my_lock.yaml"]) == 0
    tests = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "0", "."],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert tests.returncode == 0 and "3 passed" in tests.stdout, tests.stdout


def test_a_spec_of_the_broken_variant_is_as_its_comment_says(tmp_path: Path) -> None:
    assert run(["new", "lease", "--in", str(tmp_path)]) == 0
    spec = tmp_path / "lease.yaml"
    text = spec.read_text(encoding="utf-8").replace("# mechanisms:", "mechanisms:")
    broken = text.replace("expect: holds", "expect: {violated: one_writer, length: 5}")
    assert text.count("{violated: one_writer, length: 5}") == 1
    spec.write_text(broken, encoding="utf-8")
    assert run(["check", str(spec)]) == 0


@pytest.mark.parametrize("there", ["lease.py", "lease.yaml", "test_lease.py"])
def test_nothing_is_overwritten(tmp_path: Path, there: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / there).symlink_to("nowhere")
    assert run(["new", "lease", "--in", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith(f"onceproof: {tmp_path / there}: is there already; choose another name")
    assert [path.name for path in tmp_path.iterdir()] == [there]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "my-lock",
            "a name of small letters, digits and _ that starts with a letter; did you mean `my_lock`?",
        ),
        ("Lease.py", "that starts with a letter; did you mean `lease`?"),
        ("3x", "that starts with a letter\n"),
        ("class", "that starts with a letter\n"),
        ("queue", "`queue` is a module that is installed, and queue.py would hide it; try my_queue"),
        ("onceproof", "try my_onceproof"),
    ],
)
def test_names_that_no_module_should_have_are_refused(
    tmp_path: Path, name: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["new", name, "--in", str(tmp_path)]) == 2
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert run(["new", "lease", "--in", str(tmp_path / "file" / "deep")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
