"""Specs of a small model, for the tests of the command line."""

from pathlib import Path

import pytest

from tests.helpers.fixture_types import Written
from tests.paths import MODELS

LEASE = MODELS / "lease.py"


@pytest.fixture
def spec(tmp_path: Path) -> Written:
    """Writes a spec of the lease model: ``spec("faults: {lease_ends: 1}")``."""
    (tmp_path / "lease.py").write_text(LEASE.read_text(encoding="utf-8"), encoding="utf-8")

    def write(text: str, name: str = "lease.yaml", model: bool = True) -> Path:
        path = tmp_path / name
        path.write_text(("model: lease.py\n" if model else "") + text, encoding="utf-8")
        return path

    return write
