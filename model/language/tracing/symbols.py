"""Symbolic values: what a model function meets instead of bools, enum members, indices and numbers while it is traced.

Each behaves as the Python value that it stands for, or refuses with a message; none is silently wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, NoReturn

from onceproof.model.language.errors import ModelError
from onceproof.model.language.sorts import Choice, Count, Flag, Index, Kind, Maybe, Sort
from onceproof.model.language.terms import (
    BOOL,
    Clamp,
    Const,
    Minus,
    Some,
    Term,
    and_,
    eq,
    ite,
    kind_of_term,
    less,
    not_,
    number,
    or_,
    plus,
    times,
)

Decide = Callable[[Term], bool]
MOST_TIMES = 16  # by what a number may be multiplied: it is added up


class Symbol:
    """A term in the guise of a Python value. ``decide`` asks the tracer which branch to follow."""

    __slots__ = ("decide", "term")
    what = "a symbolic value"
    allows = "a model compares, adds and subtracts, no more"

    def __init__(self, term: Term, decide: Decide) -> None:
        self.term, self.decide = term, decide

    def _refuse(self, *_: Any) -> NoReturn:
        raise ModelError(f"{self.what} does not allow this here: {self.allows}")

    def __hash__(self) -> int:
        raise ModelError(f"{self.what} is no key of a dictionary or member of a set: use `if`, `match` or `in (...)`")

    def __str__(self) -> str:
        raise ModelError(f"{self.what} has no text: {self.allows}")

    def __format__(self, form: str) -> str:
        return str(self)

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        raise ModelError(f"{self.what} has no `{name}`: {self.allows}")

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
    __iter__ = __getitem__ = __len__ = __and__ = __or__ = __xor__ = __rxor__ = __neg__ = __abs__ = _refuse
    __rmul__ = __mod__ = __rmod__ = __floordiv__ = __rfloordiv__ = __truediv__ = __rtruediv__ = _refuse
    __divmod__ = __pow__ = __rpow__ = __lshift__ = __rshift__ = __int__ = __float__ = __round__ = _refuse


class Condition(Symbol):
    """A truth that is not known yet: asked for it, the trace forks."""

    __slots__ = ()
    __hash__ = Symbol.__hash__
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

    def __add__(self, other: object) -> Any:
        """As in Python a truth counts as 1: ``sum(st.voted[node] for node in Node)``."""
        return NumberSymbol(number_term(self, True), self.decide) + other

    def __sub__(self, other: object) -> Any:
        return NumberSymbol(number_term(self, True), self.decide) - other

    __radd__ = __add__


class ChoiceSymbol(Symbol):
    """A member of an enum."""

    __slots__ = ("enum",)
    __hash__ = Symbol.__hash__
    what = "an enum value"
    allows = "it is compared with members, with `==` and `!=` (ordered values: a Count)"

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
    __hash__ = Symbol.__hash__
    what = "an index"
    allows = (
        "elements are compared with `==` and `!=`; for an order, a successor or a role declare a constant field, "
        "say `right = field(Node, Node, init=lambda node: node + 1, constant=True)`"
    )

    def __init__(self, term: Term, decide: Decide, sort: type[Sort]) -> None:
        super().__init__(term, decide)
        self.sort = sort

    def __eq__(self, other: object) -> Any:
        if other is None:
            return False
        if isinstance(other, IndexSymbol) and other.sort is self.sort:
            return self._truth(eq(self.term, other.term))
        mend = f": {self.allows}" if isinstance(other, int) else ""
        raise ModelError(f"a {self.sort.__name__} is compared with {_name(other)}{mend}")


class NumberSymbol(Symbol):
    """A whole number."""

    __slots__ = ()
    __hash__ = Symbol.__hash__
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
        return NumberSymbol(plus(self.term, number_term(other, True)), self.decide)

    def __sub__(self, other: object) -> Any:
        return NumberSymbol(Minus(self.term, number_term(other, True)), self.decide)

    def __rsub__(self, other: object) -> Any:
        return NumberSymbol(Minus(number_term(other, True), self.term), self.decide)

    def __mul__(self, other: object) -> Any:
        if type(other) is not int or not 0 <= other <= MOST_TIMES:
            raise ModelError(f"a number is multiplied by a constant from 0 to {MOST_TIMES} only, found {_name(other)}")
        return NumberSymbol(times(self.term, other), self.decide)

    __radd__ = __add__
    __rmul__ = __mul__


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


def number_term(value: object, truths: bool = False) -> Term:
    """The term of a number or of a NumberSymbol (truths: or of a condition, as 0 or 1); ModelError for all else."""
    if isinstance(value, NumberSymbol):
        return value.term
    if truths and isinstance(value, Condition | bool):
        return ite(condition_term(value), number(1), number(0))
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
