"""The value of a term in a state: a small interpreter, obvious rather than clever, to hold readings against runs.

A term is turned once into a function of the state and the values of its variables; the function is kept by the layout.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import assert_never

from onceproof.model.language.layout import Layout, Place, State
from onceproof.model.language.operations import refuse
from onceproof.model.language.reading.result import ActionReading, Path, Write
from onceproof.model.language.sorts import Int
from onceproof.model.language.terms import (
    And,
    Clamp,
    Const,
    Deref,
    Div,
    ElementAt,
    Eq,
    IsNone,
    Ite,
    Less,
    Minus,
    Mod,
    Not,
    Or,
    Plus,
    Position,
    Quantified,
    Read,
    Some,
    Term,
    Times,
    Var,
    Whole,
)
from onceproof.model.language.traversal import children, free_variables

Environment = Mapping[Var, int]
Meaning = Callable[[State | list[int], Environment], int]
LARGE = 64  # nodes; the values of terms that have more are kept as long as the state is the same


def value_of(term: Term, layout: Layout, state: State, environment: Environment) -> int:
    """The number that a term stands for (a truth as 0 or 1, an index-or-none as 0 or index + 1)."""
    return meaning(term, layout)(state, environment)


def meaning(term: Term, layout: Layout) -> Meaning:
    """The same as a function of the state and the variables, made when it is first asked for.

    The state must not change in place between two calls.
    """
    known: dict[Term, tuple[Meaning, int]] = layout.meanings
    if term not in known:
        found = _meaning(term, layout)
        size = 1 + sum(known[child][1] for child in children(term) if child in known)
        known[term] = (_kept(found, tuple(free_variables(term))) if size > LARGE else found, min(size, LARGE + 1))
    return known[term][0]


def _kept(function: Meaning, variables: tuple[Var, ...]) -> Meaning:
    """A shared part of a large term is worked out once for a state, not once for each place that it stands in."""
    values: dict[tuple[int, ...], int] = {}
    last: list[State | list[int] | None] = [None]

    def value(state: State | list[int], environment: Environment) -> int:
        if last[0] is not state:
            last[0] = state
            values.clear()
        key = tuple([environment[one] for one in variables])
        if key not in values:
            values[key] = function(state, environment)
        return values[key]

    return value


def _meaning(term: Term, layout: Layout) -> Meaning:
    match term:
        case Const(_, code):
            return lambda state, environment: code
        case Var():
            return lambda state, environment: environment[term]
        case Read():
            return _read(term, layout)
        case Eq() | Less() | Plus() | Minus() | Times() | Div() | Mod():
            return _of_two(term, layout)
        case And(terms) | Or(terms):
            return _joined([meaning(one, layout) for one in terms], isinstance(term, And))
        case Ite(condition, then, other):
            test, yes, no = (meaning(one, layout) for one in (condition, then, other))
            return lambda state, environment: (yes if test(state, environment) else no)(state, environment)
        case Quantified():
            return _quantified(term, layout)
        case Position(inner, _) | ElementAt(inner, _):
            return meaning(inner, layout)
        case IsNone(inner) | Deref(inner, _) | Some(inner, _) | Clamp(inner, _) | Not(inner):
            return _of_one(term, meaning(inner, layout))
        case Whole():
            refuse(term)
        case _:
            assert_never(term)


def _of_one(term: IsNone | Deref | Some | Clamp | Not, inner: Meaning) -> Meaning:
    match term:
        case IsNone():
            return lambda state, environment: int(inner(state, environment) == 0)
        case Deref():
            return lambda state, environment: max(inner(state, environment) - 1, 0)
        case Some():
            return lambda state, environment: inner(state, environment) + 1
        case Clamp(_, most):
            return lambda state, environment: min(max(inner(state, environment), 0), most)
        case Not():
            return lambda state, environment: 1 - inner(state, environment)
        case _:
            assert_never(term)


def _of_two(term: Eq | Less | Plus | Minus | Times | Div | Mod, layout: Layout) -> Meaning:
    left, right = meaning(term.left, layout), meaning(term.right, layout)
    match term:
        case Eq(_, Const(_, code)):  # most conditions are of this form
            return lambda state, environment: int(left(state, environment) == code)
        case Eq():
            return lambda state, environment: int(left(state, environment) == right(state, environment))
        case Less():
            return lambda state, environment: int(left(state, environment) < right(state, environment))
        case Plus():
            return lambda state, environment: left(state, environment) + right(state, environment)
        case Minus():
            return lambda state, environment: left(state, environment) - right(state, environment)
        case Times():
            return lambda state, environment: left(state, environment) * right(state, environment)
        case Div():
            return lambda state, environment: left(state, environment) // (right(state, environment) or 1)
        case Mod():
            return lambda state, environment: left(state, environment) % (right(state, environment) or 1)
        case _:
            assert_never(term)


def _read(term: Read, layout: Layout) -> Meaning:
    offset = layout.places[term.field].offset
    if isinstance(term.kind, Int):
        low, slot_of_number = term.kind.low, slot_of(term.field, term.indices, layout)
        return lambda state, environment: state[slot_of_number(state, environment)] + low
    match term.indices:
        case ():
            return lambda state, environment: state[offset]
        case (Var() as variable,):
            return lambda state, environment: state[offset + environment[variable]]
        case _:
            slot = slot_of(term.field, term.indices, layout)
            return lambda state, environment: state[slot(state, environment)]


def slot_of(field: str, indices: tuple[Term, ...], layout: Layout) -> Meaning:
    """The position in the state of a cell, as a function like the meaning of a term."""
    known: dict[tuple[str, tuple[Term, ...]], Meaning] = layout.slots
    if (field, indices) not in known:
        known[field, indices] = _slot(layout.places[field], indices, layout)
    return known[field, indices]


def _slot(place: Place, indices: tuple[Term, ...], layout: Layout) -> Meaning:
    offset, strides = place.offset, place.strides
    match [meaning(one, layout) for one in indices]:
        case []:
            return lambda state, environment: offset
        case [index]:
            return lambda state, environment: offset + index(state, environment)
        case [first, second]:
            stride = strides[0]
            return lambda state, environment: offset + first(state, environment) * stride + second(state, environment)
        case several:
            scaled = list(zip(several, strides, strict=True))
            return lambda state, environment: offset + sum([one(state, environment) * by for one, by in scaled])


def _joined(parts: list[Meaning], universal: bool) -> Meaning:
    def all_of(state: State | list[int], environment: Environment) -> int:
        for part in parts:
            if not part(state, environment):
                return 0
        return 1

    def any_of(state: State | list[int], environment: Environment) -> int:
        for part in parts:
            if part(state, environment):
                return 1
        return 0

    return all_of if universal else any_of


def _quantified(term: Quantified, layout: Layout) -> Meaning:
    body, variables, universal = meaning(term.body, layout), term.variables, term.universal
    every = _combinations(variables, layout)

    def value(state: State | list[int], environment: Environment) -> int:
        inner = dict(environment)
        for chosen in every:
            inner.update(zip(variables, chosen, strict=True))
            if bool(body(state, inner)) is not universal:
                return int(not universal)
        return int(universal)

    return value


def _combinations(variables: tuple[Var, ...], layout: Layout) -> list[tuple[int, ...]]:
    return list(itertools.product(*(range(layout.sizes[variable.sort.__name__]) for variable in variables)))


# -- readings


def step_of(reading: ActionReading, layout: Layout) -> Callable[[State, Environment], State | None]:
    """The state after an action, as its reading says (without budgets); None where it is not enabled."""
    ways = [_way(path, layout) for path in reading.paths]

    def step(state: State, environment: Environment) -> State | None:
        for guard, writes in ways:
            if guard(state, environment):
                after = list(state)
                for write in writes:
                    write(after, state, environment)
                return tuple(after)
        return None

    return step


def effect_of(path: Path, layout: Layout) -> Callable[[State, Environment], State]:
    """The state after one way through an action, whether or not its guard is true."""
    writes = [_write(write, layout) for write in path.writes]

    def effect(state: State, environment: Environment) -> State:
        after = list(state)
        for write in writes:
            write(after, state, environment)
        return tuple(after)

    return effect


_Apply = Callable[[list[int], State, Environment], None]


def _way(path: Path, layout: Layout) -> tuple[Meaning, list[_Apply]]:
    guard = _joined([meaning(term, layout) for term in path.guard], True)
    return guard, [_write(write, layout) for write in path.writes]


def _write(write: Write, layout: Layout) -> _Apply:
    """What a write changes in the state after the step; its terms speak of the one before it."""
    slot, every = slot_of(write.field, write.indices, layout), _combinations(write.binders, layout)
    condition, value = meaning(write.condition, layout), meaning(write.value, layout)
    kind = layout.places[write.field].kind
    low = kind.low if isinstance(kind, Int) else 0

    def apply(after: list[int], state: State, environment: Environment) -> None:
        for chosen in every:
            inner = {**environment, **dict(zip(write.binders, chosen, strict=True))} if write.binders else environment
            if condition(state, inner):
                after[slot(state, inner)] = value(state, inner) - low

    return apply
