"""The matrix as one JSON document."""

from __future__ import annotations

from typing import Any

from onceproof.model.checker.matrix.cases import Case, CaseResult, Finding
from onceproof.model.checker.matrix.matrix import Mark, Matrix, mark
from onceproof.model.checker.matrix.minimal_sets import Breaking, Sufficient
from onceproof.model.language import System
from onceproof.reports.stops import stop_text


def document(matrix: Matrix) -> dict[str, Any]:
    """All cells, the minimal sets, and what was not tried.

    A cell of a property that does not apply is left out; a step is written as "actor action(names)".
    """
    plan = matrix.plan
    cells = matrix.cells
    return {
        "model": plan.setting.model.name,
        "sizes": dict(plan.setting.config(Case()).sizes),
        **({"parameters": dict(plan.setting.parameters)} if plan.setting.parameters else {}),
        "needs": {fault: dict(needs) for fault, needs in plan.setting.model.needs.items() if fault in plan.faults},
        **({"within": list(plan.setting.model.bounds)} if plan.setting.model.bounds else {}),
        "mechanisms": list(plan.mechanisms),
        "faults": list(plan.faults),
        "properties": plan.setting.names,
        "complete": matrix.complete,
        "interrupted": matrix.interrupted,
        "explored": matrix.explored,
        "seconds": {part: round(seconds, 3) for part, seconds in matrix.seconds.items()},
        "cells": [_cell(matrix, cell) for cell in cells],
        "sufficient_mechanisms": [_sufficient(result) for result in matrix.sufficient],
        "breaking_faults": [_breaking(result) for result in matrix.breaking],
        "limits": {
            "max_states": plan.max_states,
            "set_states": plan.set_states,
            "cases_explored_for_sets": matrix.explored_for_sets,
        },
    }


def _cell(matrix: Matrix, cell: CaseResult) -> dict[str, Any]:
    findings = list(cell.findings.values())
    # Only a violated cell needs the names of a system, and building one takes a while.
    system = matrix.setting.system(cell.case) if any(finding.broken for finding in findings) else None
    return {
        "off": list(cell.case.off),
        "faults": list(cell.case.faults),
        "sizes": dict(matrix.setting.config(cell.case).sizes),
        "states": cell.states,
        "transitions": cell.transitions,
        "complete": cell.complete,
        "stopped": stop_text(cell.stopped),
        "engine": cell.engine,
        "seconds": round(cell.seconds, 3),
        "same_as": None if cell.shared is None else {"off": list(cell.shared.off), "faults": list(cell.shared.faults)},
        "properties": [_finding(finding, system) for finding in findings],
    }


def _finding(finding: Finding, system: System | None) -> dict[str, Any]:
    found = mark(finding)
    verdict = Mark.HOLDS if found is Mark.IDLE else found
    document: dict[str, Any] = {"name": finding.name, "kind": finding.kind, "verdict": verdict.value}
    if finding.vacuous:
        document["vacuous"] = finding.vacuous
    if finding.broken and system is not None:
        document |= {
            "length": finding.length,
            "faults": finding.faults,
            "shortest": finding.sure,
            "minimal_in": finding.minimal,
            "steps": [f"{system.actor(step)} {system.call(step)}" for step in finding.steps],
            "loop": finding.loop,
        }
    return document


def _sufficient(result: Sufficient) -> dict[str, Any]:
    return {
        "property": result.property,
        "of": list(result.claims),
        "sets": [list(names) for names in result.sets],
        "undecided": [list(names) for names in result.undecided],
        "says_nothing": result.silent,
        "under": [list(faults) for faults in result.columns],
        "not_under": [list(faults) for faults in result.left_out],
        "tried_sets_of_at_most": result.tried,
        "stopped": stop_text(result.stopped),
    }


def _breaking(result: Breaking) -> dict[str, Any]:
    pairs = zip(result.faults, result.sets, strict=True)
    return {
        "property": result.property,
        "sets": [{"faults": list(faults), "length": finding.length} for faults, finding in pairs],
        "undecided": [list(faults) for faults in result.undecided],
        "tried_sets_of_at_most": result.tried,
    }
