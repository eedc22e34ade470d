"""What is installed comes before what is the user's on sys.path, and the order of the user's own entries stays."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from onceproof.implementation.platform.isolation import isolated
from onceproof.isolation import InstalledFirst, is_installed, prefer_installed

STANDARD, PACKAGES = sysconfig.get_path("stdlib"), sysconfig.get_path("purelib")


def test_standard_library_and_packages_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", ["/here", STANDARD, "/there", f"{STANDARD}/lib-dynload", PACKAGES, ""])
    prefer_installed()
    assert sys.path == [STANDARD, f"{STANDARD}/lib-dynload", PACKAGES, "/here", "/there", ""]


def test_path_of_this_process_holds_its_standard_library() -> None:
    assert any(is_installed(entry) and os.path.exists(f"{entry}/queue.py") for entry in sys.path)


@pytest.mark.parametrize("entry", ["", ".", "/home", f"{STANDARD}-of-mine", "/opt/site-packages/mine"])
def test_folder_of_a_user_is_not_installed(entry: str) -> None:
    assert not is_installed(entry)


def test_context_restores_the_order_and_keeps_what_was_added_and_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", ["/here", STANDARD, "/there"])
    with InstalledFirst():
        assert sys.path == [STANDARD, "/here", "/there"]
        with InstalledFirst():
            sys.path.append("/new")
        sys.path.remove("/there")
    assert sys.path == ["/here", STANDARD, "/new"]


def test_isolated_process_finds_modules_on_the_path_of_its_parent_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "import json\ndef main(arguments):\n    json.loads; print(__name__, *arguments)\n    return 3\n"
    (tmp_path / "started.py").write_text(text, encoding="utf-8")
    (tmp_path / "json.py").write_text("raise SystemExit('the json of the user')", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    command = isolated("started", "one", "two words")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (3, "started one two words\n", "")
