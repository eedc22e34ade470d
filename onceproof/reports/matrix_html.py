"""The matrix as one self-contained HTML page: a grid for each property; a cell opens its counterexample."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from onceproof.explain.explanation import explain
from onceproof.model.checker.matrix.cases import Case, CaseResult, Finding, counterexample
from onceproof.model.checker.matrix.matrix import Matrix, mark
from onceproof.model.language import System
from onceproof.reports.matrix_text import again, cell_text, fault_text, head, how_far, off_text, sets_of_faults, tail
from onceproof.reports.stops import stop_text
from onceproof.reports.style import unstyle
from onceproof.reports.trace_text import explanation_lines

TEMPLATES = Path(__file__).parent / "templates"
TEXT_WIDTH = 140  # columns of text, which a window of 1280 pixels shows


def page(matrix: Matrix) -> str:
    """The page as text."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("matrix.html.jinja").render(
        matrix=matrix,
        title=f"{matrix.setting.model.name}: which mechanism prevents what",
        head="; ".join([unstyle(line).strip() for line in head(matrix)][1:]),
        tail=list(tail(matrix)),
        how_far=list(how_far(matrix)) if matrix.sufficient else [],
        sets_of_faults=sets_of_faults(matrix.breaking[0], len(matrix.plan.faults)) if matrix.breaking else "",
        docs=_docs(matrix),
        off_text=off_text,
        fault_text=fault_text,
        cell_text=cell_text,
        data=_data(matrix),
    )


def _docs(matrix: Matrix) -> dict[str, str]:
    """The description of each property from the model."""
    claims = matrix.setting.model.properties
    return {name: " ".join(claims[name].doc.split()) if name in claims else "" for name in matrix.setting.names}


def _data(matrix: Matrix) -> Markup:
    """The data of the page's script: rows, columns, properties, and for each cell a mark, a text, a counterexample."""
    counterexamples = _Counterexamples(matrix)
    cells = [[counterexamples.cell(cell, name) for name in matrix.setting.names] for cell in matrix.cells]
    switches, faults = matrix.setting.model.switches, matrix.setting.model.actions
    text = json.dumps(
        {
            "rows": [off_text(off) for off in matrix.plan.rows],
            "row_docs": ["; ".join(f"off: {switches[name].off}" for name in off) for off in matrix.plan.rows],
            "columns": [fault_text(column) for column in matrix.plan.columns],
            "column_docs": [
                " ".join(" ".join(faults[name].doc.split()) for name in column if name in faults)
                for column in matrix.plan.columns
            ],
            "properties": matrix.setting.names,
            "docs": [_docs(matrix)[name] for name in matrix.setting.names],
            "cells": cells,
            "states": [[cell.states, cell.complete, stop_text(cell.stopped)] for cell in matrix.cells],
            "counterexamples": counterexamples.texts,
        }
    )
    # Only `<` could end the script element.
    return Markup(text.replace("<", "\\u003c"))


class _Counterexamples:
    """The counterexamples as text; one that several cells share is kept once."""

    def __init__(self, matrix: Matrix) -> None:
        self.matrix = matrix
        self.texts: list[str] = []
        self._numbers: dict[Any, int] = {}
        self._system = cache(matrix.setting.system)

    def cell(self, cell: CaseResult, name: str) -> list[Any]:
        """Mark, text, and the number of the counterexample (-1: none)."""
        finding = cell.of(name)
        number = self._number(cell.case, finding) if finding is not None and finding.broken else -1
        return [mark(finding).value, cell_text(finding), number]

    def _number(self, case: Case, finding: Finding) -> int:
        key = (case.off, finding.name, finding.steps, finding.loop, finding.arguments)
        if key not in self._numbers:
            system: System = self._system(case)
            explanation = explain(counterexample(system, finding))
            lines = explanation_lines(explanation, again(self.matrix, case, finding.name), TEXT_WIDTH)
            self._numbers[key] = len(self.texts)
            self.texts.append("\n".join(map(unstyle, lines)))
        return self._numbers[key]
