"""The environment of a storm file: which Python runs it, and what its processes find in their variables."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import onceproof.storm
from onceproof.conformance.storms.errors import StormError
from onceproof.storm.ledger import HOLDS, LEDGER
from onceproof.storm.queue import URL


@dataclass(frozen=True)
class Environment:
    """A Python, and the folder that lets it import ``onceproof.storm`` where it is not installed there.

    folder: of the storm; beside: the folder of the storm file, which workers can import from.
    """

    python: Path
    folder: Path
    beside: Path

    @cached_property
    def shim(self) -> Path | None:
        """A folder with nothing but ``onceproof.storm``; None where this Python has onceproof already."""
        asked = [str(self.python), "-P", "-c", "import onceproof.storm"]
        if self.python == Path(sys.executable) or _succeeds(asked):
            return None
        package = self.folder / "python" / "onceproof"
        package.mkdir(parents=True, exist_ok=True)
        (package / "__init__.py").write_text('"""The part of onceproof that storm files import."""\n', "utf-8")
        link = package / "storm"
        if not link.exists():
            link.symlink_to(Path(onceproof.storm.__file__).parent, target_is_directory=True)
        return package.parent

    def variables(self, url: str, ledger: Path, holds: Path) -> dict[str, str]:
        """What a worker or the program that submits finds in its environment."""
        home = self.python.parent
        found = [str(self.beside), *([str(self.shim)] if self.shim is not None else [])]
        before = os.environ.get("PYTHONPATH")
        inherited = {name: text for name, text in os.environ.items() if name not in ("PYTHONHOME", "VIRTUAL_ENV")}
        return {
            **inherited,
            "PATH": os.pathsep.join([str(home), os.environ.get("PATH", os.defpath)]),
            "PYTHONPATH": os.pathsep.join([*found, *([before] if before else [])]),
            "PYTHONDONTWRITEBYTECODE": "1",  # nothing is left beside the storm file
            "PYTHONUNBUFFERED": "1",
            URL: url,
            LEDGER: str(ledger),
            HOLDS: str(holds),
        }


def _succeeds(command: list[str]) -> bool:
    try:
        done = subprocess.run(command, capture_output=True, timeout=60, check=False, cwd="/")
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def python_for(file: Path, chosen: Path | None) -> Path:
    """The Python that runs a storm file: the chosen one, that of `.venv` beside it, of the active environment, or ours.

    StormError where the chosen one is none.
    """
    if chosen is not None:
        candidate = chosen / "bin" / "python" if chosen.is_dir() else chosen
        if not os.access(candidate, os.X_OK):
            raise StormError(f"{chosen}: neither a Python nor a virtual environment")
        return candidate.absolute()
    active = os.environ.get("VIRTUAL_ENV")
    folders = [file.absolute().parent / ".venv", *([Path(active)] if active else [])]
    for folder in folders:
        if os.access(folder / "bin" / "python", os.X_OK):
            return (folder / "bin" / "python").absolute()
    return Path(sys.executable)
