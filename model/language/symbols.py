"""Symbolic values: what a model function meets instead of bools, enum members, indices and numbers while it is traced.

Each behaves as the Python value that it stands for, or refuses with a message; none is silently wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, NoReturn

from model.language.errors import ModelError
from model.language.sorts import Choice, Count, Flag, Index, Kind, Maybe, Sort
from model.language.terms import (
    BOOL,
    Clamp,
    Const,
    Minus,
    Plus,
    Some,
    Term,
    and_,
    eq,
    kind_of_term,
    less,
    not_,
    number,
    or_,
)

Decide = Callable[[Term], bool]


class Symbol:
    """A term in the guise of a Python value. ``decide`` asks the tracer which branch to follow."""

    __slots__ = ("decide", "term")
    __hash__ = None  # type: ignore[assignment]
    what = "a symbolic value"

    def __init__(self, term: Term, decide: Decide) -> None:
        self.term, self.decide = term, decide

    def _refuse(self, *_: Any) -> NoReturn:
        raise ModelError(f"{self.what} does not allow this here: a model compares, adds and subtracts, no more")

    def __bool__(self) -> bool:
        raise ModelError(f"{self.what} has no truth: compare it with something")

    def __index__(self) -> int:
        raise ModelError(f"{self.what} is not a number")

    def __invert__(self) -> Any:
        raise ModelError("`~` is not logical negation in Python: write `not`")

    def __ne__(self, other: object) -> Any:
        equal = self == other
        return not equal if isinstance(equal, bool) else Condition(not_(equal.term), self.decide)

    def _truth(self, term: Term) -> Any:
        return bool(term.code) if isinstance(term, Const) else Condition(term, self.decide)

    __lt__ = __le__ = __gt__ = __ge__ = __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __call__ = _refuse
    __iter__ = __getitem__ = __len__ = __and__ = __or__ = _refuse


class Condition(Symbol):
    """A truth that is not known yet: asked for it, the trace forks."""

    __slots__ = ()
    what = "a condition"

    def __bool__(self) -> bool:
        return self.decide(self.term)

    def __eq__(self, other: object) -> Any:
        if isinstance(other, bool):
            return self if other else Condition(not_(self.term), self.decide)
        if isinstance(other, Condition):
            both = and_(self.term, other.term)
            return self._truth(or_(both, and_(not_(self.term), not_(other.term))))
        raise ModelError(f"a condition is compared with {other!r}")

    def __and__(self, other: Any) -> Any:
        return self._truth(and_(self.term, condition_term(other)))

    def __or__(self, other: Any) -> Any:
        return self._truth(or_(self.term, condition_term(other)))

    __rand__ = __and__
    __ror__ = __or__


class ChoiceSymbol(Symbol):
    """A member of an enum."""

    __slots__ = ("enum",)
    what = "an enum value"

    def __init__(self, term: Term, decide: Decide, enum: type[Enum]) -> None:
        super().__init__(term, decide)
        self.enum = enum

    def __eq__(self, other: object) -> Any:
        if isinstance(other, self.enum):
            kind = Choice(self.enum)
            return self._truth(eq(self.term, Const(kind, kind.encode(other))))
        if isinstance(other, ChoiceSymbol) and other.enum is self.enum:
            return self._truth(eq(self.term, other.term))
        raise ModelError(f"a {self.enum.__name__} is compared with {_name(other)}")


class IndexSymbol(Symbol):
    """An element of a sort."""

    __slots__ = ("sort",)
    what = "an index"

    def __init__(self, term: Term, decide: Decide, sort: type[Sort]) -> None:
        super().__init__(term, decide)
        self.sort = sort

    def __eq__(self, other: object) -> Any:
        if other is None:
            return False
        if isinstance(other, IndexSymbol) and other.sort is self.sort:
            return self._truth(eq(self.term, other.term))
        raise ModelError(f"a {self.sort.__name__} is compared with {_name(other)}")


class NumberSymbol(Symbol):
    """A whole number."""

    __slots__ = ()
    what = "a number"

    def __eq__(self, other: object) -> Any:
        return self._truth(eq(self.term, number_term(other)))

    def __lt__(self, other: object) -> Any:
        return self._truth(less(self.term, number_term(other)))

    def __gt__(self, other: object) -> Any:
        return self._truth(less(number_term(other), self.term))

    def __le__(self, other: object) -> Any:
        return self._truth(not_(less(number_term(other), self.term)))

    def __ge__(self, other: object) -> Any:
        return self._truth(not_(less(self.term, number_term(other))))

    def __add__(self, other: object) -> Any:
        return NumberSymbol(Plus(self.term, number_term(other)), self.decide)

    def __sub__(self, other: object) -> Any:
        return NumberSymbol(Minus(self.term, number_term(other)), self.decide)

    def __rsub__(self, other: object) -> Any:
        return NumberSymbol(Minus(number_term(other), self.term), self.decide)

    __radd__ = __add__


def _name(value: object) -> str:
    match value:
        case IndexSymbol():
            return f"a {value.sort.__name__}"
        case ChoiceSymbol():
            return f"a {value.enum.__name__}"
        case Symbol():
            return value.what
        case _:
            return repr(value)


def number_term(value: object) -> Term:
    """The term of a number or of a NumberSymbol; ModelError for anything else."""
    if isinstance(value, NumberSymbol):
        return value.term
    if type(value) is int:
        return number(value)
    raise ModelError(f"expected a number, found {_name(value)}")


def condition_term(value: object) -> Term:
    """The term of a bool or of a Condition; ModelError for anything else."""
    if isinstance(value, Condition):
        return value.term
    if isinstance(value, bool):
        return Const(BOOL, int(value))
    raise ModelError(f"expected a condition, found {_name(value)}, which has no truth")


def value_term(kind: Kind, value: object) -> Term:
    """The term that a write puts into a cell of this kind; ModelError where the value does not fit."""
    if isinstance(kind, Flag):
        return condition_term(value)
    if isinstance(kind, Count):
        term = number_term(value)
        return Const(kind, kind.encode(term.code)) if isinstance(term, Const) else Clamp(term, kind.most)
    if isinstance(kind, Choice):
        if isinstance(value, ChoiceSymbol) and value.enum is kind.enum:
            return value.term
        if isinstance(value, Symbol):
            raise ModelError(f"expected a {kind.enum.__name__}, found {_name(value)}")
        return Const(kind, kind.encode(value))
    if isinstance(kind, Index | Maybe):
        if value is None and isinstance(kind, Maybe):
            return Const(kind, 0)
        if isinstance(value, IndexSymbol) and value.sort is kind.sort:
            return Some(value.term, kind.sort) if isinstance(kind, Maybe) else value.term
        raise ModelError(f"expected a {kind.sort.__name__}, found {_name(value)}")
    raise ModelError(f"cannot write {value!r}")


def python_value(term: Term, decide: Decide) -> Any:
    """The Python value that a term stands for: a real one where it is constant, else a symbol."""
    kind = kind_of_term(term)
    if isinstance(term, Const) and not isinstance(kind, Index):
        return term.code if isinstance(kind, Count) else kind.decode(term.code)
    match kind:
        case Flag():
            return Condition(term, decide)
        case Choice(enum):
            return ChoiceSymbol(term, decide, enum)
        case Index(sort):
            return IndexSymbol(term, decide, sort)
        case _:
            return NumberSymbol(term, decide)
