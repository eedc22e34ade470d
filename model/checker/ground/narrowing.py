"""Formulas and values made simpler by what is known of cells at a place."""

from __future__ import annotations

from typing import assert_never

from onceproof.model.checker.ground.formula import (
    Arith,
    Below,
    Both,
    Cell,
    Clip,
    Either,
    Formula,
    In,
    Known,
    Opposite,
    Pick,
    Same,
    Sum,
    Value,
    below,
    both,
    cell,
    clipped,
    combined,
    either,
    is_in,
    negate,
    pick,
    same,
    summed,
)


def again(formula: Formula, known: Known) -> Formula:
    """The formula, simplified by what is known now."""
    return Rebuilding(known).formula(formula)


def value_again(value: Value, known: Known) -> Value:
    """The value, simplified by what is known now."""
    return Rebuilding(known).value(value)


class Rebuilding:
    """Puts formulas and values together again, simplified by what is known, each part that they share once."""

    def __init__(self, known: Known) -> None:
        self.known = known
        self._formulas: dict[Formula, Formula] = {}
        self._values: dict[Value, Value] = {}

    def test(self, test: In) -> Formula:
        """The test of one cell."""
        return is_in(test.slot, test.mask, self.known)

    def number(self, number: Cell) -> Value:
        """The number in one cell."""
        return cell(number.slot, self.known, number.plus)

    def formula(self, formula: Formula) -> Formula:
        """A formula."""
        if isinstance(formula, bool):
            return formula
        if isinstance(formula, In):
            return self.test(formula)
        found = self._formulas.get(formula)
        if found is None:
            found = self._formulas[formula] = self._formula(formula)
        return found

    def _formula(self, formula: Both | Either | Same | Below | Opposite) -> Formula:
        known = self.known
        match formula:
            case Both(parts):
                return both(map(self.formula, parts), known)
            case Either(parts):
                return either(map(self.formula, parts), known)
            case Same(left, right):
                return same(self.value(left), self.value(right), known)
            case Below(left, right):
                return below(self.value(left), self.value(right), known)
            case Opposite(part):
                return negate(self.formula(part), known)
            case _:
                assert_never(formula)

    def value(self, value: Value) -> Value:
        """A value."""
        if isinstance(value, int):
            return value
        if isinstance(value, Cell):
            return self.number(value)
        found = self._values.get(value)
        if found is None:
            found = self._values[value] = self._value(value)
        return found

    def _value(self, value: Pick | Sum | Arith | Clip) -> Value:
        match value:
            case Pick(condition, then, other):
                return pick(self.formula(condition), self.value(then), self.value(other))
            case Sum(left, right, sign):
                return summed(self.value(left), self.value(right), sign)
            case Arith(operator, left, right):
                return combined(operator, self.value(left), self.value(right))
            case Clip(inner, most):
                return clipped(self.value(inner), most, self.known)
            case _:
                assert_never(value)
