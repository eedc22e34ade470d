"""A misreading of the model is exit status 70 in every command that judges by readings, and never a verdict."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

MODEL = '''
from onceproof import Count, Sort, action, always, exists, field, require, switch


class Worker(Sort):
    """Workers."""


hurried = switch(on="two may enter", off="one may")
inside = field(Worker, bool)
entered = field(Count(3))


@action
def enter(st, worker: Worker):
    """Enter."""
    require(not st.inside[worker] and st.entered < 2)
    st.inside[worker] = True
    st.entered += 1


@action
def leave(st, worker: Worker):
    """Leave."""
    require(st.inside[worker])
    st.inside[worker] = False
    st.entered -= 1


@always
def counted(st, worker: Worker):
    """Whoever is inside is counted."""
    return st.entered > 0 or not st.inside[worker]
'''
SPEC = "name: doorway\nmodel: doorway.py\nsizes: {workers: 2}\nexpect: holds\n"
LOG = '{"action": "enter", "arguments": {"worker": "worker1"}}\n'
COMMANDS = (
    "check doorway.yaml",
    "check doorway.yaml --engine direct",
    "prove doorway.yaml",
    "walk doorway.yaml --runs 3",
    "export doorway.yaml --to tla",
    "matrix --model doorway.py --mechanisms hurried --processes 1",
    "validate doorway.yaml log.ndjson --by Worker",
)
# What a fault of onceproof looks like: `<` is read the wrong way round. Each command in a line: its status, its output.
PATCHED = """
import contextlib, io, sys
from onceproof.main import run
from onceproof.model.language.reading import expressions
from onceproof.model.language.terms import not_

right = expressions.below
if {wrong}:
    expressions.below = lambda interpreter, one, other: not_(right(interpreter, one, other))
for command in {commands}:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = int(run(command.split()))
    print(repr((command, status, out.getvalue(), err.getvalue())))
"""


def ran(folder: Path, wrong: bool) -> list[tuple[str, int, str, str]]:
    """What the commands say, in a process that reads models wrongly, or rightly."""
    (folder / "doorway.py").write_text(MODEL)
    (folder / "doorway.yaml").write_text(SPEC)
    (folder / "log.ndjson").write_text(LOG)
    code = PATCHED.format(wrong=wrong, commands=COMMANDS)
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return [eval(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def wrongly_read(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str, str]]:
    """What each command says where the model is read wrongly."""
    return {command: (status, out, err) for command, status, out, err in ran(tmp_path_factory.mktemp("wrong"), True)}


@pytest.mark.parametrize("command", COMMANDS)
def test_misreading_ends_every_command_with_70(wrongly_read: dict[str, tuple[int, str, str]], command: str) -> None:
    status, out, err = wrongly_read[command]
    assert status == 70, (out, err)
    assert "a fault of onceproof, not a verdict: it reads action `enter(worker" in err
    assert "otherwise than Python runs it. In the state with" in err
    assert "Traceback" not in err
    for word in ("holds", "proved", "admit", "complete"):
        assert word not in out


def test_the_same_commands_agree_where_the_model_is_read_rightly(tmp_path: Path) -> None:
    assert [(command, status) for command, status, *_ in ran(tmp_path, False) if status not in (0, 3)] == []
