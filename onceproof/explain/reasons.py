"""Terms as Python-like text, and why one is true or false in a state: the literals that decide, with their values."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import assert_never

from onceproof.model.language.evaluate import value_of
from onceproof.model.language.layout import Layout, State
from onceproof.model.language.operations import refuse
from onceproof.model.language.sorts import Int, Sort
from onceproof.model.language.terms import (
    And,
    Arithmetic,
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
    number,
    plus,
)
from onceproof.model.language.traversal import walk

MOST_REASONS = 8  # lines; more than that are not read


@dataclass(frozen=True)
class StateView:
    """Evaluates and prints terms in one state. names: the element that each variable stands for."""

    layout: Layout
    state: State
    names: Mapping[Var, int] = field(default_factory=dict)

    def holds(self, term: Term) -> bool:
        """The truth of a condition in this state."""
        return bool(value_of(term, self.layout, self.state, self.names))

    def why(self, term: Term, truth: bool, known: Term | None = None) -> list[str]:
        """Why a condition has the truth that it has: "`starts[task1] <= 1` is false: it is 2", a line for each literal.

        known: a condition whose literals are left out.
        """
        left_out: set[str] = set()
        if known is not None:
            left_out = {self.text(part) for part in walk(known)}
            left_out |= {literal for (literal, _), _ in self._why(known, self.holds(known))}
        found = dict(self._why(term, truth))
        lines = [line for (literal, _), line in found.items() if literal not in left_out] or list(found.values())
        if len(lines) > MOST_REASONS:
            return [*lines[:MOST_REASONS], f"and {len(lines) - MOST_REASONS} more"]
        return lines

    def text(self, term: Term) -> str:
        """A term as Python-like text: ``stage[message1] == DELETED``."""
        match term:
            case Const(kind, code):
                return str(kind.show(code))
            case Var(name, sort):
                return sort.element(self.names[term]) if term in self.names else name.rsplit("_", 1)[0]
            case Read(name, indices, _):
                place = self.layout.places[name]
                return place.text([self._index(index, sort) for index, sort in zip(indices, place.sorts, strict=True)])
            case Deref(inner, _) | Some(inner, _) | Position(inner, _) | ElementAt(inner, _):
                return self.text(inner)
            case Plus(Clamp(Minus(inner, _), _), _) | Clamp(inner, _):
                return self.text(inner)
            case IsNone(inner):
                return f"{self.text(inner)} is None"
            case Eq(left, right):
                return f"{self.text(left)} == {self.text(right)}"
            case Less(Const() as left, right):
                return f"{self.text(right)} > {self.text(left)}"
            case Less(left, right):
                return f"{self.text(left)} < {self.text(right)}"
            case Plus(left, right):
                return f"{self.text(left)} + {self.text(right)}"
            case Minus(left, right):
                return f"{self.text(left)} - {self.text(right)}"
            case Times(left, right):
                return f"{self._factor(left)} * {self._factor(right)}"
            case Div(left, right):
                return f"{self._factor(left)} // {self._factor(right)}"
            case Mod(left, right):
                return f"{self._factor(left)} % {self._factor(right)}"
            case Not(inner):
                return self._negated(inner)
            case And(terms):
                return " and ".join(map(self._part, terms))
            case Or(terms):
                return " or ".join(map(self._part, terms))
            case Ite(condition, then, other):
                return f"({self.text(then)} if {self.text(condition)} else {self.text(other)})"
            case Quantified(universal, variables, body):
                sorts = ", ".join(variable.sort.__name__ for variable in variables)
                return f"({self.text(body)} for {'every' if universal else 'some'} {sorts})"
            case Whole():
                refuse(term)
            case _:
                assert_never(term)

    def _negated(self, term: Term) -> str:
        match term:
            case IsNone(inner):
                return f"{self.text(inner)} is not None"
            case Eq(left, right):
                return f"{self.text(left)} != {self.text(right)}"
            case Less(Const() as left, right):
                return f"{self.text(right)} <= {self.text(left)}"
            case Less(left, right):
                return f"{self.text(left)} >= {self.text(right)}"
            case _:
                return f"not {self._part(term)}"

    def _part(self, term: Term) -> str:
        text = self.text(term)
        return f"({text})" if isinstance(term, And | Or) else text

    def _factor(self, term: Term) -> str:
        text = self.text(term)
        return f"({text})" if isinstance(term, Plus | Minus | Times | Div | Mod) else text

    def _index(self, term: Term, sort: type[Sort]) -> str:
        """An index: the element itself where it is known, so that ``gone[placed[message1]]`` reads ``gone[agent1]``."""
        try:
            value = value_of(term, self.layout, self.state, self.names)
        except KeyError:  # it depends on the variable of a quantifier
            low = sort.values.low if isinstance(sort.values, Int) else 0
            return self.text(plus(term, number(low)) if low else term)
        return sort.element(value)

    def _why(self, term: Term, truth: bool) -> Iterator[tuple[tuple[str, bool], str]]:
        """The literals that decide: each as its positive text and truth, and as the line to print."""
        match term:
            case Not(inner) if not isinstance(inner, IsNone | Eq | Less | Read):
                yield from self._why(inner, not truth)
            case And(terms) | Or(terms):
                # An `and` is false because of its false parts, and true because of all parts; an `or` is the dual.
                for part in terms:
                    if self.holds(part) == truth:
                        yield from self._why(part, truth)
            case Ite(condition, then, other):
                yield from self._why(condition, self.holds(condition))
                yield from self._why(then if self.holds(condition) else other, truth)
            case Quantified(universal, variables, body):
                ranges = [range(self.layout.sizes[variable.sort.__name__]) for variable in variables]
                for elements in itertools.product(*ranges):
                    names = {**self.names, **dict(zip(variables, elements, strict=True))}
                    instance = StateView(self.layout, self.state, names)
                    if instance.holds(body) == truth:
                        yield from instance._why(body, truth)
                        if universal != truth:
                            return  # one example is enough
            case Const():
                return
            case _:
                positive = (self.text(term.term), not truth) if isinstance(term, Not) else (self.text(term), truth)
                yield positive, f"`{self.text(term)}` is {'true' if truth else 'false'}{self._value(term, truth)}"

    def _value(self, literal: Term, truth: bool) -> str:
        """The value that a literal reads, unless its text says it: ": it is 2"."""
        if isinstance(literal, Eq | IsNone) and truth:
            return ""
        inner = literal.term if isinstance(literal, Not) else literal
        if not isinstance(inner, Eq | Less | IsNone):
            return ""
        sides = (inner.term,) if isinstance(inner, IsNone) else (inner.left, inner.right)
        read = [self._shown(side) for side in sides if not isinstance(side, Const | Var)]
        return f": it is {read[0]}" if len(read) == 1 else f": they are {' and '.join(read)}" if read else ""

    def _shown(self, term: Term) -> str:
        code = value_of(term, self.layout, self.state, self.names)
        kind = term.kind if isinstance(term, Read) else kind_of_term(term)
        if isinstance(term, Deref):
            return self._shown(term.term)
        return str(code if isinstance(term, Arithmetic) or isinstance(kind, Int) else kind.show(code))
