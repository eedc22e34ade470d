"""Which mechanisms make no difference at all: found out on the way, while the full design is explored.

A *probe* asks of each state: is there an action that would go another way here, were this mechanism off? If no
reachable state says yes, then the states and steps without the mechanism are the same ones, by induction over the
steps: what was found for the full design is what would be found without it, and nothing more need be explored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from difflib import SequenceMatcher
from typing import Any

from onceproof.model.language import Config, Model, System
from onceproof.model.language.declare import Property
from onceproof.model.language.reading.result import ActionReading, PropertyReading, Write
from onceproof.model.language.refinement import content_of
from onceproof.model.language.terms import TRUE, Term, and_, eq, not_, or_, quantified

ENDING = "matters"  # a probe is called after its mechanism, and this: no property can be called so


class ProbedSystem(System):
    """A system with a probe for each of some mechanisms: ``probes[mechanism]`` is the name of its property.

    without: for each mechanism the configuration without it. One that is left out of ``probes`` can't be compared: it
    has other cells, or other properties apply. compared: called with the system without each mechanism.
    """

    def __init__(
        self,
        model: Model,
        config: Config,
        without: Mapping[str, Config],
        compared: Callable[[System], None] | None = None,
    ) -> None:
        super().__init__(model, config)
        self.probes: dict[str, str] = {}
        self._asked: dict[str, PropertyReading] = {}
        for mechanism, other_config in without.items():
            other = System(model, other_config)
            if compared is not None:
                compared(other)
            if _comparable(self, other):
                claim = Property(_not_run, (), "sometimes", optional=True, name=f"{mechanism} {ENDING}")
                self.probes[mechanism] = claim.name
                self._asked[claim.name] = PropertyReading(
                    claim, (), TRUE, difference(self.readings, other.readings), ()
                )

    def properties(self, names: list[str] | None = None) -> list[Property]:
        return super().properties(names) + ([t.property for t in self._asked.values()] if names is None else [])

    @property
    def questions(self) -> list[Property]:
        """The probes as properties."""
        return [reading.property for reading in self._asked.values()]

    def property_reading(self, claim: Property) -> PropertyReading:
        return self._asked.get(claim.name) or super().property_reading(claim)


def _not_run(*_: Any) -> bool:
    """Probes are made of traces: there is nothing to run."""
    raise NotImplementedError("a probe has no function that could be run")


def _comparable(one: System, other: System) -> bool:
    """Whether two systems have the same cells, start in the same states, and are asked the same."""
    places = [[(p.name, p.shape, p.cardinality, p.offset) for p in s.layout.places.values()] for s in (one, other)]
    if places[0] != places[1] or one.initials != other.initials:
        return False
    claims, others = (
        [claim for claim in System.properties(system) if claim.kind != "sometimes"] for system in (one, other)
    )
    if [claim.name for claim in claims] != [claim.name for claim in others]:
        return False
    optional = [claim for claim in one.model.properties.values() if claim.optional and claim.when is None]
    every = [*claims, *(claim for claim in optional if claim.invariant is None)]
    return all(content_of(one, claim) == content_of(other, claim) for claim in every)


def difference(one: Mapping[str, ActionReading], other: Mapping[str, ActionReading]) -> Term:
    """The condition under which some action, for some elements, goes another way in one reading than in the other."""
    names = dict.fromkeys([*one, *other])
    parts = []
    for name in names:
        mine, theirs = one.get(name), other.get(name)
        if mine == theirs:
            continue
        reading = mine or theirs
        assert reading is not None
        if mine and theirs and mine.variables != theirs.variables:
            return TRUE
        term = _goes_another_way(mine or replace(reading, paths=(), obligations=()), theirs, reading)
        parts.append(quantified(False, reading.all_variables, term) if reading.all_variables else term)
    return or_(*parts)


def _goes_another_way(mine: ActionReading, theirs: ActionReading | None, shape: ActionReading) -> Term:
    other = theirs or replace(shape, paths=(), obligations=())
    enabled, enabled_there = _enabled(mine), _enabled(other)
    parts = []
    if enabled != enabled_there:
        parts += [and_(enabled, not_(enabled_there)), and_(enabled_there, not_(enabled))]
    parts += [and_(enabled, enabled_there, done) for done in _done_by_one_alone(mine, other)]
    # Where the model itself would fail in one of the two, they differ as well.
    failures = set(mine.obligations) ^ set(other.obligations)
    return or_(*parts, *(and_(*failure.guard) for failure in sorted(failures, key=lambda one: one.message)))


def _enabled(read: ActionReading) -> Term:
    """When an action can happen."""
    return or_(*(and_(*path.guard) for path in read.paths))


def _done_by_one_alone(mine: ActionReading, other: ActionReading) -> Iterator[Term]:
    """When a write is made that only one of two actions makes; where none is, both do the same, in the same order."""
    ours, theirs = ([write for path in one.paths for write in path.writes] for one in (mine, other))
    cells = [[(write.field, write.indices, write.binders) for write in part] for part in (ours, theirs)]
    for kind, start, end, from_, to in SequenceMatcher(None, cells[0], cells[1], autojunk=False).get_opcodes():
        if kind == "equal":
            pairs = zip(ours[start:end], theirs[from_:to], strict=True)
            found = [(one, _differ(one, two)) for one, two in pairs if one != two]
        else:
            found = [(write, write.condition) for write in (*ours[start:end], *theirs[from_:to])]
        yield from (quantified(False, one.binders, term) if one.binders else term for one, term in found)


def _differ(one: Write, two: Write) -> Term:
    """When two writes to the same cell leave different values in it."""
    here, there = one.condition, two.condition
    changed = and_(here, there, not_(eq(one.value, two.value)))
    return or_(and_(here, not_(there)), and_(there, not_(here)), changed)


def never_seen(system: ProbedSystem, unseen: Iterable[str]) -> frozenset[str]:
    """The mechanisms whose probes, by these names, no reachable state answered with yes."""
    names = set(unseen)
    return frozenset(mechanism for mechanism, probe in system.probes.items() if probe in names)
