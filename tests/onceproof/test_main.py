"""The command line itself: what it offers, and how it complains."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from onceproof import __main__ as entry
from onceproof import main
from onceproof.errors import Exit, InputError
from tests.paths import SPECS

Command = Callable[..., Any]
COMMANDS = main.LazyCommands().list_commands(click.Context(main.commands))


def test_help_names_every_command_with_its_line(onceproof: Command) -> None:
    ran = onceproof("--help")
    assert ran.status == 0
    words = " ".join(ran.out.split()).replace("- ", "-")
    for name in COMMANDS:
        assert main.summary(name)
        assert f"{name} {main.summary(name)}" in words or f" {name} " in words


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_prints_help(onceproof: Command, name: str) -> None:
    ran = onceproof(name, "--help")
    assert ran.status == 0
    assert ran.out.startswith(f"Usage: onceproof {name}")


def test_help_imports_no_command() -> None:
    code = """
import sys
from onceproof import main
assert main.run(["--help"]) == 0
print([name for name in sys.modules if name.startswith(("onceproof.commands.", "model", "conformance"))])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.endswith("\n[]\n")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["chek"], "onceproof: no command `chek`; did you mean `check`?"),
        (["check"], "onceproof: check: missing argument 'SPEC...'"),
        (["check", "--engin", "x"], "onceproof: check: no such option '--engin'"),
        (["check", "--engine", "warp", "x"], "onceproof: check: invalid value for '--engine'"),
        (["check", "x", "--max-states", "0"], "onceproof: check: invalid value for '--max-states'"),
        (["show"], "onceproof: show: missing argument 'TRACE'"),
    ],
)
def test_wrong_command_line_is_reported_in_one_line(onceproof: Command, arguments: list[str], complaint: str) -> None:
    ran = onceproof(*arguments)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith(complaint)
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize("arguments", [[], ["task"], ["driver"]])
def test_group_of_commands_by_itself_shows_its_help(onceproof: Command, arguments: list[str]) -> None:
    ran = onceproof(*arguments)
    assert (ran.status, ran.out) == (2, "")
    assert "\nCommands:\n" in ran.err and ran.err.startswith("Usage: onceproof")


@pytest.mark.parametrize(
    ("error", "status", "says"),
    [
        (InputError("x.yaml:3: wrong"), Exit.WRONG_INPUT, "onceproof: x.yaml:3: wrong\n"),
        (FileNotFoundError(2, "No such file or directory", "gone"), Exit.WRONG_INPUT, "onceproof: gone: no such file"),
        (KeyboardInterrupt(), Exit.UNDECIDED, "onceproof: interrupted\n"),
        (MemoryError(), Exit.UNDECIDED, "onceproof: out of memory; undecided"),
        (ZeroDivisionError("x"), Exit.BUG, "Traceback"),
    ],
)
def test_each_kind_of_error_has_its_exit_status(
    onceproof: Command, monkeypatch: pytest.MonkeyPatch, error: BaseException, status: Exit, says: str
) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(main.commands, "invoke", fails)
    ran = onceproof("check")
    assert ran.status == status
    assert ran.err.startswith(says)


def test_interrupted_command_that_knows_nothing_yet_prints_one_document(
    onceproof: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(main.commands, "invoke", interrupted)
    ran = onceproof("prove", "--json")
    assert (ran.status, json.loads(ran.out)) == (Exit.UNDECIDED, {"verdict": "unknown", "interrupted": True})


def test_closed_pipe_is_no_error() -> None:
    spec = SPECS / "plain-day.yaml"
    command = f"{sys.executable} -m onceproof check {spec} --json | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=True)
    assert (done.stdout, done.stderr) == ("{\n", "")


def test_demo_runs_to_its_end(onceproof: Command) -> None:
    ran = onceproof("demo")
    assert ran.status == 0, ran.err
    for word in ("holds, complete", "at_most_once is violated", "FAULT scheduler_crash", "agrees", "what to try next"):
        assert word in ran.out


@pytest.mark.parametrize(
    "arguments",
    [
        ("serve", "--port", "0", "--data", "data"),
        ("task", "list", "hello"),
        ("test", str(SPECS / "plain-day.yaml"), "--driver", "platform"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_without_the_extra_packages_a_command_says_how_to_install_them(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "functions").mkdir()
    code = "import sys; sys.modules['fastapi'] = None; from onceproof.main import run; sys.exit(run(sys.argv[1:]))"
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    assert "`fastapi`" in done.stderr and "`pip install 'onceproof[platform]'`" in done.stderr


def test_ctrl_c_while_the_first_modules_are_read_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(entry, "prefer_installed", stopped)
    with pytest.raises(SystemExit) as ended:
        entry.main()
    assert (ended.value.code, capsys.readouterr().err) == (3, "onceproof: interrupted\n")
