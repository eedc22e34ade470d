"""The report of `replay --cover`: how much of the model was replayed, and where the system differs; and JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from onceproof.conformance.coverage.interruptions import Interrupted
from onceproof.conformance.coverage.plan import Plan
from onceproof.conformance.coverage.run import Budget, Coverage
from onceproof.conformance.driver import Interruption
from onceproof.inputs.specs import Spec
from onceproof.model.checker.results import INTERRUPTED, StopReason
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
from onceproof.reports.trace_text import counted

NAMES = {
    Interruption.DEATH: ("deaths", "a process died"),
    Interruption.REFUSAL: ("refusals", "the store refused"),
    Interruption.GROUP: ("groups", "two actions were one commit, and their process died in it"),
}


def coverage_verdict(found: Coverage, budget: Budget) -> Agreement:
    """Whether model and system agree; undecided where a limit ended it, but not where a sample was asked for."""
    undecided = (not found.complete and budget.sample is None) or found.stopped == INTERRUPTED
    return agreement(found.disagreement is not None, found.confirmation, undecided)


def coverage_lines(spec: Spec, found: Coverage, budget: Budget, again: str, *, quiet: bool) -> Iterator[str]:
    """The report. again: the command that reproduces a disagreement."""
    if not quiet:
        yield from _summary(spec, found, budget.seed)
    if found.disagreement is not None and found.trace is not None:
        if not quiet:
            yield ""
        yield from confirmation_lines(found.confirmation, found.disagreement, found.trace)
        yield from disagreement_lines(found.disagreement, found.trace, again)


def _stopped(found: Coverage, seed: int) -> str:
    if found.stopped is not None and found.stopped.reason is StopReason.SAMPLE:
        return f"a sample of {found.stopped.limit} of {len(found.plan.paths)} paths, seed {seed}"
    return stop_text(found.stopped)


def _summary(spec: Spec, found: Coverage, seed: int) -> Iterator[str]:
    wanted = found.wanted
    share = 100 * found.covered / wanted if wanted else 0.0
    yield style(spec.name, bold=True)
    of_model = f" (of {found.transitions:,} of the model)" if found.transitions > found.performable else ""
    yield f"  covered   {found.covered:,} of {wanted:,} transitions, {share:.1f} %{of_model}"
    if not found.plan.graph.complete:
        yield (
            f"  explored  {len(found.plan.graph.states):,} states of the model, which has more: their transitions are "
            "not counted (raise --max-states or --max-seconds)"
        )
    if found.symmetric is not None:
        yield f"  reduced   these represent {found.performable:,} transitions that are equal up to renaming"
    yield f"  planned   {_planned(found.plan)}"
    rate = found.compared / found.seconds if found.seconds else 0.0
    yield (
        f"  walked    {counted(found.steps, 'step')} in {counted(found.paths, 'path')}, "
        f"{counted(found.compared, 'state')} compared, "
        f"{found.refused:,} forbidden steps refused, {found.seconds:.1f} s ({rate:,.0f} comparisons per second)"
    )
    for one in found.interrupted:
        yield from _interrupted(one)
    if found.stopped:
        yield f"  stopped   {_stopped(found, seed)}"
    if found.left and found.disagreement is None:
        left = ", ".join(f"{action} {count:,}" for action, count in found.left.items())
        yield f"  left      {sum(found.left.values()):,} transitions: {left}"
    for action, count in sorted(found.skipped.items()):
        yield (
            f"  skipped   {action}: the driver does not perform it ({counted(count, 'transition')}, and what follows)"
        )
    if found.silent:
        yield f"  silent    {counted(found.silent, 'time')} the driver gave no answer in time; it was begun anew"
    if found.unobserved:
        yield f"  unseen    {', '.join(found.unobserved)} (why: --explain-mapping)"
    yield from (f"  {line}" for line in not_covered_line(found.replaced))
    if found.disagreement is None:
        yield f"  {'agrees in' if found.complete else 'agrees so far, in'} {coverage_extent(found)}"


def _planned(plan: Plan) -> str:
    planned = f"{counted(plan.steps, 'step')} in {counted(len(plan.paths), 'path')}"
    if plan.greedy:
        return f"{planned}, chosen greedily: there was no time to find the shortest paths (raise --max-seconds)"
    over = 100 * (plan.steps / plan.bound - 1) if plan.bound else 0.0
    return f"{planned}; the minimum is {plan.bound:,} ({over:.1f} % above)"


def coverage_extent(found: Coverage) -> str:
    """In how much they agree: nobody is to take a part for the whole."""
    wanted = found.wanted
    if not found.complete:
        share = 100 * found.covered / wanted if wanted else 0.0
        part = "" if found.plan.graph.complete else " that were explored"
        return f"{found.covered:,} of {wanted:,} transitions{part} ({share:.1f} %)"
    extent = f"all {wanted:,} transitions" if wanted != 1 else "the one transition"
    if found.transitions > found.performable:
        extent += f" that the driver can get to, of {found.transitions:,} of the model"
    return extent


def _interrupted(found: Interrupted) -> Iterator[str]:
    name, what = NAMES[found.how]
    points = sum(found.points.values())
    share = 100 * found.interrupted / found.transitions if found.transitions else 100.0
    yield (
        f"  {name:<10}{what} at {counted(points, 'point')}, in {found.interrupted:,} of {found.transitions:,} "
        f"transitions ({share:.1f} %), {found.seconds:.1f} s"
    )
    if found.points:
        yield f"            {', '.join(f'{action} {count:,}' for action, count in found.points.most_common() if count)}"
    if found.left:
        left = ", ".join(f"{action} {count:,}" for action, count in found.left.items())
        yield f"            not interrupted: {sum(found.left.values()):,} transitions: {left}"


def coverage_json(spec: Spec, found: Coverage, budget: Budget) -> dict[str, Any]:
    """The same for machines."""
    disagreement = None
    if found.disagreement is not None and found.trace is not None:
        disagreement = disagreement_json(found.disagreement, found.trace)
    return {
        "spec": spec.name,
        "verdict": coverage_verdict(found, budget).value,
        "extent": coverage_extent(found),
        "complete": found.complete,
        "explored_all": found.plan.graph.complete,
        "transitions": found.transitions,
        "performable": found.performable,
        "symmetric": found.symmetric,
        "covered": found.covered,
        "paths": found.paths,
        "paths_planned": len(found.plan.paths),
        "steps": found.steps,
        "steps_planned": found.plan.steps,
        "steps_least": found.plan.bound,
        "plan": "greedy" if found.plan.greedy else "shortest",
        "compared": found.compared,
        "refused": found.refused,
        "seconds": round(found.seconds, 3),
        "stopped": _stopped(found, budget.seed),
        "left": found.left,
        "skipped": found.skipped,
        "unobserved": found.unobserved,
        "not_covered": dict(found.replaced),
        "silent": found.silent,
        "interrupted": [
            {
                "how": one.how.value,
                "points": dict(one.points),
                "transitions": one.transitions,
                "interrupted": one.interrupted,
                "left": one.left,
                "seconds": round(one.seconds, 3),
            }
            for one in found.interrupted
        ],
        **confirmation_json(found.confirmation),
        "disagreement": disagreement,
    }
