"""Which transitions are the same but for the names of interchangeable elements: covering one of each may be enough."""

from __future__ import annotations

import contextlib

from onceproof.conformance.coverage.graph import Graph
from onceproof.model.checker.deadline import OutOfTime, check_time
from onceproof.model.checker.ground.symmetry import Exchange, symmetric_ground
from onceproof.model.language import Step, System

LOOK = 1024  # transitions between two looks at the clock


def representatives(graph: Graph) -> set[int]:
    """One transition (by number) of each set that exchanges of elements map onto each other; the first found of each.

    Where the model is not symmetric, or the image of a transition is not in the graph, it stands for itself; so
    do those that a deadline leaves no time to compare.
    """
    _, allowed = symmetric_ground(graph.system)
    numbers = {state: number for number, state in enumerate(graph.states)}
    known = {(edge.source, edge.step): number for number, edge in enumerate(graph.edges)}
    leader = list(range(len(graph.edges)))

    def find(number: int) -> int:
        while leader[number] != number:
            leader[number] = leader[leader[number]]
            number = leader[number]
        return number

    def join_images(exchange: Exchange) -> None:
        there = [numbers.get(exchange.apply(state)) for state in graph.states]
        for number, edge in enumerate(graph.edges):
            if number % LOOK == 0:
                check_time()
            image = there[edge.source]
            other = None if image is None else known.get((image, _renamed(graph.system, edge.step, exchange)))
            if other is not None:
                one, two = sorted((find(number), find(other)))
                leader[two] = one

    with contextlib.suppress(OutOfTime):
        for exchange in allowed:
            join_images(exchange)
    return {find(number) for number in range(len(graph.edges))}


def _renamed(system: System, step: Step, exchange: Exchange) -> Step:
    return Step(step.action, exchange.arguments(step.arguments, system.parameters_of(step.action)))
