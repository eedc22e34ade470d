"""Names in SMT-LIB: quoted symbols with a blank inside, which no identifier of a model and no word of a solver can be.

Each kind of thing has a shape of its own, so that two things never share a name: ``|sort Client|``, ``|first Client|``,
``|enum Stage|``, ``|Stage: VISIBLE|``, ``|count 2|``, ``|count 2: 0|``, ``|st holder|``, ``|st holder is none|``,
``|st sent in flight|``, ``|next holder|``, ``|arg client|``, ``|client in Client|``, ``|index 1|``. Sorts and enums are
told apart by identity: a second one of the same name is ``Stage #2``. A number from -1 to 2 is ``|int -1 to 2: 0|``.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import assert_never

from onceproof.model.checker.prover.sexpr import FALSE, TRUE
from onceproof.model.language.declare import Field
from onceproof.model.language.primes import is_primed, unprimed
from onceproof.model.language.sorts import Choice, Count, Flag, Index, Int, Kind, Maybe, Sort
from onceproof.model.language.terms import Var

BEFORE, AFTER = "|st ", "|next "


def state_symbol(field: str) -> str:
    """The function that holds a field before the step; after it, for a primed name."""
    return f"{_when(field)}{_plain(unprimed(field))}|"


def none_symbol(field: str) -> str:
    """The relation that says where an index-or-none is none, before the step; after it, for a primed name."""
    return f"{_when(field)}{_plain(unprimed(field))} is none|"


def _when(field: str) -> str:
    return AFTER if is_primed(field) else BEFORE


def wire_symbol(field: str) -> str:
    """The relation that says what of a network field a step finds in flight."""
    return f"|st {_plain(field)} in flight|"


def is_wire(symbol: str) -> bool:
    """Whether a symbol is what a step finds in flight."""
    return symbol.startswith(BEFORE) and symbol.endswith(" in flight|")


def after_symbol(symbol: str) -> str:
    """The function of the state after the step for one of the state before it."""
    return AFTER + symbol.removeprefix(BEFORE)


def before_symbol(symbol: str) -> str:
    """The inverse of ``after_symbol``."""
    return BEFORE + symbol.removeprefix(AFTER)


def argument_symbol(parameter: str) -> str:
    """The constant for an argument of an action."""
    return f"|arg {_plain(parameter)}|"


def index_symbol(place: int) -> str:
    """The parameter of a function of the state at a place, counted from 1."""
    return f"|index {place}|"


def claim_symbol(claim: str) -> str:
    """The name under which a certificate defines a claim."""
    return f"|claim {_plain(claim)}|"


def _plain(name: str) -> str:
    """The name of something in a model without any character that means something in our symbols."""
    return "".join(c if c in "._" or (c.isascii() and c.isalnum()) else f"{{{ord(c):x}}}" for c in name)


class Names:
    """The names of a model's sorts, enums, counts and their values.

    fields: registers their sorts and kinds first, in this order, so that names depend on nothing but the model.
    """

    def __init__(self, fields: Iterable[Field]) -> None:
        self._given: dict[type, str] = {}
        self._taken: set[tuple[bool, str]] = set()
        self.datatypes: dict[str, tuple[str, ...]] = {}
        for declared in fields:
            for sort in declared.indices:
                self.sort(sort)
            self.kind(declared.kind)

    def sort(self, sort: type[Sort]) -> str:
        """The sort of a sort's elements."""
        return f"|sort {self._label(sort)}|"

    def first(self, sort: type[Sort]) -> str:
        """The constant for a sort's first element."""
        return f"|first {self._label(sort)}|"

    def kind(self, kind: Kind) -> str:
        """The sort of the values of a field."""
        match kind:
            case Flag():
                return "Bool"
            case Choice(enum):
                name = f"|enum {self._label(enum)}|"
                values = [self._member(enum, member.name) for member in enum]
            case Count(most):
                name = f"|count {most}|"
                values = [f"|count {most}: {number}|" for number in range(most + 1)]
            case Int(low, high):
                name = f"|int {low} to {high}|"
                values = [f"|int {low} to {high}: {number}|" for number in range(low, high + 1)]
            case Index(sort) | Maybe(sort):
                return self.sort(sort)
            case _:
                assert_never(kind)
        self.datatypes.setdefault(name, tuple(values))
        return name

    def value(self, kind: Kind, code: int) -> str:
        """The constant for a stored value of a kind; of elements only the first has a name."""
        match kind:
            case Flag():
                return TRUE if code else FALSE
            case Choice() | Count() | Int():
                return self.datatypes[self.kind(kind)][code]
            case Index(sort) | Maybe(sort):
                if code:
                    raise ValueError(f"element {code + 1} of {sort.__name__} has no name: only the first has")
                return self.first(sort)
            case _:
                assert_never(kind)

    def variable(self, variable: Var) -> str:
        """A variable that a quantifier binds, or a parameter of a property."""
        return f"|{_plain(variable.name)} in {self._label(variable.sort)}|"

    def binding(self, variables: Iterable[Var]) -> list[tuple[str, str]]:
        """Variables with their sorts, as quantifiers have them."""
        return [(self.variable(variable), self.sort(variable.sort)) for variable in variables]

    def _member(self, enum: type[Enum], member: str) -> str:
        return f"|{self._label(enum)}: {_plain(member)}|"

    def _label(self, declared: type) -> str:
        """``Stage``, or ``Stage #2`` for another type of that name."""
        known = self._given.get(declared)
        if known is not None:
            return known
        is_sort, name = issubclass(declared, Sort), _plain(declared.__name__)
        label, number = name, 1
        while (is_sort, label) in self._taken:
            number += 1
            label = f"{name} #{number}"
        self._taken.add((is_sort, label))
        self._given[declared] = label
        return label
