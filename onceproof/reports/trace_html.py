"""A trace as one self-contained HTML page: the sequence diagram, what each step changed, and the state after it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from onceproof.explain.explanation import Explanation
from onceproof.explain.sequence import Shape, diagram
from onceproof.explain.steps import shown
from onceproof.reports.trace_text import counted, headings, initial_text, nothing_to_switch_on

TEMPLATES = Path(__file__).parent / "templates"
# Pixels of the diagram. It is scaled down where even the least columns do not fit a window of 1280 pixels.
ROW, TOP, NAME_ROW = 28, 52, 15
FITS, LEAST_COLUMN, MOST_COLUMN = 740, 48, 92
LETTER, BOLD_LETTER = 6.8, 7.6


@dataclass(frozen=True)
class Line:
    """One line of the diagram, in pixels: from x1 to x2 at height y."""

    step: int
    x1: float
    x2: float
    y: float
    shape: str
    fault: bool


def page(explanation: Explanation, spec_name: str, again: str) -> str:
    """The page as text."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    title = (
        f"{explanation.property} is violated"
        if explanation.property
        else f"a trace of {explanation.trace.system.model.name}"
    )
    return environment.get_template("trace.html.jinja").render(
        title=title,
        explanation=explanation,
        spec_name=spec_name,
        again=again,
        faults=counted(explanation.trace.faults, "fault"),
        length=counted(len(explanation.steps), "step"),
        headings=headings(explanation),
        nothing=nothing_to_switch_on(explanation),
        drawn=_drawing(explanation),
        initially=initial_text(explanation) if explanation.initially else "",
        data=_data(explanation),
    )


def _drawing(explanation: Explanation) -> dict[str, Any]:
    drawn = diagram(explanation)
    names = drawn.participants
    words = {name: name.split("_") for name in names}
    texts = [f"{step.index}. {step.action}  " for step in explanation.steps] + [_loop_text(explanation)]
    left = 40 + LETTER * max(map(len, texts))
    column = min(MOST_COLUMN, max(LEAST_COLUMN, (FITS - left) / max(1, len(names))))
    x = {name: round(left + column * (number + 0.5), 1) for number, name in enumerate(names)}
    widest = BOLD_LETTER * max((len(word) for name in names for word in words[name]), default=0)
    height = NAME_ROW * max(map(len, words.values()), default=1)
    turns = 2 if widest > column else 1  # names that would touch stand in turns on two levels
    top = TOP + height * (turns - 1)
    lines, rows = [], {}
    y = top
    for arrow in drawn.arrows:
        y += ROW
        if arrow.first:
            rows[arrow.step.index] = y
        x1, x2 = x[arrow.source], x[arrow.target]
        # Arrow heads end just before the lifeline.
        end = x2 if arrow.shape is not Shape.ARROW else x2 - 3 if x2 > x1 else x2 + 3
        lines.append(Line(arrow.step.index, x1, end, y, arrow.shape.value, arrow.step.fault))
    heights = {step: sum(line.step == step for line in lines) * ROW for step in rows}
    loop = explanation.trace.loop
    return {
        "participants": [
            {"words": words[name], "x": x[name], "bottom": top - 22 - height * (number % turns)}
            for number, name in enumerate(names)
        ],
        "lines": lines,
        "rows": [{"step": step, "y": rows[step.index], "height": heights[step.index]} for step in explanation.steps],
        "width": round(left + column * len(names) + 12),
        "height": y + ROW + (ROW if loop is not None else 0),
        "top": top,
        "row": ROW,
        "loop": None
        if loop is None
        else {"from": rows.get(loop + 1, y + ROW) - ROW / 2, "to": y + ROW, "text": _loop_text(explanation)},
    }


def _loop_text(explanation: Explanation) -> str:
    loop = explanation.trace.loop
    if loop is None:
        return ""
    if loop == len(explanation.steps):
        return "after that nothing more happens, forever"
    return f"the loop goes back to step {loop + 1}"


def _data(explanation: Explanation) -> Markup:
    """What the script of the page reads: for each state its fields, for each step what it changed."""
    layout = explanation.trace.system.layout
    states = []
    for state in explanation.trace.states:
        states.append({cell.label: shown(cell.show(state)) for mine in layout.cells.values() for cell in mine})
    departure = explanation.trace.departure
    if departure is not None:  # what the state would be is not defined, but for what leaves its range
        states.append({**states[-1], departure.cell: departure.value})
    components = {cell.label: cell.component or "budgets of faults" for mine in layout.cells.values() for cell in mine}
    steps = [
        {
            "title": f"{step.index}. {step.actor}: {step.call}",
            "fault": step.fault,
            "about": " ".join(explanation.trace.system.model.actions[step.action].doc.split()),
            "changed": {label: [shown(value) for value in pair] for label, pair in step.changed.items()},
        }
        for step in explanation.steps
    ]
    start, initial = "0. initial state", states[0]
    if explanation.initially:  # then the first state has something to show, too
        start += f": {initial_text(explanation)}"
        initial = {cell.label: shown(cell.show(layout.initial)) for mine in layout.cells.values() for cell in mine}
    document = {"states": states, "components": components, "steps": steps, "initial": initial, "start": start}
    text = json.dumps(document)
    # Only `<` could end the script element.
    return Markup(text.replace("<", "\\u003c"))
