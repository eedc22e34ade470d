"""The steps of a trace for reports: who did what, and what it changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from onceproof.model.checker.results import Departure, Trace
from onceproof.model.language.layout import LEFT
from onceproof.model.language.showing import call_text, text_of


@dataclass(frozen=True)
class ExplainedStep:
    """One step. index: from 1; changed: the label of a cell to its values (before, after)."""

    index: int
    actor: str
    action: str
    arguments: dict[str, str]  # with what the step chooses
    fault: bool
    changed: dict[str, tuple[Any, Any]]
    chosen: tuple[str, ...] = ()  # the names of the arguments that are choices

    def __str__(self) -> str:
        return self.who

    @property
    def call(self) -> str:
        """``receive(scheduler1, message1)``."""
        return call_text(self.action, self.arguments, self.chosen)

    @property
    def who(self) -> str:
        """``scheduler1 receive(scheduler1, message1)``."""
        return f"{self.actor} {self.call}"


def explained_steps(trace: Trace) -> list[ExplainedStep]:
    """The steps of a trace, each with what it changed, except budgets of faults, which are not part of the system."""
    system = trace.system
    steps = []
    for number, step in enumerate(trace.steps):
        changes = system.layout.changes(trace.states[number], trace.states[number + 1])
        steps.append(
            ExplainedStep(
                index=number + 1,
                actor=system.actor(step),
                action=step.action,
                arguments=system.named_arguments(step),
                chosen=system.chosen(step),
                fault=system.model.actions[step.action].fault,
                changed={label: pair for label, pair in changes.items() if not label.startswith(LEFT)},
            )
        )
    if trace.departure is not None:
        steps.append(_departure(trace, trace.departure))
    return steps


def _departure(trace: Trace, departure: Departure) -> ExplainedStep:
    """The step that leads to no state: what it would write where it leaves the range of a field."""
    system, step = trace.system, departure.step
    (cell,) = (cell for cell in system.layout.cells[departure.field] if cell.label == departure.cell)
    return ExplainedStep(
        index=len(trace),
        actor=system.actor(step),
        action=step.action,
        arguments=system.named_arguments(step),
        chosen=system.chosen(step),
        fault=system.model.actions[step.action].fault,
        changed={departure.cell: (cell.show(trace.states[-1]), departure.value)},
    )


def shown(value: object) -> str:
    """A value as text: ``none``, ``yes``, ``no``, ``[a, b]``, or as Python prints it."""
    return text_of(value)
