"""The built wheel, and an environment of its own in which only the wheel and the libraries it needs are installed."""

import os
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.paths import ROOT

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


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("installed") / "with a space"
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    packages = next((folder / "lib").glob("python*")) / "site-packages"
    # The libraries are those that requirements.txt pins. Nothing there can lead to the checkout: what makes it
    # importable is a .pth file, and those count only in an environment's own folder.
    (packages / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    pip: list[str | Path] = [sys.executable, "-m", "pip", "--python", python, "--quiet", "--disable-pip-version-check"]
    done = run(*pip, "install", "--no-deps", "--no-index", "--ignore-installed", wheel, cwd=folder)
    assert done.returncode == 0, done.stderr
    return Installed(folder / "bin", packages / "onceproof" / "specs")
