"""Environments with pinned packages, one for each profile that asks for some: made on first use, kept in a cache."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from onceproof.conformance.storms.errors import StormError

READY = "onceproof-ready"


def environment(name: str, requirements: Sequence[str], say: Callable[[str], None]) -> Path:
    """The Python of an environment with these packages; StormError, with the last lines of pip, where it cannot be."""
    text = "\n".join([*sorted(requirements), sys.version])
    folder = cache() / f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"
    python = folder / "bin" / "python"
    if (folder / READY).exists():
        return python
    say(f"making an environment with {', '.join(requirements)} in {folder} (once)")
    shutil.rmtree(folder, ignore_errors=True)
    for command in (
        [sys.executable, "-m", "venv", str(folder)],
        [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements],
    ):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode != 0:
            shutil.rmtree(folder, ignore_errors=True)
            last = "\n".join(done.stdout.splitlines()[-15:])
            raise StormError(f"no environment with {', '.join(requirements)} can be made", last)
    (folder / READY).write_text(text + "\n", encoding="utf-8")
    return python


def cache() -> Path:
    """Where environments are kept."""
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "onceproof" / "storms"
