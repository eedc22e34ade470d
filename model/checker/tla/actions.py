"""The ways through an action put back together: one guard, and for each field one list of writes with conditions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from onceproof.model.language.reading.result import ActionReading, Path, Write
from onceproof.model.language.terms import FALSE, TRUE, And, Const, Not, Term, and_, eq, ite, kind_of_term, not_, or_


@dataclass(frozen=True)
class Merged:
    """An action as one guard (all parts of it) and its writes; of two writes to one cell the later one counts."""

    guard: tuple[Term, ...]
    writes: tuple[Write, ...]

    @property
    def fields(self) -> list[str]:
        """The fields that are written, in order."""
        return list(dict.fromkeys(write.field for write in self.writes))


def merged(reading: ActionReading) -> Merged:
    """One guard and one list of writes for all ways through an action."""
    guard, writes = _merge(list(reading.paths), 0)
    parts = guard.terms if isinstance(guard, And) else (guard,)
    return Merged(tuple(part for part in parts if part != TRUE), tuple(writes))


def _merge(paths: Sequence[Path], depth: int) -> tuple[Term, list[Write]]:
    """Guard and writes of paths that agree on their first ``depth`` decisions."""
    if len(paths) == 1:
        return and_(*paths[0].guard[depth:]), list(paths[0].writes)
    term = _positive(paths[0].guard[depth])
    yes = [path for path in paths if path.guard[depth] == term]
    no = [path for path in paths if path.guard[depth] != term]
    if not no or not yes:
        guard, writes = _merge(yes or no, depth + 1)
        return and_(term if yes else not_(term), guard), writes
    yes_guard, yes_writes = _merge(yes, depth + 1)
    no_guard, no_writes = _merge(no, depth + 1)
    return _either(term, yes_guard, no_guard), _joined(term, yes_writes, no_writes)


def _either(term: Term, yes: Term, no: Term) -> Term:
    """``yes`` where the term is true, else ``no``, with what both ask for in front."""
    yes_parts, no_parts = _parts(yes), _parts(no)
    common = [part for part in yes_parts if part in no_parts]
    rest = ite(
        term,
        and_(*(part for part in yes_parts if part not in common)),
        and_(*(part for part in no_parts if part not in common)),
    )
    return and_(*common, rest)


def _parts(term: Term) -> tuple[Term, ...]:
    return term.terms if isinstance(term, And) else (term,)


def _positive(term: Term) -> Term:
    return term.term if isinstance(term, Not) else term


def _joined(term: Term, yes: list[Write], no: list[Write]) -> list[Write]:
    """The writes of both branches; those to the same cells in the same order become one."""
    fields = dict.fromkeys(write.field for write in [*yes, *no])
    result: list[Write] = []
    for field in fields:
        ours = [write for write in yes if write.field == field]
        theirs = [write for write in no if write.field == field]
        if [(w.indices, w.binders) for w in ours] == [(w.indices, w.binders) for w in theirs]:
            result += [_one(term, a, b) for a, b in zip(ours, theirs, strict=True)]
        else:
            result += [replace(write, condition=and_(term, write.condition)) for write in ours]
            result += [replace(write, condition=and_(not_(term), write.condition)) for write in theirs]
    return [write for write in result if write.condition != FALSE]


def _one(term: Term, yes: Write, no: Write) -> Write:
    value = ite(term, yes.value, no.value)
    if yes.condition == FALSE or no.condition == FALSE:
        value = no.value if yes.condition == FALSE else yes.value
    return replace(yes, value=value, condition=ite(term, yes.condition, no.condition))


def unmet_choices_are_first(reading: ActionReading) -> list[Term]:
    """That a choice that the action does not meet is the first one, so that it makes no step of its own."""
    firsts = [(one.met, eq(one.variable, Const(kind_of_term(one.variable), 0))) for one in reading.choices]
    return [or_(met, first) for met, first in firsts if met != TRUE]
