"""Conditions and values over the numbered cells of a flat state: what engines that generate code work on.

A test of one cell against constants is an ``In``: a set of values as a bit mask. All constructors simplify against
``known``, which says for each cell (as a mask) the values it may have at that place. Formulas are shared, like terms:
two that are equal are the same object.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import assert_never

from onceproof.model.language.sharing import Shared


@dataclass(frozen=True, slots=True, eq=False)
class In(Shared):
    """The cell has one of the values in the mask (bit v stands for value v)."""

    slot: int
    mask: int


@dataclass(frozen=True, slots=True, eq=False)
class Both(Shared):
    """All parts are true."""

    parts: tuple[Formula, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Either(Shared):
    """Some part is true."""

    parts: tuple[Formula, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Same(Shared):
    """Two values are equal."""

    left: Value
    right: Value


@dataclass(frozen=True, slots=True, eq=False)
class Below(Shared):
    """The left value is smaller."""

    left: Value
    right: Value


@dataclass(frozen=True, slots=True, eq=False)
class Opposite(Shared):
    """Negation of a comparison of two values."""

    part: Same | Below


@dataclass(frozen=True, slots=True, eq=False)
class Cell(Shared):
    """The number in a cell, plus a constant."""

    slot: int
    plus: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Pick(Shared):
    """``then`` where the condition is true, else ``other``."""

    condition: Formula
    then: Value
    other: Value


@dataclass(frozen=True, slots=True, eq=False)
class Sum(Shared):
    """``left + sign * right``."""

    left: Value
    right: Value
    sign: int


@dataclass(frozen=True, slots=True, eq=False)
class Arith(Shared):
    """``left * right``, ``left // right`` or ``left % right``, as Python has it; a divisor of 0 counts as 1."""

    operator: str
    left: Value
    right: Value


@dataclass(frozen=True, slots=True, eq=False)
class Clip(Shared):
    """A value brought into 0..most."""

    value: Value
    most: int


Formula = bool | In | Both | Either | Same | Below | Opposite
Value = int | Cell | Pick | Sum | Arith | Clip
Known = Sequence[int]


def single(mask: int) -> int | None:
    """The only value in a mask; None where there are more."""
    return None if mask & (mask - 1) else mask.bit_length() - 1


def values_in(mask: int) -> Iterator[int]:
    """The values in a mask, smallest first."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def is_in(slot: int, mask: int, known: Known) -> Formula:
    """The test of a cell against a set of values."""
    mask &= known[slot]
    if not mask:
        return False
    return True if mask == known[slot] else In(slot, mask)


def negate(formula: Formula, known: Known) -> Formula:
    """The negation, pushed down to the tests."""
    return _negated(formula, known, {})


def _negated(formula: Formula, known: Known, done: dict[Formula, Formula]) -> Formula:
    """The same; ``done`` has the parts that were negated already, since large formulas share theirs."""
    match formula:
        case bool():
            return not formula
        case In(slot, mask):
            return is_in(slot, known[slot] & ~mask, known)
        case Opposite(part):
            return part
        case Same() | Below():
            return Opposite(formula)
        case Both(parts) | Either(parts):
            found = done.get(formula)
            if found is None:
                join = either if isinstance(formula, Both) else both
                found = done[formula] = join([_negated(part, known, done) for part in parts], known)
            return found
        case _:
            assert_never(formula)


def both(parts: Iterable[Formula], known: Known) -> Formula:
    """The conjunction; tests of one cell become one test."""
    masks: dict[int, int] = {}
    others: dict[Formula, None] = {}
    pending = list(parts)[::-1]
    while pending:
        part = pending.pop()
        if part is True:
            continue
        if part is False:
            return False
        if isinstance(part, Both):
            pending.extend(reversed(part.parts))
        elif isinstance(part, In):
            masks[part.slot] = masks.get(part.slot, known[part.slot]) & part.mask
            if not masks[part.slot]:
                return False
        else:
            others[part] = None
    return _joined(masks, others, known, Both, True)


def either(parts: Iterable[Formula], known: Known) -> Formula:
    """The disjunction; tests of one cell become one test."""
    masks: dict[int, int] = {}
    others: dict[Formula, None] = {}
    pending = list(parts)[::-1]
    while pending:
        part = pending.pop()
        if part is False:
            continue
        if part is True:
            return True
        if isinstance(part, Either):
            pending.extend(reversed(part.parts))
        elif isinstance(part, In):
            masks[part.slot] = masks.get(part.slot, 0) | part.mask
            if masks[part.slot] == known[part.slot]:
                return True
        else:
            others[part] = None
    return _joined(masks, others, known, Either, False)


def conjuncts(formula: Formula) -> tuple[Formula, ...]:
    """The parts of a conjunction; a formula of another form is its own only part."""
    return formula.parts if isinstance(formula, Both) else (formula,)


def _joined(
    masks: dict[int, int], others: dict[Formula, None], known: Known, kind: type[Both | Either], neutral: bool
) -> Formula:
    tests: list[Formula] = [In(slot, mask) for slot, mask in masks.items() if mask != known[slot]]
    joined = (*tests, *others)
    if not joined:
        return neutral
    return joined[0] if len(joined) == 1 else kind(joined)


def same(left: Value, right: Value, known: Known) -> Formula:
    """Equality of two values."""
    if isinstance(left, int):
        left, right = right, left
    if isinstance(left, int):
        return left == right
    if isinstance(left, Pick):
        yes, no = same(left.then, right, known), same(left.other, right, known)
        return choose(left.condition, yes, no, known)
    if isinstance(right, Pick):
        return choose(right.condition, same(left, right.then, known), same(left, right.other, known), known)
    if isinstance(right, int) and (slot := only_cell(left)) is not None:
        return is_in(slot, sum(1 << code for code in values_in(known[slot]) if number_at(left, code) == right), known)
    if isinstance(left, Cell) and isinstance(right, int):
        value = right - left.plus
        return is_in(left.slot, 1 << value, known) if value >= 0 else False
    if isinstance(left, Cell) and isinstance(right, Cell):
        if left.slot == right.slot:
            return left.plus == right.plus
        one, other = single(known[left.slot]), single(known[right.slot])
        if one is not None:
            return same(right, one + left.plus, known)
        if other is not None:
            return same(left, other + right.plus, known)
        shift = left.plus - right.plus
        common = _shifted(known[left.slot], shift) & known[right.slot]
        if not common:
            return False
    return True if left == right else Same(left, right)


def below(left: Value, right: Value, known: Known) -> Formula:
    """Whether the left value is smaller."""
    if isinstance(left, int) and isinstance(right, int):
        return left < right
    if isinstance(left, Pick):
        return choose(left.condition, below(left.then, right, known), below(left.other, right, known), known)
    if isinstance(right, Pick):
        return choose(right.condition, below(left, right.then, known), below(left, right.other, known), known)
    for one, other in ((left, right), (right, left)):
        if isinstance(other, int) and (slot := only_cell(one)) is not None:
            codes = [(code, number_at(one, code)) for code in values_in(known[slot])]
            mask = sum(1 << code for code, value in codes if (value < other if one is left else other < value))
            return is_in(slot, mask, known)
    if isinstance(left, Cell) and isinstance(right, int):
        return is_in(left.slot, (1 << max(right - left.plus, 0)) - 1, known)
    if isinstance(left, int) and isinstance(right, Cell):
        at_most = (1 << max(left - right.plus + 1, 0)) - 1
        return is_in(right.slot, known[right.slot] & ~at_most, known)
    return False if left == right else Below(left, right)


def choose(condition: Formula, yes: Formula, no: Formula, known: Known) -> Formula:
    """``yes`` where the condition is true, else ``no``."""
    if yes == no:
        return yes
    return either([both([condition, yes], known), both([negate(condition, known), no], known)], known)


def pick(condition: Formula, then: Value, other: Value) -> Value:
    """A conditional value."""
    if condition is True or then == other:
        return then
    return other if condition is False else Pick(condition, then, other)


def cell(slot: int, known: Known, plus: int = 0) -> Value:
    """The number in a cell; a constant where only one is possible."""
    value = single(known[slot])
    return Cell(slot, plus) if value is None else value + plus


def added(value: Value, plus: int) -> Value:
    """A value plus a constant."""
    match value:
        case int():
            return value + plus
        case Cell(slot, already):
            return Cell(slot, already + plus)
        case Pick(condition, then, other):
            return pick(condition, added(then, plus), added(other, plus))
        case Sum(inner, int() as already, sign):
            total = sign * already + plus
            return Sum(inner, total, 1) if total else inner
        case Sum() | Clip() | Arith():
            return Sum(value, plus, 1) if plus else value
        case _:
            assert_never(value)


def summed(left: Value, right: Value, sign: int) -> Value:
    """Sum or difference of two values."""
    if isinstance(right, int):
        return added(left, sign * right)
    if isinstance(left, int) and sign == 1:
        return added(right, left)
    return Sum(left, right, sign)


OPERATORS: dict[str, Callable[[int, int], int]] = {
    "*": lambda left, right: left * right,
    "//": lambda left, right: left // (right or 1),
    "%": lambda left, right: left % (right or 1),
}


def combined(operator: str, left: Value, right: Value) -> Value:
    """A product, a quotient or a remainder of two values."""
    if isinstance(left, int) and isinstance(right, int):
        return OPERATORS[operator](left, right)
    if isinstance(left, Pick):
        return pick(left.condition, combined(operator, left.then, right), combined(operator, left.other, right))
    if isinstance(right, Pick):
        return pick(right.condition, combined(operator, left, right.then), combined(operator, left, right.other))
    return Arith(operator, left, right)


def only_cell(value: Value) -> int | None:
    """The cell that a product, a quotient or a remainder depends on, if it depends on nothing else."""
    while isinstance(value, Sum) and isinstance(value.right, int):
        value = value.left
    if not isinstance(value, Arith) or _depends_on_condition(value):
        return None
    slots = set(slots_of(value))
    return slots.pop() if len(slots) == 1 else None


def _depends_on_condition(value: Value) -> bool:
    match value:
        case Pick():
            return True
        case Sum(left, right, _) | Arith(_, left, right):
            return _depends_on_condition(left) or _depends_on_condition(right)
        case Clip(inner, _):
            return _depends_on_condition(inner)
        case int() | Cell():
            return False
        case _:
            assert_never(value)


def number_at(value: Value, code: int) -> int:
    """The number that a value is which depends on one cell only, where that cell holds ``code``."""
    match value:
        case int():
            return value
        case Cell(_, plus):
            return code + plus
        case Sum(left, right, sign):
            return number_at(left, code) + sign * number_at(right, code)
        case Arith(operator, left, right):
            return OPERATORS[operator](number_at(left, code), number_at(right, code))
        case Clip(inner, most):
            return min(max(number_at(inner, code), 0), most)
        case Pick():
            raise TypeError(f"a value that depends on a condition: {value!r}")
        case _:
            assert_never(value)


def clipped(value: Value, most: int, known: Known) -> Value:
    """A value brought into 0..most."""
    match value:
        case int():
            return min(max(value, 0), most)
        case Pick(condition, then, other):
            return pick(condition, clipped(then, most, known), clipped(other, most, known))
        case Cell(slot, plus):
            fits = all(0 <= one + plus <= most for one in values_in(known[slot]))
            return value if fits else Clip(value, most)
        case Sum() | Arith() if (only := only_cell(value)) is not None:
            fits = all(0 <= number_at(value, one) <= most for one in values_in(known[only]))
            return value if fits else Clip(value, most)
        case Sum() | Clip() | Arith():
            return Clip(value, most)
        case _:
            assert_never(value)


def possible(value: Value, known: Known, all_values: int) -> int:
    """A mask of the values that a value may have (at least those); ``all_values`` where it is not followed."""
    match value:
        case int():
            return 1 << value if value >= 0 else 0
        case Cell(slot, plus):
            return _shifted(known[slot], plus)
        case Pick(_, then, other):
            return possible(then, known, all_values) | possible(other, known, all_values)
        case Clip(Cell(slot, plus), most):
            mask = 0
            for one in values_in(known[slot]):
                mask |= 1 << min(max(one + plus, 0), most)
            return mask
        case Sum() | Arith() if (only := only_cell(value)) is not None:
            numbers = {number_at(value, one) for one in values_in(known[only])}
            return sum(1 << number for number in numbers if number >= 0)
        case Sum() | Clip() | Arith():
            return all_values
        case _:
            assert_never(value)


def _shifted(mask: int, by: int) -> int:
    return mask << by if by >= 0 else mask >> -by


def slots_of(formula: Formula | Value) -> Iterator[int]:
    """The cells that a formula or a value looks at; at times one more than once."""
    seen: set[Formula | Value] = set()
    waiting: list[Formula | Value] = [formula]
    while waiting:
        part = waiting.pop()
        if isinstance(part, In | Cell):
            yield part.slot
        elif part not in seen:
            seen.add(part)
            waiting += parts_of(part)


def parts_of(part: Formula | Value) -> tuple[Formula | Value, ...]:
    """The immediate parts of a formula or a value."""
    match part:
        case int() | In() | Cell():  # true and false, too
            return ()
        case Both(parts) | Either(parts):
            return parts
        case Same(left, right) | Below(left, right) | Sum(left, right, _) | Arith(_, left, right):
            return left, right
        case Opposite(inner) | Clip(inner, _):
            return (inner,)
        case Pick(condition, then, other):
            return condition, then, other
        case _:
            assert_never(part)
