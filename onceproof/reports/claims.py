"""The report of `replay --mechanisms`: which of a driver's claims its system lives up to, and how that shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from onceproof.conformance.replay.claims import TriedClaim
from onceproof.reports.conformance import (
    call_text,
    confirmation_json,
    confirmation_lines,
    disagreement_json,
    disagreement_lines,
    not_covered_line,
)
from onceproof.reports.replay import Agreement, agreement
from onceproof.reports.style import style
from onceproof.reports.tables import table_lines
from onceproof.reports.trace_text import counted

NOT_TOLD = "not tried"


def claim_verdict(tried: TriedClaim) -> str:
    """What a claim came to: agrees, differs, flaky, or not tried."""
    if tried.result is None:
        return NOT_TOLD
    if tried.confirmation is None:
        return Agreement.UNDECIDED if tried.result.not_performed else Agreement.AGREES
    return agreement(tried.refuted, tried.confirmation, False)


def claims_verdict(claims: Sequence[TriedClaim]) -> Agreement:
    """The verdict on all of them: undecided where none could be tried."""
    verdicts = {claim_verdict(tried) for tried in claims}
    for verdict in (Agreement.DIFFERS, Agreement.FLAKY, Agreement.AGREES):
        if verdict in verdicts:
            return verdict
    return Agreement.UNDECIDED


def not_covered(claims: Sequence[TriedClaim]) -> dict[str, str]:
    """What the driver does in the system's place; as it says at each reset."""
    results = [one.result for one in claims if one.result is not None]
    return {what: why for result in results for what, why in result.abilities.replaced.items()}


def claims_lines(name: str, claims: Sequence[TriedClaim], *, quiet: bool) -> Iterator[str]:
    """All that was found out of the claims, for people: a table, then each that was refuted with its trace."""
    if not quiet:
        yield style(name, bold=True)
        yield from table_lines(("mechanism", "verdict", "how it shows"), [_row(tried) for tried in claims])
        yield from not_covered_line(not_covered(claims))
        yield _conclusion(claims)
    for tried in claims:
        if tried.result is not None and tried.result.disagreement is not None and tried.confirmation is not None:
            yield ""
            yield style(f"{tried.mechanism} is claimed, and the system does not behave as if it had it", bold=True)
            yield from confirmation_lines(tried.confirmation, tried.result.disagreement, tried.failing)
            yield from disagreement_lines(tried.result.disagreement, tried.failing, "")


def _row(tried: TriedClaim) -> tuple[str, str, str]:
    if tried.told is None:
        assert tried.not_told is not None
        return tried.mechanism, NOT_TOLD, tried.not_told.reason
    system, steps = tried.told.trace.system, len(tried.told.trace)
    call = call_text(system, tried.told.step)
    if tried.told.forbidden is not None:
        return tried.mechanism, claim_verdict(tried), f"after {counted(steps, 'step')} {call} must be refused"
    return tried.mechanism, claim_verdict(tried), f"step {steps}, {call}, would be refused or end otherwise without it"


def _conclusion(claims: Sequence[TriedClaim]) -> str:
    tried = [one for one in claims if one.result is not None]
    refuted = [one for one in tried if one.refuted]
    if not claims:
        return "the driver claims no mechanism"
    if not tried:
        return "no claim could be tried under this spec"
    text = f"{len(tried)} of {counted(len(claims), 'claim')} tried"
    return f"{text}: {'all of them show' if not refuted else f'{len(refuted)} without substance'}"


def claims_json(name: str, claims: Sequence[TriedClaim]) -> dict[str, Any]:
    """The same for machines."""
    return {
        "spec": name,
        "verdict": claims_verdict(claims).value,
        "not_covered": not_covered(claims),
        "claims": [_claim_json(tried) for tried in claims],
    }


def _claim_json(tried: TriedClaim) -> dict[str, Any]:
    document: dict[str, Any] = {"mechanism": tried.mechanism, "verdict": str(claim_verdict(tried))}
    if tried.not_told is not None:
        document["reason"] = tried.not_told.reason
    if tried.told is not None:
        system = tried.told.trace.system
        document["steps"] = [call_text(system, step) for step in tried.told.trace.steps]
        document["forbidden"] = None if tried.told.forbidden is None else call_text(system, tried.told.forbidden)
    if tried.confirmation is not None and tried.result is not None and tried.result.disagreement is not None:
        document |= confirmation_json(tried.confirmation)
        document["disagreement"] = disagreement_json(tried.result.disagreement, tried.failing)
    return document
