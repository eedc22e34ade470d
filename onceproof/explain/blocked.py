"""Why the model does not allow a step in a state: the conditions of its guard that are false, with their values."""

from __future__ import annotations

from onceproof.explain.reasons import StateView
from onceproof.model.language import Step, System
from onceproof.model.language.layout import State

MOST_WAYS = 3


def reasons(system: System, state: State, step: Step) -> list[str]:
    """A line for each condition that is false, of the way through the action that comes nearest."""
    reading = system.readings.get(step.action)
    if reading is None or not reading.paths:
        return [f"`{step.action}` is never possible in this configuration"]
    view = StateView(system.layout, state, reading.environment(step.arguments))
    ways: list[list[str]] = []
    for path in reading.paths:
        false = [term for term in path.guard if not view.holds(term)]
        if false:
            ways.append([line for term in false for line in view.why(term, False)])
    return list(dict.fromkeys(sorted(ways, key=len)[0])) if ways else ["the guard is true, but the state after differs"]
