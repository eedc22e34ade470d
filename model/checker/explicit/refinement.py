"""Refinement on an explicit graph: is each edge a step of the abstract model, or none there?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onceproof.model.checker.deadline import OutOfTime, check_time
from onceproof.model.checker.explicit.graph import Graph
from onceproof.model.checker.ground.mapping_code import image_function
from onceproof.model.checker.ground.python_code import GeneratedSystem
from onceproof.model.language.layout import State
from onceproof.model.language.refinement import Refinement
from onceproof.model.language.system import Step

STANDS_STILL = "no step changes anything in the abstract model: all states have one image"
NONE = -1  # in place of the number of an image: the mapping gives none


@dataclass(frozen=True)
class Judged:
    """What is wrong in a graph: initial states, or edges (source, step, target). exercised: whether images change.

    partial: there was not enough time to look at all edges.
    """

    starts_badly: list[int]
    wrong: list[tuple[int, int, int]]
    exercised: bool
    partial: bool

    def wrong_steps(self, steps: Sequence[Step]) -> dict[int, list[Step]]:
        """By the state that they are taken from the steps that are wrong. steps: by number."""
        found: dict[int, list[Step]] = {}
        for source, step, _ in self.wrong:
            found.setdefault(source, []).append(steps[step])
        return found


def judged(graph: Graph, refinement: Refinement) -> Judged:
    """Looks at each edge of a graph; OutOfTime where that takes too long and nothing is wrong so far.

    ModelError where the mapping fails.

    Where a state has no image, the edges to it are wrong, and those from it are not judged.
    """
    known = graph.stepper.ground.known if isinstance(graph.stepper, GeneratedSystem) else None
    image = image_function(refinement, known)
    images: dict[State | None, int] = {None: NONE}
    of_state: list[int] = []
    for number, state in enumerate(graph.states):
        if not number & 1023:
            check_time()
        of_state.append(images.setdefault(image(state), len(images) - 1))
    by_number = [one for one in images if one is not None]
    verdicts: dict[tuple[int, int], bool] = {}
    wrong: list[tuple[int, int, int]] = []
    partial = False
    try:
        for source in range(graph.explored):
            if not source & 1023:
                check_time()
            before = of_state[source]
            if before == NONE:
                continue
            for step, target in graph.edges(source):
                after = of_state[target]
                if after == before:
                    continue
                pair = before, after
                if pair not in verdicts:
                    check_time()
                    verdicts[pair] = after != NONE and refinement.allows(by_number[before], by_number[after])
                if not verdicts[pair]:
                    wrong.append((source, step, target))
    except OutOfTime:
        if not wrong:
            raise
        partial = True
    roots = enumerate(of_state[: graph.roots])
    starts_badly = [number for number, one in roots if one == NONE or not refinement.starts(by_number[one])]
    return Judged(starts_badly, wrong, bool(verdicts), partial)
