"""A step as the reading of an action says."""

from onceproof.model.language.evaluate import step_of
from onceproof.model.language.layout import Layout, State
from onceproof.model.language.reading.result import ActionReading


def read_step(reading: ActionReading, layout: Layout, state: State, arguments: tuple[int, ...]) -> State | None:
    """The state after an action (without budgets); None where it is not enabled."""
    return step_of(reading, layout)(state, dict(zip(reading.variables, arguments, strict=True)))
