"""Cells of the state: how they are indexed, read and written."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import assert_never

from onceproof.model.language.declare import Field
from onceproof.model.language.errors import ModelError
from onceproof.model.language.reading.interpreter import Interpreter
from onceproof.model.language.reading.operators import condition, number_term
from onceproof.model.language.reading.values import FieldValue, Symbol, Value, as_maybe, name_of, none_of
from onceproof.model.language.sorts import Choice, Count, Flag, Index, Int, Kind, Maybe, Sort
from onceproof.model.language.terms import Clamp, Const, Term, constant_of, less, minus, number, or_, plus


def cell_read(interpreter: Interpreter, declared: Field, key: Value) -> Value:
    """The value of the cell with these indices."""
    return with_indices(interpreter, declared, key, lambda indices: interpreter.read(declared, indices))


def cell_write(interpreter: Interpreter, declared: Field, key: Value, value: Value) -> None:
    """Writes a cell; ModelError where the value does not fit."""
    if declared.constant:
        raise ModelError(f"`{declared.name}` is constant")
    with_indices(interpreter, declared, key, lambda indices: _write(interpreter, declared, indices, value))


def _write(interpreter: Interpreter, declared: Field, indices: tuple[Term, ...], value: Value) -> None:
    def one(value: Value) -> None:
        try:
            term = stored(interpreter, declared.kind, value)
        except ModelError as error:
            raise ModelError(f"`{declared.name}`: {error.message}") from None
        interpreter.write(declared, indices, term)

    interpreter.split(value, one)


def with_indices(
    interpreter: Interpreter, declared: Field, key: Value, operation: Callable[[tuple[Term, ...]], Value]
) -> Value:
    """What an operation makes of the terms of the indices ``key``; where one is None the function fails."""
    sorts = ", ".join(sort.__name__ for sort in declared.indices)
    wanted = f"`{declared.name}` is indexed by [{sorts}]"
    keys = key if isinstance(key, tuple) else (key,)
    if len(keys) != len(declared.indices):
        raise ModelError(f"{wanted}, found {len(keys)} indices")

    def index(place: int, terms: tuple[Term, ...]) -> Value:
        if place == len(keys):
            return operation(terms)

        def one(value: Value) -> Value:
            term = _index_term(interpreter, value, declared.indices[place], wanted)
            return index(place + 1, (*terms, term))

        return interpreter.split(keys[place], one)

    return index(0, ())


def _index_term(interpreter: Interpreter, value: Value, sort: type[Sort], wanted: str) -> Term:
    match sort.values:
        case Choice(enum):
            if not isinstance(value, enum) and not (isinstance(value, Symbol) and value.kind == sort.values):
                raise ModelError(f"{wanted}, found {name_of(value)}")
            return interpreter.world.facts.simpler(stored(interpreter, sort.values, value))
        case Int(low, high) as kind:
            return _number_index(interpreter, value, low, high, f"{wanted}, found a number that {kind.outside}")
        case _:
            return _element_index(interpreter, value, sort, wanted)


def _number_index(interpreter: Interpreter, value: Value, low: int, high: int, message: str) -> Term:
    """A number as an index; where it is out of range the function fails."""
    term = number_term(value)
    interpreter.fail_where(or_(less(term, number(low)), less(number(high), term)), message)
    return interpreter.world.facts.simpler(minus(term, number(low)))


def _element_index(interpreter: Interpreter, value: Value, sort: type[Sort], wanted: str) -> Term:
    if value is None:
        interpreter.fail(f"{wanted}, found None")
    if not (isinstance(value, Symbol) and isinstance(value.kind, Index | Maybe) and value.kind.sort is sort):
        raise ModelError(f"{wanted}, found {name_of(value)}")
    return interpreter.world.facts.simpler(interpreter.present(value, f"{wanted}, found None").term)


def stored(interpreter: Interpreter, kind: Kind, value: Value) -> Term:
    """The term that a write puts into a cell of this kind; ModelError where the value does not fit."""
    if isinstance(value, FieldValue):
        raise ModelError(value.refusal)
    match kind:
        case Flag():
            return condition(interpreter, value)
        case Count(most):
            term = number_term(value)
            if isinstance(term, Const):
                return Const(kind, kind.encode(term.code))
            if not kind.saturate:
                _keep_within(interpreter, kind, term)
            return Clamp(term, most)
        case Int(low, high):
            term = number_term(value)
            if isinstance(term, Const):
                return constant_of(kind, kind.encode(term.code))
            _keep_within(interpreter, kind, term)
            return plus(Clamp(minus(term, number(low)), high - low), number(low))
        case Choice(enum):
            if isinstance(value, Symbol) and value.kind == kind:
                return value.term
            if isinstance(value, Symbol) or not isinstance(value, Enum):
                members = ", ".join(member.name for member in enum)
                raise ModelError(f"expected a {enum.__name__} ({members}), found {name_of(value)}")
            return Const(kind, kind.encode(value))
        case Index(sort) | Maybe(sort):
            return _element(interpreter, kind, sort, value)
        case _:
            assert_never(kind)


def _keep_within(interpreter: Interpreter, kind: Count | Int, term: Term) -> None:
    """A number that is to be stored must not leave the range of its cell."""
    outside = or_(less(term, number(kind.low)), less(number(kind.high), term))
    interpreter.fail_where(outside, f"a number {kind.out_of_range}")


def _element(interpreter: Interpreter, kind: Kind, sort: type[Sort], value: Value) -> Term:
    wanted = f"expected a {sort.__name__}" + (" or None" if isinstance(kind, Maybe) else "")
    if value is None:
        if isinstance(kind, Maybe):
            return none_of(sort)
        interpreter.fail(f"{wanted}, found None")
    if not (isinstance(value, Symbol) and isinstance(value.kind, Index | Maybe) and value.kind.sort is sort):
        raise ModelError(f"{wanted}, found {name_of(value)}")
    if isinstance(kind, Maybe):
        return as_maybe(value, sort)
    return interpreter.present(value, f"{wanted}, found None").term
