"""The report of a Hypothesis test of a system, as ``onceproof test`` prints it: as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from onceproof.conformance.testing.coverage_guided import Findings
from onceproof.inputs.specs import Spec
from onceproof.reports.conformance import (
    confirmation_json,
    confirmation_lines,
    differs,
    disagreement_json,
    disagreement_lines,
    not_covered_line,
)
from onceproof.reports.stops import stop_text, stopped_by
from onceproof.reports.style import style


def findings_lines(spec: Spec, found: Findings, again: str, quiet: bool) -> Iterator[str]:
    """The report. again: the command that reproduces a disagreement; quiet: only a disagreement."""
    share = 100 * found.covered / found.seen if found.seen else 0.0
    if not quiet:
        yield style(spec.name, bold=True)
        yield f"  {found.examples:,} runs, {found.steps:,} steps compared, {found.refused:,} forbidden steps refused"
        yield (
            f"  {found.covered:,} of {found.seen:,} transitions ({share:.0f} %) that leave {found.states:,} visited "
            f"states were taken, {found.seconds:.1f} s"
        )
        if found.stopped:
            yield f"  {stopped_by(found.stopped)}"
        yield from (f"  {line}" for line in not_covered_line(found.replaced, explain=False))
    if found.disagreement is None or found.trace is None:
        if not quiet:
            said = "no disagreement found so far, in" if found.stopped else "agrees in"
            yield f"  {said} {findings_extent(found)}"
        return
    if not quiet:
        yield ""
    yield from confirmation_lines(found.confirmation, found.disagreement, found.trace)
    yield from disagreement_lines(found.disagreement, found.trace, again)


def findings_extent(found: Findings) -> str:
    """In how much they agree: nobody is to take a part for the whole."""
    share = 100 * found.covered / found.seen if found.seen else 0.0
    return f"{found.covered:,} of the {found.seen:,} transitions in sight ({share:.0f} %)"


def findings_verdict(found: Findings) -> str:
    """Whether the system did what the model does."""
    if found.disagreement is not None and found.trace is not None:
        return differs(found.confirmation)
    return "undecided" if found.stopped else "agrees"


def findings_json(spec: Spec, found: Findings, again: str) -> dict[str, Any]:
    """The same for machines."""
    disagreement = None
    if found.disagreement is not None and found.trace is not None:
        disagreement = disagreement_json(found.disagreement, found.trace)
    return {
        "spec": spec.name,
        "verdict": findings_verdict(found),
        "extent": findings_extent(found),
        "not_covered": dict(found.replaced),
        "examples": found.examples,
        "steps": found.steps,
        "refused": found.refused,
        "states": found.states,
        "covered": found.covered,
        "seen": found.seen,
        "seconds": round(found.seconds, 3),
        "stopped": stop_text(found.stopped),
        **confirmation_json(found.confirmation),
        "disagreement": disagreement,
        "again": again,
    }
