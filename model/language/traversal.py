"""Going through terms: their parts, the variables that they speak of, and terms with parts of them replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import assert_never

from onceproof.model.language.operations import Operation
from onceproof.model.language.sorts import Count, Int
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
    and_,
    deref,
    div,
    element_at,
    eq,
    is_none,
    ite,
    less,
    minus,
    mod,
    not_,
    or_,
    plus,
    position,
    quantified,
    times,
)

MOST_ELEMENTS = 100_000  # that a sort may have


def children(term: Term) -> tuple[Term, ...]:
    """The immediate parts of a term."""
    match term:
        case Read(_, indices, _):
            return indices
        case IsNone(inner) | Deref(inner, _) | Some(inner, _) | Not(inner) | Clamp(inner, _):
            return (inner,)
        case Position(inner, _) | ElementAt(inner, _):
            return (inner,)
        case Quantified(_, _, body):
            return (body,)
        case Eq(left, right) | Less(left, right) | Plus(left, right) | Minus(left, right):
            return (left, right)
        case Times(left, right) | Div(left, right) | Mod(left, right):
            return (left, right)
        case And(terms) | Or(terms) | Whole(_, terms):
            return terms
        case Ite(condition, then, other):
            return (condition, then, other)
        case Const() | Var():
            return ()
        case _:
            assert_never(term)


def walk(term: Term) -> Iterator[Term]:
    """The term and all its parts, each once, outermost first."""
    seen: set[Term] = set()
    waiting = [term]
    while waiting:
        one = waiting.pop()
        if one not in seen:
            seen.add(one)
            yield one
            waiting += reversed(children(one))


def free_variables(term: Term) -> Mapping[Var, None]:
    """The variables that no quantifier inside the term binds, in the order met."""
    try:
        return term._free
    except AttributeError:
        pass
    found: dict[Var, None] = {term: None} if isinstance(term, Var) else {}
    for child in children(term):
        found |= free_variables(child)
    if isinstance(term, Quantified):
        found = {variable: None for variable in found if variable not in term.variables}
    object.__setattr__(term, "_free", found)
    return found


def substitute(term: Term, values: Mapping[Var, Term]) -> Term:
    """The term with variables replaced, simplified again. A quantifier never binds what a value speaks of."""
    known: dict[Term, Term] = {}

    def again(inner: Term) -> Term:
        if not any(variable in values for variable in free_variables(inner)):
            return inner
        if inner not in known:
            known[inner] = _replaced(inner, values, again)
        return known[inner]

    return again(term)


def _replaced(term: Term, values: Mapping[Var, Term], again: Callable[[Term], Term]) -> Term:
    if isinstance(term, Var):
        return values[term]
    if not isinstance(term, Quantified):
        return rebuilt(term, again)
    inside = {variable: values[variable] for variable in free_variables(term) if variable in values}
    spoken_of = {variable.name for value in inside.values() for variable in free_variables(value)}
    variables = list(term.variables)
    for place, variable in enumerate(variables):
        if variable.name in spoken_of:
            taken = spoken_of | {part.name for part in walk(term) if isinstance(part, Var)}
            inside[variable] = variables[place] = _unused(variable, taken | {one.name for one in variables})
    return quantified(term.universal, tuple(variables), substitute(term.body, inside))


def _unused(variable: Var, taken: set[str]) -> Var:
    number = next(number for number in range(len(taken) + 1) if f"{variable.name}.{number}" not in taken)
    return Var(f"{variable.name}.{number}", variable.sort)


def rebuilt(term: Term, again: Callable[[Term], Term]) -> Term:
    """The term with ``again`` applied to its immediate parts, simplified as it is put together."""
    match term:
        case Const() | Var():
            return term
        case Read(name, indices, kind):
            return Read(name, tuple(map(again, indices)), kind)
        case IsNone(inner):
            return is_none(again(inner))
        case Deref(inner, sort):
            return deref(again(inner), sort)
        case Some(inner, sort):
            return Some(again(inner), sort)
        case Eq(left, right):
            return eq(again(left), again(right))
        case Less(left, right):
            return less(again(left), again(right))
        case Plus(left, right):
            return plus(again(left), again(right))
        case Minus(left, right):
            return minus(again(left), again(right))
        case Times(left, right):
            return times(again(left), again(right))
        case Div(left, right):
            return div(again(left), again(right))
        case Mod(left, right):
            return mod(again(left), again(right))
        case Position(inner, sort):
            return position(again(inner), sort)
        case ElementAt(inner, sort):
            return element_at(again(inner), sort)
        case Clamp(inner, most):
            return Clamp(again(inner), most)
        case Not(inner):
            return not_(again(inner))
        case And(terms):
            return and_(*map(again, terms))
        case Or(terms):
            return or_(*map(again, terms))
        case Ite(condition, then, other):
            return ite(again(condition), again(then), again(other))
        case Quantified(universal, variables, body):
            return quantified(universal, variables, again(body))
        case Whole(operation, operands, detail, kind):
            return Whole(operation, tuple(map(again, operands)), detail, kind)
        case _:
            assert_never(term)


def extent(term: Term) -> tuple[int, int]:
    """Between which numbers the value of a number lies, at most."""
    known: dict[Term, tuple[int, int]] = {}

    def of(part: Term) -> tuple[int, int]:
        if part not in known:
            known[part] = _extent(part, of)
        return known[part]

    return of(term)


def _extent(term: Term, of: Callable[[Term], tuple[int, int]]) -> tuple[int, int]:
    match term:
        case Const(_, code):
            return code, code
        case Read(_, _, Count() | Int() as kind):
            return kind.low, kind.high
        case Var(_, sort) if isinstance(sort.values, Int):
            return 0, sort.values.high - sort.values.low
        case Plus(left, right):
            return of(left)[0] + of(right)[0], of(left)[1] + of(right)[1]
        case Minus(left, right):
            return of(left)[0] - of(right)[1], of(left)[1] - of(right)[0]
        case Times(left, right):
            products = [one * other for one in of(left) for other in of(right)]
            return min(products), max(products)
        case Div(left, _):
            most = max(map(abs, of(left)))
            return -most, most
        case Mod(_, right):
            return min(of(right)[0], 0), max(of(right)[1], 0)
        case Clamp(_, most):
            return 0, most
        case Whole(operation=Operation.LENGTH | Operation.SIZE | Operation.TIMES | Operation.COUNT):
            return 0, MOST_ELEMENTS
        case Whole(kind=Count() | Int() as kind):
            return kind.low, kind.high
        case Position():
            return 0, MOST_ELEMENTS
        case Ite(_, then, other):
            return min(of(then)[0], of(other)[0]), max(of(then)[1], of(other)[1])
        case _:
            raise TypeError(f"not a number: {term!r}")
