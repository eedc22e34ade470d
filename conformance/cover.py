"""Walks that cover every transition of a graph in the least possible number of steps, the most telling ones first."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

from conformance.flow import extra_walks
from conformance.graph import Graph
from model.checker.results import Trace


@dataclass
class Plan:
    """Paths from the initial state (as numbers of edges) that together walk every edge of a graph.

    bound: no set of such paths has fewer steps in all (a flow of least cost). steps: how many these have.
    """

    graph: Graph
    paths: list[list[int]]
    bound: int

    @property
    def steps(self) -> int:
        """How many steps all paths have together."""
        return sum(map(len, self.paths))

    def trace(self, path: Sequence[int]) -> Trace:
        """A path as a trace of the model."""
        edges = [self.graph.edges[number] for number in path]
        states = (self.graph.states[0], *(self.graph.states[edge.target] for edge in edges))
        return Trace(self.graph.system, states, tuple(edge.step for edge in edges))


def plan(graph: Graph) -> Plan:
    """The cheapest cover of a graph, its paths in an order that covers new transitions as early as possible."""
    extra, cost = extra_walks(len(graph.states), [(edge.source, edge.target) for edge in graph.edges])
    return Plan(graph, newest_first(trimmed(_walks(graph, extra))), cost + len(graph.edges))


def _walks(graph: Graph, extra: Sequence[int]) -> list[list[int]]:
    """One closed walk over every edge as often as needed (Hierholzer), cut where it starts anew."""
    pending: list[list[int]] = [[edge for edge in leaving for _ in range(1 + extra[edge])] for leaving in graph.leaving]
    surplus = [-len(edges) for edges in pending]
    for number, transition in enumerate(graph.edges):
        surplus[transition.target] += 1 + extra[number]
    anew = -1  # going back to the initial state
    for state, more in enumerate(surplus):
        if state and more > 0:
            # taken last: a walk goes on as long as it can
            pending[state] = [anew] * more + pending[state]
    circuit: list[int] = []
    stack: list[tuple[int, int]] = [(0, anew)]  # (state, by which edge it was reached)
    while stack:
        state, _ = stack[-1]
        if pending[state]:
            edge = pending[state].pop()
            stack.append((0 if edge == anew else graph.edges[edge].target, edge))
        else:
            circuit.append(stack.pop()[1])
    walks: list[list[int]] = [[]]
    for edge in reversed(circuit[:-1]):
        if edge == anew:
            walks.append([])
        else:
            walks[-1].append(edge)
    return [walk for walk in walks if walk]


def trimmed(walks: list[list[int]]) -> list[list[int]]:
    """The walks without tails in which nothing is walked that is not walked elsewhere too."""
    times: dict[int, int] = {}
    for walk in walks:
        for edge in walk:
            times[edge] = times.get(edge, 0) + 1
    kept = []
    for walk in walks:
        end = len(walk)
        while end and times[walk[end - 1]] > 1:
            end -= 1
            times[walk[end]] -= 1
        kept.append(walk[:end])
    return [walk for walk in kept if walk]


def newest_first(walks: Sequence[list[int]]) -> list[list[int]]:
    """The walks in an order in which each has the most transitions not covered yet for each of its steps."""
    covered: set[int] = set()

    def worth(walk: Sequence[int]) -> float:
        return len(set(walk) - covered) / len(walk)

    # What a walk is worth only falls, so the first whose worth is still as noted is the best.
    queue = [(-worth(walk), number) for number, walk in enumerate(walks)]
    heapq.heapify(queue)
    ordered = []
    while queue:
        noted, number = heapq.heappop(queue)
        now = -worth(walks[number])
        if now > noted and queue and now > queue[0][0]:
            heapq.heappush(queue, (now, number))
            continue
        ordered.append(walks[number])
        covered.update(walks[number])
    return ordered
