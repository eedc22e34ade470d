"""Steps as people name them: by action, element and choice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onceproof.model.language.arguments import Parameter
from onceproof.model.language.errors import ModelError, nearest
from onceproof.model.language.initials import INITIALLY
from onceproof.model.language.judging import Arguments
from onceproof.model.language.model import Model
from onceproof.model.language.reading.result import UNMET, ActionReading, Chosen
from onceproof.model.language.showing import call_text
from onceproof.model.language.step_arguments import codes_of_arguments


@dataclass(frozen=True, slots=True)
class Step:
    """An action with its arguments (0-based indices of elements)."""

    action: str
    arguments: Arguments


class StepNames:
    """What a system says of its steps. beginning: the reading of the start, if the model chooses there."""

    model: Model
    sizes: dict[str, int]
    all_readings: dict[str, ActionReading]
    beginning: ActionReading | None

    def parameters_of(self, name: str) -> tuple[Parameter | Chosen, ...]:
        """What the arguments of an action's steps (or the start's) stand for: its parameters, then its choices."""
        if name == INITIALLY:
            return () if self.beginning is None else self.beginning.choices
        action = self.model.actions[name]
        reading = self.all_readings.get(name)
        return action.parameters if reading is None else (*action.parameters, *reading.choices)

    def named_arguments(self, step: Step) -> dict[str, str]:
        """The arguments of a step by parameter, and what it chooses: ``{"node": "node1", "voter": "node2"}``."""
        pairs = zip(self.parameters_of(step.action), step.arguments, strict=True)
        return {one.name: one.element(code) for one, code in pairs if code != UNMET}

    def chosen(self, step: Step) -> tuple[str, ...]:
        """The names of the choices that a step makes."""
        number = len(self.model.actions[step.action].parameters) if step.action != INITIALLY else 0
        return tuple(self.named_arguments(step))[number:]

    def call(self, step: Step) -> str:
        """A step as people read it: ``grant(node1, voter=node2)``."""
        return call_text(step.action, self.named_arguments(step), self.chosen(step))

    def parse_step(self, action: str, arguments: Mapping[str, Any]) -> Step:
        """The step with these named arguments and choices; ModelError for an unknown action, name or value."""
        known = self.model.actions.get(action)
        if known is None:
            raise ModelError(f"unknown action `{action}`{nearest(action, self.model.actions)}")
        choices = self.all_readings[action].choices if action in self.all_readings else ()
        return Step(action, codes_of_arguments(known, choices, self.sizes, arguments))

    def actor(self, step: Step) -> str:
        """The actor: the element that is called as the action's component is, or else the component."""
        action = self.model.actions[step.action]
        for parameter, argument in zip(action.parameters, step.arguments, strict=False):
            if parameter.sort.__name__.lower() == action.component:
                return parameter.element(argument)
        return action.component
