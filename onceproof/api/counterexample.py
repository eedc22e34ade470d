"""A counterexample as the API gives it: its steps, why the property is false, and the report as text."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

from onceproof.explain.explanation import Explanation, explain
from onceproof.explain.prevention import Prevention
from onceproof.explain.steps import ExplainedStep
from onceproof.inputs.itf import write_trace
from onceproof.inputs.models import ModelRef
from onceproof.model.checker.results import Counterexample, Trace, Verdict
from onceproof.reports.notebook import Summary, html
from onceproof.reports.style import unstyle
from onceproof.reports.trace_text import counted, explanation_lines


class CounterexampleReport:
    """A run of the model on which a property is false; ``str()`` of it is what the command line prints.

    property: the name of what is false. trace: the run as states and steps of the model.
    """

    def __init__(self, found: Counterexample, source: ModelRef, spec_name: str) -> None:
        self._source, self._spec_name = source, spec_name
        self.counterexample: Counterexample = found
        self.property: str = found.property
        self.trace: Trace = found.trace

    @cached_property
    def explanation(self) -> Explanation:
        """The run taken apart."""
        return explain(self.counterexample)

    @property
    def steps(self) -> list[ExplainedStep]:
        """The steps: each has ``actor``, ``action``, ``arguments``, ``fault`` and what it ``changed``."""
        return self.explanation.steps

    @property
    def faults(self) -> int:
        """How many of the steps are faults."""
        return self.trace.faults

    @property
    def elements(self) -> tuple[str, ...]:
        """For which elements the property is false: ``("task1",)``."""
        return self.explanation.elements

    @property
    def loop(self) -> int | None:
        """The state (0 is the first) from which the run repeats for ever; None where it is finite."""
        return self.trace.loop

    @property
    def false_because(self) -> list[str]:
        """Why the property is false in the last state, one reason each."""
        return self.explanation.because

    @property
    def prevented_by(self) -> list[Prevention]:
        """What each mechanism that is switched off would have done."""
        return self.explanation.prevented_by

    def __len__(self) -> int:
        return len(self.trace)

    def __str__(self) -> str:
        return unstyle("\n".join(explanation_lines(self.explanation, "")))

    def _repr_html_(self) -> str:
        """What a notebook shows of it."""
        facts = [counted(len(self), "step"), counted(self.faults, "fault")]
        return html(Summary(self.property, Verdict.VIOLATED, "violated", facts, str(self), run=self.explanation))

    def to_json(self) -> dict[str, Any]:
        """The keys of ``counterexample`` in ``onceproof check --json``."""
        return self.explanation.as_json()

    def save(self, path: Path | str) -> None:
        """Write it as an ITF trace, for ``replay`` and ``onceproof show``. OSError where that is impossible."""
        write_trace(Path(path), self._source, self._spec_name, self.counterexample)
