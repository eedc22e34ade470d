"""The run that leads to a failure of the model itself, as text."""

from __future__ import annotations

from collections.abc import Iterator

from onceproof.explain.explanation import explain_trace
from onceproof.explain.failure import RunFailed
from onceproof.model.language import ModelError
from onceproof.reports.style import style
from onceproof.reports.trace_text import INDENT, counted, page_width, steps


def failure_lines(error: ModelError) -> Iterator[str]:
    """The steps before the failure and the one that fails; nothing where the run is not known."""
    if not isinstance(error, RunFailed):
        return
    length = len(error.trace)
    where = f"after {counted(length, 'step')}" if length else "in the initial state"
    yield style(f"the model fails {where}", fg="red", bold=True)
    explanation = explain_trace(error.trace)
    if length or explanation.initially:
        yield from steps(explanation, page_width())
    what = f"step {length + 1}, {error.failing_step}, fails" if error.failing_step else "then a property fails"
    yield f"{INDENT}{what}: {error.message}"
