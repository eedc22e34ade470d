"""Properties of steps as conditions on the state before: each way a move goes tells what is in the state after it.

A way writes known values to known cells. So a condition on a pair of states becomes one on the first of them where each
cell of the second is replaced by what the way leaves in it (the weakest precondition: Dijkstra, "Guarded commands,
nondeterminacy and formal derivation of programs", 1975). Engines judge steps where they judge states, then: a step that
a sleep set leaves out is judged all the same, as its source is looked at like any other state.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import assert_never

from onceproof.model.checker.deadline import check_time
from onceproof.model.checker.ground.bounds import Bounds
from onceproof.model.checker.ground.formula import (
    Arith,
    Cell,
    Clip,
    Formula,
    In,
    Known,
    Pick,
    Sum,
    Value,
    added,
    both,
    cell,
    choose,
    either,
    is_in,
    negate,
    pick,
    same,
    values_in,
)
from onceproof.model.checker.ground.instantiate import Grounder
from onceproof.model.checker.ground.narrowing import Rebuilding
from onceproof.model.checker.ground.steps import Alternative, Ground, Group
from onceproof.model.language.declare import Property
from onceproof.model.language.system import Arguments
from onceproof.model.language.terms import Term, Var, and_


@dataclass(frozen=True)
class JudgedWay:
    """What a property says of one way a move goes, as conditions on the state before it.

    given: the way is taken, it changes something, and the antecedent is true; false: that, and the property is false.
    fails: where the property itself fails then, each with the reason. fault: whether the move is a fault.
    """

    fault: bool
    given: Formula
    false: Formula
    fails: tuple[tuple[Formula, str], ...]


@dataclass(frozen=True)
class _Way:
    fault: bool
    taken: Formula
    known: Known
    after: dict[int, Value]  # what is in the cells that the way writes


class StepClaims:
    """The properties of steps of one system."""

    def __init__(self, ground: Ground) -> None:
        self.ground, self.system = ground, ground.system
        self._known = [*ground.known, *ground.known]
        self._inside = Bounds(ground).inside

    @cached_property
    def _grounder(self) -> Grounder:
        """What turns terms over pairs of states into formulas; most models have no property that needs it."""
        return Grounder(self.system, self._known, self.system.pairs.places)

    def judged(self, claim: Property, arguments: Arguments) -> Iterator[JudgedWay]:
        """The ways on which the property says something for these elements."""
        reading = self.system.property_reading(claim)
        names: dict[Var, int] = dict(zip(reading.variables, arguments, strict=True))
        antecedent, body = (self._condition(term, names) for term in (reading.antecedent, reading.body))
        failing = [
            (self._condition(and_(*one.guard), {**names, **chosen}), one.message)
            for one in reading.obligations
            for chosen in self._chosen(one.guard, names)
        ]
        for way in self._ways:
            check_time()
            later = _After(way, len(self.ground.known))
            given = both([way.taken, later.formula(antecedent)], self.ground.known)
            fails = [(both([way.taken, later.formula(where)], self.ground.known), why) for where, why in failing]
            if given is False and all(where is False for where, _ in fails):
                continue
            false = both([given, negate(later.formula(body), self.ground.known)], self.ground.known)
            yield JudgedWay(way.fault, given, false, tuple(one for one in fails if one[0] is not False))

    def _condition(self, term: Term, names: dict[Var, int]) -> Formula:
        return self._grounder.condition(term, names, self._known)

    def _chosen(self, guard: tuple[Term, ...], names: dict[Var, int]) -> Iterator[dict[Var, int]]:
        """All elements for the variables of quantifiers that a guard speaks of outside them."""
        free = self._grounder.free_variables(guard, names)
        for chosen in itertools.product(*(range(self.system.sizes[variable.sort.__name__]) for variable in free)):
            yield dict(zip(free, chosen, strict=True))

    @cached_property
    def _ways(self) -> list[_Way]:
        """The ways that change something, each with when it is taken."""
        return [way for group in self.ground.groups for way in self._of_group(group)]

    def _of_group(self, group: Group) -> Iterator[_Way]:
        """A step that leaves the range of a field, or fails, is none; of several moves the first enabled one counts."""
        known = self.ground.known
        for way in group.alternatives:
            if way.error or not way.puts:
                continue
            others = [one for one in group.alternatives if self._comes_before(one, way, group)]
            narrowed = list(known)
            for slot, mask in way.guard.items():
                narrowed[slot] &= mask
            after = {put.slot: pick(put.condition, put.value, cell(put.slot, narrowed)) for put in way.puts}
            kept = [same(value, cell(slot, narrowed), known) for slot, value in after.items()]
            changed = negate(both(kept, known), known)
            before = [negate(_guard(one, known), known) for one in others]
            taken = both([self._inside, _guard(way, known), changed, *before], known)
            if taken is not False:
                fault = self.system.actions[self.ground.steps[way.move].action].fault
                yield _Way(fault, taken, narrowed, after)

    def _comes_before(self, one: Alternative, way: Alternative, group: Group) -> bool:
        if one.move == way.move:
            return bool(one.error)
        return group.fresh and one.move < way.move


def _guard(way: Alternative, known: Known) -> Formula:
    return both([*(In(slot, mask) for slot, mask in way.guard.items()), *way.rest], known)


def _within(value: Value, mask: int, known: Known) -> Formula:
    """The test of a value against a set of values."""
    match value:
        case int():
            return value >= 0 and bool(mask >> value & 1)
        case Cell(slot, plus):
            return is_in(slot, mask >> plus if plus >= 0 else mask << -plus, known)
        case Pick(condition, then, other):
            return choose(condition, _within(then, mask, known), _within(other, mask, known), known)
        case Sum() | Arith() | Clip():
            return either([same(value, code, known) for code in values_in(mask)], known)
        case _:
            assert_never(value)


class _After(Rebuilding):
    """Conditions on a pair of states, rebuilt as conditions on the first: the second is what a way makes of it."""

    def __init__(self, way: _Way, size: int) -> None:
        super().__init__(way.known)
        self._way, self._size = way, size

    def test(self, test: In) -> Formula:
        if test.slot < self._size:
            return super().test(test)
        return _within(self._left_in(test.slot - self._size), test.mask, self.known)

    def number(self, number: Cell) -> Value:
        if number.slot < self._size:
            return super().number(number)
        return added(self._left_in(number.slot - self._size), number.plus)

    def _left_in(self, slot: int) -> Value:
        return self._way.after[slot] if slot in self._way.after else cell(slot, self.known)
