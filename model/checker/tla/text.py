"""Terms as TLA+ expressions. Everything is in brackets that could be read in two ways."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from onceproof.model.language.primes import PRIME, is_primed, unprimed
from onceproof.model.language.reading.result import Write
from onceproof.model.language.sorts import Choice, Count, Flag, Index, Int, Kind, Maybe, Sort
from onceproof.model.language.system import System
from onceproof.model.language.terms import (
    TRUE,
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
    and_,
    eq,
    number,
    plus,
)
from onceproof.model.language.traversal import substitute, walk

NONE = '"none"'
AND, OR, FORALL, EXISTS = " /\\ ", " \\/ ", "\\A", "\\E"


def function(bounds: Sequence[tuple[str, str]], value: str) -> str:
    """A function, to functions if there are several (name, sort), to a value."""
    for name, sort in reversed(bounds):
        value = f"[{name} \\in {sort} |-> {value}]"
    return value


class TlaText:
    """How values and names of one system are written. ``taken``: names that no bound variable may have."""

    def __init__(self, system: System, taken: set[str]) -> None:
        self.system, self.taken = system, taken
        self._fields: dict[str, str] = {}
        for name in sorted(system.layout.places, key=lambda name: "." in name):  # first what has to keep its name
            written = name.replace(".", "_")
            while written in self._fields.values() or (written != name and written in taken):
                written += "_"
            self._fields[name] = written

    def field(self, name: str) -> str:
        """What a field is called; a part of a composite value by its name with underscores.

        A field of the state after a step has a prime.
        """
        return self._fields[unprimed(name)] + PRIME * is_primed(name)

    def rename_fields(self, prefix: str) -> None:
        """Calls each field what it was called, with a prefix."""
        self._fields = {name: prefix + written for name, written in self._fields.items()}
        self.taken = {*self.taken, *self._fields.values()}

    def elements(self, sort: type[Sort]) -> list[str]:
        """The elements of a sort, or the values of an index set."""
        return [self.element(sort, index) for index in range(self.system.sizes[sort.__name__])]

    @staticmethod
    def element(sort: type[Sort], index: int) -> str:
        """An element of a sort, or a value of an index set: numbers are numbers, all else are strings."""
        name = sort.element(index)
        return name if isinstance(sort.values, Int) else f'"{name}"'

    def domain(self, sort: type[Sort]) -> str:
        """The set of the elements of a sort, or of the values that stand for one."""
        match sort.values:
            case Int(low, high):
                return f"({low}..{high})"
            case Flag():
                return "BOOLEAN"
            case kind if kind is None or sort.__name__ in self.system.sizes:
                return sort.__name__
            case kind:
                return f"{{{', '.join(self.code(kind, code) for code in range(kind.cardinality(self.system.sizes)))}}}"

    def code(self, kind: Kind, code: int) -> str:
        """A value by its stored number."""
        match kind:
            case Flag():
                return "TRUE" if code else "FALSE"
            case Choice():
                return f'"{kind.show(code)}"'
            case Index(sort):
                return f'"{sort.element(code)}"'
            case Maybe(sort):
                return f'"{sort.element(code - 1)}"' if code else NONE
            case Count() | Int():
                return str(kind.decode(code))
            case _:
                assert_never(kind)


class Scope:
    """The variables of one operator under names that clash with nothing."""

    def __init__(self, text: TlaText, variables: Sequence[Var]) -> None:
        self.text = text
        self.names: dict[Var, str] = {}
        self.hidden: list[str] = []
        self.parameters = [self._name(variable) for variable in variables]

    def _name(self, variable: Var) -> str:
        if variable not in self.names:
            name = "_".join(variable.name.lower().split(".")) if "." in variable.name else variable.name
            while name in self.text.taken or name in self.names.values() or name in self.hidden:
                name += "_"
            self.names[variable] = name
        return self.names[variable]

    def condition(self, term: Term) -> str:
        """A condition; in brackets unless it is one comparison, read or negation."""
        match term:
            case Not(Eq(left, right)):
                return f"{self.value(left)} # {self.value(right)}"
            case Not(IsNone(inner)):
                return f"{self.value(inner)} # {NONE}"
            case Not(Less(left, right)):
                return f"{self.value(left)} >= {self.value(right)}"
            case Not(inner):
                return f"~{self.condition(inner)}"
            case And(terms):
                return f"({AND.join(map(self.condition, terms))})"
            case Or(terms):
                return f"({OR.join(map(self.condition, terms))})"
            case Eq(left, right):
                return f"{self.value(left)} = {self.value(right)}"
            case Less(left, right):
                return f"{self.value(left)} < {self.value(right)}"
            case IsNone(inner):
                return f"{self.value(inner)} = {NONE}"
            case Quantified():
                return self._quantified(term)
            case Ite(test, then, other):
                return f"(IF {self.condition(test)} THEN {self.condition(then)} ELSE {self.condition(other)})"
            case Const() | Var() | Read() | Deref() | Some() | Plus() | Minus() | Clamp():
                return self.value(term)
            case Times() | Div() | Mod() | Position() | ElementAt():
                return self.value(term)
            case _:
                assert_never(term)

    def conjunct(self, term: Term) -> str:
        """A condition as a conjunct of an action, for TLC to evaluate and not to take for branches of the action."""
        simple = term.term if isinstance(term, Not) else term
        text = self.condition(term)
        return text if isinstance(simple, Eq | Less | IsNone | Read | Const) else f"TRUE = {text}"

    def _quantified(self, term: Quantified) -> str:
        """A quantifier; its variables get names that no quantifier around it has, as TLA+ wants it."""
        around = {variable: self.names.pop(variable) for variable in term.variables if variable in self.names}
        self.hidden += around.values()
        bounds = ", ".join(f"{self._name(v)} \\in {self.text.domain(v.sort)}" for v in term.variables)
        text = f"({FORALL if term.universal else EXISTS} {bounds} : {self.condition(term.body)})"
        for variable in term.variables:
            del self.names[variable]
        self.names |= around
        del self.hidden[len(self.hidden) - len(around) :]
        return text

    def value(self, term: Term) -> str:
        """A value, in brackets unless it is a name, a constant or a cell."""
        match term:
            case Const(kind, code):
                return self.text.code(kind, code)
            case Var():
                return self._name(term)
            case Read(name, indices, _):
                return self.text.field(name) + self.cell(name, indices)
            case Deref(inner, _) | Some(inner, _):
                return self.value(inner)
            case Plus(left, right):
                return f"({self.value(left)} + {self.value(right)})"
            case Minus(left, right):
                return f"({self.value(left)} - {self.value(right)})"
            case Times(left, right):
                return f"({self.value(left)} * {self.value(right)})"
            case Div(left, right):
                return f"FloorDiv({self.value(left)}, {self.value(right)})"
            case Mod(left, right):
                return f"FloorMod({self.value(left)}, {self.value(right)})"
            case Position(inner, sort):
                return f"Position_{sort.__name__}({self.value(inner)})"
            case ElementAt(inner, sort):
                return f"At_{sort.__name__}({self.value(inner)})"
            case Clamp(inner, most):
                return f"Clamp({self.value(inner)}, {most})"
            case Ite(test, then, other):
                return f"(IF {self.condition(test)} THEN {self.value(then)} ELSE {self.value(other)})"
            case Not() | And() | Or() | Eq() | Less() | IsNone() | Quantified():
                return f"({self.condition(term)})"
            case _:
                assert_never(term)

    def cell(self, field: str, indices: Sequence[Term]) -> str:
        """What comes after the name of a field for one of its cells: a field is a function to functions to values."""
        sorts = self.text.system.layout.places[unprimed(field)].sorts
        return "".join(f"[{self._index(index, sort)}]" for index, sort in zip(indices, sorts, strict=True))

    def _index(self, index: Term, sort: type[Sort]) -> str:
        low = sort.values.low if isinstance(sort.values, Int) else 0
        return self.value(plus(index, number(low)) if low and not isinstance(index, Var) else index)

    def update(self, field: str, writes: Sequence[Write]) -> str:
        """What a field is after the step."""
        mine = [write for write in writes if write.field == field]
        known = self.text.field(field)
        if any(write.binders for write in mine):
            return self._everywhere(field, mine)
        if not mine[0].indices:
            value = self.text.field(field)
            for write in mine:
                value = self._given(write.condition, self.value(write.value), value)
            return value
        if len({write.condition for write in mine}) == 1:
            cells = [f"!{self.cell(field, write.indices)} = {self.value(write.value)}" for write in mine]
            return self._given(mine[0].condition, f"[{known} EXCEPT {', '.join(cells)}]", known)
        cells = [f"!{self._cell_if(w)} = {self._given(w.condition, self.value(w.value), '@')}" for w in mine]
        return f"[{known} EXCEPT {', '.join(cells)}]"

    def _cell_if(self, write: Write) -> str:
        """As ``cell``; where an index may be none unless the write's condition is true, of a cell that is there."""
        places = []
        for index, sort in zip(write.indices, self.text.system.layout.places[write.field].sorts, strict=True):
            there = self._index(index, sort)
            if write.condition != TRUE and any(isinstance(part, Deref) for part in walk(index)):
                there = self._given(write.condition, there, self.text.elements(sort)[0])
            places.append(f"[{there}]")
        return "".join(places)

    def _everywhere(self, field: str, writes: Sequence[Write]) -> str:
        """The same where a loop writes many cells: the field is given anew, cell by cell."""
        sorts = self.text.system.layout.places[unprimed(field)].sorts
        here = tuple(Var(f"at_{axis}", sort) for axis, sort in enumerate(sorts))
        value = self.text.field(field) + self.cell(field, here)
        for write in writes:
            bound: dict[Var, Term] = {}
            for index, cell in zip(write.indices, here, strict=True):
                if isinstance(index, Var) and index in write.binders:
                    bound.setdefault(index, cell)
            same = (eq(cell, substitute(index, bound)) for index, cell in zip(write.indices, here, strict=True))
            condition = and_(*same, substitute(write.condition, bound))
            value = self._given(condition, self.value(substitute(write.value, bound)), value)
        return function([(self._name(cell), self.text.domain(cell.sort)) for cell in here], value)

    def _given(self, condition: Term, value: str, other: str) -> str:
        return value if condition == TRUE else f"(IF {self.condition(condition)} THEN {value} ELSE {other})"
