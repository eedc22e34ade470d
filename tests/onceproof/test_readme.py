"""README.md is kept true: its examples run, and what it shows is what they print.

ONCEPROOF_UPDATE=1 writes what they print now into README.md.
"""

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from onceproof.inputs.specs import KEYS
from onceproof.main import LazyCommands, run
from tests.paths import ROOT

README = ROOT / "README.md"
BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
# A spec with a slip of the pen, for the README's example of a complaint.
TYPO = "sizes: {tasks: 1}\nfaults: {scheduler_crsh: 1}\n"


def blocks(kind: str) -> list[str]:
    return [text for found, text in BLOCK.findall(README.read_text(encoding="utf-8")) if found == kind]


def printed(command: str) -> str:
    """What a command prints, stdout and stderr."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        run(shlex.split(command.removeprefix("onceproof ")))
    return out.getvalue().strip("\n")


def timeless(text: str) -> str:
    """The text with the seconds blanked, which differ from run to run."""
    return re.sub(r"\b\d+\.\d\d\b", "0.00", text)


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files of the README, and the specs of the library."""
    (tmp_path / "specs").symlink_to(ROOT / "specs")
    (tmp_path / "typo.yaml").write_text(TYPO, encoding="utf-8")
    for text in (*blocks("python"), *blocks("yaml")):
        name = re.match(r"# ([\w.]+)\n", text)
        if name:
            (tmp_path / name[1]).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def session(block: str) -> str:
    """The block with what its commands print now."""
    commands = [line[2:] for line in block.splitlines() if line.startswith("$ ")]
    parts = [f"$ {command}\n{printed(command)}".strip("\n") for command in commands]
    return "\n\n".join(parts) + "\n"


def test_readme_sessions_are_what_the_commands_print(workplace: Path) -> None:
    text = README.read_text(encoding="utf-8")
    now = {block: session(block) for block in blocks("console")}
    if os.environ.get("ONCEPROOF_UPDATE"):
        for block, new in now.items():
            text = text.replace(f"```console\n{block}```", f"```console\n{new}```")
        README.write_text(text, encoding="utf-8")
        now = {block: session(block) for block in blocks("console")}
    assert [timeless(new) for new in now.values()] == [timeless(block) for block in now]


def test_readme_explains_every_key_of_a_spec() -> None:
    (example,) = (yaml.safe_load(text) for text in blocks("yaml") if not text.startswith("# "))
    assert sorted(example) == sorted(KEYS)


def test_readme_names_every_command_and_no_other() -> None:
    named = re.findall(r"^\| `onceproof (\w+)", README.read_text(encoding="utf-8"), re.MULTILINE)
    known = LazyCommands().list_commands(None)  # type: ignore[arg-type]
    assert set(named) == set(known)


def test_readme_links_lead_somewhere() -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", README.read_text(encoding="utf-8"))
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_readme_model_is_as_short_as_promised() -> None:
    """Sixteen lines of code, as the README says: what a reader must take in, without docstrings and blank lines."""
    (model,) = (text for text in blocks("python") if text.startswith("# lease.py\n"))
    said = [line for line in model.splitlines() if line.strip() and not line.strip().startswith(('"""', "#", "@"))]
    assert len(said) == 16


def test_steps_on_the_first_screen_are_those_of_the_spec(workplace: Path) -> None:
    (steps,) = blocks("text")
    (command,) = (line for line in blocks("sh")[0].splitlines() if "onceproof check" in line)
    assert steps in printed(command.removeprefix(".venv/bin/"))


def test_check_in_a_users_tests_prints_the_counterexample(workplace: Path) -> None:
    command = [sys.executable, "-P", "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:schemathesis", "test_lease.py"]
    test = workplace / "test_lease.py"
    failed = subprocess.run(command, cwd=workplace, capture_output=True, text=True, timeout=100, check=False)
    assert failed.returncode == 1, failed.stdout
    for line in ("one_writer is violated for worker1, worker2", "2  FAULT lease  lease_ends()", "1 failed"):
        assert line in failed.stdout
    test.write_text(test.read_text(encoding="utf-8").replace(', faults={"lease_ends": 1}', ""), encoding="utf-8")
    passed = subprocess.run(command, cwd=workplace, capture_output=True, text=True, timeout=100, check=False)
    assert passed.returncode == 0, passed.stdout


def test_the_test_has_five_lines() -> None:
    (test,) = (text for text in blocks("python") if text.startswith("# test_lease.py\n"))
    assert len([line for line in test.splitlines()[1:] if line]) == 4


def test_scripts_of_the_shell_blocks_are_there() -> None:
    named = re.findall(r"^\./(scripts/\w+)", "\n".join(blocks("sh")), re.MULTILINE)
    assert "scripts/setup" in named
    assert [name for name in named if not os.access(ROOT / name, os.X_OK)] == []
