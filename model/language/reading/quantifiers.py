"""``forall`` and ``exists``."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import partial
from types import FunctionType
from typing import Any

from onceproof.model.language.arguments import grouped, parameters_of_record
from onceproof.model.language.errors import ModelError
from onceproof.model.language.index_sets import is_sort
from onceproof.model.language.members import Pattern, axes, patterns
from onceproof.model.language.reading.comprehensions import quantify
from onceproof.model.language.reading.elements import value_at
from onceproof.model.language.reading.interpreter import Interpreter
from onceproof.model.language.reading.member_cells import row_at
from onceproof.model.language.reading.operators import condition, condition_of
from onceproof.model.language.reading.rows import value_of_row
from onceproof.model.language.reading.values import Closure, RecordValue, Symbol, Value, value_of
from onceproof.model.language.sorts import Index, Sort
from onceproof.model.language.terms import Term, Var, and_, or_
from onceproof.model.language.value_kinds import RecordKind, parts_of_value, record_kind

Way = tuple[list[type[Sort]], Callable[[Sequence[Term]], Value]]  # the sorts of what is free, and the value of that


def quantifier(universal: bool) -> Callable[[Interpreter, list[Value], dict[str, Value]], Value]:
    """``forall`` (or ``exists``) of sorts and records, and a function of their elements."""
    name = "forall" if universal else "exists"

    def read(interpreter: Interpreter, arguments: list[Value], keywords: dict[str, Value]) -> Value:
        *sorts, body = arguments or (None,)
        known = sorts and all(is_sort(one) or record_kind(one) for one in sorts)
        if keywords or not known or not isinstance(body, FunctionType | Closure):
            raise ModelError(f"expected {name}(Sort, ..., lambda element, ...: condition), of sorts and records")

        return value_of(_over(interpreter, universal, sorts, lambda values: interpreter.call(body, values)))

    return read


def _over(interpreter: Interpreter, universal: bool, sets: list[Any], body: Callable[[list[Value]], Value]) -> Term:
    """What a condition says of all (or some) elements and records.

    Of a record: for each combination of what is no element of a sort in it, of all elements.
    """
    makers = [_ways_to_be(interpreter, one) for one in sets]
    found = []
    for ways in itertools.product(*makers):
        sorts = [sort for sorts, _ in ways for sort in sorts]

        def once(variables: tuple[Var, ...], ways: tuple[Way, ...] = ways) -> Value:
            left, values = list(variables), []
            for sorts, made in ways:
                values.append(made(left[: len(sorts)]))
                left = left[len(sorts) :]
            return value_of(condition(interpreter, body(values)))

        found.append(quantify(interpreter, universal, sorts, once) if sorts else condition_of(once(())))
    return and_(*found) if universal else or_(*found)


def _ways_to_be(interpreter: Interpreter, one: Any) -> list[Way]:
    kind = record_kind(one)
    if kind is None:
        return [([one], lambda variables: Symbol(variables[0], Index(one)))]
    if interpreter.whole and not any(part.name.endswith(".there") for part in parts_of_value(kind, "", "", False)):
        return [_parts_as_variables(kind)]
    kinds = [part.kind for part in parts_of_value(kind, "", "", False)]

    def made(variables: Sequence[Term], pattern: Pattern) -> Value:
        return value_of_row(interpreter, kind, row_at(pattern, tuple(variables), kinds), False)

    return [(list(axes(kind, pattern)), partial(made, pattern=pattern)) for pattern in patterns(kind)]


def _parts_as_variables(kind: RecordKind) -> Way:
    """Where values are read as wholes: a variable for each part, whatever it holds."""
    parts = parameters_of_record(kind, "", "")

    def made(variables: Sequence[Term]) -> Value:
        values = [value_at(part.holds, variable) for part, variable in zip(parts, variables, strict=True)]
        (record,) = grouped(parts, values, lambda inner, attributes: RecordValue(inner, tuple(attributes)))
        return record

    return [part.sort for part in parts], made
