"""What `walk` prints: what random runs met, and the violation that they came to; and the same as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from onceproof.explain.explanation import explain
from onceproof.inputs.specs import Spec
from onceproof.model.checker.explicit.random_walk import WalkResult
from onceproof.reports.stops import stop_text
from onceproof.reports.trace_text import explanation_lines


def walk_lines(spec: Spec, result: WalkResult, again: str, *, quiet: bool) -> Iterator[str]:
    """All that the runs found, for people. again: the command that shows the violation again."""
    if result.violation is not None:
        yield from explanation_lines(explain(result.violation), again)
        yield f"found in run {result.run}, in {result.length_found} steps, and shortened; `check` finds the shortest"
    if quiet:
        return
    rate = result.steps / result.seconds if result.seconds else 0.0
    yield f"{spec.name}: {result.runs:,} runs, {result.steps:,} steps ({rate:,.0f} a second), seed {result.seed}"
    yield f"  deepest {result.deepest} steps; {'' if result.exact else 'about '}{result.distinct:,} distinct states met"
    if result.exact:
        yield f"  of at least some {result.estimated_states:,} that such runs can meet; what was met is"
        yield f"  {result.coverage:.2%} of what they do"
    idle = [name for name, count in result.fired.items() if not count]
    if idle:
        yield f"  never fired: {', '.join(idle)}"
    unseen = [name for name, seen in result.seen.items() if not seen]
    if unseen:
        yield f"  not seen: {', '.join(unseen)}"
    if result.stopped:
        yield f"  stopped: {stop_text(result.stopped)}"
    if result.violation is None:
        yield "no violation on the way, which is no proof: `onceproof check` explores everything"


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
