"""The report of `walk --swarm`: what a swarm met, cell by cell, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from onceproof.explain.explanation import explain
from onceproof.inputs.specs import Spec
from onceproof.model.checker.swarm import ALL_STATES, SwarmResult
from onceproof.reports.stops import stop_text, stopped_by
from onceproof.reports.tables import table_lines
from onceproof.reports.trace_text import explanation_lines


def swarm_lines(spec: Spec, result: SwarmResult, depth: int, again: str, *, quiet: bool) -> Iterator[str]:
    """The report. again: the command that reproduces the violation."""
    if result.violation is not None:
        yield from explanation_lines(explain(result.violation), again)
        length = result.length_found
        yield f"found by seed {result.violated_by} in {length} steps, then shortened (`check` finds a shortest)"
    if quiet:
        return
    rate = result.visits / result.seconds if result.seconds else 0.0
    seeds = (
        f"seeds {result.seed} to {result.seed + result.members - 1}" if result.members > 1 else f"seed {result.seed}"
    )
    yield f"{spec.name}: {result.members:,} members, {seeds}, at most {depth} steps deep"
    yield f"  {result.visits:,} visits ({rate:,.0f} per second), longest path {result.deepest} steps"
    if result.table:
        yield from _cells(result)
    for note in result.notes:
        yield f"  {note}"
    if result.stopped:
        yield f"  {stopped_by(result.stopped)}"
    if result.complete:
        yield "  one member met every state that it could find: `onceproof check` can explore them all, and be sure"
    if result.violation is None:
        yield "no violation found; that is not a proof: a swarm does not know what it did not meet"


def _cells(result: SwarmResult) -> Iterator[str]:
    """The table of cells, and what none of the states met is about."""
    yield "  about how many distinct states were met (within some 3 %): a row for those in which a mechanism makes a"
    yield "  difference, or which show a *sometimes*; a column for those that a fault led to"
    rows = [[name, *(f"{count:,}" for count in row)] for name, row in zip(result.rows, result.table, strict=True)]
    headers = ["", "all", *result.columns[1:]]
    yield ""
    yield from (f"  {line}" for line in table_lines(headers, rows, right=frozenset(range(1, len(headers)))))
    yield ""
    for name, row in zip(result.rows, result.table, strict=True):
        if name != ALL_STATES and not row[0]:
            yield f"  not met: {name}"
        elif missing := [fault for fault, count in zip(result.columns[2:], row[2:], strict=True) if not count]:
            yield f"  not met: {name} after {', '.join(missing)}"
    if result.not_told:
        yield f"  not told, as other parts of the state are needed without it: {', '.join(result.not_told)}"


def swarm_json(spec: Spec, result: SwarmResult, depth: int) -> dict[str, Any]:
    """The result as JSON."""
    return {
        "spec": spec.name,
        "verdict": "violated" if result.violation else "unknown",
        "seed": result.seed,
        "members": result.members,
        "depth_limit": depth,
        "visits": result.visits,
        "deepest": result.deepest,
        "seconds": round(result.seconds, 3),
        "engine": "compiled",
        "states_met": result.distinct,
        "states_met_exact": False,
        "cells": [
            {"mechanism": name, "fault": fault, "states_met": count}
            for name, row in zip(result.rows[1:], result.table[1:], strict=False)
            for fault, count in zip(result.columns[1:], row[1:], strict=True)
        ],
        "not_told": result.not_told,
        "complete": result.complete,
        "stopped": stop_text(result.stopped),
        "violated_by": result.violated_by,
        "length_found": result.length_found,
        "counterexample": explain(result.violation).as_json() if result.violation else None,
    }
