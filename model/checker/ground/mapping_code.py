"""The mapping of a refinement as generated code: from a state to its image."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from onceproof.model.checker.ground.python_code import GeneratedSystem
from onceproof.model.checker.ground.steps import Ground
from onceproof.model.language.errors import OutOfRange
from onceproof.model.language.layout import State
from onceproof.model.language.refinement import Refinement


def image_function(refinement: Refinement, known: Sequence[int] | None) -> Callable[[State], State | None]:
    """As ``Refinement.image``, by generated code. known: the values that cells may have; None: the mapping is run."""
    if known is None:
        return refinement.image
    mapping = refinement.mapping
    own, blank = mapping.own, mapping.blank
    successors = GeneratedSystem(mapping, mapping_ground(refinement, known)).successors

    def image(state: State) -> State | None:
        try:
            ((_, after),) = successors((*state[:own], *blank))
        except OutOfRange:
            return None
        return after[own:]

    return image


def mapping_ground(refinement: Refinement, known: Sequence[int]) -> Ground:
    """The mapping over numbered cells: those of the model, of which it is known what they hold, then the image's."""
    mapping = refinement.mapping
    return Ground(mapping, known=[*known[: mapping.own], *(1 << code for code in mapping.blank)])
