"""A storm as a test: it fails with the report where something is broken."""

import sys
from pathlib import Path

import pytest

from onceproof import Guarantee
from onceproof.testing import storm
from tests.helpers.storm_files import folder_queue


def test_a_storm_that_loses_a_task_fails_with_its_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("tries", "outcomes"):
        monkeypatch.setattr(f"onceproof.conformance.storms.{module}.quiet", lambda lease: 1.5)
    python = Path(sys.executable)
    with pytest.raises(AssertionError, match="violated") as raised:
        storm(
            folder_queue(tmp_path),
            expect=Guarantee.AT_LEAST_ONCE,
            folder=tmp_path,
            python=python,
            schedules=["kill"],
            tries=1,
        )
    assert "lost with its worker (1)" in str(raised.value)
