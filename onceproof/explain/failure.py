"""A model that fails while it runs (an index that is None, a failed ``assert``): the shortest run that leads there."""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Sequence

from onceproof.explain.steps import ExplainedStep, explained_steps
from onceproof.model.checker.results import Trace
from onceproof.model.language import ModelError, Step, System
from onceproof.model.language.declare import Property
from onceproof.model.language.layout import State
from onceproof.model.language.refinement import refinement_of

SEARCHED_SECONDS = 20.0


class RunFailed(ModelError):
    """The model fails in a state that a run reaches.

    trace: the shortest such run; step: the step in which it fails, None where a property fails in the last state.
    """

    def __init__(self, error: ModelError, trace: Trace, step: Step | None) -> None:
        super().__init__(error.message, error.place)
        self.trace, self.step = trace, step

    @property
    def steps(self) -> list[ExplainedStep]:
        """The steps before the failure."""
        return explained_steps(self.trace)

    @property
    def failing_step(self) -> str:
        """``queue lapse(message1)``, or "" where a property fails."""
        if self.step is None:
            return ""
        system = self.trace.system
        return f"{system.actor(self.step)} {system.call(self.step)}"


def with_run(error: ModelError, system: System, claims: Sequence[Property]) -> ModelError:
    """The error of an exploration with the run that leads to it; the error itself where none is found in time."""
    try:
        return _search(system, claims) or error
    except ModelError:
        return error


def _search(system: System, claims: Sequence[Property]) -> RunFailed | None:
    """Breadth first by the model's own functions, until one of them fails."""
    deadline = time.monotonic() + SEARCHED_SECONDS
    # A deadlock is a matter of steps; what may fail about it is the condition of a wanted end.
    ends = [system.ending] if system.ending is not None else []
    looked_at = [one for claim in claims for one in (ends if claim.kind == "deadlock" else [claim])]
    instances = [(claim, list(system.instances(claim))) for claim in looked_at]
    refinements = {claim: refinement_of(system, claim) for claim in looked_at if claim.kind == "refines"}
    before: dict[State, tuple[State, Step] | None] = dict.fromkeys(system.initials)
    queue = deque(system.initials)
    while queue and time.monotonic() < deadline:
        state = queue.popleft()
        try:
            for claim, tuples in instances:
                for arguments in tuples:
                    if claim in refinements:
                        refinements[claim].image(state)
                    else:
                        system.holds(claim, state, arguments)
        except ModelError as error:
            return RunFailed(error, _run(system, before, state), None)
        try:
            for step, after in system.successors(state):
                if after not in before:
                    before[after] = (state, step)
                    queue.append(after)
        except ModelError as error:
            return RunFailed(error, _run(system, before, state), _failing_step(system, state))
    return None


def _failing_step(system: System, state: State) -> Step | None:
    for name in system.actions:
        chosen = list(itertools.product(*system.readings[name].codes(system.sizes)))
        for candidates in system.candidates(name):
            for arguments, choices in itertools.product(candidates, chosen):
                step = Step(name, (*arguments, *choices))
                try:
                    system.step(state, step)
                except ModelError:
                    return step
    return None


def _run(system: System, before: dict[State, tuple[State, Step] | None], state: State) -> Trace:
    states, steps = [state], list[Step]()
    while (source := before[states[-1]]) is not None:
        states.append(source[0])
        steps.append(source[1])
    return Trace(system, tuple(reversed(states)), tuple(reversed(steps)))
