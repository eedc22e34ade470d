"""Elements of a sort that may change places: what that does to a state, and whether it maps the steps onto themselves.

A sort that its model declares symmetric is used only if every exchange of two neighbours keeps the initial states (and
with it the constant fields) and maps the set of all moves onto itself; so a wrong declaration costs time, no verdict.
Whether elements of which a ``Fresh`` parameter takes the first that will do are alike is another matter: see ``fresh``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from onceproof.model.checker.ground.arithmetic_text import summands
from onceproof.model.checker.ground.formula import (
    Arith,
    Below,
    Both,
    Cell,
    Clip,
    Either,
    Formula,
    In,
    Opposite,
    Pick,
    Same,
    Sum,
    Value,
    values_in,
)
from onceproof.model.checker.ground.instantiate import Grounder
from onceproof.model.checker.ground.mapping_code import mapping_ground
from onceproof.model.checker.ground.steps import Alternative, Ground, Put
from onceproof.model.language.arguments import Parameter
from onceproof.model.language.declare import Property
from onceproof.model.language.layout import Place, State
from onceproof.model.language.reading.result import Chosen, PropertyReading
from onceproof.model.language.refinement import Refinement, refinement_of
from onceproof.model.language.sorts import Index, Maybe
from onceproof.model.language.system import Arguments, System
from onceproof.model.language.terms import and_


@dataclass(frozen=True)
class Exchange:
    """Two neighbouring elements of a sort change places: cell ``slot`` goes to ``to[slot]``, and its value too.

    values: for cells that hold an element of the sort, by the slot they go to: which value becomes which.
    """

    sort: str
    first: int
    to: tuple[int, ...]
    values: Mapping[int, tuple[int, ...]]

    def apply(self, state: State) -> State:
        """The state with the two elements exchanged."""
        after = list(state)
        for slot, code in enumerate(state):
            target = self.to[slot]
            after[target] = self.values[target][code] if target in self.values else code
        return tuple(after)

    def arguments(self, arguments: Arguments, parameters: Sequence[Parameter | Chosen]) -> Arguments:
        """The arguments of a step or of a property, with the two elements exchanged."""
        return tuple(
            self._argument(argument, parameter) for argument, parameter in zip(arguments, parameters, strict=True)
        )

    def _argument(self, argument: int, parameter: Parameter | Chosen) -> int:
        kind = parameter.kind if isinstance(parameter, Chosen) else Index(parameter.sort)
        if not isinstance(kind, Index | Maybe) or kind.sort.__name__ != self.sort:
            return argument
        first = self.first + isinstance(kind, Maybe)
        return {first: first + 1, first + 1: first}.get(argument, argument)

    def mask(self, slot: int, mask: int) -> int:
        """A mask of values of a cell, as one of the cell that it goes to."""
        renamed = self.values.get(self.to[slot])
        return mask if renamed is None else sum(1 << renamed[value] for value in values_in(mask))

    @property
    def of_pairs(self) -> Exchange:
        """The same exchange in both states of a pair, which stand one behind the other."""
        size = len(self.to)
        values = {slot + more: table for slot, table in self.values.items() for more in (0, size)}
        return replace(self, to=(*self.to, *(size + slot for slot in self.to)), values=values)


def exchanges(system: System, sort: str) -> list[Exchange]:
    """The exchanges of neighbours, from which all ways to rearrange a sort can be put together."""
    return [_exchange(system, sort, first) for first in range(system.sizes[sort] - 1)]


def _exchange(system: System, sort: str, first: int) -> Exchange:
    def renamed(index: int) -> int:
        return {first: first + 1, first + 1: first}.get(index, index)

    to: list[int] = []
    values: dict[int, tuple[int, ...]] = {}
    for place, key in system.layout.labels:
        there = tuple(
            renamed(index) if one.__name__ == sort else index for one, index in zip(place.sorts, key, strict=True)
        )
        target = place.slot(there)
        to.append(target)
        table = _renaming(place, sort, first)
        if table is not None:
            values[target] = table
    return Exchange(sort, first, tuple(to), values)


def _renaming(place: Place, sort: str, first: int) -> tuple[int, ...] | None:
    if not (isinstance(place.kind, Index | Maybe) and place.kind.sort.__name__ == sort):
        return None
    one = first + isinstance(place.kind, Maybe)
    return tuple({one: one + 1, one + 1: one}.get(code, code) for code in range(place.cardinality))


def symmetric_ground(system: System, claims: Sequence[Property] = ()) -> tuple[Ground, list[Exchange]]:
    """All moves, prepared for states whose elements may be exchanged, and the exchanges that are allowed.

    claims: the properties to be judged, none of which may tell states apart that are exchanged.
    """
    others = [*(claim for claim in claims if claim.kind != "refines"), *system.bounds]
    judged = [system.property_reading(claim) for claim in others]
    refined = [refinement_of(system, claim) for claim in claims if claim.kind == "refines"]
    declared = [name for name, sort in system.model.sorts.items() if sort.symmetric and system.sizes[name] > 1]
    usable = {name: exchanges(system, name) for name in declared}
    usable = {
        name: found
        for name, found in usable.items()
        if all(one.apply(state) in system.starts for one in found for state in system.initials)
    }
    while True:
        allowed = [one for found in usable.values() for one in found]
        ground = Ground(system, [(one.to, one.mask) for one in allowed])
        wrong = {one.sort for one in allowed if not _maps_onto_itself(ground, one)}
        wrong |= {one.sort for one in allowed for claim in judged if not _judges_alike(ground, one, claim)}
        wrong |= {one.sort for one in allowed for refinement in refined if not _seen_alike(ground, one, refinement)}
        if not wrong:
            return ground, allowed
        usable = {name: found for name, found in usable.items() if name not in wrong}


def _seen_alike(ground: Ground, exchange: Exchange, refinement: Refinement) -> bool:
    """Whether a mapping gives exchanged states exchanged images, and these have exchanged steps in the other model."""
    abstract, mapping = refinement.abstract, refinement.mapping
    theirs, both = (_exchange(one, exchange.sort, exchange.first) for one in (abstract, mapping))
    if {theirs.apply(one) for one in abstract.starts} != set(abstract.starts):
        return False
    if both.apply(mapping.layout.initial)[mapping.own :] != mapping.blank:
        return False
    steps = Ground(abstract, [(theirs.to, theirs.mask)])
    return _maps_onto_itself(mapping_ground(refinement, ground.known), both) and _maps_onto_itself(steps, theirs)


def _maps_onto_itself(ground: Ground, exchange: Exchange) -> bool:
    ways = [way for group in ground.groups for way in group.alternatives]

    def key(way: Alternative, mapped: _Mapped | None) -> object:
        step = ground.steps[way.move]
        arguments = step.arguments
        if mapped is not None:
            arguments = exchange.arguments(arguments, ground.system.parameters_of(step.action))
        view = mapped or _Mapped(None)
        guard = frozenset(view.test(slot, mask) for slot, mask in way.guard.items())
        rest = frozenset(view.formula(formula) for formula in way.rest)
        return step.action, arguments, guard, rest, frozenset(map(view.put, way.puts)), way.error

    return {key(way, None) for way in ways} == {key(way, _Mapped(exchange)) for way in ways}


def _judges_alike(ground: Ground, exchange: Exchange, claim: PropertyReading) -> bool:
    """Whether a property maps onto itself. One that quantifies does; it may not where it goes through a sort."""
    if exchange.sort not in claim.ordered:
        return True

    grounder, known = ground.grounder, ground.known
    if claim.property.kind == "step":
        known = [*known, *known]
        grounder, exchange = Grounder(ground.system, known, ground.system.pairs.places), exchange.of_pairs

    def key(arguments: Arguments, mapped: _Mapped) -> object:
        environment = dict(zip(claim.variables, arguments, strict=True))
        terms = (claim.antecedent, claim.body, claim.meanwhile, *(and_(*one.guard) for one in claim.obligations))
        said = [grounder.condition(term, environment, known) for term in terms]
        if mapped.exchange is not None:
            arguments = exchange.arguments(arguments, claim.property.parameters)
        return arguments, *map(mapped.formula, said[:3]), frozenset(map(mapped.formula, said[3:]))

    every = list(ground.system.instances(claim.property))
    return {key(one, _Mapped(None)) for one in every} == {key(one, _Mapped(exchange)) for one in every}


class _Mapped:
    """Formulas as values that can be compared whatever the order of their parts, with an exchange applied."""

    def __init__(self, exchange: Exchange | None) -> None:
        self.exchange = exchange

    def slot(self, slot: int) -> int:
        return self.exchange.to[slot] if self.exchange else slot

    def test(self, slot: int, mask: int) -> object:
        return self.slot(slot), self.exchange.mask(slot, mask) if self.exchange else mask

    def put(self, put: Put) -> object:
        renaming: Sequence[int] = ()
        if self.exchange is not None:
            renaming = self.exchange.values.get(self.slot(put.slot), ())
        return self.slot(put.slot), self.value(put.value, renaming), self.formula(put.condition)

    def formula(self, formula: Formula) -> object:
        match formula:
            case In(slot, mask):
                return "in", self.test(slot, mask)
            case Both(parts) | Either(parts):
                return type(formula).__name__, frozenset(map(self.formula, parts))
            case Same(left, right):
                return "same", frozenset((self.value(left), self.value(right)))
            case Below(left, right):
                return "below", self.value(left), self.value(right)
            case Opposite(part):
                return "not", self.formula(part)
            case bool():
                return formula
            case _:
                assert_never(formula)

    def value(self, value: Value, renaming: Sequence[int] = ()) -> object:
        match value:
            case int():
                return renaming[value] if renaming else value
            case Cell(slot, plus):
                return "cell", self.slot(slot), plus
            case Pick(condition, then, other):
                return "pick", self.formula(condition), self.value(then, renaming), self.value(other, renaming)
            case Sum():
                return "sum", frozenset(Counter((self.value(one), sign) for one, sign in summands(value)).items())
            case Arith("*", left, right):
                return "*", frozenset((self.value(left), self.value(right)))
            case Arith(operator, left, right):
                return operator, self.value(left), self.value(right)
            case Clip(inner, most):
                return "clip", self.value(inner), most
            case _:
                assert_never(value)
