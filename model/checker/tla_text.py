"""Terms as TLA+ expressions. Everything is in brackets that could be read in two ways."""

from __future__ import annotations

from collections.abc import Sequence

from model.language.sorts import Choice, Flag, Index, Kind, Maybe
from model.language.system import System
from model.language.terms import (
    TRUE,
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
from model.language.trace import Write

NONE = '"none"'
AND, OR, FORALL, EXISTS = " /\\ ", " \\/ ", "\\A", "\\E"


class TlaText:
    """How values and names of one system are written. ``taken``: names that no bound variable may have."""

    def __init__(self, system: System, taken: set[str]) -> None:
        self.system, self.taken = system, taken

    def elements(self, sort: str) -> list[str]:
        """The elements of a sort."""
        known = self.system.model.sorts[sort]
        return [f'"{known.element(index)}"' for index in range(self.system.sizes[sort])]

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
            case _:
                return str(code)


class Scope:
    """The variables of one operator under names that clash with nothing."""

    def __init__(self, text: TlaText, variables: Sequence[Var]) -> None:
        self.text = text
        self.names: dict[Var, str] = {}
        self.parameters = [self._name(variable) for variable in variables]

    def _name(self, variable: Var) -> str:
        if variable not in self.names:
            name = variable.name
            while name in self.text.taken or name in self.names.values():
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
            case Quantified(universal, variables, body):
                bounds = ", ".join(f"{self._name(v)} \\in {v.sort.__name__}" for v in variables)
                return f"({FORALL if universal else EXISTS} {bounds} : {self.condition(body)})"
            case Ite(test, then, other):
                return f"(IF {self.condition(test)} THEN {self.condition(then)} ELSE {self.condition(other)})"
            case _:
                return self.value(term)

    def value(self, term: Term) -> str:
        """A value, in brackets unless it is a name, a constant or a cell."""
        match term:
            case Const(kind, code):
                return self.text.code(kind, code)
            case Var():
                return self._name(term)
            case Read(name, indices, _):
                return f"{name}[{', '.join(map(self.value, indices))}]" if indices else name
            case Deref(inner, _) | Some(inner, _):
                return self.value(inner)
            case Plus(left, right):
                return f"({self.value(left)} + {self.value(right)})"
            case Minus(left, right):
                return f"({self.value(left)} - {self.value(right)})"
            case Clamp(inner, most):
                number = self.value(inner)
                return f"(IF {number} > {most} THEN {most} ELSE IF {number} < 0 THEN 0 ELSE {number})"
            case Ite(test, then, other):
                return f"(IF {self.condition(test)} THEN {self.value(then)} ELSE {self.value(other)})"
            case _:
                return f"({self.condition(term)})"

    def update(self, field: str, writes: Sequence[Write]) -> str:
        """What a field is after the step."""
        result = field
        excepts: list[str] = []

        def closed() -> str:
            return f"[{result} EXCEPT {', '.join(excepts)}]" if excepts else result

        for write in writes:
            if write.field != field:
                continue
            place = self.text.system.layout.places[field]
            if not write.indices:
                value = self.value(write.value)
                result = value if write.condition == TRUE else self._either(write.condition, value, result)
            elif not write.binders:
                value = self.value(write.value)
                value = (
                    value if write.condition == TRUE else f"IF {self.condition(write.condition)} THEN {value} ELSE @"
                )
                excepts.append(f"![{', '.join(map(self.value, write.indices))}] = {value}")
            else:
                before, names = closed(), []
                excepts = []
                tests = []
                for axis, (index, sort) in enumerate(zip(write.indices, place.sorts, strict=True)):
                    if isinstance(index, Var) and index in write.binders and self._name(index) not in names:
                        names.append(self._name(index))
                    else:
                        names.append(self._name(Var(f"at_{axis}", sort)))
                        tests.append(f"{names[-1]} = {self.value(index)}")
                if write.condition != TRUE:
                    tests.append(self.condition(write.condition))
                bounds = ", ".join(f"{n} \\in {s.__name__}" for n, s in zip(names, place.sorts, strict=True))
                old, value = f"{before}[{', '.join(names)}]", self.value(write.value)
                value = f"IF {AND.join(tests)} THEN {value} ELSE {old}" if tests else value
                result = f"[{bounds} |-> {value}]"
        return closed()

    def _either(self, condition: Term, value: str, other: str) -> str:
        return f"(IF {self.condition(condition)} THEN {value} ELSE {other})"
