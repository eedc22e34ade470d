"""``conforms``: a Hypothesis test that a system conforms to a model."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping

from onceproof.api.drivers import DriverSource, opened
from onceproof.api.sources import Budgets, Source, spec_of
from onceproof.conformance.command_driver import ANSWER_SECONDS
from onceproof.conformance.testing.coverage_guided import Effort, drive
from onceproof.errors import InputError
from onceproof.isolation import InstalledFirst
from onceproof.reports.stateful import findings_lines
from onceproof.reports.style import unstyle

DEFAULTS = Effort()


def conforms(
    source: Source,
    driver: DriverSource,
    *,
    sizes: Mapping[str, int] | None = None,
    mechanisms: Mapping[str, bool] | None = None,
    faults: Budgets | None = None,
    parameters: Mapping[str, int] | None = None,
    examples: int = DEFAULTS.examples,
    steps: int = DEFAULTS.steps,
    seed: int = DEFAULTS.seed,
    max_seconds: float | None = None,
    refusals: int | None = DEFAULTS.refusals,
    answer_seconds: float = ANSWER_SECONDS,
) -> Callable[[], None]:
    """A test function: ``test_lock = conforms("lock.yaml", LockDriver)``.

    Hypothesis drives the system along the model, towards transitions not covered yet, as ``onceproof test`` does; an
    AssertionError says what that command prints: the shortest run on which model and system differ, step by step.

    source, sizes, mechanisms, faults, parameters: as in ``check``. driver: see ``DriverSource``. examples, steps,
    seed, refusals: how many runs of how many steps, chosen how, and how many forbidden steps are asked for at each new
    state. max_seconds: the time limit; a test that it ends has found nothing so far, and passes. answer_seconds: for
    how long a driver that is a process may take for an answer.

    The test raises InputError where the source, a setting or the driver is wrong, or where nothing could be tested.
    """
    effort = Effort(examples, steps, seed, max_seconds, refusals)

    def test() -> None:
        __tracebackhide__ = True
        with InstalledFirst():
            spec = spec_of(source, sizes=sizes, mechanisms=mechanisms, faults=faults, parameters=parameters)
            with opened(driver, answer_seconds) as driven:
                found = drive(spec.system, driven, effort)
            if not found.steps and found.disagreement is None:
                raise InputError(f"{spec.path}: the driver performed no step of the model; nothing was tested")
            if found.disagreement is not None:
                by_command = isinstance(driver, str)
                again = f"onceproof test {spec.asked} --driver {shlex.quote(str(driver))}" if by_command else ""
                raise AssertionError(unstyle("\n".join(findings_lines(spec, found, again, quiet=False))))

    test.__doc__ = f"The system conforms to the model of {source}."
    return test
