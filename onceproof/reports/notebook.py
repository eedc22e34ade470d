"""Results as HTML for notebooks: a piece of a page without scripts and outside resources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onceproof.explain.explanation import Explanation
from onceproof.explain.steps import shown
from onceproof.model.checker.results import Verdict
from onceproof.reports.trace_text import counted, headings, initial_text

if TYPE_CHECKING:
    from jinja2 import Template

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Summary:
    """What is shown of a result before its report as text.

    said: the verdict in words. properties: name, kind, verdict, and whether that is bad. run: the counterexample.
    """

    title: str
    verdict: Verdict
    said: str
    facts: Sequence[str]
    text: str
    properties: Sequence[tuple[str, str, str, bool]] = ()
    notes: Sequence[str] = field(default_factory=list)
    run: Explanation | None = None


def html(summary: Summary) -> str:
    """The piece of HTML. The text is open at once where there is nothing else to look at."""
    return _template().render(
        title=summary.title,
        tone=str(summary.verdict),
        verdict=summary.said,
        facts=summary.facts,
        notes=summary.notes,
        properties=summary.properties,
        run=None if summary.run is None else _run(summary.run),
        text=summary.text,
        open=not summary.properties and summary.run is None,
    )


@cache
def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # not before a notebook asks: it costs a start

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("notebook.html.jinja")


def _run(explanation: Explanation) -> dict[str, Any]:
    elements = f" for {', '.join(explanation.elements)}" if explanation.elements else ""
    reasons = (explanation.given, explanation.because)
    length = f"{counted(len(explanation.steps), 'step')}, {counted(explanation.trace.faults, 'fault')}"
    if explanation.initially:
        length += f"; initially: {initial_text(explanation)}"
    return {
        "headline": f"{explanation.property} is violated{elements} in {length}",
        "loop": explanation.trace.loop,
        "reasons": [(head, why) for head, why in zip(headings(explanation), reasons, strict=True) if why],
        "steps": [
            {
                "index": step.index,
                "fault": step.fault,
                "actor": step.actor,
                "call": step.call,
                "changed": [(label, shown(before), shown(after)) for label, (before, after) in step.changed.items()],
            }
            for step in explanation.steps
        ],
    }
