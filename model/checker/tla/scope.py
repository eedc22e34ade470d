"""Terms as TLA+ expressions. What could be read in two ways is in brackets; see ``bare`` for where they can go."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import assert_never

from onceproof.model.checker.tla.names import IDENTIFIER
from onceproof.model.checker.tla.text import AND, EXISTS, FORALL, NONE, OR, TlaText, bare
from onceproof.model.language.operations import Operation
from onceproof.model.language.primes import unprimed
from onceproof.model.language.sorts import Int, Sort
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
    not_,
    number,
    or_,
    plus,
)
from onceproof.model.language.wholes import length

JOIN = " \\o "
OLD_VALUE = Whole(Operation.CELL, (), "@", None)  # what an EXCEPT changes


class Scope:
    """The variables of one operator under names that clash with nothing."""

    def __init__(self, text: TlaText, variables: Sequence[Var]) -> None:
        self.text = text
        self.names: dict[Var, str] = {}
        self.hidden: list[str] = []
        self.parameters = [self._name(variable) for variable in variables]

    def _name(self, variable: Var) -> str:
        if variable not in self.names:
            name = variable.name.lower().split(".")[0] if "." in variable.name else variable.name
            if not IDENTIFIER.fullmatch(name):  # `_` or `größe`, or a variable of the reader's over numbers
                name = "i"
            while name in self.text.taken or name in self.names.values() or name in self.hidden:
                name += "_"
            self.names[variable] = name
        return self.names[variable]

    # -- conditions

    def condition(self, term: Term) -> str:
        """A condition; in brackets unless it is one comparison, read or negation."""
        match term:
            case Not(inner):
                return self._negation(inner)
            case And(terms):
                parts = [self.condition(part) for part in without_needless(terms)]
                return f"({AND.join(parts)})" if len(parts) > 1 else parts[0]
            case Or(terms):
                return self._disjunction(terms)
            case Eq(left, right):
                return self._compared(left, "=", right)
            case Less(left, right):
                return self._ordered(left, right, strict=True)
            case IsNone(inner):
                return f"{self.value(inner)} = {NONE}"
            case Quantified():
                return self._quantified(term)
            case Ite(test, then, other):
                return f"(IF {self._plain(test)} THEN {self.condition(then)} ELSE {self.condition(other)})"
            case Const() | Var() | Read() | Deref() | Some() | Plus() | Minus() | Clamp():
                return self.value(term)
            case Times() | Div() | Mod() | Position() | ElementAt():
                return self.value(term)
            case Whole(operation, (whole, *rest)):
                match operation:
                    case Operation.THERE:
                        return f"{self.value(whole)} # {NONE}"
                    case Operation.IN:
                        return f"{self.value(rest[0])} \\in {self.value(whole)}"
                    case _:
                        return self.value(term)
            case Whole():
                return self.value(term)
            case _:
                assert_never(term)

    def _plain(self, term: Term) -> str:
        return bare(self.condition(term))

    def _negation(self, inner: Term) -> str:
        match inner:
            case Eq(left, right):
                return self._compared(left, "#", right)
            case IsNone(value):
                return f"{self.value(value)} # {NONE}"
            case Less(left, right):
                return self._ordered(right, left, strict=False)
            case Whole(Operation.THERE, (whole,)):
                return f"{self.value(whole)} = {NONE}"
            case Whole(Operation.IN, (whole, value)):
                return f"{self.value(value)} \\notin {self.value(whole)}"
            case Or((one, other)) if (sides := both_or_neither(one, other)) is not None:
                return self._compared(sides[0], "#", sides[1])
            case Or(terms) if implied(terms)[0]:
                premise, conclusion = implied(terms)
                return self.condition(And((*premise, not_(or_(*conclusion)))))
            case And(terms) if len(without_needless(terms)) == 1:
                return self._negation(without_needless(terms)[0])
            case _:
                text = self.condition(inner)
                return f"~{text}" if " " not in text or bare(text) != text else f"~({text})"

    def _disjunction(self, terms: tuple[Term, ...]) -> str:
        premise, conclusion = implied(terms)
        if premise:
            return f"({self.condition(and_(*premise))} => {self.condition(or_(*conclusion))})"
        parts, place = list[str](), 0
        while place < len(terms):
            sides = both_or_neither(*terms[place : place + 2]) if place + 1 < len(terms) else None
            parts.append(self.condition(terms[place]) if sides is None else self._compared(sides[0], "=", sides[1]))
            place += 1 if sides is None else 2
        return f"({OR.join(parts)})" if len(parts) > 1 else parts[0]

    def _compared(self, left: Term, sign: str, right: Term) -> str:
        if isinstance(right, Not) and not isinstance(left, Not):
            sign, right = {"=": "#", "#": "="}[sign], right.term
        return f"{self._side(left)} {sign} {self._side(right)}"

    def _side(self, term: Term) -> str:
        """One side of a comparison, which binds less closely than arithmetic does."""
        text = self.value(term)
        return bare(text) if isinstance(term, Plus | Minus | Times) else text

    def _ordered(self, left: Term, right: Term, *, strict: bool) -> str:
        """``left < right``, or ``left <= right``; with a constant on the right, as people write it."""
        sign, turned = ("<", ">") if strict else ("<=", ">=")
        sides = [left, right]
        if any(isinstance(part, Position) for side in sides for part in (side, *_summands(side))):
            after = [self._following(side) for side in sides]
        else:
            after = [self._side(side) for side in sides]
        if isinstance(left, Const):
            return f"{after[1]} {turned} {after[0]}"
        return f"{after[0]} {sign} {after[1]}"

    def _following(self, term: Term) -> str:
        """One more than a number: of the position of an element of an ordered sort, counted from 0, the element."""
        match term:
            case Position(inner, _):
                return self.value(inner)
            case Const(_, code):
                return str(code + 1)
            case Plus(left, Const(_, code)) if isinstance(left, Position):
                return f"{self.value(left.term)} + {code}"
            case Minus(left, Const(_, code)) if isinstance(left, Position):
                return f"{self.value(left.term)} - {code}"
            case _:
                return f"{self.value(term)} + 1"

    def conjunct(self, term: Term) -> str:
        """A condition as a conjunct of an action, for TLC to evaluate and not to take for branches of the action."""
        text = self.condition(term)
        return f"TRUE = {text}" if splits(term) else bare(text)

    def _quantified(self, term: Quantified) -> str:
        """A quantifier; its variables get names that no quantifier around it has, as TLA+ wants it."""
        bounds, body = self._bound(term)
        return f"({FORALL if term.universal else EXISTS} {bounds} : {body})"

    def _bound(self, term: Quantified) -> tuple[str, str]:
        """What the variables of a quantifier range over, and its body."""
        around = {variable: self.names.pop(variable) for variable in term.variables if variable in self.names}
        self.hidden += around.values()
        bounds = ", ".join(f"{self._name(v)} \\in {self.text.domain(v.sort)}" for v in term.variables)
        body = self._plain(term.body)
        for variable in term.variables:
            del self.names[variable]
        self.names |= around
        del self.hidden[len(self.hidden) - len(around) :]
        return bounds, body

    # -- values

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
            case Plus(left, right) if left is right:
                return f"(2 * {self.value(left)})"
            case Plus(left, right):
                return f"({self.value(left)} + {self.value(right)})"
            case Minus(left, right):
                return f"({self.value(left)} - {self.value(right)})"
            case Times(left, right):
                return f"({self.value(left)} * {self.value(right)})"
            case Div(left, right):
                return f"FloorDiv({self.argument(left)}, {self.argument(right)})"
            case Mod(left, right):
                return f"FloorMod({self.argument(left)}, {self.argument(right)})"
            case Position(inner, _):
                return f"({self.value(inner)} - 1)"
            case ElementAt(inner, _):
                return f"({self._following(inner)})"
            case Clamp(inner, most):
                return f"Clamp({self.argument(inner)}, {most})"
            case Ite(test, then, other):
                return f"(IF {self._plain(test)} THEN {self.argument(then)} ELSE {self.argument(other)})"
            case Not() | And() | Or() | Eq() | Less() | IsNone() | Quantified():
                return f"({self._plain(term)})"
            case Whole():
                return self._whole(term)
            case _:
                assert_never(term)

    def argument(self, term: Term) -> str:
        """A value between commas or in brackets."""
        return bare(self.value(term))

    def _whole(self, term: Whole) -> str:
        operands = term.operands
        match term.operation:
            case Operation.CELL:
                return "@" if term is OLD_VALUE else self.text.field(term.detail) + self.cell(term.detail, operands)
            case Operation.LIST:
                return f"<<{', '.join(map(self.argument, operands))}>>"
            case Operation.APPEND:
                return f"Append({self.argument(operands[0])}, {self.argument(operands[1])})"
            case Operation.TAIL:
                return f"Tail({self.argument(operands[0])})"
            case Operation.SLICE:
                values, start, end = operands
                return f"SubSeq({self.argument(values)}, {self.place(start)}, {self.argument(end)})"
            case Operation.JOIN:
                return f"({JOIN.join(map(self.value, operands))})"
            case Operation.PUT:
                values, place, value = operands
                return f"[{self.argument(values)} EXCEPT ![{self.place(place)}] = {self.argument(value)}]"
            case Operation.LENGTH:
                return f"Len({self.argument(operands[0])})"
            case Operation.ITEM:
                return self._item(*operands)
            case Operation.IN_LIST:
                return self._in_list(*operands)
            case Operation.COUNT:
                assert isinstance(operands[0], Quantified)
                bounds, body = self._bound(operands[0])
                return f"Cardinality({{{bounds} : {body}}})"
            case Operation.SIZE:
                return f"Cardinality({self.argument(operands[0])})"
            case Operation.NO_MEMBERS:
                return self.text.no_members(term.detail)
            case Operation.ADD:
                return f"({self.value(operands[0])} \\cup {{{self.argument(operands[1])}}})"
            case Operation.DISCARD:
                return f"({self.value(operands[0])} \\ {{{self.argument(operands[1])}}})"
            case Operation.TIMES:
                return f"{self.value(operands[0])}[{self.argument(operands[1])}]"
            case Operation.PUT_TIMES:
                bag, member, times = operands
                return f"[{self.argument(bag)} EXCEPT ![{self.argument(member)}] = {self.argument(times)}]"
            case Operation.RECORD:
                pairs = zip(term.detail.parts, operands, strict=True)
                return f"[{', '.join(f'{name} |-> {self.argument(value)}' for (name, _), value in pairs)}]"
            case Operation.ATTRIBUTE:
                return f"{self.value(operands[0])}.{term.detail}"
            case Operation.NONE:
                return NONE
            case Operation.VALUE:
                return self.value(operands[0])
            case Operation.THERE | Operation.IN:
                return f"({self.condition(term)})"
            case _:
                assert_never(term.operation)

    def _item(self, values: Term, place: Term) -> str:
        if place == number(0):
            return f"Head({self.argument(values)})"
        return f"{self.value(values)}[{self.place(place)}]"

    def _in_list(self, values: Term, value: Term) -> str:
        name = "i"
        while name in self.text.taken or name in self.names.values() or name in self.hidden:
            name += "_"
        places = f"1..{self.value(length(values))}"
        return f"({EXISTS} {name} \\in {places} : {self.value(values)}[{name}] = {self.value(value)})"

    def place(self, place: Term) -> str:
        """The number of a place, which TLA+ counts from 1."""
        match place:
            case Minus(left, Const(_, 1)):
                return self.argument(left)
            case _:
                return self.argument(plus(place, number(1)))

    # -- cells

    def cell(self, field: str, indices: Sequence[Term]) -> str:
        """What comes after the name of a field for one of its cells: a field is a function to functions to values."""
        pairs = zip(indices, self.text.sorts[unprimed(field)], strict=True)
        return "".join(f"[{self.index(index, sort)}]" for index, sort in pairs)

    def index(self, index: Term, sort: type[Sort]) -> str:
        """An index of a field; a number as it is, and not counted from 0."""
        low = sort.values.low if isinstance(sort.values, Int) else 0
        return self.argument(plus(index, number(low)) if low and not isinstance(index, Var) else index)


def _summands(term: Term) -> tuple[Term, ...]:
    return (term.left, term.right) if isinstance(term, Plus | Minus) else ()


def both_or_neither(one: Term, other: Term) -> tuple[Term, Term] | None:
    """What is compared by two parts of a disjunction: two conditions are both true or both false, or are one value."""
    match one, other:
        case And((left, right)), And((second, third)) if (second, third) == (not_(left), not_(right)):
            if isinstance(left, IsNone) and isinstance(right, IsNone):
                return None
            return left, right
        case And((IsNone(left), IsNone(right))), And((Not(IsNone(a)), Not(IsNone(b)), Eq(Deref(c, _), Deref(d, _)))):
            return (left, right) if {left, right} == {a, b} == {c, d} else None
        case _:
            return None


def without_needless(terms: tuple[Term, ...]) -> list[Term]:
    """The parts of a conjunction, but for those which say of a value that is compared next that it is not None."""
    found = []
    for term, after in itertools.zip_longest(terms, terms[1:]):
        sides = (after.left, after.right) if isinstance(after, Eq) else ()
        asked = term.term.term if isinstance(term, Not) and isinstance(term.term, IsNone) else None
        if asked is None or not any(isinstance(side, Deref) and side.term is asked for side in sides):
            found.append(term)
    return found


def implied(terms: tuple[Term, ...]) -> tuple[list[Term], list[Term]]:
    """What a disjunction presupposes, and what it then says; with no premise for one that is no implication."""
    premise: list[Term] = []
    for number_of, term in enumerate(terms[:-1]):
        if not isinstance(term, Not):
            return premise, list(terms[number_of:])
        premise.append(term.term)
    return premise, [terms[-1]]


def splits(term: Term) -> bool:
    """Whether TLC would take a condition in an action for several branches of the action, and evaluate them all."""
    match term:
        case Or((one, other)) if both_or_neither(one, other) is not None:
            return False
        case Or(terms):
            premise, conclusion = implied(terms)
            return not premise or splits(or_(*conclusion))
        case And(terms):
            return any(map(splits, terms))
        case Quantified(universal, _, body):
            return not universal or splits(body)
        case Ite(_, then, other):
            return splits(then) or splits(other)
        case Whole(operation=Operation.IN_LIST):
            return True
        case _:
            return False
