"""docs/python.md: its files are written, its tests run, and its other examples print what the page says.

A block whose first line is ``# NAME`` is that file. The other Python blocks are one session, in the order of the page;
a ``text`` block is the output of the block before it. ``SNAP_UPDATE=1`` writes the output into the page.
"""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.paths import ROOT

PAGE = ROOT / "docs" / "python.md"
BLOCK = re.compile(r"^```(python|yaml|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
END = "-- end of block --"


@dataclass
class Example:
    """A Python block of the session, and the output that the page gives for it (None: none is shown)."""

    code: str
    output: str | None = None
    place: tuple[int, int] = (0, 0)


def parts(page: str) -> tuple[dict[str, str], list[Example]]:
    """The files and the session of the page."""
    files: dict[str, str] = {}
    session: list[Example] = []
    for block in BLOCK.finditer(page):
        language, text = block.groups()
        named = re.match(r"# (\w+\.\w+)\n", text)
        if named:
            files[named[1]] = text
        elif language == "text":
            session[-1].output, session[-1].place = text, block.span(2)
        else:
            session.append(Example(text))
    return files, session


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files of the page."""
    for name, text in parts(PAGE.read_text(encoding="utf-8"))[0].items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder."""
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100, check=False)


def test_the_tests_of_the_page_pass(folder: Path) -> None:
    done = python(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", ".")
    assert done.returncode == 0, done.stdout
    assert "6 passed" in done.stdout


def test_the_test_of_the_page_fails_with_the_report_where_the_model_is_wrong(folder: Path) -> None:
    model = (folder / "lock.py").read_text(encoding="utf-8")
    (folder / "lock.py").write_text(model.replace("    if st.fenced:\n        st.writing[client] = False\n", ""))
    done = python(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_lock.py")
    assert done.returncode == 1
    assert re.search(r"^E +5        lock  write\(client2\) +writing\[client2\]: no → yes$", done.stdout, re.MULTILINE)


def test_the_state_machine_of_the_page_finds_a_wrong_server(folder: Path) -> None:
    server = (folder / "server.py").read_text(encoding="utf-8")
    (folder / "server.py").write_text(server.replace("        self.writers.discard(client)\n", ""))
    done = python(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_server.py")
    assert done.returncode == 1 and "2 failed" in done.stdout
    assert "different at `lease_ends`; writing[client1] is True, in the model False" in done.stdout
    assert re.search(r"^E +lease_ends\(client1\)$", done.stdout, re.MULTILINE)


def test_the_session_of_the_page_prints_what_the_page_says(folder: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    _, session = parts(page)
    code = "".join(f"{example.code}\nprint({END!r})\n" for example in session)
    (folder / "session.py").write_text(code, encoding="utf-8")
    done = python(folder, "session.py")
    assert done.returncode == 0, done.stderr
    printed = done.stdout.split(f"{END}\n")[:-1]
    shown = [example for example in session if example.output is not None]
    assert len(shown) > 5
    if os.environ.get("SNAP_UPDATE"):
        for example, output in reversed(list(zip(session, printed, strict=True))):
            if example.output is not None:
                start, end = example.place
                page = page[:start] + output + page[end:]
        PAGE.write_text(page, encoding="utf-8")
        return
    assert [example.output or "" for example in session] == printed


def test_every_public_name_can_be_imported_and_says_what_it_is() -> None:
    import onceproof

    for name in onceproof.__all__:
        value = getattr(onceproof, name)
        assert name == "ANY" or value.__doc__, f"{name} has no docstring"
