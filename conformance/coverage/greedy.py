"""Walks over every transition of a graph, made greedily: some more steps than the fewest, and found in no time.

A walk goes a shortest way to the first state that a transition leaves which no walk has taken, and from there on as
long as each transition is a new one.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from onceproof.conformance.coverage.graph import Graph


def greedy_walks(graph: Graph, wanted: AbstractSet[int]) -> list[list[int]]:
    """Paths from initial states, as numbers of edges, that together walk every wanted edge.

    Breadth-first search numbers states in the order of their depth, so the way to a state has nothing new.
    """
    pending = [[edge for edge in reversed(leaving) if edge in wanted] for leaving in graph.leaving]
    walks = []
    for state, edges in enumerate(pending):
        while edges:
            walk = graph.way_to(state)
            here = state
            while pending[here]:
                walk.append(_next(graph, pending, here))
                here = graph.edges[walk[-1]].target
            walks.append(walk)
    return walks


def _next(graph: Graph, pending: list[list[int]], here: int) -> int:
    """Take one of the edges that are pending: the first from whose target it goes on, else the first."""
    edges = pending[here]
    for place in range(len(edges) - 1, -1, -1):
        if pending[graph.edges[edges[place]].target]:
            return edges.pop(place)
    return edges.pop()
