"""What results of engines are compared by."""

from typing import Any

from onceproof.model.checker.results import CheckResult
from onceproof.model.language.declare import LIVENESS


def comparable(result: CheckResult) -> Any:
    """All that engines must agree on: states, transitions, depth, verdicts, lengths and faults of counterexamples."""
    claims = [
        (
            p.name,
            p.verdict,
            p.vacuous,
            p.counterexample
            and (
                (p.counterexample.trace.faults, p.counterexample.trace.loop)
                if p.kind in LIVENESS
                else (p.counterexample.trace.faults, len(p.counterexample.trace), p.counterexample.trace.turns)
            ),
        )
        for p in result.properties
    ]
    return result.complete, result.states, result.transitions, result.depth, result.fired, claims


def numbers_and_verdicts(result: CheckResult) -> dict[str, Any]:
    """What must not depend on how the search is done, whichever of the shortest counterexamples it finds."""
    lengths = {p.name: p.counterexample and len(p.counterexample.trace.steps) for p in result.properties}
    verdicts = {p.name: (p.verdict, p.vacuous) for p in result.properties}
    return {
        "numbers": (result.states, result.transitions, result.depth, result.fired),
        "verdicts": verdicts,
        "lengths": lengths,
    }
