"""What states must show of a reading: each of its conditions true, and false while all others are true."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from onceproof.model.language.layout import Layout
from onceproof.model.language.reading.result import ActionReading, Path, PropertyReading
from onceproof.model.language.terms import TRUE, Eq, Or, Read, Term, not_, parts_of

Goal = tuple[Term, ...]  # conditions that hold together; for what is free in them, elements may be chosen


def goals_of(reading: ActionReading | PropertyReading, layout: Layout) -> list[Goal]:
    """Goals for the states in which an action or a property is compared: one at least, each once."""
    found: dict[Goal, None] = {}
    if isinstance(reading, ActionReading):
        for path in reading.paths:
            found |= dict.fromkeys(_of_path(path, layout))
    else:
        antecedent = () if reading.antecedent is TRUE else parts_of(reading.antecedent)
        found |= dict.fromkeys(_of_conditions(antecedent))
        found |= dict.fromkeys(antecedent + goal for goal in _of_conditions(parts_of(reading.body)))
    found |= dict.fromkeys(obligation.guard for obligation in reading.obligations)
    return list(found) or [()]


def _of_path(path: Path, layout: Layout) -> Iterator[Goal]:
    yield from _of_conditions(path.guard)
    for write in path.writes:
        conditions = () if write.condition is TRUE else parts_of(write.condition)
        cell = Read(write.field, write.indices, layout.places[write.field].kind)
        yield (*path.guard, *conditions, not_(Eq(cell, write.value)))
        for goal in _of_conditions(conditions):
            yield path.guard + goal


def _of_conditions(conditions: Sequence[Term]) -> Iterator[Goal]:
    """All true; each false alone; each alternative of one the only one that is true."""
    every = tuple(conditions)
    yield every
    for place, one in enumerate(every):
        others = (*every[:place], *every[place + 1 :])
        yield (*others, not_(one))
        if isinstance(one, Or):
            for chosen in one.terms:
                yield (*others, chosen, *(not_(term) for term in one.terms if term is not chosen))
