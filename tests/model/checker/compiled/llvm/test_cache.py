"""Compiled code kept on disk is used only if it is what it should be, and nobody else can have put it there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from onceproof.model.checker.compiled.llvm import cache


def test_damaged_code_cache_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    text = "def expand(state, out):\n    return 7\n"
    code, known = cache.machine_code(text)
    assert not known and cache.machine_code(text) == (code, True)
    (path,) = (tmp_path / "onceproof" / "models").iterdir()
    path.write_bytes(path.read_bytes()[:-9] + b"garbage!!")
    assert cache.machine_code(text) == (code, False)
    path.write_bytes(b"")
    assert cache.machine_code(text) == (code, False)
    assert cache.machine_code(text) == (code, True)


def test_damaged_kernel_cache_is_made_again(tmp_path: Path) -> None:
    script = (
        "from onceproof import build; from onceproof.model.checker import compiled; from tests.models.jugs import *;"
    )
    script += "print(compiled.check(build(JUGS), workers=1).states)"
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}

    def run() -> str:
        command = [sys.executable, "-c", script]
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout

    assert run() == "16\n"
    kernels = list((tmp_path / "onceproof" / "kernels").iterdir())
    assert kernels
    for path in kernels:
        path.write_bytes(path.read_bytes()[:1000])
    assert run() == "16\n"


def test_cache_that_cannot_be_written_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "onceproof").write_text("a file where a folder should be")
    script = (
        "from onceproof import build; from onceproof.model.checker import compiled; from tests.models.jugs import *;"
    )
    script += "print(compiled.check(build(JUGS), [], workers=1).states)"
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    ran = subprocess.run([sys.executable, "-c", script], env=environment, check=True, capture_output=True, text=True)
    assert ran.stdout == "16\n"


def place_of(text: str, folder: Path) -> Path:
    """The file in the cache for a text."""
    before = set(folder.rglob("*.o"))
    cache.machine_code(text)
    (path,) = set(folder.rglob("*.o")) - before
    return path


def test_code_of_another_model_in_its_place_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    seven, eight = (f"def expand(state, out):\n    return {number}\n" for number in (7, 8))
    here, other = place_of(seven, tmp_path), place_of(eight, tmp_path)
    code, known = cache.machine_code(seven)
    assert known
    here.write_bytes(other.read_bytes())
    assert cache.machine_code(seven) == (code, False)
    assert cache.machine_code(seven) == (code, True)


@pytest.mark.parametrize("what", ["file", "folder", "link"])
def test_code_that_others_can_write_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    text = "def expand(state, out):\n    return 9\n"
    path = place_of(text, tmp_path)
    assert cache.machine_code(text)[1]
    assert path.stat().st_mode & 0o077 == path.parent.stat().st_mode & 0o077 == 0
    if what == "link":
        path.rename(tmp_path / "elsewhere")
        path.symlink_to(tmp_path / "elsewhere")
    else:
        (path if what == "file" else path.parent).chmod(0o777)
    assert not cache.machine_code(text)[1]


def test_code_of_another_user_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    text = "def expand(state, out):\n    return 10\n"
    place_of(text, tmp_path)
    assert cache.machine_code(text)[1]
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    assert not cache.machine_code(text)[1]
