"""The value of a term in a state: a small interpreter, slow and obvious, to hold readings against runs."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import assert_never

from onceproof.model.language.layout import Layout, State
from onceproof.model.language.reading.result import ActionReading, Path, Write
from onceproof.model.language.terms import (
    And,
    Clamp,
    Const,
    Deref,
    Eq,
    IsNone,
    Ite,
    Less,
    Minus,
    Not,
    Or,
    Plus,
    Quantified,
    Read,
    Some,
    Term,
    Var,
)

Environment = Mapping[Var, int]


def value_of(term: Term, layout: Layout, state: State, environment: Environment) -> int:
    """The number that a term stands for (a truth as 0 or 1, an index-or-none as 0 or index + 1)."""

    def value(inner: Term) -> int:
        return value_of(inner, layout, state, environment)

    match term:
        case Const(_, code):
            return code
        case Var():
            return environment[term]
        case Read(name, indices, _):
            return state[layout.places[name].slot(tuple(map(value, indices)))]
        case IsNone(inner):
            return int(value(inner) == 0)
        case Deref(inner, _):
            return max(value(inner) - 1, 0)
        case Some(inner, _):
            return value(inner) + 1
        case Eq(left, right):
            return int(value(left) == value(right))
        case Less(left, right):
            return int(value(left) < value(right))
        case Plus(left, right):
            return value(left) + value(right)
        case Minus(left, right):
            return value(left) - value(right)
        case Clamp(inner, most):
            return min(max(value(inner), 0), most)
        case Not(inner):
            return 1 - value(inner)
        case And(terms):
            return int(all(map(value, terms)))
        case Or(terms):
            return int(any(map(value, terms)))
        case Ite(condition, then, other):
            return value(then) if value(condition) else value(other)
        case Quantified(universal, variables, body):
            ranges = [range(layout.sizes[variable.sort.__name__]) for variable in variables]
            truths = (
                value_of(body, layout, state, {**environment, **dict(zip(variables, indices, strict=True))})
                for indices in itertools.product(*ranges)
            )
            return int(all(truths) if universal else any(truths))
        case _:
            assert_never(term)


def path_taken(reading: ActionReading, layout: Layout, state: State, arguments: tuple[int, ...]) -> Path | None:
    """The way that an action takes in a state; None where it is not enabled."""
    environment = dict(zip(reading.variables, arguments, strict=True))
    for path in reading.paths:
        if all(value_of(term, layout, state, environment) for term in path.guard):
            return path
    return None


def apply(writes: tuple[Write, ...], layout: Layout, state: State, environment: Environment) -> State:
    """The state after the writes."""
    after = list(state)
    for write in writes:
        ranges = [range(layout.sizes[variable.sort.__name__]) for variable in write.binders]
        for indices in itertools.product(*ranges):
            inner = {**environment, **dict(zip(write.binders, indices, strict=True))}
            if value_of(write.condition, layout, state, inner):
                place = layout.places[write.field]
                slot = place.slot(tuple(value_of(term, layout, state, inner) for term in write.indices))
                after[slot] = value_of(write.value, layout, state, inner)
    return tuple(after)


def read_step(reading: ActionReading, layout: Layout, state: State, arguments: tuple[int, ...]) -> State | None:
    """The state after an action, as its reading says (without budgets); None where it is not enabled."""
    path = path_taken(reading, layout, state, arguments)
    if path is None:
        return None
    return apply(path.writes, layout, state, dict(zip(reading.variables, arguments, strict=True)))
