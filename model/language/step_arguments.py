"""The arguments of a step by name, as people and drivers give them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from onceproof.model.language.declare import Action
from onceproof.model.language.errors import ModelError, nearest
from onceproof.model.language.index_sets import cardinality
from onceproof.model.language.reading.result import UNMET, Chosen


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
        elements = [parameter.sort.element(i) for i in range(sizes[parameter.sort.__name__])]
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
