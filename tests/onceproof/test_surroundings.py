"""What a process meets around it, with real processes: pipes, full disks, ASCII, no memory, narrow terminals."""

import fcntl
import json
import os
import pty
import resource
import struct
import subprocess
import sys
import termios
from collections.abc import Sequence
from pathlib import Path

import pytest

from onceproof.errors import Exit
from tests.paths import ROOT, SPECS

COMMAND = [sys.executable, "-P", "-m", "onceproof"]
HOLDS, BREAKS = SPECS / "plain-day.yaml", SPECS / "deleted-when-received.yaml"
LOOPS = SPECS / "unrenewed-task-goes-round-forever.yaml"


def run(
    *arguments: str | Path, shell: str = "", env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """A command of onceproof; shell: redirections, for a shell that runs it."""
    command = [*COMMAND, *map(str, arguments)]
    where = {**os.environ, **(env or {})}
    if shell:
        quoted = ["bash", "-c", f'"$@" {shell}', "bash", *command]
        return subprocess.run(quoted, capture_output=True, cwd=ROOT, env=where, timeout=120)
    return subprocess.run(command, capture_output=True, cwd=ROOT, env=where, timeout=120)


@pytest.mark.parametrize("arguments", [["check", BREAKS], ["check", BREAKS, "--json"], ["--help"], ["check", "--help"]])
def test_a_full_disk_is_one_line(arguments: Sequence[str | Path]) -> None:
    ran = run(*arguments, shell=">/dev/full")
    assert ran.returncode == Exit.WRONG_INPUT
    assert ran.stderr == b"onceproof: the output cannot be written: no space left on device\n"


@pytest.mark.parametrize("arguments", [["check", BREAKS], ["check", BREAKS, "--json"], ["--help"]])
def test_a_closed_standard_output_changes_nothing(arguments: Sequence[str | Path]) -> None:
    ran = run(*arguments, shell=">&-")
    assert (ran.returncode, ran.stderr) == (0, b"")


@pytest.mark.parametrize("where", ["2>&-", "2>/dev/full"])
def test_messages_that_nobody_can_read_change_no_verdict(where: str) -> None:
    assert run("check", BREAKS, shell=where).returncode == 0
    assert run("check", "gone.yaml", shell=where).returncode == Exit.WRONG_INPUT


def test_all_streams_closed() -> None:
    assert run("check", BREAKS, shell="<&- >&- 2>&-").returncode == 0


@pytest.mark.parametrize("arguments", [["check", BREAKS], ["check", BREAKS, "--json"], ["--help"], ["check", HOLDS]])
def test_a_reader_that_has_gone_is_no_verdict(arguments: Sequence[str | Path]) -> None:
    ran = run(*arguments, shell="| true; exit ${PIPESTATUS[0]}")
    assert (ran.returncode, ran.stderr) == (Exit.PIPE_CLOSED, b"")


def test_head_gets_its_line() -> None:
    ran = run("check", BREAKS, shell="| head -n 1; exit ${PIPESTATUS[0]}")
    assert ran.stdout == b"deleted-when-received\n"
    assert ran.returncode in (0, Exit.PIPE_CLOSED)  # as fast as it was
    assert ran.stderr == b""


ASCII = [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}]


@pytest.mark.parametrize("env", ASCII, ids=["PYTHONIOENCODING", "locale"])
def test_an_ascii_stream_gets_characters_that_are_alike(env: dict[str, str], tmp_path: Path) -> None:
    trace = tmp_path / "trace.itf.json"
    checked = run("check", BREAKS, "--trace-out", trace, env=env)
    assert checked.returncode == 0
    assert "call[task1, submission1]: UNSENT -> WAITING" in checked.stdout.decode("ascii")
    drawn = run("show", trace, "--as", "sequence", env=env).stdout.decode("ascii")
    assert "+--------->+" in drawn and "?" not in drawn
    page = tmp_path / "page.html"
    assert run("show", trace, "--as", "html", "--out", page, env=env).returncode == 0
    assert "→" in page.read_text(encoding="utf-8")
    assert json.loads(run("check", BREAKS, "--json", env=env).stdout)["as_expected"] is True


@pytest.mark.parametrize("megabytes", [48, 90, 140, 200])
@pytest.mark.parametrize("arguments", [["check", LOOPS], ["check", SPECS / "bad-day.yaml", "--workers", "1"]])
def test_no_memory_is_undecided(megabytes: int, arguments: Sequence[str | Path]) -> None:
    """What fits is done; what does not fit is undecided in one line: never a verdict, a traceback or an abort."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (megabytes * 2**20, megabytes * 2**20))

    ran = subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, cwd=ROOT, preexec_fn=limit, timeout=120)
    if ran.returncode:
        line = f"onceproof: out of memory under the limit of {megabytes} MB (ulimit -v); undecided"
        assert ran.returncode == Exit.UNDECIDED
        assert ran.stderr.decode().startswith(line) and ran.stderr.count(b"\n") == 1
        assert ran.stdout == b""
    else:
        assert b"as expected" in ran.stdout


def on_terminal(columns: int, *arguments: str | Path) -> tuple[int, list[str]]:
    """The status of a command and the lines that it prints on a terminal of this width, without escape sequences."""
    from onceproof.reports.style import unstyle

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    env = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")}
    process = subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        stdout=theirs,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        env={**env, "TERM": "xterm"},
    )
    os.close(theirs)
    text = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the other side is closed
            break
        if not part:
            break
        text += part
    os.close(ours)
    return process.wait(timeout=60), unstyle(text.decode()).replace("\r\n", "\n").split("\n")


def test_a_sequence_diagram_fits_a_terminal_of_80_columns(tmp_path: Path) -> None:
    for name in ("failover-chooses-another-agent", "unrenewed-task-goes-round-forever"):
        trace = tmp_path / "trace.itf.json"
        assert run("check", SPECS / f"{name}.yaml", "--trace-out", trace).returncode == 0
        status, lines = on_terminal(80, "show", trace, "--as", "sequence")
        assert status == 0
        assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("columns", [40, 80])
def test_a_narrow_terminal_gets_the_same_words(columns: int) -> None:
    status, lines = on_terminal(columns, "check", BREAKS)
    assert status == 0
    text = " ".join(" ".join(lines).split())
    assert "delete_after_completion is violated" in text
    prose = [line for line in lines if line.startswith("  A message is deleted")]
    assert prose and all(len(line) <= columns for line in prose)
