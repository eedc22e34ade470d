"""Truth, equality, order and arithmetic of values: as Python has them, or refused."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from enum import Enum
from typing import Any, assert_never

from onceproof.model.language.errors import ModelError
from onceproof.model.language.index_sets import beyond
from onceproof.model.language.reading.interpreter import Interpreter
from onceproof.model.language.reading.rows import bounded_of, current_record, items_of_bounded, sequence_now
from onceproof.model.language.reading.values import (
    BoundedList,
    Cases,
    Closure,
    DictObject,
    FieldValue,
    ListObject,
    Members,
    MembersView,
    RecordValue,
    Reference,
    SequenceView,
    StateValue,
    Symbol,
    Value,
    as_maybe,
    name_of,
    same_constant,
    term_of,
    value_of,
)
from onceproof.model.language.sorts import Choice, Count, Flag, Index, Int, Maybe
from onceproof.model.language.terms import (
    FALSE,
    TRUE,
    Const,
    Term,
    Times,
    and_,
    boolean,
    deref,
    div,
    element_at,
    eq,
    is_none,
    ite,
    less,
    minus,
    mod,
    multiple,
    not_,
    number,
    or_,
    plus,
    position,
    times,
)
from onceproof.model.language.traversal import extent

MOST_ADDED = 16  # by what a number is multiplied by adding it up
MOST_NUMBER = 10**9  # how large a number may become
ORDER = (
    "elements are compared with `==` and `!=`; for an order declare `class Node(Sort, ordered=True)`, for a ring or a "
    "role a constant field, say `right = field(Node, Node, init=lambda node: node + 1, constant=True)`"
)
PLAIN_EQUALITY: tuple[Any, ...] = (int.__eq__, str.__eq__, object.__eq__)
IDENTITY = "`is` compares objects, and a model has values: write `==` or `!=` (`is None` is fine)"


def truth(interpreter: Interpreter, value: Value) -> Term:
    """When a value is true, where Python asks for its truth; ModelError for one whose truth is a trap."""

    def one(value: Value) -> Value:
        match value:
            case Symbol(term, Flag()):
                return value_of(term)
            case Symbol(_, Choice()) | Enum():
                raise ModelError("an enum value has no truth: compare it with something")
            case Symbol(_, Count()):
                raise ModelError("a number has no truth: compare it with something")
            case Symbol():
                raise ModelError(f"{value.what} has no truth: compare it with something")
            case FieldValue():
                raise ModelError(value.refusal)
            case SequenceView():
                return value_of(less(number(0), sequence_now(interpreter, value).length))
            case Reference():
                return value_of(_is_filled(interpreter.content(value.identity)))
            case RecordValue():
                return True
            case bool() | int() | str() | tuple() | None:
                return bool(value)
            case _:
                raise ModelError(f"{name_of(value)} has no truth: compare it with something")

    return condition_of(interpreter.split(value, one))


def _is_filled(content: Any) -> Term:
    if isinstance(content, BoundedList):
        return less(number(0), content.length)
    items = content.items.values() if isinstance(content, DictObject) else content.items
    return or_(*(present for present, _ in items))


def condition(interpreter: Interpreter, value: Value) -> Term:
    """The term of what must be a condition: a ``require``, a ``given``, a quantifier's body, a property's result."""

    def one(value: Value) -> Value:
        if isinstance(value, bool) or (isinstance(value, Symbol) and isinstance(value.kind, Flag)):
            return value
        if isinstance(value, FieldValue):
            raise ModelError(value.refusal)
        raise ModelError(f"expected a condition, found {name_of(value)}, which has no truth")

    return condition_of(interpreter.split(value, one))


def condition_of(value: Value) -> Term:
    """The term of a bool, or of a symbol that is a condition."""
    if isinstance(value, Symbol) and isinstance(value.kind, Flag):
        return value.term
    assert isinstance(value, bool), value
    return boolean(value)


def none_test(interpreter: Interpreter, value: Value) -> Term:
    """Whether a value is None."""

    def one(value: Value) -> Value:
        if isinstance(value, Symbol) and isinstance(value.kind, Maybe):
            return value_of(is_none(value.term))
        return value is None

    return condition_of(interpreter.split(value, one))


def equal(interpreter: Interpreter, left: Value, right: Value) -> Term:
    """Whether two values are equal, as Python has it for what they stand for; ModelError for what is never meant."""

    some_are_none = any(isinstance(side, Cases) for side in (left, right))

    def pair(one: Value, other: Value) -> Value:
        if some_are_none and (one is None or other is None):
            return value_of(none_test(interpreter, other if one is None else one))
        return value_of(_equal(interpreter, one, other))

    return condition_of(interpreter.split(left, lambda one: interpreter.split(right, lambda other: pair(one, other))))


def equal_parts(interpreter: Interpreter, left: Value, right: Value) -> Term:
    """The same of parts of values that are compared, of which one may be None where the other is not."""
    if left is None or right is None:
        return none_test(interpreter, right if left is None else left)
    return equal(interpreter, left, right)


def _equal(interpreter: Interpreter, left: Value, right: Value) -> Term:
    if isinstance(right, Symbol) and not isinstance(left, Symbol):
        left, right = right, left
    for side in (left, right):
        if isinstance(side, FieldValue):
            raise ModelError(side.refusal)
        if isinstance(side, StateValue | Closure | Members | MembersView):
            raise ModelError(f"{name_of(side)} is compared")
    if isinstance(left, Symbol):
        if isinstance(right, SequenceView | RecordValue):
            raise ModelError(f"{name_of(left)} is compared with {name_of(right)}")
        return _equal_symbol(left, right)
    if isinstance(left, tuple) and isinstance(right, tuple):
        if len(left) != len(right):
            return FALSE
        return and_(*(equal(interpreter, a, b) for a, b in zip(left, right, strict=True)))
    bounded = bounded_of(interpreter, left), bounded_of(interpreter, right)
    if any(side is not None for side in bounded):
        return _equal_bounded(interpreter, (left, right), bounded)
    if isinstance(left, RecordValue) or isinstance(right, RecordValue):
        return _equal_records(interpreter, left, right)
    if isinstance(left, Reference) and isinstance(right, Reference):
        return _equal_lists(interpreter, left, right)
    if isinstance(left, Reference | tuple) or isinstance(right, Reference | tuple):
        return FALSE
    if any(isinstance(side, Enum) and type(side).__eq__ is not Enum.__eq__ for side in (left, right)):
        if left is right and type(left) is type(right):
            return TRUE
        if type(left) is not type(right) or all(type(left).__eq__ is not known for known in PLAIN_EQUALITY):
            raise ModelError(f"{left!r} is compared with {right!r}: their class has an equality of its own")
    return boolean(bool(left == right))


def _equal_symbol(left: Symbol, right: Value) -> Term:
    match left.kind:
        case Flag():
            if isinstance(right, bool) or (isinstance(right, Symbol) and isinstance(right.kind, Flag)):
                other = condition_of(right)
                if isinstance(other, Const):
                    return left.term if other.code else not_(left.term)
                return or_(and_(left.term, other), and_(not_(left.term), not_(other)))
            raise ModelError(f"a condition is compared with {name_of(right)}")
        case Choice(enum):
            if isinstance(right, enum) or (isinstance(right, Symbol) and right.kind == left.kind):
                other_term = term_of(right)
                assert other_term is not None
                return eq(left.term, other_term)
            raise ModelError(f"a {enum.__name__} is compared with {name_of(right)}")
        case Index(sort) | Maybe(sort):
            if right is None:
                return is_none(left.term) if isinstance(left.kind, Maybe) else FALSE
            if isinstance(right, Symbol) and isinstance(right.kind, Index | Maybe) and right.kind.sort is sort:
                if isinstance(left.kind, Index) and isinstance(right.kind, Index):
                    return eq(left.term, right.term)
                one, other = as_maybe(left, sort), as_maybe(right, sort)
                some = and_(not_(is_none(one)), not_(is_none(other)), eq(deref(one, sort), deref(other, sort)))
                return or_(and_(is_none(one), is_none(other)), some)
            hint = f": {ORDER}" if isinstance(right, int) else ""
            raise ModelError(f"a {sort.__name__} is compared with {name_of(right)}{hint}")
        case Count() | Int():
            return eq(left.term, number_term(right))
        case _:
            assert_never(left.kind)


def _equal_records(interpreter: Interpreter, left: Value, right: Value) -> Term:
    for side in (left, right):
        if isinstance(side, RecordValue):
            current_record(interpreter, side)
    if isinstance(left, RecordValue) and isinstance(right, RecordValue):
        if left.kind.cls is right.kind.cls:
            return and_(*(equal_parts(interpreter, a, b) for a, b in zip(left.values, right.values, strict=True)))
    elif left is None or right is None:
        return FALSE
    raise ModelError(f"{name_of(left)} is compared with {name_of(right)}")


def _equal_bounded(
    interpreter: Interpreter, sides: tuple[Value, Value], bounded: tuple[BoundedList | None, BoundedList | None]
) -> Term:
    """Whether two lists are equal, of which at least one is from the state."""
    lists = []
    for side, content in zip(sides, bounded, strict=True):
        if content is not None:
            lists.append((content.length, items_of_bounded(interpreter, content)))
            continue
        listed = interpreter.content(side.identity) if isinstance(side, Reference) else None
        if not isinstance(listed, ListObject):
            if isinstance(side, tuple) or side is None:
                return FALSE
            raise ModelError(f"{name_of(sides[0])} is compared with {name_of(sides[1])}")
        if any(present is not TRUE for present, _ in listed.items):
            raise ModelError("lists are compared whose lengths depend on the state: compare what they hold")
        lists.append((number(len(listed.items)), listed.items))
    (one, ones), (other, others) = lists
    tests = [
        or_(not_(less(number(n), one)), equal_parts(interpreter, a, b))
        for n, ((_, a), (_, b)) in enumerate(zip(ones, others, strict=False))
    ]
    return and_(eq(one, other), *tests)


def _equal_lists(interpreter: Interpreter, left: Reference, right: Reference) -> Term:
    contents = interpreter.content(left.identity), interpreter.content(right.identity)
    if left == right:
        return TRUE
    if not all(isinstance(one, ListObject) for one in contents):
        raise ModelError("dictionaries are compared: compare what they hold")
    items = [one.items for one in contents]
    if any(present is not TRUE for part in items for present, _ in part):
        raise ModelError("lists are compared whose lengths depend on the state: compare what they hold")
    if len(items[0]) != len(items[1]):
        return FALSE
    return and_(*(equal(interpreter, a, b) for (_, a), (_, b) in zip(*items, strict=True)))


def below(interpreter: Interpreter, left: Value, right: Value) -> Term:
    """``left < right`` of two numbers, or of two tuples; ModelError for what has no order."""

    def one(a: Value) -> Value:
        return interpreter.split(right, lambda b: value_of(_below(interpreter, a, b)))

    return condition_of(interpreter.split(left, one))


def _below(interpreter: Interpreter, left: Value, right: Value) -> Term:
    if isinstance(left, tuple) and isinstance(right, tuple):
        result: Term = boolean(len(left) < len(right))
        for a, b in reversed(list(zip(left, right, strict=False))):
            result = ite(
                equal(interpreter, a, b), result, below(interpreter, a, b) if not same_constant(a, b) else FALSE
            )
        return result
    if isinstance(left, str) and isinstance(right, str):
        return boolean(left < right)
    if is_ordered(left) or is_ordered(right):
        return less(*_positions(interpreter, left, right))
    return less(number_term(left), number_term(right))


def is_ordered(value: Value) -> bool:
    """Whether a value is an element of an ordered sort (or None)."""
    return isinstance(value, Symbol) and isinstance(value.kind, Index | Maybe) and value.kind.sort.ordered


def _positions(interpreter: Interpreter, left: Value, right: Value) -> tuple[Term, Term]:
    """Where two elements of one ordered sort stand; where one is None the function fails."""
    for side in (left, right):
        if side is None:
            interpreter.fail("TypeError: None has no order")
    if not (is_ordered(left) and is_ordered(right) and left.kind.sort is right.kind.sort):
        raise ModelError(f"{name_of(left)} and {name_of(right)} are compared, which have no common order")
    sort = left.kind.sort
    terms = [interpreter.present(side, "TypeError: None has no order").term for side in (left, right)]
    return position(terms[0], sort), position(terms[1], sort)


def number_term(value: Value, truths: bool = False) -> Term:
    """The term of a number (truths: or of a condition, as 0 or 1); ModelError for all else."""
    if isinstance(value, Symbol):
        if isinstance(value.kind, Count):
            return value.term
        if truths and isinstance(value.kind, Flag):
            return ite(value.term, number(1), number(0))
        if isinstance(value.kind, Index | Maybe):
            raise ModelError(f"an index does not allow this here: {ORDER}")
        if isinstance(value.kind, Choice):
            raise ModelError("an enum value does not allow this: it is compared with `==` and `!=` (ordered: a Count)")
    if type(value) is int:
        return number(value)
    if type(value) is bool:
        if truths:
            return number(int(value))
        raise ModelError(f"expected a number, found {value!r}")
    if isinstance(value, FieldValue):
        raise ModelError(value.refusal)
    raise ModelError(f"expected a number, found {name_of(value)}")


def _moved(interpreter: Interpreter, operation: ast.operator, left: Value, right: Value) -> Value:
    """``n + 1`` or ``n - 1`` of an element of an ordered sort; beyond the ends the function fails."""
    if isinstance(operation, ast.Add) and not is_ordered(left):
        left, right = right, left
    by_number = type(right) is int or (isinstance(right, Symbol) and isinstance(right.kind, Count))
    if not (isinstance(operation, ast.Add | ast.Sub) and is_ordered(left) and by_number):
        raise ModelError("of an ordered element a model takes the one before or after it, `n - 1` and `n + 1`, no more")
    sort = left.kind.sort
    if interpreter.any_size:
        raise ModelError(
            f"here {sort.__name__} has any number of elements: say with a constant field which one is next"
        )
    there = position(interpreter.present(left, "TypeError: None has no next element").term, sort)
    there = (plus if isinstance(operation, ast.Add) else minus)(there, number_term(right))
    if extent(there)[0] < 0:
        interpreter.fail_where(less(there, number(0)), beyond(sort, below=True))
    last = interpreter.sizes[sort.__name__] - 1
    interpreter.fail_where(less(number(last), there), beyond(sort, below=False))
    return Symbol(element_at(there, sort), Index(sort))


CONSTANT: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}


def arithmetic(interpreter: Interpreter, operation: ast.operator, left: Value, right: Value) -> Value:
    """The value of a binary operator."""

    def one(a: Value) -> Value:
        return interpreter.split(right, lambda b: _arithmetic(interpreter, operation, a, b))

    return interpreter.split(left, one)


def _arithmetic(interpreter: Interpreter, operation: ast.operator, left: Value, right: Value) -> Value:
    for side in (left, right):
        if isinstance(side, FieldValue):
            raise ModelError(side.refusal)
    if isinstance(operation, ast.Add) and isinstance(left, tuple) and isinstance(right, tuple):
        return left + right
    if isinstance(operation, ast.Add) and isinstance(left, Reference) and isinstance(right, Reference):
        return _concatenated(interpreter, left, right)
    if isinstance(operation, ast.BitAnd | ast.BitOr | ast.BitXor):
        return _logical(interpreter, operation, left, right)
    if type(left) in (int, bool, str) and type(right) in (int, bool, str):
        return _folded(interpreter, operation, left, right)
    if is_ordered(left) or is_ordered(right):
        return _moved(interpreter, operation, left, right)
    one, other = number_term(left, True), number_term(right, True)
    match operation:
        case ast.Add():
            return value_of(plus(one, other))
        case ast.Sub():
            return value_of(minus(one, other))
        case ast.Mult():
            return value_of(_product(one, other))
        case ast.FloorDiv() | ast.Mod():
            interpreter.fail_where(eq(other, number(0)), "ZeroDivisionError: division by zero")
            return value_of(div(one, other) if isinstance(operation, ast.FloorDiv) else mod(one, other))
        case ast.Div():
            raise ModelError("a model has whole numbers only: write `//`")
        case _:
            raise ModelError("a number does not allow this here: a model has + - * // % of whole numbers, no more")


def _product(left: Term, right: Term) -> Term:
    for factor, other in ((left, right), (right, left)):
        if isinstance(factor, Const) and 0 <= factor.code <= MOST_ADDED:
            return multiple(other, factor.code)
    if max(map(abs, extent(Times(left, right)))) > MOST_NUMBER:
        raise ModelError(f"a product that may be beyond {MOST_NUMBER:,}: declare its factors with closer bounds")
    return times(left, right)


def _logical(interpreter: Interpreter, operation: ast.operator, left: Value, right: Value) -> Value:
    one, other = condition(interpreter, left), condition(interpreter, right)
    if isinstance(operation, ast.BitXor):
        return value_of(or_(and_(one, not_(other)), and_(not_(one), other)))
    return value_of(and_(one, other) if isinstance(operation, ast.BitAnd) else or_(one, other))


def _folded(interpreter: Interpreter, operation: ast.operator, left: Any, right: Any) -> Value:
    known = CONSTANT.get(type(operation))
    if known is None:
        raise ModelError(f"a model function cannot use the operator `{type(operation).__name__}`")
    if isinstance(operation, ast.Mult) and (isinstance(left, str) or isinstance(right, str)):
        raise ModelError("a text is multiplied")
    try:
        result = known(left, right)
    except ZeroDivisionError:
        interpreter.fail("division by zero")
    except TypeError as error:
        raise ModelError(f"TypeError: {error}") from None
    if type(result) is int and abs(result) > MOST_NUMBER:
        raise ModelError(f"a number beyond {MOST_NUMBER:,}")
    return result


def _concatenated(interpreter: Interpreter, left: Reference, right: Reference) -> Value:
    one, other = interpreter.content(left.identity), interpreter.content(right.identity)
    if not (isinstance(one, ListObject) and isinstance(other, ListObject)):
        raise ModelError("a dictionary is added")
    return Reference(interpreter.allocate(ListObject(one.items + other.items)))
