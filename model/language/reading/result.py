"""Readings: every way through an action as a guarded update, and a property as two terms."""

from __future__ import annotations

from dataclasses import dataclass

from onceproof.model.language.declare import Action, Property
from onceproof.model.language.errors import ModelError
from onceproof.model.language.terms import (
    TRUE,
    Term,
    Var,
    and_,
    eq,
    ite,
)
from onceproof.model.language.traversal import substitute


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
    """What must never be true: there the function itself would fail (an index that is None, say)."""

    guard: tuple[Term, ...]
    message: str


@dataclass(frozen=True)
class ActionReading:
    """All ways through an action; no way at all means that this configuration rules it out."""

    action: Action
    variables: tuple[Var, ...]
    paths: tuple[Path, ...]
    obligations: tuple[Obligation, ...]

    @property
    def possible(self) -> bool:
        """Whether it may happen, or fail, for all that its terms say by themselves."""
        return bool(self.paths or self.obligations)


@dataclass(frozen=True)
class PropertyReading:
    """A property is violated where ``antecedent`` holds and ``body`` does not.

    ordered: the sorts whose elements it looks at one after the other, so that it may tell the first from the last.
    """

    property: Property
    variables: tuple[Var, ...]
    antecedent: Term
    body: Term
    obligations: tuple[Obligation, ...]
    ordered: frozenset[str] = frozenset()


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
