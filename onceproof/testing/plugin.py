"""The pytest plugin: ``pytest --onceproof specs/`` collects specs as tests; the fixture ``onceproof`` checks models.

pytest loads it in every run where onceproof is installed, so it imports nothing of onceproof before that is needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from onceproof.testing.checks import Checks

ENDINGS = (".yaml", ".yml")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--onceproof``."""
    parser.getgroup("onceproof").addoption(
        "--onceproof",
        action="store_true",
        help="Collect specs (all YAML files below the given paths) as tests: pytest --onceproof specs/",
    )


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A YAML file is a spec, where ``--onceproof`` says so."""
    if file_path.suffix in ENDINGS and parent.config.getoption("--onceproof"):
        return SpecFile.from_parent(parent, path=file_path)
    return None


class SpecFile(pytest.File):
    """The file of a spec: one test."""

    def collect(self) -> Iterator[pytest.Item]:
        """The test."""
        yield SpecItem.from_parent(self, name=self.path.stem)


class NotAsExpected(Exception):
    """A check found something else than its spec expects. The text is the report, with the counterexample."""


class SpecItem(pytest.Item):
    """A spec is checked, and what is found must be what it expects."""

    def runtest(self) -> None:
        """Check it; a check that a limit ended is not as expected either."""
        from onceproof.api.check import check

        report = check(self.path)
        if not report.as_expected:
            raise NotAsExpected(str(report))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The counterexample, or what is wrong with the spec in one line."""
        from onceproof.errors import InputError
        from onceproof.model.language import ModelError

        if isinstance(excinfo.value, NotAsExpected | InputError | ModelError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where it is, for the heading of a failure."""
        return self.path, None, f"spec {self.name}"


@pytest.fixture
def onceproof() -> Checks:
    """Check models in a test: ``onceproof.holds(lock, faults={"lease_ends": 1})`` fails with the counterexample."""
    from onceproof.testing.checks import Checks

    return Checks()
