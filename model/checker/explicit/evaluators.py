"""Whether properties hold in states: by running their functions, or by code generated from their traces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from onceproof.model.checker.ground.python_code import GeneratedSystem
from onceproof.model.language.declare import Property
from onceproof.model.language.layout import State
from onceproof.model.language.system import Arguments, System

Instance = tuple[str, Arguments]  # a property by name, and for which elements


class PropertyEvaluator(Protocol):
    """What a judge of explored states asks of properties."""

    def of(self, claim: Property, arguments: Arguments) -> Callable[[State], bool | None]:
        """Whether it holds in a state; None where its ``given`` is false."""

    def kept(self, claim: Property, arguments: Arguments) -> Callable[[State], bool]:
        """Whether a state keeps the promise of an ``eventually``."""

    def violations(self, claims: Sequence[Property], states: Sequence[State]) -> dict[Instance, list[int]]:
        """For each instance of an ``always`` the states (by position) in which it is false, if there are any."""


class DirectEvaluator:
    """By running the model's functions: slow and obvious."""

    def __init__(self, system: System) -> None:
        self.system = system

    def of(self, claim: Property, arguments: Arguments) -> Callable[[State], bool | None]:
        """Whether it holds in a state; None where its ``given`` is false."""
        return lambda state: self.system.holds(claim, state, arguments)

    def kept(self, claim: Property, arguments: Arguments) -> Callable[[State], bool]:
        """Whether a state keeps the promise of an ``eventually``."""
        return lambda state: self.system.keeps(claim, state, arguments)

    def violations(self, claims: Sequence[Property], states: Sequence[State]) -> dict[Instance, list[int]]:
        """For each instance of an ``always`` the states (by position) in which it is false, if there are any."""
        found: dict[Instance, list[int]] = {}
        for claim in claims:
            for arguments in self.system.instances(claim):
                wrong = [n for n, state in enumerate(states) if self.system.holds(claim, state, arguments) is False]
                if wrong:
                    found[claim.name, arguments] = wrong
        return found


class GeneratedEvaluator:
    """By generated code: the same, much faster."""

    def __init__(self, generated: GeneratedSystem, claims: Sequence[Property]) -> None:
        self.properties = generated.properties(claims)
        self.numbers = {(c.name, arguments): number for number, (c, arguments) in enumerate(self.properties.instances)}

    def of(self, claim: Property, arguments: Arguments) -> Callable[[State], bool | None]:
        """Whether it holds in a state; None where its ``given`` is false."""
        return self.properties.truth(self.numbers[claim.name, arguments])

    def kept(self, claim: Property, arguments: Arguments) -> Callable[[State], bool]:
        """Whether a state keeps the promise of an ``eventually``."""
        return self.properties.kept(self.numbers[claim.name, arguments])

    def violations(self, claims: Sequence[Property], states: Sequence[State]) -> dict[Instance, list[int]]:
        """For each instance of an ``always`` the states (by position) in which it is false, if there are any."""
        names = {claim.name for claim in claims}
        found: dict[Instance, list[int]] = {}
        violated = self.properties.violated
        for position, state in enumerate(states):
            for number in violated(state):
                claim, arguments = self.properties.instances[number]
                if claim.name in names:
                    found.setdefault((claim.name, arguments), []).append(position)
        return found
