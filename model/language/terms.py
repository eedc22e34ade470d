"""Terms: what a condition or a value of a model is made of. Pure data; the constructors simplify as they build.

Terms are shared: two that are equal are the same object, so that they are compared and hashed by identity, and a value
that is used many times is stored, and gone through, once.

A term of kind ``Maybe`` stands for an index or none; ``IsNone`` and ``Deref`` take it apart. Numbers (from counts)
are plain integers without bounds; a value written to a cell is brought into its range by ``Clamp``. A term says what a
cell's value is, not how it is stored: only of a cell of kind ``Int`` is that not the same. The index of a cell is the
0-based number of an element, of an enum's member, or of a number in its range.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, assert_never

from onceproof.model.language.operations import Operation
from onceproof.model.language.sharing import Shared
from onceproof.model.language.sorts import Count, Flag, Index, Int, Kind, Maybe, Sort

BOOL = Flag()
NUMBER = Count(-1)  # the kind of arithmetic: a whole number without bounds


@dataclass(frozen=True, slots=True, eq=False)
class Const(Shared):
    """A value of a kind, by its stored number."""

    kind: Kind
    code: int


@dataclass(frozen=True, slots=True, eq=False)
class Var(Shared):
    """A parameter of an action, or the variable of a loop or a quantifier."""

    name: str
    sort: type[Sort]


@dataclass(frozen=True, slots=True, eq=False)
class Read(Shared):
    """The cell of a field before the step."""

    field: str
    indices: tuple[Term, ...]
    kind: Kind


@dataclass(frozen=True, slots=True, eq=False)
class IsNone(Shared):
    """Whether an index-or-none is none."""

    term: Term


@dataclass(frozen=True, slots=True, eq=False)
class Deref(Shared):
    """The index of an index-or-none that is not none."""

    term: Term
    sort: type[Sort]


@dataclass(frozen=True, slots=True, eq=False)
class Some(Shared):
    """An index as an index-or-none."""

    term: Term
    sort: type[Sort]


@dataclass(frozen=True, slots=True, eq=False)
class Eq(Shared):
    """Equality of two terms of one kind."""

    left: Term
    right: Term


@dataclass(frozen=True, slots=True, eq=False)
class Less(Shared):
    """``left < right`` of two numbers."""

    left: Term
    right: Term


@dataclass(frozen=True, slots=True, eq=False)
class Plus(Shared):
    """``left + right`` of two numbers."""

    left: Term
    right: Term


@dataclass(frozen=True, slots=True, eq=False)
class Minus(Shared):
    """``left - right`` of two numbers."""

    left: Term
    right: Term


@dataclass(frozen=True, slots=True, eq=False)
class Times(Shared):
    """``left * right`` of two numbers."""

    left: Term
    right: Term


@dataclass(frozen=True, slots=True, eq=False)
class Div(Shared):
    """``left // right`` of two numbers, rounded down as Python does. By 0 it is arbitrary: ask first."""

    left: Term
    right: Term


@dataclass(frozen=True, slots=True, eq=False)
class Mod(Shared):
    """``left % right`` of two numbers, with the sign of the right one. By 0 it is arbitrary: ask first."""

    left: Term
    right: Term


@dataclass(frozen=True, slots=True, eq=False)
class Position(Shared):
    """Where an element of an ordered sort stands: 0 for the first one."""

    term: Term
    sort: type[Sort]


@dataclass(frozen=True, slots=True, eq=False)
class ElementAt(Shared):
    """The element of an ordered sort that stands at a position. Beyond the ends it is arbitrary: ask first."""

    term: Term
    sort: type[Sort]


@dataclass(frozen=True, slots=True, eq=False)
class Clamp(Shared):
    """A number brought into 0..most."""

    term: Term
    most: int


@dataclass(frozen=True, slots=True, eq=False)
class Not(Shared):
    """Negation."""

    term: Term


@dataclass(frozen=True, slots=True, eq=False)
class And(Shared):
    """Conjunction."""

    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Or(Shared):
    """Disjunction."""

    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Ite(Shared):
    """``then`` where the condition is true, ``other`` where not."""

    condition: Term
    then: Term
    other: Term


@dataclass(frozen=True, slots=True, eq=False)
class Quantified(Shared):
    """``body`` for all (or for some) values of the variables."""

    universal: bool
    variables: tuple[Var, ...]
    body: Term


@dataclass(frozen=True, slots=True, eq=False)
class Whole(Shared):
    """A composite value, or a scalar that is asked of one.

    detail: the name of a cell's field or of an attribute, the kind of a record. kind: of a scalar; else None.
    """

    operation: Operation
    operands: tuple[Term, ...]
    detail: Any
    kind: Kind | None


Arithmetic = Plus | Minus | Times | Div | Mod | Clamp | Position
"""The terms that are numbers by themselves."""
Connective = Eq | Less | IsNone | Not | And | Or | Ite | Quantified
Term = Const | Var | Read | Deref | Some | Arithmetic | ElementAt | Connective | Whole

TRUE = Const(BOOL, 1)
FALSE = Const(BOOL, 0)


def boolean(value: bool) -> Const:
    """The constant true or false."""
    return TRUE if value else FALSE


def number(value: int) -> Const:
    """A constant whole number."""
    return Const(NUMBER, value)


def kind_of_term(term: Term) -> Kind:
    """The kind of a term's values."""
    match term:
        case Const(kind, _) | Read(_, _, kind):
            return NUMBER if isinstance(kind, Count | Int) else kind
        case Var(_, sort) if sort.values is not None:
            return NUMBER if isinstance(sort.values, Count | Int) else sort.values
        case Var(_, sort) | Deref(_, sort) | ElementAt(_, sort):
            return Index(sort)
        case Some(_, sort):
            return Maybe(sort)
        case Plus() | Minus() | Times() | Div() | Mod() | Clamp() | Position():
            return NUMBER
        case Whole(kind=kind):
            return NUMBER if kind is None or isinstance(kind, Count | Int) else kind
        case Ite(_, then, _):
            return kind_of_term(then)
        case IsNone() | Eq() | Less() | Not() | And() | Or() | Quantified():
            return BOOL
        case _:
            assert_never(term)


def not_(term: Term) -> Term:
    """Negation, simplified."""
    match term:
        case Const():
            return boolean(not term.code)
        case Not(inner):
            return inner
        case _:
            return Not(term)


def and_(*terms: Term) -> Term:
    """Conjunction, flattened and simplified."""
    parts: dict[Term, None] = {}
    for term in terms:
        for part in term.terms if isinstance(term, And) else (term,):
            if part == FALSE or not_(part) in parts:
                return FALSE
            if part != TRUE:
                parts[part] = None
    return next(iter(parts)) if len(parts) == 1 else And(tuple(parts)) if parts else TRUE


def or_(*terms: Term) -> Term:
    """Disjunction, flattened and simplified."""
    parts: dict[Term, None] = {}
    for term in terms:
        for part in term.terms if isinstance(term, Or) else (term,):
            if part == TRUE or not_(part) in parts:
                return TRUE
            if part != FALSE:
                parts[part] = None
    return next(iter(parts)) if len(parts) == 1 else Or(tuple(parts)) if parts else FALSE


def ite(condition: Term, then: Term, other: Term) -> Term:
    """If-then-else, simplified; of truths it becomes and, or, not."""
    if condition == TRUE or then == other:
        return then
    if condition == FALSE:
        return other
    if isinstance(kind_of_term(then), Flag):
        opposite = not_(condition)
        if then == condition:
            return or_(condition, other)
        if then == opposite:
            return and_(opposite, other)
        if other == condition:
            return and_(condition, then)
        if other == opposite:
            return or_(opposite, then)
        if then in (TRUE, FALSE):
            return or_(condition, other) if then == TRUE else and_(opposite, other)
        if other in (TRUE, FALSE):
            return or_(opposite, then) if other == TRUE else and_(condition, then)
        if conjuncts(then) <= conjuncts(other):
            rest = [part for part in parts_of(other) if part not in conjuncts(then)]
            return and_(or_(condition, and_(*rest)), then)  # in this order: `rest` may be what allows asking `then`
    return Ite(condition, then, other)


def parts_of(term: Term) -> tuple[Term, ...]:
    """What a conjunction is made of; of any other term, itself."""
    return term.terms if isinstance(term, And) else (term,)


def conjuncts(term: Term) -> frozenset[Term]:
    """The same without an order."""
    return frozenset(parts_of(term))


def eq(left: Term, right: Term) -> Term:
    """Equality, simplified."""
    if left == right:
        return TRUE
    if isinstance(left, Const):
        left, right = right, left
    if isinstance(left, Const) and isinstance(right, Const):
        return boolean(left.code == right.code)
    if isinstance(right, Const) and right.kind == BOOL:
        return left if right.code else not_(left)
    if isinstance(left, Ite) and isinstance(right, Const):
        return ite(left.condition, eq(left.then, right), eq(left.other, right))
    return Eq(left, right)


def less(left: Term, right: Term) -> Term:
    """``left < right``, simplified."""
    if isinstance(left, Const) and isinstance(right, Const):
        return boolean(left.code < right.code)
    return FALSE if left == right else Less(left, right)


def plus(left: Term, right: Term) -> Term:
    """A sum, simplified."""
    if isinstance(left, Const) and isinstance(right, Const):
        return number(left.code + right.code)
    if left == number(0):
        return right
    return left if right == number(0) else Plus(left, right)


def minus(left: Term, right: Term) -> Term:
    """A difference, simplified."""
    if isinstance(left, Const) and isinstance(right, Const):
        return number(left.code - right.code)
    return left if right == number(0) else Minus(left, right)


def multiple(term: Term, factor: int) -> Term:
    """A multiple, as a sum."""
    total: Term = number(0)
    for _ in range(factor):
        total = plus(total, term)
    return total


def times(left: Term, right: Term) -> Term:
    """A product, simplified."""
    if isinstance(left, Const) and isinstance(right, Const):
        return number(left.code * right.code)
    for one, other in ((left, right), (right, left)):
        if one in (number(0), number(1)):
            return other if one == number(1) else one
    return Times(left, right)


def div(left: Term, right: Term) -> Term:
    """A quotient, simplified."""
    if isinstance(left, Const) and isinstance(right, Const) and right.code:
        return number(left.code // right.code)
    return left if right == number(1) else Div(left, right)


def mod(left: Term, right: Term) -> Term:
    """A remainder, simplified."""
    if isinstance(left, Const) and isinstance(right, Const) and right.code:
        return number(left.code % right.code)
    return number(0) if right == number(1) else Mod(left, right)


def position(term: Term, sort: type[Sort]) -> Term:
    """Where an element stands, simplified."""
    if isinstance(term, Const):
        return number(term.code)
    return term.term if isinstance(term, ElementAt) else Position(term, sort)


def element_at(term: Term, sort: type[Sort]) -> Term:
    """The element at a position, simplified."""
    if isinstance(term, Const):
        return Const(Index(sort), max(term.code, 0))
    return term.term if isinstance(term, Position) else ElementAt(term, sort)


def constant_of(kind: Kind, code: int) -> Const:
    """What a cell of a kind holds, by its stored number."""
    return number(kind.decode(code)) if isinstance(kind, Int) else Const(kind, code)


def is_none(term: Term) -> Term:
    """Whether an index-or-none is none, simplified."""
    match term:
        case Const(_, code):
            return boolean(code == 0)
        case Some():
            return FALSE
        case Ite(condition, then, other):
            return ite(condition, is_none(then), is_none(other))
        case _:
            return IsNone(term)


def deref(term: Term, sort: type[Sort]) -> Term:
    """The index in an index-or-none, simplified. Of none it is arbitrary: ask ``is_none`` first."""
    match term:
        case Const(_, code):
            return Const(Index(sort), max(code - 1, 0))
        case Some(inner):
            return inner
        case Ite(condition, then, other):
            if is_none(then) == TRUE:
                return deref(other, sort)
            if is_none(other) == TRUE:
                return deref(then, sort)
            return ite(condition, deref(then, sort), deref(other, sort))
        case _:
            return Deref(term, sort)


def quantified(universal: bool, variables: tuple[Var, ...], body: Term) -> Term:
    """A quantifier, dropped where its body does not depend on the variables (sorts are never empty)."""
    if isinstance(body, Const):
        return body
    return Quantified(universal, variables, body)
