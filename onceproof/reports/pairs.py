"""The report of `replay --pairs`: for every pair of faults at which sizes it was covered, and how much of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from onceproof.conformance.coverage.fault_pairs import MOST_MORE
from onceproof.conformance.coverage.pairs import CoveredPair, CoveredPairs, Outcome
from onceproof.conformance.replay.confirm import Confirmation
from onceproof.reports.conformance import (
    confirmation_json,
    confirmation_lines,
    disagreement_json,
    disagreement_lines,
    not_covered_line,
)
from onceproof.reports.replay import Agreement, agreement
from onceproof.reports.stops import stop_text
from onceproof.reports.style import style
from onceproof.reports.tables import plain
from onceproof.reports.trace_text import counted

WHY = {
    Outcome.IMPOSSIBLE: f"cannot happen: no run has both, with up to {MOST_MORE} elements more than the least",
    Outcome.NOT_PERFORMED: "the driver does not perform what leads there",
    Outcome.UNSURE: "too many states to find a run with both",
    Outcome.OUT_OF_TIME: "out of time",
}


def pairs_verdict(found: CoveredPairs) -> Agreement:
    """Whether model and system agree; undecided where some pair was not covered in full, or where none could be."""
    differs = found.differs
    confirmation = differs.coverage.confirmation if differs is not None and differs.coverage is not None else None
    covered = any(one.covered for one in found.pairs)
    return agreement(differs is not None, confirmation or Confirmation(), not found.complete or not covered)


def pairs_extent(found: CoveredPairs) -> str:
    """In how much they agree: nobody is to take a part for the whole."""
    covered, transitions = sum(one.covered for one in found.pairs), sum(one.transitions for one in found.pairs)
    possible = [one for one in found.pairs if one.outcome not in (Outcome.IMPOSSIBLE, Outcome.NOT_PERFORMED)]
    done = sum(one.outcome is Outcome.COVERED for one in possible)
    part = "" if all(_explored(one) for one in possible) else " that were explored"
    return (
        f"{covered:,} of {transitions:,} transitions after both faults{part}; "
        f"{done:,} of {counted(len(possible), 'pair')} in full"
    )


def pairs_lines(name: str, found: CoveredPairs, again: str, *, quiet: bool) -> Iterator[str]:
    """The report. again: the command that reproduces a disagreement."""
    differs = found.differs
    if not quiet:
        yield style(name, bold=True)
        rows = [(str(one.pair), _sizes(one.sizes), _covered(one)) for one in found.pairs]
        yield from (f"  {line}" for line in plain(("faults", "sizes above 1", "transitions covered after both"), rows))
        yield from _summary(found)
    if differs is not None and differs.coverage is not None:
        coverage = differs.coverage
        assert coverage.disagreement is not None and coverage.trace is not None
        if not quiet:
            yield ""
        yield from confirmation_lines(coverage.confirmation, coverage.disagreement, coverage.trace)
        yield from disagreement_lines(coverage.disagreement, coverage.trace, again)


def _summary(found: CoveredPairs) -> Iterator[str]:
    covers = [one.coverage for one in found.pairs if one.coverage is not None]
    yield (
        f"  walked    {counted(sum(one.steps for one in covers), 'step')}, "
        f"{counted(sum(one.compared for one in covers), 'state')} compared, "
        f"{sum(one.refused for one in covers):,} forbidden steps refused, {found.seconds:.1f} s"
    )
    if found.stopped is not None:
        yield f"  stopped   {stop_text(found.stopped)}"
    yield from (f"  {line}" for line in not_covered_line(replaced(found)))
    if found.differs is None:
        yield f"  {'agrees' if pairs_verdict(found) is Agreement.AGREES else 'agrees so far'} in {pairs_extent(found)}"


def replaced(found: CoveredPairs) -> Mapping[str, str]:
    """What the driver does in the system's place."""
    return next((one.coverage.replaced for one in found.pairs if one.coverage is not None), {})


def _explored(one: CoveredPair) -> bool:
    """Whether all transitions after both faults are known."""
    return one.coverage is not None and one.coverage.plan.graph.complete


def _sizes(sizes: Mapping[str, int]) -> str:
    return ", ".join(f"{name}={size}" for name, size in sizes.items() if size > 1) or "-"


def _covered(one: CoveredPair) -> str:
    if one.outcome in WHY:
        return WHY[one.outcome]
    if one.outcome is Outcome.DIFFERS:
        return "differs (see below)"
    share = f" ({100 * one.covered / one.transitions:.1f} %)" if one.transitions else ""
    more = "" if _explored(one) else ", and more that was not explored"
    return f"{one.covered:,} of {one.transitions:,}{share}{more}"


def pairs_json(name: str, found: CoveredPairs) -> dict[str, Any]:
    """The same for machines."""
    differs = found.differs
    coverage = None if differs is None else differs.coverage
    disagreement = None
    if coverage is not None and coverage.disagreement is not None and coverage.trace is not None:
        disagreement = disagreement_json(coverage.disagreement, coverage.trace)
    return {
        "spec": name,
        "verdict": pairs_verdict(found).value,
        "extent": pairs_extent(found),
        "complete": found.complete,
        "pairs": [_pair_json(one) for one in found.pairs],
        "seconds": round(found.seconds, 3),
        "stopped": stop_text(found.stopped),
        "not_covered": dict(replaced(found)),
        **confirmation_json(Confirmation() if coverage is None else coverage.confirmation),
        "disagreement": disagreement,
    }


def _pair_json(one: CoveredPair) -> dict[str, Any]:
    return {
        "faults": [one.pair.one, one.pair.other],
        "outcome": one.outcome.value,
        "sizes": dict(one.sizes),
        "transitions": one.transitions,
        "covered": one.covered,
        "explored_all": _explored(one),
        "steps": 0 if one.coverage is None else one.coverage.steps,
    }
