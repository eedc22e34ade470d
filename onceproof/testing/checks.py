"""The fixture ``onceproof``: models that are checked in a test, whose failures are counterexamples."""

from __future__ import annotations

from typing import Any

import pytest

from onceproof.api.check import CheckReport, check
from onceproof.api.sources import Source
from onceproof.errors import InputError
from onceproof.model.checker.results import Verdict


class Checks:
    """What the fixture ``onceproof`` is. Settings are those of ``onceproof.check``; reports are returned."""

    def holds(self, source: Source, **settings: Any) -> CheckReport:
        """All properties hold in every reachable state; else the test fails with the counterexample."""
        __tracebackhide__ = True
        report = check(source, **settings)
        if not report.holds:
            pytest.fail(str(report), pytrace=False)
        return report

    def violates(self, source: Source, name: str, *, steps: int | None = None, **settings: Any) -> CheckReport:
        """This property is violated, in as many steps (None: any number of them).

        It is how a test says that a mechanism is needed: ``onceproof.violates(lock, "one_writer", mechanisms=...)``.
        """
        __tracebackhide__ = True
        report = check(source, **settings)
        found = report.properties.get(name)
        if found is None:
            raise InputError(f"property `{name}` is not checked; those are: {', '.join(report.properties)}")
        took = None if found.counterexample is None else len(found.counterexample.steps)
        if found.verdict is not Verdict.VIOLATED or (steps is not None and took != steps):
            wanted = f"{name} is violated" + ("" if steps is None else f" in {steps} steps")
            pytest.fail(f"expected that {wanted}\n\n{report}", pytrace=False)
        return report
