"""The built wheel, and an environment of its own in which only the wheel and the libraries it needs are installed."""

import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from tests.helpers.installed import Installed, build, run
from tests.paths import ROOT


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
