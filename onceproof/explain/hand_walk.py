"""A walk by hand: a run of a model that is made step by step, with a way back and forth."""

from __future__ import annotations

from dataclasses import replace

from onceproof.explain.steps import ExplainedStep, explained_steps
from onceproof.inputs.specs import Spec
from onceproof.model.checker.results import Trace
from onceproof.model.checker.safety import violated_by
from onceproof.model.language import ModelError, Step, Violation
from onceproof.model.language.declare import DEADLOCK
from onceproof.model.language.layout import State


class HandWalk:
    """A path, and where the walk is on it: in ``states[at]``. What is ahead stays there until another step is taken."""

    def __init__(self, spec: Spec) -> None:
        self.spec, self.system = spec, spec.system
        self.states: list[State] = [self.system.initials[0]]
        self.steps: list[Step] = []
        self.at = 0

    def begin(self, state: State) -> None:
        """Begin anew, in an initial state."""
        self.states, self.steps, self.at = [state], [], 0

    @property
    def state(self) -> State:
        """The state that it is in."""
        return self.states[self.at]

    @property
    def trace(self) -> Trace:
        """The run up to here."""
        return Trace(self.system, tuple(self.states[: self.at + 1]), tuple(self.steps[: self.at]))

    def options(self) -> list[tuple[ExplainedStep, Step, State]]:
        """The enabled steps, numbered from 1, with what each would change, and the state after it."""
        found = []
        for number, (step, after) in enumerate(self._successors()[0], start=1):
            (explained,) = explained_steps(Trace(self.system, (self.state, after), (step,)))
            found.append((replace(explained, index=number), step, after))
        return found

    def failures(self) -> list[ModelError]:
        """Why actions and properties fail in this state: a value that its field cannot hold, an index that is None."""
        return self._successors()[1] + self._judged()[1]

    def _successors(self) -> tuple[list[tuple[Step, State]], list[ModelError]]:
        found: list[tuple[Step, State]] = []
        failed: list[ModelError] = []
        for name in self.system.actions:
            try:
                found += [(Step(name, arguments), after) for arguments, after in self.system.steps_of(name, self.state)]
            except ModelError as error:
                failed.append(error)
        return found, failed

    def take(self, step: Step, after: State) -> None:
        """Take a step; what had been ahead is forgotten."""
        self.states[self.at + 1 :], self.steps[self.at :] = [after], [step]
        self.at += 1

    def follow(self, trace: Trace) -> None:
        """Go to the end of a run of the same model."""
        self.states, self.steps = list(trace.states), list(trace.steps)
        self.at = len(self.steps)

    def false_here(self) -> list[Violation]:
        """Which safety properties of the spec are false here, or of the step to here, and for which elements first."""
        return self._judged()[0]

    def _judged(self) -> tuple[list[Violation], list[ModelError]]:
        found: list[Violation] = []
        failed: list[ModelError] = []
        fails = bool(self._successors()[1])
        for claim in self.spec.properties:
            if not claim.is_safety and (claim.kind != DEADLOCK or fails):  # what fails is no deadlock
                continue
            try:
                wrong = violated_by(self.system, claim, self.states[: self.at + 1])
            except ModelError as error:
                failed.append(error)
            else:
                found += [] if wrong is None else [Violation(claim.name, wrong)]
        return found, failed
