"""The report of `walk`: what random runs found, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from onceproof.explain.explanation import explain
from onceproof.inputs.specs import Spec
from onceproof.model.checker.explicit.random_walk import WalkResult
from onceproof.reports.stops import stop_text, stopped_by
from onceproof.reports.trace_text import explanation_lines


def walk_lines(spec: Spec, result: WalkResult, again: str, *, quiet: bool) -> Iterator[str]:
    """The report. again: the command that reproduces the violation."""
    if result.violation is not None:
        yield from explanation_lines(explain(result.violation), again)
        yield f"found in run {result.run} after {result.length_found} steps, then shortened (`check` finds a shortest)"
    if quiet:
        return
    rate = result.steps / result.seconds if result.seconds else 0.0
    yield f"{spec.name}: {result.runs:,} runs, {result.steps:,} steps ({rate:,.0f} per second), seed {result.seed}"
    yield f"  longest run {result.deepest} steps; {'' if result.exact else 'about '}{result.distinct:,} distinct states"
    if result.exact:
        yield f"  estimate: such runs can reach at least {result.estimated_states:,} states, and a step of one more run"
        yield f"  leads to a state seen here with a probability of {result.coverage:.2%}"
    idle = [name for name, count in result.fired.items() if not count]
    if idle:
        yield f"  never fired: {', '.join(idle)}"
    unseen = [name for name, seen in result.seen.items() if not seen]
    if unseen:
        yield f"  not seen: {', '.join(unseen)}"
    if result.stopped:
        yield f"  {stopped_by(result.stopped)}"
    if result.violation is None:
        yield "no violation found; that is not a proof: `onceproof check` explores every state"


def walk_json(spec: Spec, result: WalkResult, depth: int) -> dict[str, Any]:
    """The result as JSON."""
    return {
        "spec": spec.name,
        "verdict": "violated" if result.violation else "unknown",
        "seed": result.seed,
        "runs": result.runs,
        "depth_limit": depth,
        "steps": result.steps,
        "deepest": result.deepest,
        "seconds": round(result.seconds, 3),
        "engine": result.engine,
        "states_met": result.distinct,
        "states_met_exact": result.exact,
        "states_estimated": result.estimated_states if result.exact else None,
        "coverage_estimated": round(result.coverage, 6) if result.exact else None,
        "actions": [{"name": name, "fired": count} for name, count in result.fired.items()],
        "never_fired": [name for name, count in result.fired.items() if not count],
        "sometimes": result.seen,
        "stopped": stop_text(result.stopped),
        "run": result.run,
        "length_found": result.length_found,
        "counterexample": explain(result.violation).as_json() if result.violation else None,
    }
