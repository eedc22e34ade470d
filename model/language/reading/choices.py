"""``choose`` and ``choose_from``: a choice is a further variable of the reading, with its condition in the guard."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, EnumMeta
from types import FunctionType
from typing import cast

from onceproof.model.language.errors import ModelError, misplaced
from onceproof.model.language.index_sets import domain, is_sort
from onceproof.model.language.reading.elements import value_at
from onceproof.model.language.reading.interpreter import Interpreter
from onceproof.model.language.reading.operators import condition, equal, number_term
from onceproof.model.language.reading.result import Chosen
from onceproof.model.language.reading.sequences import items_of
from onceproof.model.language.reading.values import Closure, Item, RecordValue, Symbol, Value, name_of
from onceproof.model.language.sorts import Choice, Count, Flag, Index, Int, Kind, Maybe
from onceproof.model.language.terms import FALSE, TRUE, Term, and_, or_
from onceproof.model.language.traversal import extent
from onceproof.model.language.value_kinds import OptionKind, RecordKind, record_kind

MOST_NUMBERS = 1_000  # among which one may be chosen
EXPECTED = "expected choose(Sort) or choose(Sort, lambda element: ...), of a sort, an enum or a record"


def choose(interpreter: Interpreter, arguments: list[Value], keywords: dict[str, Value]) -> Value:
    """``choose(Sort, lambda element: condition)``, of a sort, an enum or a record."""
    options, *more = arguments or (None,)
    if keywords or len(more) > 1 or not all(isinstance(one, FunctionType | Closure) for one in more):
        raise ModelError(EXPECTED)
    record = record_kind(options)
    if record is None and not is_sort(options) and not isinstance(options, EnumMeta):
        raise ModelError(EXPECTED)

    def allowed(value: Value) -> Term:
        return condition(interpreter, interpreter.call(more[0], [value])) if more else TRUE

    if record is not None:
        chosen = _any_record(interpreter, record)
        interpreter.guard_by(_condition_of_choice(interpreter, chosen, allowed))
        return chosen
    kind: Kind = Index(options) if is_sort(options) else Choice(cast("type[Enum]", options))
    return _chosen(interpreter, kind, allowed)


def _any_record(interpreter: Interpreter, kind: RecordKind) -> RecordValue:
    """A record of which each part is a choice among all of its values."""
    outer, parts = interpreter.naming, list[Value]()
    for name, inner in kind.parts:
        interpreter.naming = f"{outer or 'choice'}_{name}"
        match inner:
            case RecordKind():
                parts.append(_any_record(interpreter, inner))
            case OptionKind():
                raise ModelError(
                    f"`{name}` of {kind.cls.__name__} is Optional, and not of a sort: choose its parts one by one"
                )
            case Count(most):
                parts.append(_chosen(interpreter, Int(0, most), lambda _: TRUE))
            case _:
                parts.append(_chosen(interpreter, inner, lambda _: TRUE))
    interpreter.naming = outer
    return RecordValue(kind, tuple(parts))


def choose_from(interpreter: Interpreter, arguments: list[Value], keywords: dict[str, Value]) -> Value:
    """``choose_from(values)``: those that are equal are one choice."""
    if keywords or len(arguments) != 1:
        raise ModelError("`choose_from` takes what is to be chosen from: a list, a tuple, a range, an enum or a sort")
    return interpreter.split(arguments[0], lambda one: _one_of(interpreter, one))


def _one_of(interpreter: Interpreter, container: Value) -> Value:
    if is_sort(container) or isinstance(container, EnumMeta):
        return choose(interpreter, [container], {})
    return _one_of_items(interpreter, items_of(interpreter, container))


def _one_of_items(interpreter: Interpreter, items: tuple[Item, ...]) -> Value:
    classes = {value.kind.cls if isinstance(value, RecordValue) else None for _, value in items}
    if len(classes) == 1 and None not in classes:
        return _one_record(interpreter, items[0][1].kind, items)
    if not items:
        interpreter.guard_by(FALSE)
    kind = _kind_of([value for _, value in items])

    def allowed(value: Value) -> Term:
        if _all_values(kind, items):
            return TRUE
        return or_(*(and_(present, equal(interpreter, value, item)) for present, item in items))

    return _chosen(interpreter, kind, allowed)


def _one_record(interpreter: Interpreter, kind: RecordKind, items: tuple[Item, ...]) -> RecordValue:
    """One of several records: each part is a choice, among what the records have that are left by then."""
    outer, chosen = interpreter.naming, list[Value]()
    for number_of, (name, _) in enumerate(kind.parts):
        interpreter.naming = f"{outer or 'choice'}_{name}"
        part = _one_of_items(interpreter, tuple((present, value.values[number_of]) for present, value in items))
        chosen.append(part)
        tests = [(and_(present, equal(interpreter, value.values[number_of], part)), value) for present, value in items]
        items = tuple(item for item in tests if item[0] is not FALSE)
    interpreter.naming = outer
    return RecordValue(kind, tuple(chosen))


def _chosen(interpreter: Interpreter, kind: Kind, allowed: Callable[[Value], Term]) -> Value:
    """A new choice of a value of a kind; the run goes on only where the value is allowed."""
    if interpreter.guard_word != "require":
        raise ModelError(misplaced("choose", interpreter.guard_word))
    if interpreter.quantifiers or interpreter.choosing:
        raise ModelError("a choice inside a quantifier or another choice: choose before it")
    if interpreter.open_loops:
        raise ModelError(
            "a choice inside a loop over a sort with any number of elements: choose before the loop, or in an action "
            "that each element takes by itself"
        )
    if kind.cardinality(interpreter.sizes) > MOST_NUMBERS:
        raise ModelError(f"a choice among more than {MOST_NUMBERS:,} values")
    variable = interpreter.choice_variable(domain(kind))
    value = value_at(kind, variable)
    interpreter.choices.append(Chosen(variable.name, variable, interpreter.here(), kind))
    interpreter.guard_by(_condition_of_choice(interpreter, value, allowed))
    return value


def _condition_of_choice(interpreter: Interpreter, value: Value, allowed: Callable[[Value], Term]) -> Term:
    """When a value may be chosen; ModelError for a condition that changes something."""
    base = interpreter.world
    interpreter.choosing = True
    try:
        found = allowed(value)
    finally:
        interpreter.choosing = False
    after = interpreter.world
    if after.writes != base.writes or any(
        after.heap.get(i, content) is not content for i, content in base.heap.items()
    ):
        raise ModelError("the condition of a choice must change nothing")
    return found


def _kind_of(values: list[Value]) -> Kind:
    """The kind of which all of these values are; ModelError where there is none."""
    kinds = [value.kind if isinstance(value, Symbol) else type(value) for value in values]
    sorts = {kind.sort for kind in kinds if isinstance(kind, Index | Maybe)}
    if len(sorts) == 1 and all(isinstance(kind, Index | Maybe) or kind is type(None) for kind in kinds):
        sort = sorts.pop()
        return Index(sort) if all(isinstance(kind, Index) for kind in kinds) else Maybe(sort)
    enums = {kind.enum if isinstance(kind, Choice) else kind for kind in kinds}
    if len(enums) == 1 and isinstance(enum := next(iter(enums)), EnumMeta):
        return Choice(enum)
    if all(isinstance(kind, Flag) or kind is bool for kind in kinds):
        return Flag()
    if all(isinstance(kind, Count) or kind is int for kind in kinds):
        extents = [extent(number_term(value)) for value in values]
        low, high = min(low for low, _ in extents), max(high for _, high in extents)
        if high - low >= MOST_NUMBERS:
            raise ModelError(f"a choice among numbers from {low:,} to {high:,}: more than {MOST_NUMBERS:,}")
        return Int(low, high)
    what = ", ".join(dict.fromkeys(map(name_of, values)))
    raise ModelError(
        "`choose_from` takes values of one kind (elements of a sort, members of an enum, whole numbers, truths), "
        f"found {what}: choose its parts one by one, or its place: choose_from([i for i in range(3) if i < len(...)])"
    )


def _all_values(kind: Kind, items: tuple[Item, ...]) -> bool:
    """Whether surely each value of a kind can be chosen."""
    if not all(present is TRUE and isinstance(value, Enum | int) for present, value in items):
        return False
    match kind:
        case Choice(enum):
            return {value for _, value in items} == set(enum)
        case Int(low, high):
            return {value for _, value in items} == set(range(low, high + 1))
        case _:
            return False
