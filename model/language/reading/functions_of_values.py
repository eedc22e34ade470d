"""Python's functions of numbers and lists: length, sum, least and greatest, ranges, pairs."""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import partial
from types import FunctionType

from onceproof.model.language.errors import ModelError
from onceproof.model.language.index_sets import is_sort
from onceproof.model.language.reading.interpreter import Interpreter
from onceproof.model.language.reading.member_cells import size
from onceproof.model.language.reading.operators import arithmetic, below, is_ordered, number_term
from onceproof.model.language.reading.rows import bounded_of
from onceproof.model.language.reading.sequences import items_of, passes_of
from onceproof.model.language.reading.values import (
    Closure,
    DictObject,
    FieldValue,
    Iterator,
    ListObject,
    Members,
    MembersView,
    Reference,
    Value,
    merged,
    value_of,
)
from onceproof.model.language.terms import FALSE, TRUE, Term, and_, ite, not_, number, or_, plus

Keywords = dict[str, Value]


def length(interpreter: Interpreter, arguments: list[Value], keywords: Keywords) -> Value:
    """``len(...)``."""
    _expect("len", arguments, keywords, 1)
    (of,) = arguments
    if is_sort(of) and interpreter.any_size:
        raise ModelError(f"here {of.__name__} has any number of elements: `len` has no value")
    if isinstance(of, str):
        return len(of)

    def one(of: Value) -> Value:
        if isinstance(of, FieldValue):
            raise ModelError(of.refusal)
        if isinstance(of, Members):
            raise ModelError("the size of a set: some of its members may be equal")
        if isinstance(of, MembersView):
            return value_of(size(interpreter, of))
        bounded = bounded_of(interpreter, of)
        if bounded is not None:
            return value_of(interpreter.world.facts.simpler(bounded.length))
        total: Term = number(0)
        for present, _ in items_of(interpreter, of):
            total = plus(total, ite(present, number(1), number(0)))
        return value_of(total)

    return interpreter.split(of, one)


def summed(interpreter: Interpreter, arguments: list[Value], keywords: Keywords) -> Value:
    """``sum(...)``."""
    if keywords or not 1 <= len(arguments) <= 2:
        raise ModelError("`sum` takes what is to be added")

    def one(of: Value) -> Value:
        total: Value = arguments[1] if len(arguments) == 2 else 0
        for present, value in items_of(interpreter, of):
            if present is TRUE:
                total = arithmetic(interpreter, ast.Add(), total, value)
            else:
                added = ite(present, number_term(value, True), number(0))
                total = value_of(plus(number_term(total, True), added))
        return total

    return interpreter.split(arguments[0], one)


def extreme(smallest: bool) -> Callable[[Interpreter, list[Value], Keywords], Value]:
    """``min(...)`` or ``max(...)``: of what is equal the first counts, as in Python."""
    name = "min" if smallest else "max"

    def read(interpreter: Interpreter, arguments: list[Value], keywords: Keywords) -> Value:
        key, default = keywords.pop("key", None), keywords.get("default")
        given = "default" in keywords
        if keywords.keys() - {"default"} or not arguments or not isinstance(key, FunctionType | Closure | None):
            raise ModelError(f"`{name}` takes values, or one list, and `key` and `default`")
        if len(arguments) == 1:
            return interpreter.split(arguments[0], lambda one: best(interpreter, one, key, given, default))
        return best(interpreter, tuple(arguments), key, False, None)

    def best(interpreter: Interpreter, of: Value, key: Value, given: bool, default: Value) -> Value:
        found: Term = FALSE
        value: Value = None
        measure: Value = None
        for present, other in items_of(interpreter, of):
            size = other
            if key is not None:
                size = interpreter.branch(present, partial(interpreter.call, key, [other]), lambda: 0)
            if found is FALSE:
                better: Term = TRUE
            else:
                one, two = (size, measure) if smallest else (measure, size)
                better = or_(not_(found), below(interpreter, one, two))
            taken = and_(present, better)
            value = other if found is FALSE else merged(taken, other, value)
            measure = size if found is FALSE else merged(taken, size, measure)
            found = or_(found, present)
        if given:
            return merged(found, value, default)
        interpreter.fail_where(not_(found), f"ValueError: `{name}` of nothing")
        if not is_ordered(measure):
            number_term(measure)
        return value

    return read


def ranged(interpreter: Interpreter, arguments: list[Value], keywords: Keywords) -> Value:
    """``range(...)`` of constants."""
    if keywords or not 1 <= len(arguments) <= 3 or any(type(one) is not int for one in arguments):
        raise ModelError("`range` of a number that depends on the state: go through a sort, or compare a count")
    try:
        return range(*arguments)
    except ValueError as error:
        raise ModelError(f"ValueError: {error}") from None


def enumerated(interpreter: Interpreter, arguments: list[Value], keywords: Keywords) -> Value:
    """``enumerate(...)``."""
    start = keywords.pop("start", arguments[1] if len(arguments) == 2 else 0)
    if keywords or not 1 <= len(arguments) <= 2 or type(start) is not int:
        raise ModelError("`enumerate` takes a list, and where to start")
    items = enumerate(_present(interpreter, arguments[0]))
    return Iterator((start + place, value) for place, value in items).over(arguments[0])


def zipped(interpreter: Interpreter, arguments: list[Value], keywords: Keywords) -> Value:
    """``zip(...)``."""
    strict = keywords.pop("strict", False)
    if keywords:
        raise ModelError("`zip` takes lists")
    parts = [_present(interpreter, one) for one in arguments]
    if strict is True and len({len(part) for part in parts}) > 1:
        interpreter.fail("ValueError: `zip` of lists of different lengths")
    return Iterator(zip(*parts, strict=False)).over(*arguments)


def reversed_(interpreter: Interpreter, arguments: list[Value], keywords: Keywords) -> Value:
    """``reversed(...)``."""
    _expect("reversed", arguments, keywords, 1)
    if is_sort(arguments[0]):
        raise ModelError("`reversed` of a sort: Python has none")
    return Iterator(reversed(_present(interpreter, arguments[0]))).over(arguments[0])


def sorted_(interpreter: Interpreter, arguments: list[Value], keywords: Keywords) -> Value:
    """``sorted(...)`` of constants."""
    reverse = keywords.pop("reverse", False)
    if keywords or len(arguments) != 1 or type(reverse) is not bool:
        raise ModelError("`sorted` takes constants, and `reverse`")
    items = [value for present, value in items_of(interpreter, arguments[0]) if present is TRUE]
    kinds = {type(value) for value in items}
    if len(items) != len(items_of(interpreter, arguments[0])) or not (kinds <= {int} or kinds <= {str}):
        raise ModelError("`sorted` of values that depend on the state: their order is not known")
    return Reference(interpreter.allocate(ListObject(tuple((TRUE, one) for one in sorted(items, reverse=reverse)))))


def absolute(interpreter: Interpreter, arguments: list[Value], keywords: Keywords) -> Value:
    """``abs(...)``."""
    _expect("abs", arguments, keywords, 1)
    (value,) = arguments

    def one(value: Value) -> Value:
        opposite = arithmetic(interpreter, ast.Sub(), 0, value)
        return merged(below(interpreter, value, 0), opposite, value)

    return interpreter.split(value, one)


def _present(interpreter: Interpreter, of: Value) -> list[Value]:
    if isinstance(of, Reference) and isinstance(interpreter.content(of.identity), DictObject):
        raise ModelError("a dictionary is gone through here: use its `.items()`")
    items = passes_of(interpreter, of)
    if any(present is not TRUE for present, _ in items):
        raise ModelError("a list whose length depends on the state is numbered, paired or reversed")
    return [value for _, value in items]


def _expect(name: str, arguments: list[Value], keywords: Keywords, number_of: int) -> None:
    if keywords or len(arguments) != number_of:
        raise ModelError(f"`{name}` takes {number_of} argument")
