"""The wheel in an environment of its own: it works from an empty folder, and beside files of a user's own.

A user's ``queue.py`` and the like note that they were executed; that none was makes the second half of each test.
"""

import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.helpers.installed import SECONDS, Installed, run
from tests.paths import HELPERS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

# Modules of the standard library that onceproof or its libraries import, and names that its own parts once had.
SHADOWS = ("model", "queue", "json", "conformance", "specs", "secrets", "uuid", "numpy")
# Python itself imports these before any module that it was asked for, when it is started with `-m`.
OF_PYTHON = ("types", "contextlib")
# pytest imports these before any test; that files on PYTHONPATH stand in for them is between the user and pytest.
OF_PYTEST = ("json", "uuid")

LEASE = '''
from onceproof import Sort, action, always, fault, field, require
from beside import NOTHING

class Worker(Sort, default=2):
    """A worker."""

locked = field(bool)
writing = field(Worker, bool)

@action
def acquire(st, worker: Worker):
    """Take the lock."""
    require(not st.locked)
    st.locked = st.writing[worker] = True

@action
def release(st, worker: Worker):
    """Give it back."""
    require(st.writing[worker])
    st.locked = st.writing[worker] = False

@fault
def lease_ends(st):
    """Nobody told the holder."""
    require(st.locked)
    st.locked = False

@always
def one_writer(st, one: Worker, other: Worker):
    """One at a time."""
    return one == other or not (st.writing[one] and st.writing[other])

@always(invariant="who writes has locked")
def locked_while_writing(st, worker: Worker):
    """Who writes has locked."""
    return not st.writing[worker] or st.locked
'''

IN_PYTEST = """
from onceproof import check, prove, walk
import lease

def test_lease():
    assert check(lease, engine="compiled").states == 3
    assert prove("lease.yaml").proved
    assert walk("lease.yaml", seed=1)
"""

FUNCTION = """
import beside
from queue import Queue
import on_the_path

def handler(event, context):
    return beside.NOTHING + on_the_path.NOTHING + event.decode() + Queue.__name__
"""


@dataclass
class Folder:
    """A user's folder; ``ran`` is what was executed of the files that stand in for others."""

    path: Path
    hostile: Sequence[str] = ()
    marks: Path = field(init=False)

    def __post_init__(self) -> None:
        self.path.mkdir()
        self.marks = self.path.parent / f"{self.path.name}.ran"
        for name in self.hostile:
            # As builtin as can be: an import here could be answered by another of these files.
            text = f"open({str(self.marks)!r}, 'a').write(__name__ + ' from {name}.py\\n')\n"
            (self.path / f"{name}.py").write_text(text, encoding="utf-8")

    @property
    def ran(self) -> str:
        return self.marks.read_text(encoding="utf-8") if self.marks.exists() else ""


@dataclass
class User:
    """Somebody who runs onceproof in a folder, with another one on PYTHONPATH."""

    command: tuple[str | Path, ...]
    folder: Folder
    on_path: Folder
    specs: Path

    def run(self, *arguments: str | Path, status: int = 0, **variables: str) -> str:
        """Run a command, which must end with this status and execute none of the hostile files; what it printed."""
        done = run(*self.command, *arguments, cwd=self.folder.path, PYTHONPATH=str(self.on_path.path), **variables)
        assert (done.returncode, self.folder.ran, self.on_path.ran) == (status, "", ""), done.stdout + done.stderr
        return done.stdout

    def serve(self) -> str:
        """Start the platform, run a task on it, end it; the task's result."""
        for place, name in ((self.folder, "beside"), (self.on_path, "on_the_path")):
            (place.path / "functions").mkdir(exist_ok=True)
            (place.path / f"{name}.py").write_text("NOTHING = ''\n", encoding="utf-8")
        functions = self.folder.path / "functions"
        (functions / "beside.py").write_text("NOTHING = ''\n", encoding="utf-8")
        (functions / "hello.py").write_text(FUNCTION, encoding="utf-8")
        variables = f"PYTHONPATH={self.on_path.path}"
        command = ["env", variables, *map(str, self.command), "serve", "--port", "0", "--agents", "1"]
        served = subprocess.Popen(command, cwd=self.folder.path, stdout=subprocess.PIPE, text=True)
        try:
            assert served.stdout is not None
            address = re.search(r"http://\S+", served.stdout.readline())
            assert address
            asked = ("task", "--endpoint", address[0], "submit", "hello", "--data", "hello ", "--wait")
            return self.run(*asked)
        finally:
            served.send_signal(signal.SIGTERM)
            assert served.wait(SECONDS) == 0


def all_commands(user: User) -> None:
    """Check, prove, replay, test, driver check and serve."""
    spec, small = user.specs / "zombie-is-fenced.yaml", user.specs / "plain-day.yaml"
    assert "holds, complete" in user.run("check", small)
    assert "as expected" in user.run("check", spec, "--engine", "compiled", "--max-states", "100000")
    assert "proved" in user.run("prove", "lease.yaml")
    broken = user.specs / "api-dies-between-record-and-enqueue.yaml"
    assert "violated in 5 steps" in user.run("check", broken, "--trace-out", "trace.itf.json")
    assert "is violated on the running system" in user.run("replay", "trace.itf.json", status=1)
    assert "is violated on the running system" in user.run("replay", "trace.itf.json", "--driver", "platform", status=1)
    assert "agrees" in user.run("test", small, "--examples", "3")
    driver = f"{sys.executable} -I {HELPERS / 'odd_driver.py'} none"
    assert "all right" in user.run("driver", "check", driver, user.specs / "scheduler-failover.yaml")
    assert "hello Queue" in user.serve()


def made_user(command: Sequence[str | Path], installed: Installed, tmp_path: Path, *shadows: Sequence[str]) -> User:
    """A user with a model and a spec of their own. shadows: names of files in the folder, and on PYTHONPATH."""
    here, there = shadows or ((), ())
    user = User(tuple(command), Folder(tmp_path / "here", here), Folder(tmp_path / "there", there), installed.specs)
    (user.folder.path / "lease.py").write_text(LEASE, encoding="utf-8")
    (user.folder.path / "lease.yaml").write_text("model: lease.py\n", encoding="utf-8")
    (user.folder.path / "beside.py").write_text("NOTHING = ''\n", encoding="utf-8")
    return user


def test_every_command_works_from_a_folder_without_a_checkout(installed: Installed, tmp_path: Path) -> None:
    user = made_user([installed.bin / "onceproof"], installed, tmp_path)
    all_commands(user)
    left = {path.name for path in user.folder.path.iterdir()}
    assert left - {"onceproof-data", "functions", "__pycache__"} == {
        "lease.py",
        "lease.yaml",
        "beside.py",
        "trace.itf.json",
    }


def test_console_script_imports_no_file_of_the_user_in_place_of_a_library(installed: Installed, tmp_path: Path) -> None:
    everything = (*SHADOWS, *OF_PYTHON)
    there = everything if installed.script_is_lean else SHADOWS
    all_commands(made_user([installed.bin / "onceproof"], installed, tmp_path, everything, there))


def test_python_m_imports_no_file_of_the_user_in_place_of_a_library(installed: Installed, tmp_path: Path) -> None:
    all_commands(made_user([installed.bin / "python", "-m", "onceproof"], installed, tmp_path, SHADOWS, SHADOWS))


def test_isolated_python_imports_no_file_whatever_its_name(installed: Installed, tmp_path: Path) -> None:
    everything = (*SHADOWS, *OF_PYTHON)
    command: list[str | Path] = [installed.bin / "python", "-I", "-m", "onceproof"]
    user = made_user(command, installed, tmp_path, everything, everything)
    assert "holds, complete" in user.run("check", user.specs / "plain-day.yaml")


def test_python_p_imports_no_file_in_the_working_directory(installed: Installed, tmp_path: Path) -> None:
    command: list[str | Path] = [installed.bin / "python", "-P", "-m", "onceproof"]
    user = made_user(command, installed, tmp_path, (*SHADOWS, *OF_PYTHON), ())
    assert "holds, complete" in user.run("check", user.specs / "plain-day.yaml")


def test_pytest_beside_files_of_the_user_imports_none_of_them(installed: Installed, tmp_path: Path) -> None:
    """The folder of a test comes first on the path: what is imported late is where a file could come in between."""
    command: list[str | Path] = [installed.bin / "python", "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    on_path = [name for name in SHADOWS if name not in OF_PYTEST]
    user = made_user(command, installed, tmp_path, (*SHADOWS, *OF_PYTHON), on_path)
    (user.folder.path / "test_lease.py").write_text(IN_PYTEST, encoding="utf-8")
    assert "1 passed" in user.run("test_lease.py", PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
