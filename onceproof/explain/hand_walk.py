"""A walk by hand: a run of a model that is made step by step, with a way back and forth."""

from __future__ import annotations

from dataclasses import replace

from onceproof.explain.steps import ExplainedStep, explained_steps
from onceproof.inputs.specs import Spec
from onceproof.model.checker.results import Trace
from onceproof.model.language import Step, Violation
from onceproof.model.language.layout import State


class HandWalk:
    """A path, and where the walk is on it: in ``states[at]``. What is ahead stays there until another step is taken."""

    def __init__(self, spec: Spec) -> None:
        self.spec, self.system = spec, spec.system
        self.states: list[State] = [self.system.initial]
        self.steps: list[Step] = []
        self.at = 0

    @property
    def state(self) -> State:
        """The state that it is in."""
        return self.states[self.at]

    @property
    def trace(self) -> Trace:
        """The run up to here."""
        return Trace(self.system, tuple(self.states[: self.at + 1]), tuple(self.steps[: self.at]))

    def options(self) -> list[tuple[ExplainedStep, Step, State]]:
        """The enabled steps, numbered from 1, with what each would change, and the state after it.

        ModelError where the model fails in this state.
        """
        found = []
        for number, (step, after) in enumerate(self.system.successors(self.state), start=1):
            (explained,) = explained_steps(Trace(self.system, (self.state, after), (step,)))
            found.append((replace(explained, index=number), step, after))
        return found

    def take(self, step: Step, after: State) -> None:
        """Take a step; what had been ahead is forgotten."""
        self.states[self.at + 1 :], self.steps[self.at :] = [after], [step]
        self.at += 1

    def follow(self, trace: Trace) -> None:
        """Go to the end of a run of the same model."""
        self.states, self.steps = list(trace.states), list(trace.steps)
        self.at = len(self.steps)

    def false_here(self) -> list[Violation]:
        """Which *always* properties of the spec are false in this state, and for which elements first."""
        found = []
        for claim in self.spec.properties:
            if claim.kind in ("always", "deadlock"):
                truths = ((one, self.system.holds(claim, self.state, one)) for one in self.system.instances(claim))
                wrong = next((one for one, holds in truths if holds is False), None)
                found += [] if wrong is None else [Violation(claim.name, wrong)]
        return found
