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
    match formula:
        case bool():
            return formula
        case In(slot, mask):
            return is_in(slot, mask, known)
        case Both(parts):
            return both([again(part, known) for part in parts], known)
        case Either(parts):
            return either([again(part, known) for part in parts], known)
        case Same(left, right):
            return same(value_again(left, known), value_again(right, known), known)
        case Below(left, right):
            return below(value_again(left, known), value_again(right, known), known)
        case Opposite(part):
            return negate(again(part, known), known)
        case _:
            assert_never(formula)


def value_again(value: Value, known: Known) -> Value:
    """The value, simplified by what is known now."""
    match value:
        case int():
            return value
        case Cell(slot, plus):
            return cell(slot, known, plus)
        case Pick(condition, then, other):
            return pick(again(condition, known), value_again(then, known), value_again(other, known))
        case Sum(left, right, sign):
            return summed(value_again(left, known), value_again(right, known), sign)
        case Arith(operator, left, right):
            return combined(operator, value_again(left, known), value_again(right, known))
        case Clip(inner, most):
            return clipped(value_again(inner, known), most, known)
        case _:
            assert_never(value)
