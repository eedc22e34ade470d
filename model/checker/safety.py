"""Safety properties along a run: of states (``always``), and of steps (``step``, ``refines``)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from onceproof.model.language.declare import Property
from onceproof.model.language.layout import State
from onceproof.model.language.refinement import refinement_of
from onceproof.model.language.system import Arguments, Step, System


def violated_by(system: System, claim: Property, states: Sequence[State]) -> Arguments | None:
    """For which elements a safety property is false at the end of a run: in its last state, or of its last step.

    states: those that the run goes through; of a property of steps only the last two count. A refinement may be false
    at the start, too. None where it is true.
    """
    for arguments in system.instances(claim):
        if violates(system, claim, arguments, states):
            return arguments
    return None


def violates(system: System, claim: Property, arguments: Arguments, states: Sequence[State]) -> bool:
    """The same for these elements."""
    if claim.kind == "refines":
        refinement = refinement_of(system, claim)
        return not (refinement.keeps(*states[-2:]) if len(states) > 1 else refinement.starts_well(states[0]))
    if claim.kind == "step":
        return len(states) > 1 and system.holds_of_step(claim, states[-2], states[-1], arguments) is False
    return system.holds(claim, states[-1], arguments) is False


def truths_along(
    system: System, claim: Property, arguments: Arguments, states: Sequence[State]
) -> Iterator[bool | None]:
    """What a safety property says of each state of a run, or of each step; None where its ``given`` is false."""
    if claim.kind == "refines":
        return (not violates(system, claim, arguments, states[: number + 1]) for number in range(len(states)))
    if claim.kind == "step":
        return (system.holds_of_step(claim, *pair, arguments) for pair in itertools.pairwise(states))
    return (system.holds(claim, state, arguments) for state in states)


def violating_steps(system: System, claim: Property, state: State) -> list[Step]:
    """The steps from a state that violate a property of steps, or a refinement."""
    steps = system.steps_within(state)
    return [step for step, after in steps if violated_by(system, claim, (state, after)) is not None]
