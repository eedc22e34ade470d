"""What the unbounded encoding makes of ``network`` fields, and where a formula asks whether something is absent.

A state that is explored and one of the unbounded encoding are related if each network cell of the explored one is
empty or as in the other, and all other cells are equal: of all that was ever sent, some part is in flight. So

- a single write of nothing (a message arrives) is left out: what was sent may arrive again, late and out of order. What
  a loop clears is cleared, as a broken connection is;
- a condition that asks only whether something is *present* is true in the unbounded state wherever it is true in the
  explored one. Where *absence* counts (a negated read, an equality, a count, a value that is copied) an action reads
  what is in flight: any part of what was sent; what it does not find is lost from then on. Loops always read so;
- a property must be false in the explored state only where it is false in the unbounded one: it may presuppose that
  something is present (``given``), and must not claim it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import assert_never

from onceproof.model.checker.prover.formulas import WIRE
from onceproof.model.language.model import Model
from onceproof.model.language.operations import refuse
from onceproof.model.language.reading.result import Path, Write
from onceproof.model.language.sorts import Flag, Kind
from onceproof.model.language.terms import (
    BOOL,
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
    constant_of,
    eq,
    ite,
    not_,
)
from onceproof.model.language.terms import TRUE as ALWAYS
from onceproof.model.language.traversal import children, rebuilt, walk


class Demand(Enum):
    """How the truth of a formula in the explored state and in the unbounded one must hang together."""

    PRESENCE = "true in the explored state only where true in the unbounded one"  # guards
    ABSENCE = "true in the unbounded state only where true in the explored one"  # claims
    EXACT = "equal in both"  # values, branches

    @property
    def opposite(self) -> Demand:
        """The demand on what is negated."""
        return {Demand.PRESENCE: Demand.ABSENCE, Demand.ABSENCE: Demand.PRESENCE}.get(self, self)


Network = Mapping[str, Kind]  # the fields that hold what was sent, with the kinds of their cells


def network_fields(model: Model) -> Network:
    """The network fields of a model."""
    return {name: declared.kind for name, declared in model.fields.items() if declared.network}


def absences(term: Term, network: Network, demand: Demand, present: Iterable[Read] = ()) -> set[str]:
    """The network fields that a term reads where it counts that something is absent.

    present: cells that are known not to be empty, so that they are equal in both states.
    """
    search = _Absences(network)
    search.visit(term, demand, frozenset(present))
    return search.found


def written_absences(field: Read, value: Term, network: Network, present: Iterable[Read] = ()) -> set[str]:
    """The same for the new value of a cell; a network cell may also stay as it is, whatever is in flight."""
    if field.field not in network:
        return absences(value, network, Demand.EXACT, present)
    if isinstance(field.kind, Flag):
        return absences(value, network, Demand.PRESENCE, present)
    if value == field:
        return set()
    if isinstance(value, Ite):
        kept = [written_absences(field, part, network, present) for part in (value.then, value.other)]
        return absences(value.condition, network, Demand.EXACT, present).union(*kept)
    return absences(value, network, Demand.EXACT, present)


def presences(term: Term, network: Network) -> frozenset[Read]:
    """The network cells that cannot be empty where a condition is true."""
    match term:
        case And(terms):
            return frozenset[Read]().union(*(presences(part, network) for part in terms))
        case Not(inner):
            found = _atom(inner, network)
            return frozenset({found[0]}) if found and not found[1] else frozenset()
        case _:
            found = _atom(term, network) or _found_in_flight(term, network)
            return frozenset({found[0]}) if found and found[1] else frozenset()


def _atom(term: Term, network: Network) -> tuple[Read, bool] | None:
    """A network cell, and True where the truth of the term means that it is not empty, False where that it is."""
    match term:
        case Read(name, _, Flag()) if name in network:
            return term, True
        case IsNone(Read(name, _, _) as read) if name in network:
            return read, False
        case Eq(Read(name, _, _) as read, Const(_, code)) if name in network:
            return read, code != 0
        case Eq(Read(name, _, _) as read, Some()) if name in network:
            return read, True
        case Less(Const(_, code), Read(name, _, _) as read) if name in network and code >= 0:
            return read, True
        case Less(Read(name, _, _) as read, Const(_, 1)) if name in network:
            return read, False
        case _:
            return None


def _found_in_flight(term: Term, network: Network) -> tuple[Read, bool] | None:
    """The cell that is in flight where the term, which says so, is true: then it is as it was sent."""
    if isinstance(term, Read) and term.field.endswith(WIRE):
        name = term.field.removesuffix(WIRE)
        return Read(name, term.indices, network[name]), True
    return None


@dataclass
class _Absences:
    network: Network
    found: set[str] = field(default_factory=set)

    def visit(self, term: Term, demand: Demand, present: frozenset[Read]) -> None:
        atom = _atom(term, self.network)
        if atom is not None:
            read, is_presence = atom
            self._exactly((part for part in children(term) if part != read), present)
            self._exactly(read.indices, present)
            wanted = Demand.PRESENCE if is_presence else Demand.ABSENCE
            if read not in present and demand is not wanted:
                self.found.add(read.field)
            return
        match term:
            case Const() | Var():
                pass
            case Read(name, indices, _):
                self._exactly(indices, present)
                if name in self.network and term not in present:
                    self.found.add(name)
            case Not(inner):
                self.visit(inner, demand.opposite, present)
            case And(terms):
                self._siblings(terms, demand, present, demand is Demand.PRESENCE, lambda part: part)
            case Or(terms):
                self._siblings(terms, demand, present, demand is Demand.ABSENCE, not_)
            case Ite(condition, then, other):
                self.visit(condition, Demand.EXACT, present)
                self.visit(then, demand, present | presences(condition, self.network))
                self.visit(other, demand, present | presences(not_(condition), self.network))
            case Quantified(_, variables, body):
                bound = set(variables)
                self.visit(body, demand, frozenset(r for r in present if bound.isdisjoint(walk(r))))
            case IsNone() | Deref() | Some() | Eq() | Less() | Plus() | Minus() | Clamp():
                self._exactly(children(term), present)
            case Times() | Div() | Mod() | Position() | ElementAt():
                self._exactly(children(term), present)
            case Whole():
                refuse(term)
            case _:
                assert_never(term)

    def _siblings(
        self,
        terms: tuple[Term, ...],
        demand: Demand,
        present: frozenset[Read],
        guarded: bool,
        true: Callable[[Term], Term],
    ) -> None:
        """Visits the parts, each of which only matters where the others are as ``true`` says.

        That a cell is in flight is the same in both states; that it is not empty is so only where ``guarded``.
        """
        known = []
        for part in map(true, terms):
            found = _found_in_flight(part, self.network)
            known.append(presences(part, self.network) if guarded else frozenset([found[0]] if found else []))
        for number, part in enumerate(terms):
            others = frozenset[Read]().union(*known[:number], *known[number + 1 :])
            self.visit(part, demand, present | others)

    def _exactly(self, terms: Iterable[Term], present: frozenset[Read]) -> None:
        for term in terms:
            self.visit(term, Demand.EXACT, present)


def in_flight(term: Term, fields: Collection[str]) -> Term:
    """The term with every read of these fields taken for what happens to be in flight of all that was sent."""

    def again(inner: Term) -> Term:
        return in_flight(inner, fields)

    if isinstance(term, Read) and term.field in fields:
        read = Read(term.field, tuple(map(again, term.indices)), term.kind)
        return ite(Read(term.field + WIRE, read.indices, BOOL), read, constant_of(term.kind, 0))
    return rebuilt(term, again)


def kept_writes(model: Model, path: Path) -> Path:
    """The path with the writes that the unbounded encoding has: see above."""
    network = network_fields(model)
    writes = (_kept(model, network, write) for write in path.writes)
    return Path(path.guard, tuple(write for write in writes if write is not None))


def _kept(model: Model, network: Network, write: Write) -> Write | None:
    """A write as the unbounded encoding has it; None for one that it leaves out."""
    if write.binders:
        return replace(
            write,
            indices=tuple(in_flight(index, network) for index in write.indices),
            value=in_flight(write.value, network),
            condition=in_flight(write.condition, network),
        )
    if write.field not in network:
        return write
    nothing = eq(write.value, constant_of(model.fields[write.field].kind, 0))
    return None if nothing == ALWAYS else replace(write, condition=and_(write.condition, not_(nothing)))


def lossy(model: Model, path: Path, fields: Collection[str]) -> Path:
    """The path of an action that asks what is absent from these fields: what it does not find in flight is lost."""
    losses = []
    for name in sorted(fields):
        declared = model.fields[name]
        cell = tuple(Var(f"{place}.lost", sort) for place, sort in enumerate(declared.indices))
        gone = not_(Read(name + WIRE, cell, BOOL))
        losses.append(Write(name, cell, constant_of(declared.kind, 0), gone, cell))
    writes = [
        write
        if write.binders
        else replace(
            write,
            indices=tuple(in_flight(index, fields) for index in write.indices),
            value=in_flight(write.value, fields),
            condition=in_flight(write.condition, fields),
        )
        for write in path.writes
    ]
    return Path(tuple(in_flight(part, fields) for part in path.guard), (*losses, *writes))
