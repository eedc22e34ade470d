"""A Hypothesis state machine made from a model: one rule for each action, and one for what the model forbids."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
from hypothesis import note
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from onceproof.conformance.driver import Driver
from onceproof.conformance.replay.lockstep import Lockstep
from onceproof.conformance.replay.negative_tests import NegativeTests
from onceproof.model.language import Step, System
from onceproof.model.language.initials import INITIALLY
from onceproof.model.language.layout import State

CHOICES = st.integers(0, 10_000)


class ModelMachine(RuleBasedStateMachine):
    """What all machines share; ``machine_of`` makes one for a system and a driver.

    Hypothesis chooses the rule (an action) and a number (which of its enabled arguments); model and system take the
    step side by side. Initially and after each step their states are compared. Of a model with several initial states
    it chooses one first, by a rule that comes before all others.
    """

    system: System
    driver: Driver

    def __init__(self) -> None:
        super().__init__()
        self.lockstep = Lockstep(self.system, self.driver)
        if len(self.system.initials) == 1:
            self.begin_in(self.system.initials[0])

    def begin_in(self, initial: State) -> None:
        """Begin a run in an initial state."""
        self.lockstep.begin(initial)
        self.negative_tests = NegativeTests(self.system, self.lockstep.abilities)
        self.look_around()

    def look_around(self) -> None:
        """Note which steps are enabled now, by action."""
        self.enabled: dict[str, list[tuple[Step, State]]] = {}
        for step, after in self.system.successors(self.lockstep.state):
            if self.lockstep.can(step):
                self.enabled.setdefault(step.action, []).append((step, after))

    @rule(choice=CHOICES)
    def forbidden(self, choice: int) -> None:
        """Ask for a step that the model forbids here."""
        steps = self.negative_tests.forbidden(self.lockstep.state)
        if steps:
            step = steps[choice % len(steps)]
            note(f"must be refused: {self.call(step)}")
            self.lockstep.expect_refusals([step])

    def call(self, step: Step) -> str:
        """A step as it is written: ``acquire(client1)``."""
        return self.system.call(step)


def machine_of(system: System, driver: Driver) -> type[ModelMachine]:
    """The machine for a system and a driver; the driver is reset for each run and stays open."""
    # An action may be called as something that a machine has; its rule is then called a little differently.
    taken = {*dir(ModelMachine), "system", "driver", "lockstep", "negative_tests", "enabled", INITIALLY}
    rules: dict[str, Any] = {f"{name}_" if name in taken else name: _rule(name) for name in system.actions}
    if len(system.initials) > 1:
        rules[INITIALLY] = _start(len(system.initials))
    return type("Machine", (ModelMachine,), {"system": system, "driver": driver, **rules})


def _start(number: int) -> Callable[..., None]:
    def initially(self: ModelMachine, choice: int) -> None:
        state = self.system.initials[choice]
        note(self.call(self.system.starts[state]))
        self.begin_in(state)

    marked: Callable[..., None] = initialize(choice=st.integers(0, number - 1))(initially)
    return marked


def _rule(name: str) -> Callable[..., None]:
    def take(self: ModelMachine, choice: int) -> None:
        steps = self.enabled[name]
        step, after = steps[choice % len(steps)]
        note(self.call(step))
        self.lockstep.take(step, after)
        self.look_around()

    take.__name__ = name
    marked: Callable[..., None] = rule(choice=CHOICES)(precondition(lambda self: name in self.enabled)(take))
    return marked
