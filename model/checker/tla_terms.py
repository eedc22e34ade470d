"""Terms as TLA+ text: elements are whole numbers from 1, none is 0, enum members are strings."""

from __future__ import annotations

from collections.abc import Collection

from model.language.sorts import Choice, Count, Flag, Index, Kind, Maybe
from model.language.terms import (
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
    not_,
)


def constant(kind: Kind, code: int) -> str:
    """A stored number as the TLA+ value that it stands for."""
    match kind:
        case Flag():
            return "TRUE" if code else "FALSE"
        case Choice():
            return f'"{kind.show(code)}"'
        case Index():
            return str(code + 1)
        case Maybe() | Count():
            return str(code)
    raise AssertionError(kind)


def domain(kind: Kind) -> str:
    """The set of values of a kind, as TLA+."""
    match kind:
        case Flag():
            return "BOOLEAN"
        case Choice(enum):
            return "{" + ", ".join(f'"{member.name}"' for member in enum) + "}"
        case Index(sort):
            return sort.__name__
        case Maybe(sort):
            return f"0..Cardinality({sort.__name__})"
        case Count(most):
            return f"0..{most}"
    raise AssertionError(kind)


def cell(field: str, indices: tuple[str, ...]) -> str:
    """``stage[message]``: a cell, or a whole field without indices."""
    return f"{field}[{', '.join(indices)}]" if indices else field


def told(terms: tuple[Term, ...]) -> tuple[Term, ...]:
    """A conjunction without what the rest says anyway: an index-or-none that equals an element is not none (0)."""
    elements = {
        side.term
        for term in terms
        if isinstance(term, Eq)
        for side, other in ((term.left, term.right), (term.right, term.left))
        if isinstance(side, Deref) and isinstance(other, Var | Const | Read)
    }
    return tuple(
        t for t in terms if not (isinstance(t, Not) and isinstance(t.term, IsNone) and t.term.term in elements)
    )


class Printer:
    """Prints terms. taken: names that a variable must not have, since TLA+ knows no inner scopes."""

    def __init__(self, taken: Collection[str] = ()) -> None:
        self.taken = frozenset(taken)

    def __call__(self, term: Term) -> str:
        """The term as TLA+, without brackets around it."""
        match term:
            case Const(kind, code):
                return constant(kind, code)
            case Var(name, _):
                return f"{name}_" if name in self.taken else name
            case Read(field, indices, _):
                return cell(field, tuple(map(self, indices)))
            case IsNone(inner):
                return f"{self.tight(inner)} = 0"
            case Deref(inner, _) | Some(inner, _):
                return self(inner)
            case Eq(left, right):
                return f"{self.tight(left)} = {self.tight(right)}"
            case Less(left, right):
                return f"{self.tight(left)} < {self.tight(right)}"
            case Plus(left, right):
                return f"{self.tight(left)} + {self.tight(right)}"
            case Minus(left, right):
                return f"{self.tight(left)} - {self.tight(right)}"
            case Clamp(inner, most):
                return f"Clamp({self(inner)}, {most})"
            case Not(inner):
                return self._negation(inner)
            case And(terms):
                return " /\\ ".join(map(self.tight, told(terms)))
            case Or(terms):
                return " \\/ ".join(map(self.tight, (not_(term) for term in told(tuple(map(not_, terms))))))
            case Ite(condition, then, other):
                return f"IF {self(condition)} THEN {self(then)} ELSE {self(other)}"
            case Quantified(universal, variables, body):
                sign = "\\A" if universal else "\\E"
                bound = ", ".join(f"{self(variable)} \\in {variable.sort.__name__}" for variable in variables)
                return f"{sign} {bound} : {self(body)}"

    def tight(self, term: Term) -> str:
        """The term as TLA+, in brackets unless it is a single thing."""
        match term:
            case Const() | Var() | Read() | Clamp():
                return self(term)
            case Deref(inner, _) | Some(inner, _):
                return self.tight(inner)
            case IsNone() | Eq() | Less():
                return self(term)
            case Not(IsNone() | Eq() | Less()):
                return self(term)
            case Not(inner):
                return self._negation(inner)
            case _:
                return f"({self(term)})"

    def _negation(self, inner: Term) -> str:
        match inner:
            case IsNone(term):
                return f"{self.tight(term)} # 0"
            case Eq(left, right):
                return f"{self.tight(left)} # {self.tight(right)}"
            case Less(left, right):
                return f"{self.tight(right)} <= {self.tight(left)}"
            case _:
                return f"~{self.tight(inner)}"
