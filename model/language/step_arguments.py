"""The arguments of a step and its choices: as people and drivers name them, and as a run of an action makes them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from onceproof.model.language.declare import Action
from onceproof.model.language.errors import InternalContradiction, ModelError, nearest
from onceproof.model.language.evaluate import meaning
from onceproof.model.language.index_sets import cardinality
from onceproof.model.language.layout import Layout, State
from onceproof.model.language.reading.result import UNMET, ActionReading, Chosen


def codes_of_arguments(
    action: Action, choices: Sequence[Chosen], sizes: Mapping[str, int], given: Mapping[str, Any]
) -> tuple[int, ...]:
    """The numbers of named arguments and choices, in the order of a step; ModelError for an unknown name or value."""
    names = [*(p.name for p in action.parameters), *(choice.name for choice in choices)]
    for name in given:
        if name not in names:
            raise ModelError(f"`{action.name}` has no argument `{name}`{nearest(name, names)}")
    codes = []
    for parameter in action.parameters:
        elements = [parameter.element(i) for i in range(sizes[parameter.sort.__name__])]
        value = given.get(parameter.name)
        if value not in elements:
            raise ModelError(
                f"`{action.name}`: `{parameter.name}` must be one of {', '.join(elements)}, found {value!r}"
            )
        codes.append(elements.index(value))
    for choice in choices:
        shown = [choice.element(code) for code in range(cardinality(choice.sort, sizes))]
        value = given.get(choice.name, shown[0])
        if value not in shown:
            raise ModelError(f"`{action.name}`: `{choice.name}` must be one of {', '.join(shown)}, found {value!r}")
        codes.append(shown.index(value) if choice.name in given else UNMET)
    return tuple(codes)


def groups_of_arguments(action: Action, sizes: Mapping[str, int]) -> Iterator[list[tuple[int, ...]]]:
    """The argument tuples of an action, in groups that differ in what is ``Fresh``: the first enabled one counts."""
    ranges = [range(sizes[parameter.sort.__name__]) for parameter in action.parameters]
    fresh = [position for position, parameter in enumerate(action.parameters) if parameter.fresh]
    fixed = [position for position in range(len(ranges)) if position not in fresh]
    for chosen in itertools.product(*(ranges[position] for position in fixed)):
        group = []
        for free in itertools.product(*(ranges[position] for position in fresh)):
            values = dict(zip(fixed + fresh, chosen + free, strict=True))
            group.append(tuple(values[position] for position in range(len(ranges))))
        yield group


def choices_made(
    reading: ActionReading,
    layout: Layout,
    state: State,
    arguments: Sequence[int],
    taken: Sequence[Any],
    *,
    ended: bool = True,
) -> tuple[int, ...]:
    """Arguments with what was chosen in a run, and UNMET for each choice that was not met.

    ended: the run came to its end; of one that failed on the way the choices after that are any.
    """
    left, what = list(taken), reading.action.what
    found = [*arguments, *(UNMET for _ in reading.choices)]
    for place, choice in enumerate(reading.choices, len(arguments)):
        if meaning(choice.met, layout)(state, reading.environment(found)):
            if ended and not left:
                raise InternalContradiction(f"{what} chooses {taken}, and is read to choose more")
            found[place] = choice.kind.encode(left.pop(0)) if left else 0
    if left:
        raise InternalContradiction(f"{what} chooses {taken}, and is read to choose less")
    return tuple(found)


def with_met_choices(reading: ActionReading, layout: Layout, state: State, arguments: Sequence[int]) -> tuple[int, ...]:
    """Arguments with choices where the reading says that the action meets them in a state, and nowhere else."""
    found = [*arguments, *(0 for _ in reading.all_variables[len(arguments) :])]
    for place, choice in enumerate(reading.choices, len(reading.variables)):
        met = meaning(choice.met, layout)(state, reading.environment(found))
        found[place] = max(found[place], 0) if met else UNMET
    return tuple(found)
