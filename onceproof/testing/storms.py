"""``storm`` for pytest: a test that fails where a storm breaks what is expected, with the storm's report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from onceproof.api.storm import StormReport
from onceproof.api.storm import storm as run_storm
from onceproof.conformance.judging.anomalies import Guarantee
from onceproof.model.checker.results import Verdict


def storm(file: str | Path, *, expect: Guarantee | None = None, **options: Any) -> StormReport:
    """Run a storm, and raise AssertionError with its report where the verdict is not that all holds.

    What is undecided fails too: a test that saw nothing shows nothing. expect, options: as in
    ``onceproof.api.storm.storm``; ``schedules`` and ``max_seconds`` keep a test short.
    InputError where the file, its broker or its workers are wrong.
    """
    __tracebackhide__ = True
    report = run_storm(file, expect=expect, **options)
    if report.verdict is not Verdict.HOLDS:
        raise AssertionError(f"{report.verdict}\n{report}")
    return report
