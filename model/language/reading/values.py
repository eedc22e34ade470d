"""The values that a model function is read over: terms, Python's constants, and what neither of them can be.

- Constants of Python stand for themselves: bools, whole numbers, texts, None, members of enums, functions, classes.
- ``Symbol``: what depends on the state or on a parameter, as a term.
- ``Cases``: alternatives that no single term can hold, each with the condition under which it is the value.
- A Python tuple of values is a tuple. Lists and dictionaries are ``Reference``s into the heap of the world.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from enum import Enum
from types import FunctionType
from typing import Any, assert_never

from onceproof.model.language.composites import Bag, CompositeField, Seq, Set
from onceproof.model.language.declare import Field
from onceproof.model.language.errors import ModelError
from onceproof.model.language.primes import unprimed
from onceproof.model.language.sorts import Choice, Count, Flag, Index, Int, Kind, Maybe, Sort
from onceproof.model.language.terms import (
    BOOL,
    FALSE,
    TRUE,
    Const,
    Deref,
    IsNone,
    Not,
    Plus,
    Some,
    Term,
    and_,
    deref,
    ite,
    kind_of_term,
    not_,
    number,
    or_,
    plus,
)
from onceproof.model.language.value_kinds import RecordKind, ValueKind

Value = Any  # a constant of Python, a tuple of values, or one of the classes of this module

MOST_CASES = 64  # alternatives that a value may have


@dataclass(frozen=True, slots=True, eq=False)
class Symbol:
    """A value that is not known yet: a truth, an enum member, an element, an element or None, or a number."""

    term: Term
    kind: Kind

    @property
    def what(self) -> str:
        """What it is, for people."""
        match self.kind:
            case Flag():
                return "a condition"
            case Choice(enum):
                return f"a {enum.__name__}"
            case Index(sort):
                return f"a {sort.__name__}"
            case Maybe(sort):
                return f"a {sort.__name__} or None"
            case Count() | Int():
                return "a number"
            case _:
                assert_never(self.kind)


@dataclass(frozen=True, slots=True, eq=False)
class Cases:
    """Alternatives, of which exactly one holds: each with its condition."""

    alternatives: tuple[tuple[Term, Value], ...]


class Unset:
    """What a local holds that is not assigned on this way."""


class Poisoned:
    """What a local holds that another pass of a loop may have assigned: it has no value that could be read."""

    def __init__(self, reason: str) -> None:
        self.reason = reason


UNSET = Unset()


@dataclass(frozen=True, slots=True)
class StateValue:
    """A state, as a function gets it. of: how fields of an abstract model are called; after: whether after a step."""

    of: str = ""
    after: bool = False


STATE, STATE_AFTER = StateValue(), StateValue(after=True)


@dataclass(frozen=True, slots=True)
class FieldValue:
    """A field that is an array, before it is indexed."""

    declared: Field | CompositeField

    @property
    def refusal(self) -> str:
        """Why it is of no use without its indices."""
        name = unprimed(self.declared.name)
        wanted = ", ".join(sort.__name__.lower() for sort in self.declared.indices)
        return f"`{name}` is an array: read one of its cells, st.{name}[{wanted}]"


@dataclass(frozen=True, slots=True, eq=False)
class RecordValue:
    """A record. reads: the fields of which it was a cell, and when (see ``Interpreter.clock``)."""

    kind: RecordKind
    values: tuple[Value, ...]
    reads: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class SequenceView:
    """The sequence in a cell of the state, as it is at any time. read: when the function got hold of it."""

    declared: CompositeField
    indices: tuple[Term, ...]
    read: int

    @property
    def kind(self) -> Seq[Any]:
        """What kind of sequence it is."""
        assert isinstance(self.declared.kind, Seq)
        return self.declared.kind


@dataclass(frozen=True, slots=True, eq=False)
class MembersView:
    """The set or bag in a cell of the state, as it is at any time. read: when the function got hold of it."""

    declared: CompositeField
    indices: tuple[Term, ...]
    read: int

    @property
    def kind(self) -> Set[Any] | Bag[Any]:
        """What kind of set or bag it is."""
        assert isinstance(self.declared.kind, Set | Bag)
        return self.declared.kind


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """The parts of a value as they are stored: what a value is turned into on its way to the state."""

    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """A list or a dictionary: its contents are in the heap, under this number."""

    identity: int


@dataclass(frozen=True, slots=True)
class Members:
    """A set display: what ``in`` may ask."""

    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Method:
    """A method of a list or a dictionary, not called yet."""

    of: Value
    name: str


@dataclass(eq=False)
class Scope:
    """Where names are looked up: the local ones in the heap, then in the scope around it, then where it was loaded."""

    names: frozenset[str]
    frame: int
    parent: Scope | None
    file: str
    function: FunctionType | None  # whose globals and closure are the outermost names
    captured: bool = False


@dataclass(frozen=True, eq=False)
class Closure:
    """A function that is made while another one is read, with the scope that it captures."""

    node: ast.FunctionDef | ast.Lambda
    scope: Scope
    defaults: tuple[Value, ...]
    keyword_defaults: tuple[Value, ...]

    @property
    def name(self) -> str:
        """What it is called."""
        return self.node.name if isinstance(self.node, ast.FunctionDef) else "<lambda>"


Item = tuple[Term, Value]  # a member of a list: when it is there, and what it is


@dataclass(frozen=True, slots=True, eq=False)
class ListObject:
    """The contents of a list. outside: where it comes from, if it was not made by the function: it can't be changed."""

    items: tuple[Item, ...]
    outside: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class BoundedList:
    """The contents of a list that was read from the state: a place for each element that there may be.

    From ``length`` on the places hold what is stored where nothing is. whole: where values are read as wholes."""

    element: ValueKind
    rows: tuple[tuple[Term, ...], ...]
    length: Term
    outside: str = ""
    whole: Term | None = None


@dataclass(frozen=True, slots=True, eq=False)
class DictObject:
    """The contents of a dictionary with constant keys."""

    items: dict[Any, Item]
    outside: str = ""


def none_of(sort: type[Sort]) -> Term:
    """None as an element of a sort or none."""
    return Const(Maybe(sort), 0)


def value_of(term: Term) -> Value:
    """The value that a term stands for: a constant of Python where it is one."""
    kind = kind_of_term(term)
    if isinstance(term, Const):
        match kind:
            case Maybe(sort):
                return Symbol(Const(Index(sort), term.code - 1), Index(sort)) if term.code else None
            case Index():
                pass
            case Count() | Int():
                return term.code
            case Flag() | Choice():
                return kind.decode(term.code)
            case _:
                assert_never(kind)
    if isinstance(kind, Maybe) and isinstance(term, Some):
        return Symbol(term.term, Index(kind.sort))
    return Symbol(term, kind)


def term_of(value: Value) -> Term | None:
    """A value as a term; None for what no term can be."""
    if isinstance(value, Symbol):
        return value.term
    if isinstance(value, Enum):
        kind = Choice(type(value))
        return Const(kind, kind.encode(value))
    if type(value) is bool:
        return Const(BOOL, int(value))
    return number(value) if type(value) is int else None


def merged(condition: Term, one: Value, other: Value) -> Value:
    """``one`` where the condition holds, else ``other``."""
    if condition is TRUE or same_constant(one, other):
        return one
    if condition is FALSE:
        return other
    if isinstance(one, tuple) and isinstance(other, tuple) and len(one) == len(other):
        return tuple(merged(condition, a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, Row) and isinstance(other, Row):
        return Row(rows_ite(condition, one.terms, other.terms))
    if isinstance(one, RecordValue) and isinstance(other, RecordValue) and one.kind.cls is other.kind.cls:
        return _merged_records(condition, one, other)
    term = _merged_terms(condition, one, other)
    if term is not None:
        return value_of(term)
    alternatives: list[tuple[Term, Value]] = []
    for test, value in ((condition, one), (not_(condition), other)):
        for inner, alternative in value.alternatives if isinstance(value, Cases) else ((TRUE, value),):
            _add_case(alternatives, and_(test, inner), alternative)
    if len(alternatives) > MOST_CASES:
        raise ModelError(f"a value with more than {MOST_CASES} alternatives: use a field, or several actions")
    return Cases(tuple(alternatives)) if len(alternatives) > 1 else alternatives[0][1]


def rows_ite(condition: Term, one: tuple[Term, ...], other: tuple[Term, ...]) -> tuple[Term, ...]:
    """If-then-else of two rows of parts."""
    return tuple(ite(condition, a, b) for a, b in zip(one, other, strict=True))


def _merged_records(condition: Term, one: RecordValue, other: RecordValue) -> RecordValue:
    values = tuple(merged(condition, a, b) for a, b in zip(one.values, other.values, strict=True))
    return RecordValue(one.kind, values, one.reads + other.reads)


def _add_case(alternatives: list[tuple[Term, Value]], condition: Term, value: Value) -> None:
    if condition is FALSE:
        return
    for place, (other, known) in enumerate(alternatives):
        if same_constant(known, value):
            alternatives[place] = (or_(other, condition), known)
            return
        if isinstance(known, RecordValue) and isinstance(value, RecordValue) and known.kind.cls is value.kind.cls:
            alternatives[place] = (or_(other, condition), _merged_records(condition, value, known))
            return
        term = _merged_terms(condition, value, known)
        if term is not None:
            alternatives[place] = (or_(other, condition), value_of(term))
            return
    alternatives.append((condition, value))


def same_constant(one: Value, other: Value) -> bool:
    """Whether two values are surely the same one."""
    if one is other:
        return True
    if isinstance(one, Symbol) and isinstance(other, Symbol):
        return one.term is other.term
    if isinstance(one, SequenceView | MembersView) and type(one) is type(other):
        return one.declared is other.declared and all(a is b for a, b in zip(one.indices, other.indices, strict=True))
    if type(one) is not type(other):
        return False
    return type(one) in (int, str, bool, float, Reference, FieldValue) and bool(one == other)


def _merged_terms(condition: Term, one: Value, other: Value) -> Term | None:
    first, second = term_of(one), term_of(other)
    kinds = [kind_of_term(term) if term is not None else None for term in (first, second)]
    sorts = {kind.sort for kind in kinds if isinstance(kind, Index | Maybe)}
    elements = [isinstance(kind, Index | Maybe) for kind in kinds]
    if len(sorts) == 1 and (elements[0] or one is None) and (elements[1] or other is None):
        sort = sorts.pop()
        if all(isinstance(kind, Index) for kind in kinds):
            assert first is not None and second is not None
            return ite(condition, first, second)
        return maybe_ite(condition, as_maybe(one, sort), as_maybe(other, sort), sort)
    if first is None or second is None or kinds[0] != kinds[1]:
        return None
    if isinstance(kinds[0], Count):
        return _number_ite(condition, first, second)
    return ite(condition, first, second)


def as_maybe(value: Value, sort: type[Sort]) -> Term:
    """None, an element, or an element or None, as a term of the last kind."""
    if value is None:
        return none_of(sort)
    term: Term = value.term
    return term if isinstance(value.kind, Maybe) else Some(term, sort)


def maybe_ite(condition: Term, one: Term, other: Term, sort: type[Sort]) -> Term:
    """If-then-else of elements or None; where it takes a term apart and puts it together again, that term."""
    positive, none, some = (condition.term, other, one) if isinstance(condition, Not) else (condition, one, other)
    if isinstance(positive, IsNone) and none is none_of(sort) and some is Some(Deref(positive.term, sort), sort):
        return positive.term
    return ite(condition, one, other)


def _number_ite(condition: Term, one: Term, other: Term) -> Term:
    """Of numbers: ``x + 1 if c else x`` is ``x + (1 if c else 0)``, so that a loop that counts stays a sum."""
    if isinstance(one, Plus) and one.left is other:
        return plus(other, ite(condition, one.right, number(0)))
    if isinstance(other, Plus) and other.left is one:
        return plus(one, ite(condition, number(0), other.right))
    return ite(condition, one, other)


def element_in(symbol: Symbol) -> Symbol:
    """The element in an element or None."""
    assert isinstance(symbol.kind, Maybe)
    term = deref(symbol.term, symbol.kind.sort)
    return Symbol(term, Index(symbol.kind.sort))


def textless(value: Value) -> str:
    """A value as messages call it that tell that it has no text."""
    match getattr(value, "kind", None):
        case Choice():
            return "an enum value"
        case Count():
            return "a number"
        case _:
            return name_of(value)


def name_of(value: Value) -> str:
    """A value as messages call it."""
    match value:
        case Symbol():
            return value.what
        case FieldValue():
            return f"the array `{unprimed(value.declared.name)}`"
        case StateValue():
            return "the state"
        case SequenceView():
            return f"the sequence `{unprimed(value.declared.name)}`"
        case MembersView():
            return f"the {'set' if isinstance(value.kind, Set) else 'bag'} `{unprimed(value.declared.name)}`"
        case RecordValue():
            return f"a {value.kind.cls.__name__}"
        case Reference():
            return "a list or a dictionary"
        case Closure():
            return f"the function `{value.name}`"
        case Cases():
            return "one of several values: " + ", ".join(dict.fromkeys(name_of(one) for _, one in value.alternatives))
        case tuple():
            return "a tuple"
        case _:
            text = repr(value)
            return (
                text if len(text) <= 60 and " at 0x" not in text else f"an object of the class {type(value).__name__}"
            )


class Iterator(tuple[Any, ...]):
    """What ``enumerate``, ``zip`` and ``reversed`` give, and ``.items()`` of a dictionary.

    Python goes through it once, or sees later changes in it, so it is good only where it is gone through at once.
    """

    sources: tuple[Value, ...] = ()  # what must not change while it is gone through

    def over(self, *sources: Value) -> Iterator:
        """The same, made of these lists."""
        self.sources = sources
        return self
