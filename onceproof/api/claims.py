"""``try_mechanisms``: for each mechanism that a driver claims, the trace that shows whether the system has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onceproof.api.drivers import DriverSource, opened
from onceproof.api.sources import Budgets, Source, installed_first, spec_of
from onceproof.conformance.command_driver import ANSWER_SECONDS
from onceproof.conformance.drivers import CORE
from onceproof.conformance.replay.claims import TriedClaim, try_claims
from onceproof.conformance.replay.lockstep import Disagreement
from onceproof.errors import InputError
from onceproof.inputs.specs import Spec
from onceproof.reports.claims import claims_json, claims_lines, claims_verdict
from onceproof.reports.replay import Agreement
from onceproof.reports.style import unstyle


class ClaimsReport:
    """The result of ``try_mechanisms``; ``str()`` of it is the report that the command line prints.

    claims: one for each mechanism that is claimed, in the order of the model.
    """

    def __init__(self, spec: Spec, claims: list[TriedClaim]) -> None:
        self.spec, self.claims = spec, claims

    @property
    def verdict(self) -> Agreement:
        """``AGREES``, ``DIFFERS`` (a claim is without substance), ``FLAKY``, or ``UNDECIDED`` (none could be tried)."""
        return claims_verdict(self.claims)

    @property
    def refuted(self) -> list[str]:
        """The mechanisms that are claimed, and that the system does not have."""
        return [tried.mechanism for tried in self.claims if tried.refuted]

    def __str__(self) -> str:
        return unstyle("\n".join(claims_lines(self.spec.name, self.claims, quiet=False)))

    def __repr__(self) -> str:
        return f"<ClaimsReport of {self.spec.name}: {self.verdict.value}, {len(self.claims)} claims>"

    def to_json(self) -> dict[str, Any]:
        """The document of ``onceproof replay --mechanisms --json``."""
        return claims_json(self.spec.name, self.claims)


@installed_first
def try_mechanisms(
    source: Source = None,
    driver: DriverSource = CORE,
    *,
    sizes: Mapping[str, int] | None = None,
    mechanisms: Mapping[str, bool] | None = None,
    faults: Budgets | None = None,
    answer_seconds: float = ANSWER_SECONDS,
) -> ClaimsReport:
    """Try each mechanism that a driver claims, by the shortest trace on which a system without it would differ.

    source, sizes, mechanisms, faults: as in ``check``; a mechanism that is off there is not tried. driver: see
    ``DriverSource``. answer_seconds: how long a driver that is a process may take for an answer.

    InputError where the source or the driver is wrong, or where the initial state is not that of the model.
    """
    spec = spec_of(source, sizes=sizes, mechanisms=mechanisms, faults=faults)
    with opened(driver, answer_seconds) as driven:
        try:
            return ClaimsReport(spec, list(try_claims(spec.system, driven)))
        except Disagreement as disagreement:
            raise InputError(f"{spec.path}: the initial state is not that of the model: {disagreement}") from None
