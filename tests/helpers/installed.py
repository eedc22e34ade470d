"""Builds of the package, and commands run where only a wheel is installed."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

SECONDS = 100  # for one command; the machine may be busy


def run(*command: str | Path, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, without any PYTHON* variable but the given ones."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST", "ONCEPROOF"))}
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**kept, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def build(target: str, source: Path, folder: Path) -> Path:
    """Build the ``wheel`` or the ``sdist`` of a source tree into a folder; the file that was made."""
    done = run(sys.executable, "-m", "hatchling", "build", "-t", target, "-d", folder, cwd=source)
    assert done.returncode == 0, done.stderr
    (made,) = folder.iterdir()
    return made


@dataclass(frozen=True)
class Installed:
    """A virtual environment with the wheel. specs: the spec library inside it."""

    bin: Path
    specs: Path

    @property
    def script_is_lean(self) -> bool:
        """Whether the installer's own lines of the console script import nothing that a file can stand in for."""
        return "import re\n" not in (self.bin / "onceproof").read_text(encoding="utf-8")
