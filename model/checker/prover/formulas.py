"""Terms of the language as SMT-LIB expressions over uninterpreted sorts.

A field is a function of its indices. An index-or-none is a pair: a relation that says where it is none, and a function
that means something only where it is not. An enum is a datatype without arguments; so is a count, which has few values.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import assert_never

from onceproof.model.checker.prover import sexpr
from onceproof.model.checker.prover.names import Names, none_symbol, state_symbol, wire_symbol
from onceproof.model.checker.prover.sexpr import FALSE, TRUE, Sexpr
from onceproof.model.language.errors import ModelError
from onceproof.model.language.operations import refuse
from onceproof.model.language.sorts import Count, Index, Int, Maybe
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

WIRE = " in flight"  # at the end of a field's name: what of it a step finds on the network
MOST_PAIRS = 2_500  # of values of two numbers that are added or multiplied
OPERATIONS: dict[type[Term], Callable[[int, int], int]] = {
    Plus: operator.add,
    Minus: operator.sub,
    Times: operator.mul,
    Div: lambda left, right: left // (right or 1),
    Mod: lambda left, right: left % (right or 1),
}
NO_ORDER = (
    "a proof for any size knows no order of {sort}: say it with a constant field and an axiom, "
    "before = field({sort}, {sort}, bool, constant=True)"
)
Cases = dict[int, Sexpr]  # a number as the conditions under which it has each of its possible values


def applied(function: str, arguments: Iterable[Sexpr]) -> Sexpr:
    """A function of arguments; the constant itself where there are none."""
    given = tuple(arguments)
    return (function, *given) if given else function


class Formulas:
    """Turns terms into expressions, with the names of one model."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self._known: dict[int, tuple[Term, Sexpr]] = {}  # by identity; the term is kept so that its id stays its own
        self._by_author = True

    def of(self, term: Term) -> Sexpr:
        """A condition, an index or an enum member as an expression."""
        known = self._known.get(id(term))
        if known is None:
            known = self._known[id(term)] = (term, self._of(term))
        return known[1]

    def of_obligation(self, term: Term) -> Sexpr:
        """The same for what no author wrote: a count may be compared with what is beyond its end."""
        self._by_author = False
        try:
            return self.of(term)
        finally:
            self._by_author = True

    def _of(self, term: Term) -> Sexpr:
        match term:
            case Const(kind, code):
                return self.names.value(kind, code)
            case Var():
                return self.names.variable(term)
            case Read(name, indices, _):
                field = name.removesuffix(WIRE)
                symbol = state_symbol(name) if field == name else wire_symbol(field)
                return applied(symbol, map(self.of, indices))
            case IsNone(inner):
                return self.pair(inner)[0]
            case Deref(inner, _):
                return self.pair(inner)[1]
            case Eq(left, right):
                return self._equal(left, right)
            case Less(left, right):
                return self._relation(left, right, lambda one, other: one < other)
            case Not(inner):
                return sexpr.negation(self.of(inner))
            case And(terms):
                return sexpr.conjunction([self.of(part) for part in terms])
            case Or(terms):
                return sexpr.disjunction([self.of(part) for part in terms])
            case Ite(condition, then, other):
                return sexpr.choice(self.of(condition), self.of(then), self.of(other))
            case Quantified(universal, variables, body):
                quantifier = "forall" if universal else "exists"
                return sexpr.closed(quantifier, self.names.binding(variables), self.of(body))
            case Position(_, sort) | ElementAt(_, sort):
                raise ModelError(NO_ORDER.format(sort=sort.__name__))
            case Some() | Plus() | Minus() | Times() | Div() | Mod() | Clamp():
                raise TypeError(f"neither a condition nor a value of a sort or an enum: {term!r}")
            case Whole():
                refuse(term)
            case _:
                assert_never(term)

    def pair(self, term: Term) -> tuple[Sexpr, Sexpr]:
        """An index-or-none: whether it is none, and the index (any, where nothing says which)."""
        match term:
            case Const(Maybe(sort), 0):
                return TRUE, self.names.first(sort)
            case Const(Maybe(sort), code):
                return FALSE, self.names.value(Index(sort), code - 1)
            case Some(inner, _):
                return FALSE, self.of(inner)
            case Read(name, indices, _):
                arguments = [self.of(index) for index in indices]
                return applied(none_symbol(name), arguments), applied(state_symbol(name), arguments)
            case Ite(condition, then, other):
                return self._chosen_pair(self.of(condition), self.pair(then), self.pair(other))
            case Const() | Var() | IsNone() | Deref() | Eq() | Less() | Plus() | Minus() | Clamp():
                raise TypeError(f"not an index-or-none: {term!r}")
            case Not() | And() | Or() | Quantified() | Times() | Div() | Mod() | Position() | ElementAt():
                raise TypeError(f"not an index-or-none: {term!r}")
            case Whole():
                refuse(term)
            case _:
                assert_never(term)

    @staticmethod
    def _chosen_pair(chosen: Sexpr, then: tuple[Sexpr, Sexpr], other: tuple[Sexpr, Sexpr]) -> tuple[Sexpr, Sexpr]:
        (then_none, then_value), (other_none, other_value) = then, other
        if then_none == TRUE:  # what is none keeps any index: no constant is needed
            then_value = other_value
        elif other_none == TRUE:
            other_value = then_value
        value = sexpr.choice(chosen, then_value, other_value)
        if then_none == other_none:
            return then_none, value
        if_chosen = sexpr.conjunction([chosen, then_none])
        if_not = sexpr.conjunction([sexpr.negation(chosen), other_none])
        return sexpr.disjunction([if_chosen, if_not]), value

    def number_value(self, kind: Count | Int, term: Term) -> Sexpr:
        """A number that a count's cell is to hold, as a value of the count."""
        cases = list(self._cases(term).items())
        result: Sexpr = self.names.value(kind, kind.clipped(cases[-1][0]))
        for value, condition in reversed(cases[:-1]):
            result = sexpr.choice(condition, self.names.value(kind, kind.clipped(value)), result)
        return result

    def _equal(self, left: Term, right: Term) -> Sexpr:
        kind = kind_of_term(left)
        if isinstance(kind, Count | Int):
            return self._relation(left, right, lambda one, other: one == other)
        if isinstance(kind, Maybe):
            (none, value), (other_none, other_value) = self.pair(left), self.pair(right)
            same = ("=", none, other_none)
            return sexpr.conjunction([same, sexpr.disjunction([none, ("=", value, other_value)])])
        return ("=", self.of(left), self.of(right))

    def _relation(self, left: Term, right: Term, relates: Callable[[int, int], bool]) -> Sexpr:
        ones, others = self._cases(left), self._cases(right)
        found = [
            sexpr.conjunction([condition, other])
            for one, condition in ones.items()
            for two, other in others.items()
            if relates(one, two)
        ]
        for part, number in ((left, right), (right, left)):
            if not isinstance(part, Read) or not isinstance(number, Const) or not isinstance(part.kind, Count):
                continue
            most = part.kind.most
            if self._by_author and number.code >= most and len(found) in (0, len(ones) * len(others)):
                raise ModelError(
                    f"`{part.field}` counts no further than {most} (many): {number.code} cannot be told apart; compare "
                    f"it with less than {most}, or declare it Count({number.code + 1})"
                )
        return sexpr.disjunction(found)

    def _cases(self, term: Term) -> Cases:
        match term:
            case Const(_, code):
                return {code: TRUE}
            case Read(name, indices, Count() | Int() as kind):
                cell = applied(state_symbol(name), map(self.of, indices))
                values = range(kind.low, kind.high + 1)
                return {value: ("=", cell, self.names.value(kind, value - kind.low)) for value in values}
            case Plus(left, right) | Minus(left, right) | Times(left, right) | Div(left, right) | Mod(left, right):
                return self._combined(left, right, OPERATIONS[type(term)])
            case Position(_, sort) | ElementAt(_, sort):
                raise ModelError(NO_ORDER.format(sort=sort.__name__))
            case Clamp(inner, most):
                return _merged((min(max(value, 0), most), when) for value, when in self._cases(inner).items())
            case Ite(condition, then, other):
                chosen = self.of(condition)
                yes = [(value, sexpr.conjunction([chosen, when])) for value, when in self._cases(then).items()]
                no = sexpr.negation(chosen)
                return _merged([*yes, *((v, sexpr.conjunction([no, w])) for v, w in self._cases(other).items())])
            case Read() | Var() | IsNone() | Deref() | Some() | Eq() | Less() | Not() | And() | Or() | Quantified():
                raise TypeError(f"not a number: {term!r}")
            case Whole():
                refuse(term)
            case _:
                assert_never(term)

    def _combined(self, left: Term, right: Term, operation: Callable[[int, int], int]) -> Cases:
        ones, others = self._cases(left), self._cases(right)
        if len(ones) * len(others) > MOST_PAIRS:
            raise ModelError(
                f"a proof goes through all pairs of values of two numbers, and here there are "
                f"{len(ones) * len(others)} of them, more than {MOST_PAIRS:,}: declare the numbers with closer bounds"
            )
        return _merged(
            (operation(one, two), sexpr.conjunction([condition, other]))
            for one, condition in ones.items()
            for two, other in others.items()
        )


def _merged(cases: Iterable[tuple[int, Sexpr]]) -> Cases:
    gathered: dict[int, list[Sexpr]] = {}
    for value, condition in cases:
        gathered.setdefault(value, []).append(condition)
    return {value: sexpr.disjunction(conditions) for value, conditions in gathered.items()}
