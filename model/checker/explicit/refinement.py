"""Refinement on an explicit graph: is each edge a step of the abstract model, or none there?"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from onceproof.model.checker.deadline import check_time
from onceproof.model.checker.explicit.graph import Graph, GraphPath
from onceproof.model.checker.explicit.minimal import Costs
from onceproof.model.checker.ground.mapping_code import image_function
from onceproof.model.checker.ground.python_code import GeneratedSystem
from onceproof.model.language.layout import State
from onceproof.model.language.refinement import Refinement

STANDS_STILL = "no step changes anything in the abstract model: all states have one image"
NONE = -1  # in place of the number of an image: the mapping gives none


@dataclass(frozen=True)
class Judged:
    """What is wrong in a graph: initial states, or edges (source, step, target). exercised: whether images change."""

    starts_badly: list[int]
    wrong: list[tuple[int, int, int]]
    exercised: bool


def least_run(graph: Graph, costs: Costs, wrong: Collection[tuple[int, int, int]]) -> GraphPath:
    """A run that ends with one of these edges, with as few faults as possible, and then as few steps."""

    def total(edge: tuple[int, int, int]) -> tuple[int, int]:
        faults, steps = costs.of[edge[0]] or (0, 0)
        return faults + costs.is_fault[edge[1]], steps + 1

    best = min(map(total, wrong))
    least = [edge for edge in wrong if total(edge) == best]
    path = costs.cheapest({source for source, _, _ in least})
    steps, system = graph.stepper.steps, graph.system
    last = system.actor(steps[path.edges[-1][0]]) if path.edges else ""
    ends = (edge for edge in least if edge[0] == path.end)
    _, step, target = min(ends, key=lambda edge: (system.actor(steps[edge[1]]) != last, edge))
    return path.onward(step, target)


def judged(graph: Graph, refinement: Refinement) -> Judged:
    """Looks at each edge of a graph; OutOfTime where that takes too long. ModelError where the mapping fails.

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
    roots = enumerate(of_state[: graph.roots])
    starts_badly = [number for number, one in roots if one == NONE or not refinement.starts(by_number[one])]
    return Judged(starts_badly, wrong, bool(verdicts))
