"""Whether properties hold in states: by running their functions, or by code generated from them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from onceproof.model.checker.ground.python_code import GeneratedSystem
from onceproof.model.language.declare import Property
from onceproof.model.language.layout import State
from onceproof.model.language.system import Arguments, System

# A property by name, for which elements, and whether it is a fault from the state that violates it (if a step does).
Instance = tuple[str, Arguments, bool]
Truth = Callable[[State], bool | None]


class PropertyEvaluator(Protocol):
    """What a judge of explored states asks of properties."""

    def truth(self, claim: Property, arguments: Arguments) -> Truth:
        """Whether it holds in a state; None where its ``given`` is false."""

    def fulfilled(self, claim: Property, arguments: Arguments) -> Callable[[State], bool]:
        """Whether a state fulfils the obligation of an ``eventually``."""

    def lasts(self, claim: Property, arguments: Arguments) -> Callable[[State], bool]:
        """Whether what an ``until`` says of the time before its goal is true in a state."""

    def violated(self, state: State) -> Iterable[Instance]:
        """The instances of all safety properties that are false in a state, or of a step from it."""


class DirectEvaluator:
    """By running the model's functions: slow and obvious."""

    def __init__(self, system: System, claims: Sequence[Property]) -> None:
        self.system = system
        always, steps = ([claim for claim in claims if claim.kind == kind] for kind in ("always", "step"))
        self.instances = [(claim, arguments) for claim in always for arguments in system.instances(claim)]
        self.of_steps = [(claim, arguments) for claim in steps for arguments in system.instances(claim)]

    def truth(self, claim: Property, arguments: Arguments) -> Truth:
        """Whether it holds in a state; None where its ``given`` is false."""
        return lambda state: self.system.holds(claim, state, arguments)

    def fulfilled(self, claim: Property, arguments: Arguments) -> Callable[[State], bool]:
        """Whether a state fulfils the obligation of an ``eventually``."""
        return lambda state: self.system.keeps(claim, state, arguments)

    def lasts(self, claim: Property, arguments: Arguments) -> Callable[[State], bool]:
        """Whether what an ``until`` says of the time before its goal is true in a state."""
        return lambda state: self.system.lasts(claim, state, arguments)

    def violated(self, state: State) -> list[Instance]:
        """The instances of all safety properties that are false in a state, or of a step from it."""
        holds = self.system.holds
        found = [(claim.name, one, False) for claim, one in self.instances if holds(claim, state, one) is False]
        for step, after in self.system.steps_within(state) if self.of_steps else ():
            fault = self.system.actions[step.action].fault
            for claim, one in self.of_steps:
                if self.system.holds_of_step(claim, state, after, one) is False:
                    found.append((claim.name, one, fault))
        return found


class GeneratedEvaluator:
    """By generated code: the same, much faster."""

    def __init__(self, generated: GeneratedSystem, claims: Sequence[Property]) -> None:
        self.properties = generated.properties(claims)
        owners = map(self.properties.owner, range(2 * len(self.properties.instances)))
        self.names = [(claim.name, arguments, by_fault) for claim, arguments, by_fault in owners]
        instances = self.properties.instances
        self.numbers = {(claim.name, arguments): number for number, (claim, arguments) in enumerate(instances)}

    def truth(self, claim: Property, arguments: Arguments) -> Truth:
        """Whether it holds in a state; None where its ``given`` is false."""
        return self.properties.truth(self.numbers[claim.name, arguments])

    def fulfilled(self, claim: Property, arguments: Arguments) -> Callable[[State], bool]:
        """Whether a state fulfils the obligation of an ``eventually``."""
        return self.properties.fulfilled(self.numbers[claim.name, arguments])

    def lasts(self, claim: Property, arguments: Arguments) -> Callable[[State], bool]:
        """Whether what an ``until`` says of the time before its goal is true in a state."""
        return self.properties.lasts(self.numbers[claim.name, arguments])

    def violated(self, state: State) -> Sequence[Instance]:
        """The instances of all safety properties that are false in a state, or of a step from it."""
        numbers = self.properties.violated(state)
        return [self.names[number] for number in numbers] if numbers else ()


class Monitor:
    """Looks at each state once, as it is found, so that a search that a limit ends has judged all that it found.

    violations: for each instance of a safety property the states (by number) in which it is false, or from which a step
    violates it. unseen: the names of the safety properties whose ``given`` was true in no state, and of the
    ``sometimes`` that none showed.
    """

    def __init__(self, system: System, evaluator: PropertyEvaluator, claims: Sequence[Property]) -> None:
        self.evaluator = evaluator
        self.violations: dict[Instance, list[int]] = {}
        self._safety = any(claim.is_safety for claim in claims)
        self._waiting = {
            claim.name: (claim.kind, [evaluator.truth(claim, one) for one in system.instances(claim)])
            for claim in claims
            if claim.is_safety or claim.kind == "sometimes"
        }

    @property
    def unseen(self) -> set[str]:
        """The properties of whose subject nothing was seen."""
        return set(self._waiting)

    def visit(self, number: int, state: State) -> None:
        """Looks at a state that was found."""
        if self._safety:
            for instance in dict.fromkeys(self.evaluator.violated(state)):
                self.violations.setdefault(instance, []).append(number)
        if self._waiting:
            for name, (kind, truths) in list(self._waiting.items()):
                found = [truth(state) for truth in truths]
                if any(found) if kind == "sometimes" else any(one is not None for one in found):
                    del self._waiting[name]
