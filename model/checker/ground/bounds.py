"""The bounds of exploration (``@within``) of a system, as one condition on its cells."""

from __future__ import annotations

from functools import cached_property

from onceproof.model.checker.ground.formula import Formula, both, either, negate, slots_of
from onceproof.model.checker.ground.guard_tree import Unit, Work
from onceproof.model.checker.ground.steps import Ground
from onceproof.model.language.reading.result import PropertyReading
from onceproof.model.language.terms import Var

BOUND = -1  # the number under which the failure of a bound stands


class Bounds:
    """Where steps are taken. Without a bound that is everywhere."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        system = ground.system
        self._instances = [
            (reading, dict(zip(reading.variables, arguments, strict=True)))
            for reading in map(system.property_reading, system.bounds)
            for arguments in system.instances(reading.property)
        ]

    @cached_property
    def inside(self) -> Formula:
        """The condition under which steps are taken from a state."""
        known = self.ground.known
        return both([self._holds(*instance) for instance in self._instances], known)

    def _holds(self, reading: PropertyReading, names: dict[Var, int]) -> Formula:
        known, condition = self.ground.known, self.ground.grounder.condition
        antecedent = condition(reading.antecedent, names, known)
        return either([negate(antecedent, known), condition(reading.body, names, known)], known)

    def failures(self) -> list[Unit]:
        """Where the function of a bound itself may fail."""
        return [
            Unit(way.guard, (Work(BOUND, {}, way.rest, (), way.error),))
            for reading, names in self._instances
            for obligation in reading.obligations
            for way in self.ground.failures(BOUND, obligation, names)
        ]

    @cached_property
    def crossing(self) -> frozenset[int]:
        """The moves that write what a bound reads, and so may lead beyond it."""
        read = set(slots_of(self.inside))
        ways = (way for group in self.ground.groups for way in group.alternatives)
        return frozenset(way.move for way in ways if any(put.slot in read for put in way.puts))
