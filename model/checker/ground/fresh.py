"""Whether elements that a ``Fresh`` parameter may take are alike, as symmetry reduction has it.

Of the elements that will do a step takes the first. If two of them can be exchanged without a change of the state, then
it does not matter which is taken: the states that follow are the same but for which element is which. If they differ,
a state and the one that represents it go on in different ways. So the search looks for a state in which they do.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator
from typing import Any

from onceproof.model.language.arguments import Parameter
from onceproof.model.language.declare import Property
from onceproof.model.language.layout import LEFT, Layout
from onceproof.model.language.reading.result import ActionReading, PropertyReading
from onceproof.model.language.sorts import Index, Maybe
from onceproof.model.language.system import System
from onceproof.model.language.terms import TRUE, Const, Read, Term, Var, and_, boolean, eq, not_, or_
from onceproof.model.language.traversal import substitute

OTHER = "other."  # no name of an author's has a dot


def difference_claims(system: System, sorts: Collection[str]) -> list[Property]:
    """For each action that takes a fresh element of these sorts: that two which will do differ in a state.

    Each is a property of the system from then on, of the kind *sometimes*, and must not be seen.
    """
    claims = []
    for reading in system.readings.values():
        for parameter in reading.action.parameters:
            if parameter.fresh and parameter.sort.__name__ in sorts and reading.paths:
                claims.append(_claim(system, reading, parameter))
    return claims


def _claim(system: System, reading: ActionReading, fresh: Parameter) -> Property:
    action = reading.action
    variable = reading.variables[action.parameters.index(fresh)]
    other = Var(OTHER + variable.name, variable.sort)
    enabled = or_(*(and_(*path.guard) for path in reading.paths))
    pairs = itertools.combinations(range(system.sizes[fresh.sort.__name__]), 2)
    kind = Index(fresh.sort)
    # Named by another argument, too, an element is not one that can be exchanged; and of several fresh ones together it
    # is not followed which are taken.
    named = [v for v in reading.variables if v is not variable and v.sort is fresh.sort]
    several = sum(parameter.fresh for parameter in action.parameters) > 1
    unlike = or_(
        *(
            and_(
                eq(variable, Const(kind, one)),
                eq(other, Const(kind, two)),
                or_(
                    boolean(several),
                    *(eq(v, Const(kind, element)) for v in named for element in (one, two)),
                    *_differences(system.layout, fresh.sort.__name__, one, two),
                ),
            )
            for one, two in pairs
        )
    )
    elsewhere = substitute(enabled, {variable: other})
    parameters = (*action.parameters, Parameter(other.name, fresh.sort))
    claim = Property(_not_run, parameters, "sometimes", optional=True, name=f"{action.name} {fresh.name}")
    body = and_(unlike, enabled, elsewhere)
    system.add_reading(PropertyReading(claim, (*reading.variables, other), TRUE, body, ()))
    return claim


def _not_run(*_: Any) -> bool:
    """Such a claim is made of terms: there is nothing to run."""
    raise NotImplementedError("a claim about fresh elements has no function that could be run")


def _differences(layout: Layout, sort: str, one: int, two: int) -> Iterator[Term]:
    """Conditions of which one is true where a state is another one when the two elements are exchanged."""
    exchanged = {one: two, two: one}
    for place, key in layout.labels:
        if place.name.startswith(LEFT) or (place.field is not None and place.field.constant):
            continue
        there = tuple(
            exchanged.get(index, index) if of.__name__ == sort else index
            for of, index in zip(place.sorts, key, strict=True)
        )
        kind = place.kind
        cell, target = (_read(layout, place.name, indices) for indices in (key, there))
        if isinstance(kind, Index | Maybe) and kind.sort.__name__ == sort:
            first = int(isinstance(kind, Maybe))
            yield from (eq(cell, Const(kind, element + first)) for element in (one, two))
        if there > key:
            yield not_(eq(cell, target))


def _read(layout: Layout, name: str, indices: tuple[int, ...]) -> Term:
    place = layout.places[name]
    return Read(
        name, tuple(Const(Index(of), index) for of, index in zip(place.sorts, indices, strict=True)), place.kind
    )
