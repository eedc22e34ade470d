"""Safety properties along a run: of states (``always``), and of steps (``step``)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from onceproof.model.language.declare import Property
from onceproof.model.language.layout import State
from onceproof.model.language.system import Arguments, Step, System


def violated_by(system: System, claim: Property, states: Sequence[State]) -> Arguments | None:
    """For which elements a safety property is false at the end of a run: in its last state, or of its last step.

    states: those that the run goes through; of a property of steps only the last two count. None where it is true.
    """
    for arguments in system.instances(claim):
        if violates(system, claim, arguments, states):
            return arguments
    return None


def violates(system: System, claim: Property, arguments: Arguments, states: Sequence[State]) -> bool:
    """The same for these elements."""
    if claim.kind == "step":
        return len(states) > 1 and system.holds_of_step(claim, states[-2], states[-1], arguments) is False
    return system.holds(claim, states[-1], arguments) is False


def truths_along(
    system: System, claim: Property, arguments: Arguments, states: Sequence[State]
) -> Iterator[bool | None]:
    """What a safety property says of each state of a run, or of each step; None where its ``given`` is false."""
    if claim.kind == "step":
        return (system.holds_of_step(claim, *pair, arguments) for pair in itertools.pairwise(states))
    return (system.holds(claim, state, arguments) for state in states)


def violating_steps(system: System, claim: Property, state: State) -> list[Step]:
    """The steps from a state that violate a property of steps."""
    steps = system.steps_within(state)
    return [step for step, after in steps if violated_by(system, claim, (state, after)) is not None]
