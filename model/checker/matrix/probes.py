"""Which mechanisms make no difference at all: found out on the way, while the full design is explored.

A *probe* asks of each state: is there an action that would go another way here, were this mechanism off? If no
reachable state says yes, then the states and steps without the mechanism are the same ones, by induction over the
steps: what was found for the full design is what would be found without it, and nothing more need be explored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from onceproof.model.language import Config, Model, System
from onceproof.model.language.declare import Property
from onceproof.model.language.terms import FALSE, TRUE, Term, and_, not_, or_, quantified
from onceproof.model.language.tracing.tracer import TracedAction, TracedProperty

ENDING = "matters"  # a probe is called after its mechanism, and this: no property can be called so


class ProbedSystem(System):
    """A system with a probe for each of some mechanisms: ``probes[mechanism]`` is the name of its property.

    without: for each mechanism the configuration without it. One that is left out of ``probes`` can't be compared: it
    has other cells, or other properties apply.
    """

    def __init__(self, model: Model, config: Config, without: Mapping[str, Config]) -> None:
        super().__init__(model, config)
        self.probes: dict[str, str] = {}
        self._asked: dict[str, TracedProperty] = {}
        for mechanism, other_config in without.items():
            other = System(model, other_config)
            if _comparable(self, other):
                claim = Property(_not_run, (), "sometimes", optional=True, name=f"{mechanism} {ENDING}")
                self.probes[mechanism] = claim.name
                self._asked[claim.name] = TracedProperty(claim, (), TRUE, difference(self, other), ())

    def properties(self, names: list[str] | None = None) -> list[Property]:
        return super().properties(names) + ([t.property for t in self._asked.values()] if names is None else [])

    @property
    def questions(self) -> list[Property]:
        """The probes as properties."""
        return [traced.property for traced in self._asked.values()]

    def traced_property(self, claim: Property) -> TracedProperty:
        return self._asked.get(claim.name) or super().traced_property(claim)


def _not_run(*_: Any) -> bool:
    """Probes are made of traces: there is nothing to run."""
    raise NotImplementedError("a probe has no function that could be run")


def _comparable(one: System, other: System) -> bool:
    """Whether two systems have the same cells, start in the same state, and are asked the same."""
    places = [[(p.name, p.shape, p.cardinality, p.offset) for p in s.layout.places.values()] for s in (one, other)]
    if places[0] != places[1] or one.initial != other.initial:
        return False
    claims, others = (
        [claim for claim in System.properties(system) if claim.kind != "sometimes"] for system in (one, other)
    )
    if [claim.name for claim in claims] != [claim.name for claim in others]:
        return False
    optional = [claim for claim in one.model.properties.values() if claim.optional and claim.when is None]
    endings = [one.ending] if one.ending is not None else []
    every = [*claims, *(claim for claim in optional if claim.invariant is None), *endings]
    return all(one.traced_property(claim) == other.traced_property(claim) for claim in every)


def difference(one: System, other: System) -> Term:
    """The condition under which some action, for some elements, goes another way in one system than in the other."""
    names = dict.fromkeys([*one.traced, *other.traced])
    parts = []
    for name in names:
        mine, theirs = one.traced.get(name), other.traced.get(name)
        if mine == theirs:
            continue
        traced = mine or theirs
        assert traced is not None
        if mine and theirs and mine.variables != theirs.variables:
            return TRUE
        term = _goes_another_way(mine or replace(traced, paths=(), obligations=()), theirs, traced)
        parts.append(quantified(False, traced.variables, term) if traced.variables else term)
    return or_(*parts)


def _goes_another_way(mine: TracedAction, theirs: TracedAction | None, shape: TracedAction) -> Term:
    other = theirs or replace(shape, paths=(), obligations=())
    here, there = _guards(mine), _guards(other)
    parts = []
    for writes in dict.fromkeys([*here, *there]):
        one, two = here.get(writes, FALSE), there.get(writes, FALSE)
        if one != two:
            parts += [and_(one, not_(two)), and_(two, not_(one))]
    # Where the model itself would fail in one of the two, they differ as well.
    failures = set(mine.obligations) ^ set(other.obligations)
    return or_(*parts, *(and_(*failure.guard) for failure in sorted(failures, key=repr)))


def _guards(traced: TracedAction) -> dict[Any, Term]:
    """For each list of writes the condition under which it is done."""
    found: dict[Any, list[Term]] = {}
    for path in traced.paths:
        found.setdefault(path.writes, []).append(and_(*path.guard))
    return {writes: or_(*guards) for writes, guards in found.items()}


def never_seen(system: ProbedSystem, unseen: Iterable[str]) -> frozenset[str]:
    """The mechanisms whose probes, by these names, no reachable state answered with yes."""
    names = set(unseen)
    return frozenset(mechanism for mechanism, probe in system.probes.items() if probe in names)
