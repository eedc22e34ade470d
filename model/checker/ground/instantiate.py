"""Terms with their variables filled in: what a condition of a model says of numbered cells."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import assert_never

from onceproof.model.checker.deadline import check_time
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
    below,
    both,
    cell,
    choose,
    clipped,
    combined,
    either,
    is_in,
    negate,
    pick,
    same,
    summed,
    values_in,
)
from onceproof.model.language.layout import Place
from onceproof.model.language.operations import refuse
from onceproof.model.language.reading.result import Write
from onceproof.model.language.sorts import Flag, Int
from onceproof.model.language.system import System
from onceproof.model.language.terms import (
    And,
    Clamp,
    Const,
    Deref,
    Div,
    ElementAt,
    Eq,
    IsNone,
    Ite,
    Less,
    Minus,
    Mod,
    Not,
    Or,
    Plus,
    Position,
    Quantified,
    Read,
    Some,
    Term,
    Times,
    Var,
    Whole,
    kind_of_term,
)
from onceproof.model.language.traversal import children, free_variables

Environment = Mapping[Var, int]
ARITHMETIC: Mapping[type[Term], str] = {Times: "*", Div: "//", Mod: "%"}


class Split(Exception):
    """An index is read from a cell: each value of that cell is to be a case of its own."""

    def __init__(self, slot: int) -> None:
        super().__init__(slot)
        self.slot = slot


class Grounder:
    """Turns the terms of one system into formulas over its cells. places: where they stand (default: in a state)."""

    def __init__(self, system: System, known: Sequence[int], places: Mapping[str, Place] | None = None) -> None:
        self.sizes = system.sizes
        self.places = places if places is not None else system.layout.places
        self.strides = {name: place.strides for name, place in self.places.items()}
        self.known = known
        # What a shared part of a term comes to: a term that branches again and again on what was carried from before is
        # small as a graph of shared parts, and grows without bound where each part is worked out wherever it stands.
        self._chosen: dict[tuple[int, tuple[int, ...], tuple[tuple[Var, int], ...]], tuple[Ite, Value]] = {}

    def condition(self, term: Term, environment: Environment, known: Known) -> Formula:
        """A condition as a formula; an index that is read from a cell becomes a case for each of its values."""
        match term:
            case Const(_, code):
                return bool(code)
            case Not(inner):
                return negate(self.condition(inner, environment, known), known)
            case And(terms):
                return self._conjunction(terms, environment, known)
            case Or(terms):
                return either([self.condition(part, environment, known) for part in terms], known)
            case Eq() | Less() | IsNone() | Read() if (found := self._index_cell(term, environment, known)) is not None:
                return self._by_case(term, found, environment, known)
            case Eq(left, right):
                if isinstance(kind_of_term(left), Flag):
                    one, other = (self.condition(side, environment, known) for side in (left, right))
                    return choose(one, other, negate(other, known), known)
                return same(self.value(left, environment, known), self.value(right, environment, known), known)
            case Less(left, right):
                return below(self.value(left, environment, known), self.value(right, environment, known), known)
            case IsNone(inner):
                return same(self.value(inner, environment, known), 0, known)
            case Quantified(universal, variables, body):
                ranges = (range(self.sizes[variable.sort.__name__]) for variable in variables)
                parts = [
                    self.condition(body, {**environment, **dict(zip(variables, chosen, strict=True))}, known)
                    for chosen in itertools.product(*ranges)
                ]
                return both(parts, known) if universal else either(parts, known)
            case Ite(condition, then, other_term):
                test = self.condition(condition, environment, known)
                yes, no = (self.condition(side, environment, known) for side in (then, other_term))
                return choose(test, yes, no, known)
            case Var() | Read() | Deref() | Some() | Plus() | Minus() | Clamp():
                return same(self.value(term, environment, known), 1, known)
            case Times() | Div() | Mod() | Position() | ElementAt():
                return same(self.value(term, environment, known), 1, known)
            case Whole():
                refuse(term)
            case _:
                assert_never(term)

    def _conjunction(self, terms: tuple[Term, ...], environment: Environment, known: Known) -> Formula:
        """A conjunction whose later parts know what the earlier ones test."""
        narrowed = list(known)
        parts: list[Formula] = []
        for term in terms:
            part = self.condition(term, environment, narrowed)
            if part is False:
                return False
            parts.append(part)
            if isinstance(part, In):
                narrowed[part.slot] &= part.mask
                if not narrowed[part.slot]:
                    return False
        return both(parts, known)

    def _by_case(self, term: Term, index: tuple[int, int, int], environment: Environment, known: Known) -> Formula:
        """A plain test with an index that is read from a cell: one case for each element that the cell may hold.

        All elements get a case of the same form, so that exchanging two of them maps the test onto itself. Where the
        cell holds none of them the test has no meaning, and whoever asks it has made sure that it does not matter.
        """
        slot, plus, size = index
        cases = []
        for value in values_in(known[slot]):
            if 0 <= value + plus < size:
                narrowed = list(known)
                narrowed[slot] = 1 << value
                inside = self.condition(term, environment, narrowed)
                cases.append(both([is_in(slot, 1 << value, known), inside], known))
        return either(cases, known)

    def literal(self, term: Term, environment: Environment, known: Known) -> Formula:
        """A part of a guard; raises Split where a plain test needs an index that is read from a cell."""
        inner = term.term if isinstance(term, Not) else term
        if isinstance(inner, Read | Eq | Less | IsNone):
            self._check_split(inner, environment, known)
        return self.condition(term, environment, known)

    def _check_split(self, term: Term, environment: Environment, known: Known) -> None:
        found = self._index_cell(term, environment, known)
        if found is not None:
            raise Split(found[0])

    def _index_cell(self, term: Term, environment: Environment, known: Known) -> tuple[int, int, int] | None:
        """The first cell from which a test reads an index: its slot, what is added to it, and how many elements are."""
        if isinstance(term, Ite | Quantified | Const | Var):
            return None
        if isinstance(term, Read):
            for index, size in zip(term.indices, self.places[term.field].shape, strict=True):
                if isinstance(index, Const | Var):
                    continue
                value = self.value(index, environment, known)
                if isinstance(value, Cell):
                    return value.slot, value.plus, size
        for part in children(term):
            found = self._index_cell(part, environment, known)
            if found is not None:
                return found
        return None

    def value(self, term: Term, environment: Environment, known: Known) -> Value:
        """A value over cells (a truth as 0 or 1, an index-or-none as 0 or index + 1)."""
        match term:
            case Const(_, code):
                return code
            case Var():
                return environment[term]
            case Read(name, indices, _):
                place = self.places[name]
                found = self._read(place, self.strides[name], indices, environment, known)
                return added(found, place.kind.low) if isinstance(place.kind, Int) else found
            case Deref(inner, _):
                return _at_least_zero(added(self.value(inner, environment, known), -1))
            case Some(inner, _):
                return added(self.value(inner, environment, known), 1)
            case Plus(left, right):
                return summed(self.value(left, environment, known), self.value(right, environment, known), 1)
            case Minus(left, right):
                return summed(self.value(left, environment, known), self.value(right, environment, known), -1)
            case Times(left, right) | Div(left, right) | Mod(left, right):
                one, other = self.value(left, environment, known), self.value(right, environment, known)
                return combined(ARITHMETIC[type(term)], one, other)
            case Position(inner, _) | ElementAt(inner, _):
                return self.value(inner, environment, known)
            case Clamp(inner, most):
                return clipped(self.value(inner, environment, known), most, known)
            case Ite(_, then, _) if not isinstance(kind_of_term(then), Flag):
                return self._chosen_value(term, environment, known)
            case Ite() | Not() | And() | Or() | Eq() | Less() | IsNone() | Quantified():
                return pick(self.condition(term, environment, known), 1, 0)
            case Whole():
                refuse(term)
            case _:
                assert_never(term)

    def _chosen_value(self, term: Ite, environment: Environment, known: Known) -> Value:
        """A value that depends on a condition, worked out once for the same elements and the same knowledge."""
        key = id(term), tuple(known), tuple(environment.items())
        found = self._chosen.get(key)
        if found is None:
            check_time()
            test = self.condition(term.condition, environment, known)
            sides = (self.value(side, environment, known) for side in (term.then, term.other))
            # The term is kept too, so that its address stays its own.
            found = self._chosen[key] = term, pick(test, *sides)
        return found[1]

    def _read(
        self, place: Place, strides: tuple[int, ...], indices: tuple[Term, ...], environment: Environment, known: Known
    ) -> Value:
        cases: list[tuple[Formula, int]] = [(True, place.offset)]
        for index, stride, size in zip(indices, strides, place.shape, strict=True):
            found = list(self._cases(self.value(index, environment, known), size, known))
            cases = [
                (both([before, condition], known), slot + chosen * stride)
                for before, slot in cases
                for condition, chosen in found
            ]
        cases = [case for case in cases if case[0] is not False] or cases[:1]
        value = cell(cases[-1][1], known)
        for condition, slot in cases[-2::-1]:
            value = pick(condition, cell(slot, known), value)
        return value

    def _cases(self, index: Value, size: int, known: Known) -> Iterator[tuple[Formula, int]]:
        """The indices that a value may be, each with the condition under which it is."""
        match index:
            case int():
                yield True, index if 0 <= index < size else 0
            case Cell(slot, plus):
                for one in values_in(known[slot]):
                    if 0 <= one + plus < size:
                        yield is_in(slot, 1 << one, known), one + plus
            case Pick(condition, then, other):
                for part, test in ((then, condition), (other, negate(condition, known))):
                    for inner, chosen in self._cases(part, size, known):
                        yield both([test, inner], known), chosen
            case Sum() | Clip() | Arith():
                for chosen in range(size):
                    yield same(index, chosen, known), chosen
            case _:
                assert_never(index)

    def puts(self, write: Write, environment: Environment, known: Known) -> Iterator[tuple[int, Value, Formula]]:
        """The cells that a write changes: (slot, value, condition); Split where an index is read from a cell."""
        place = self.places[write.field]
        ranges = [range(self.sizes[variable.sort.__name__]) for variable in write.binders]
        for chosen in itertools.product(*ranges):
            inner = {**environment, **dict(zip(write.binders, chosen, strict=True))} if chosen else environment
            condition = self.condition(write.condition, inner, known)
            if condition is False:
                continue
            narrowed = list(known)
            if isinstance(condition, In):
                narrowed[condition.slot] &= condition.mask
            cases: list[tuple[Formula, int]] = [(condition, place.offset)]
            for index, stride, size in zip(write.indices, self.strides[write.field], place.shape, strict=True):
                value = self.value(index, inner, known)
                if isinstance(value, Cell) and condition is True:
                    raise Split(value.slot)
                found = list(self._cases(value, size, known))
                cases = [
                    (both([before, test], known), slot + one * stride) for before, slot in cases for test, one in found
                ]
            for test, slot in cases:
                if test is not False:
                    value = self.value(write.value, inner, known)
                    yield slot, added(value, -place.kind.low) if isinstance(place.kind, Int) else value, test

    def free_variables(self, guard: tuple[Term, ...], environment: Environment) -> tuple[Var, ...]:
        """The variables of quantifiers that a guard speaks of outside them."""
        return tuple(dict.fromkeys(v for term in guard for v in free_variables(term) if v not in environment))


def _at_least_zero(value: Value) -> Value:
    """The index in an index-or-none; of none it is arbitrary, and no guard lets it count."""
    match value:
        case int():
            return max(value, 0)
        case Pick(condition, then, other):
            return pick(condition, _at_least_zero(then), _at_least_zero(other))
        case Cell() | Sum() | Clip() | Arith():
            return value
        case _:
            assert_never(value)
