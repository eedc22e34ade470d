"""`onceproof step`: a walk by hand, from a pipe and on a terminal."""

import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from onceproof.main import run
from tests.paths import ROOT

MODEL = str(ROOT / "tests" / "models" / "lease.py")
UNFENCED = ["--faults", "lease_ends=1", "--mechanisms", "fencing=off"]
Walk = Callable[..., tuple[int, list[str], str]]


@pytest.fixture
def walk(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Walk:
    """Run a walk on these lines: its status, what it printed, and its error."""

    def walk(*lines: str, options: list[str] = UNFENCED) -> tuple[int, list[str], str]:
        reading, writing = os.pipe()
        with os.fdopen(writing, "w") as pipe:
            pipe.write("\n".join(lines) + "\n")
        with os.fdopen(reading) as pipe:
            monkeypatch.setattr(sys, "stdin", pipe)
            status = run(["step", MODEL, *options])
        printed = capfd.readouterr()
        return status, printed.out.splitlines(), printed.err

    return walk


def test_a_walk_takes_steps_and_goes_back_and_forth(walk: Walk) -> None:
    status, lines, _ = walk("1", "lease_ends()", "b", "forward", "goto 0", "look", "quit", "1")
    assert status == 0
    assert lines[0] == "lease, the initial state"
    assert lines[1].startswith("  1        lease  acquire(worker1)  holder: none → worker1, ")
    heads = [line for line in lines if line.startswith("lease, ")]
    after = ["after step 1", "after step 2", "after step 1 (1 ahead)", "after step 2", "the initial state (2 ahead)"]
    assert heads[1:] == [f"lease, {one}" for one in [*after, "the initial state (2 ahead)"]]
    assert lines[-1] == "> quit"


def test_a_walk_says_what_blocks_a_step_and_what_is_in_the_state(walk: Walk) -> None:
    status, lines, _ = walk("acquire(worker1)", "why acquire(worker2)", "why write(worker1)", "state", "path")
    assert status == 0
    assert "  `holder is None` is false: it is worker1" in lines
    assert "  write(worker1) is possible here" in lines
    assert "  holder = worker1" in lines and "  lease_ends: may still happen 1 time" in lines
    assert not any(line.startswith("  holder = none") for line in lines)
    assert [line.split()[:3] for line in lines[lines.index("> path") + 1 :]] == [["1", "lease", "acquire(worker1)"]]


def test_a_walk_goes_to_a_counterexample_and_says_what_is_false_there(walk: Walk, tmp_path: Path) -> None:
    trace = tmp_path / "run.itf.json"
    status, lines, _ = walk("counterexample never_spoiled", f"save {trace}")
    assert status == 0
    assert "  never_spoiled is violated in 3 steps; `path` shows them, `back` goes back" in lines
    assert "lease, after step 3" in lines
    assert any(line.startswith("  never_spoiled is false here") for line in lines)
    assert run(["show", str(trace), "--model", MODEL]) == 0
    assert "lease, after step 3" in walk(options=[*UNFENCED, "--trace", str(trace)])[1]
    status, _, error = walk(options=["--trace", str(trace)])
    assert (status, "of another configuration of lease" in error) == (2, True)


def test_no_counterexample_is_told(walk: Walk) -> None:
    _, lines, _ = walk("c never_spoiled", options=["--faults", "lease_ends=1"])
    assert "  no counterexample: holds, complete" in lines


CHOOSES = """
from onceproof import Int, Sort, State, action, always, choose, field


class Player(Sort, default=2):
    \"\"\"One who plays.\"\"\"


class Game(State):
    \"\"\"The score.\"\"\"

    score = field(Player, Int(0, 1))


@action
def play(st: Game, player: Player) -> None:
    \"\"\"Another one scores.\"\"\"
    winner = choose(Player, lambda one: one != player)
    st.score[winner] += 1


@action
def clear(st: Game) -> None:
    \"\"\"All begins anew.\"\"\"
    for player in Player:
        st.score[player] = 0


@always
def nobody_wins(st: Game, player: Player) -> bool:
    \"\"\"Nobody scores.\"\"\"
    return st.score[player] == 0
"""


def test_choices_and_steps_that_fail_are_shown(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    model = tmp_path / "game.py"
    model.write_text(CHOOSES, encoding="utf-8")
    command = [sys.executable, "-m", "onceproof", "step", str(model)]

    def walk(*lines: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, input="\n".join(lines), capture_output=True, text=True, check=False)

    lines = walk("play(player1, winner=player2)", "clear()").stdout.splitlines()
    assert any(line.endswith("play(player1, winner=player2)  score[player2]: 0 → 1") for line in lines[:3])
    (fails,) = (line for line in lines if line.startswith("  fails here: "))
    assert "action `play`" in fails and "2 is not within 0 to 1" in fails
    assert "game, after step 2" in lines
    assert "`play(player1)` is not possible without a choice: add winner=..." in walk("play(player1)").stderr
    failed = walk("play(player1, winner=player2)", "play(player1, winner=player2)")
    assert failed.returncode == 2 and "fails here: action `play`" in failed.stderr


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("7", "no step 7: there are 1 to "),
        ("bak", "`bak` is not understood; did you mean `back`?"),
        ("s", "`s` is not understood; that may be state or save"),
        ("xyz", "`xyz` is not understood; `help` lists what is"),
        ("back 1", "the path has the steps 0 to 0"),
        ("goto x", "expected a number of steps, found `x`"),
        ("write(worker1)", "`write(worker1)` is not possible here; `why write(worker1)` says why"),
        ("write(worker9)", "`worker` must be one of worker1, worker2, found 'worker9'"),
        ("wirte(worker1)", "unknown action `wirte`; did you mean `write`?"),
        ("why", "why: expected a step"),
        ("state of things", "expected `state` or `state all`"),
        ("save", "save: expected a file"),
        ("trace nowhere.json", "nowhere.json: no such file"),
        ("counterexample never_spoild", "did you mean `never_spoiled`?"),
    ],
)
def test_what_is_wrong_in_a_pipe_ends_the_walk_in_a_line(walk: Walk, line: str, said: str) -> None:
    status, lines, error = walk(line, "look")
    assert status == 2 and said in error and error.count("\n") == 1
    assert "> look" not in lines


def test_on_a_terminal_a_slip_is_told_and_both_ctrl_c_and_ctrl_d_end_cleanly() -> None:
    for end in (b"\x03", b"\x04"):
        child, terminal = pty.fork()
        if child == 0:
            os.execv(sys.executable, [sys.executable, "-m", "onceproof", "step", MODEL])
        said = b""
        # What was typed before must have been answered: a prompt alone may be the old one, drawn once more.
        dialogue = ((b"initial state", b"nonsense\r"), (b"is not understood", b"1\r"), (b"after step 1", end))
        for answer, typed in dialogue:
            while not (answer in said and said.endswith(b"> ")):
                said += os.read(terminal, 4096)
            said = said.removesuffix(b"> ") + b">"
            os.write(terminal, typed)
        said += _typed_until_closed(terminal, end)
        os.close(terminal)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert b"`nonsense` is not understood" in said and b"lease, after step 1" in said
        assert b"Traceback" not in said


def _typed_until_closed(terminal: int, key: bytes) -> bytes:
    """All that is said until the process has closed its end; the key is typed again where nothing follows from it.

    CPython loses an interrupt that comes between the drawing of a prompt and the wait for a key. Nobody
    types that fast, but a test on a busy machine does.
    """
    said = b""
    while True:
        if not select.select([terminal], [], [], 2)[0]:
            os.write(terminal, key)
            continue
        try:
            more = os.read(terminal, 4096)
        except OSError:
            return said
        if not more:
            return said
        said += more


def test_ctrl_c_at_a_pipe_is_an_interruption() -> None:
    command = [sys.executable, "-m", "onceproof", "step", MODEL]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and b"initial state" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, error = process.communicate()
    assert process.returncode == 3 and error == b"onceproof: interrupted\n"
