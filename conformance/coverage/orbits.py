"""Which transitions are the same but for the names of interchangeable elements: covering one of each may be enough."""

from __future__ import annotations

from onceproof.conformance.coverage.graph import Graph
from onceproof.model.checker.ground.symmetry import Exchange, symmetric_ground
from onceproof.model.language import Step, System


def representatives(graph: Graph) -> set[int]:
    """One transition (by number) of each set that exchanges of elements map onto each other; the first found of each.

    Where the model is not symmetric, or the image of a transition is not in the graph, it stands for itself.
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

    for exchange in allowed:
        there = [numbers.get(exchange.apply(state)) for state in graph.states]
        for number, edge in enumerate(graph.edges):
            image = there[edge.source]
            other = None if image is None else known.get((image, _renamed(graph.system, edge.step, exchange)))
            if other is not None:
                one, two = sorted((find(number), find(other)))
                leader[two] = one
    return {find(number) for number in range(len(graph.edges))}


def _renamed(system: System, step: Step, exchange: Exchange) -> Step:
    return Step(step.action, exchange.arguments(step.arguments, system.parameters_of(step.action)))
