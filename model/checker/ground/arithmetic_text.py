"""Sums, products, quotients and remainders as the text of Python."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from onceproof.model.checker.ground.formula import Arith, Sum, Value


def summands(value: Value, sign: int = 1) -> Iterator[tuple[Value, int]]:
    """What a value adds up, from the left, each with its sign (1 or -1): of a value that is not a sum, itself."""
    if isinstance(value, Sum):
        yield from summands(value.left, sign)
        yield from summands(value.right, sign * value.sign)
    else:
        yield value, sign


def sum_text(value: Sum, text: Callable[[Value], str]) -> str:
    """A sum as Python, in one pair of brackets however long it is."""
    (first, _), *others = summands(value)
    rest = [f" {'+' if sign > 0 else '-'} {text(one)}" for one, sign in others]
    return f"({text(first)}{''.join(rest)})"


def arith_text(value: Arith, text: Callable[[Value], str]) -> str:
    """A product, a quotient or a remainder as Python; a divisor that is 0 does no harm."""
    right = text(value.right)
    if value.operator != "*" and not isinstance(value.right, int):
        right = f"({right} if {right} != 0 else 1)"
    return f"({text(value.left)} {value.operator} {right})"
