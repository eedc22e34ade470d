"""Readings: every way through an action as a guarded update, and a property as two terms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from onceproof.model.language.declare import Action, Property
from onceproof.model.language.errors import ModelError
from onceproof.model.language.index_sets import cardinality
from onceproof.model.language.sorts import Index, Kind, Sort
from onceproof.model.language.terms import (
    TRUE,
    Read,
    Term,
    Var,
    and_,
    eq,
    ite,
    not_,
)
from onceproof.model.language.traversal import substitute, walk
from onceproof.model.language.wholes import field_read


@dataclass(frozen=True, slots=True)
class Write:
    """``field[indices] = value`` where ``condition`` holds; for all values of ``binders``, if there are any.

    All terms speak of the state before the step. Of two writes to one cell the later one counts.
    """

    field: str
    indices: tuple[Term, ...]
    value: Term
    condition: Term = TRUE
    binders: tuple[Var, ...] = ()


@dataclass(frozen=True, slots=True)
class Path:
    """One way through an action: if all of ``guard`` is true it is enabled and does ``writes``. Ways are disjoint."""

    guard: tuple[Term, ...]
    writes: tuple[Write, ...]


@dataclass(frozen=True, slots=True)
class Obligation:
    """What must never be true: there the function itself would fail (an index that is None, say).

    leaves: there it writes what a field cannot hold, which is a violation by the system and no failure of the model.
    """

    guard: tuple[Term, ...]
    message: str
    leaves: bool = False


UNMET = -1  # what stands among the arguments of a step for a choice that it does not meet


@dataclass(frozen=True)
class Chosen:
    """A choice that an action makes on its way, as a further variable of its reading.

    met: when an action that can happen comes to it. kind: what is chosen; the variable is 0 for its first value.
    """

    name: str
    variable: Var
    met: Term
    kind: Kind

    @property
    def sort(self) -> type[Sort]:
        """What the variable ranges over."""
        return self.variable.sort

    @property
    def fresh(self) -> bool:
        """Whether any will do: each choice counts."""
        return False

    @property
    def is_of_values(self) -> bool:
        """Whether what is chosen has one name for everybody, as numbers have, and elements do not."""
        return not isinstance(self.kind, Index) or self.sort.values is not None

    def element(self, code: int) -> str:
        """What is chosen, as people read it."""
        value = self.kind.show(code)
        return "none" if value is None else str(value)


@dataclass(frozen=True)
class ActionReading:
    """All ways through an action; no way at all means that this configuration rules it out.

    The arguments of a step are those of the action, and after them its choices, in the order of the reading. Where a
    choice is not met, UNMET stands for it, so that each step has one tuple of arguments only.
    """

    action: Action
    variables: tuple[Var, ...]
    paths: tuple[Path, ...]
    obligations: tuple[Obligation, ...]
    choices: tuple[Chosen, ...] = ()

    @property
    def all_variables(self) -> tuple[Var, ...]:
        """The variables of the parameters, and those of the choices."""
        return (*self.variables, *(one.variable for one in self.choices))

    def environment(self, arguments: Sequence[int]) -> dict[Var, int]:
        """What each variable stands for in a step; that of a choice that is not met, for anything."""
        return dict(zip(self.all_variables, (max(code, 0) for code in arguments), strict=True))

    def as_chosen(self, arguments: Sequence[int]) -> tuple[Term, ...]:
        """The conditions under which just those choices are met that are among the arguments of a step."""
        codes = arguments[len(self.variables) :]
        met = zip(self.choices, codes, strict=True)
        found = (not_(one.met) if code == UNMET else one.met for one, code in met)
        return tuple(term for term in found if term is not TRUE)

    def codes(self, sizes: Mapping[str, int]) -> list[range]:
        """For each choice what may stand for it among the arguments of a step."""
        return [range(0 if one.met is TRUE else UNMET, cardinality(one.sort, sizes)) for one in self.choices]

    @property
    def possible(self) -> bool:
        """Whether it may happen, or fail, for all that its terms say by themselves."""
        return bool(self.paths or self.obligations)


def touched_by(reading: ActionReading) -> tuple[set[str], set[str]]:
    """The fields that an action reads, and those that it writes."""
    writes = [write for path in reading.paths for write in path.writes]
    terms = [term for path in reading.paths for term in path.guard]
    terms += [term for write in writes for term in (*write.indices, write.value, write.condition)]
    terms += [term for one in reading.obligations for term in one.guard]
    terms += [choice.met for choice in reading.choices]
    parts = [part for term in terms for part in walk(term)]
    read = {part.field for part in parts if isinstance(part, Read)}
    read |= {found[0] for part in parts if (found := field_read(part))}
    return read, {write.field for write in writes}


@dataclass(frozen=True)
class PropertyReading:
    """A property is violated where ``antecedent`` holds and ``body`` does not.

    ordered: the sorts whose elements it looks at one after the other, so that it may tell the first from the last.
    presupposes: whether it says ``given(...)`` at all. meanwhile: of an ``until``, what is true until the body is.
    """

    property: Property
    variables: tuple[Var, ...]
    antecedent: Term
    body: Term
    obligations: tuple[Obligation, ...]
    ordered: frozenset[str] = frozenset()
    presupposes: bool = False
    meanwhile: Term = TRUE


def overwritten(write: Write, indices: tuple[Term, ...], older: Term) -> Term:
    """The value of a cell after a write to its field, given its value before it."""
    bound: dict[Var, Term] = {}
    for mine, asked in zip(write.indices, indices, strict=True):
        if isinstance(mine, Var) and mine in write.binders:
            bound.setdefault(mine, asked)
    if len(bound) < len(write.binders):
        raise ModelError(f"`{write.field}` is read after a loop wrote it in a way that cannot be followed")
    same = and_(*(eq(substitute(m, bound), a) for m, a in zip(write.indices, indices, strict=True)))
    return ite(and_(same, substitute(write.condition, bound)), substitute(write.value, bound), older)
