"""A way to run the command line, and specs of a small model for it."""

from pathlib import Path

import pytest

from onceproof.main import run
from tests.helpers.fixture_types import Command, Ran, Written
from tests.paths import MODELS

LEASE = MODELS / "lease.py"


@pytest.fixture
def onceproof(capfd: pytest.CaptureFixture[str]) -> Command:
    """Runs the command line in this process: ``onceproof("check", path)``."""

    def command(*arguments: object) -> Ran:
        capfd.readouterr()
        status = run([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        return Ran(int(status), captured.out, captured.err)

    return command


@pytest.fixture
def spec(tmp_path: Path) -> Written:
    """Writes a spec of the lease model: ``spec("faults: {lease_ends: 1}")``."""
    (tmp_path / "lease.py").write_text(LEASE.read_text(encoding="utf-8"), encoding="utf-8")

    def write(text: str, name: str = "lease.yaml", model: bool = True) -> Path:
        path = tmp_path / name
        path.write_text(("model: lease.py\n" if model else "") + text, encoding="utf-8")
        return path

    return write
