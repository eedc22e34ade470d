"""Walks that cover every transition of a graph in the fewest possible steps, the most rewarding walks first.

The fewest steps of a large graph take long to find. Where the time for that is up, walks are made greedily.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from onceproof.conformance.coverage.graph import Graph
from onceproof.conformance.coverage.greedy import greedy_walks
from onceproof.conformance.coverage.min_cost_flow import extra_walks
from onceproof.model.checker.deadline import OutOfTime, check_time, deadline
from onceproof.model.checker.results import Trace


@dataclass
class Plan:
    """Paths from initial states (as numbers of edges) that together walk every (wanted) edge of a graph.

    bound: no set of such paths has fewer steps in all (a flow of least cost). steps: how many these have.
    greedy: there was no time for the flow; the paths were made greedily, and the bound is just the number of edges.
    """

    graph: Graph
    paths: list[list[int]]
    bound: int
    greedy: bool = False

    @property
    def steps(self) -> int:
        """How many steps all paths have together."""
        return sum(map(len, self.paths))

    def start(self, path: Sequence[int]) -> int:
        """The number of the initial state in which a path begins."""
        return self.graph.edges[path[0]].source if path else 0

    def trace(self, path: Sequence[int], start: int | None = None) -> Trace:
        """A path as a trace of the model. start: where one without an edge begins."""
        edges = [self.graph.edges[number] for number in path]
        first = self.start(path) if start is None else start
        states = (self.graph.states[first], *(self.graph.states[edge.target] for edge in edges))
        return Trace(self.graph.system, states, tuple(edge.step for edge in edges))


def plan(graph: Graph, required: AbstractSet[int] | None = None, max_seconds: float | None = None) -> Plan:
    """The cheapest cover of a graph, its paths in an order that covers new transitions as early as possible.

    required: the edges that are to be covered, with any others on the way; None: all. Where only some are required,
    the bound may be missed by the way to circles that nothing else leads to. max_seconds: after these the paths are
    made greedily instead, which takes no time that counts beside the exploration of the graph.
    """
    wanted = frozenset(range(len(graph.edges))) if required is None else frozenset(required)
    try:
        with deadline(max_seconds):
            return _cheapest(graph, wanted)
    except OutOfTime:
        return Plan(graph, greedy_walks(graph, wanted), len(wanted), greedy=True)


def _cheapest(graph: Graph, wanted: AbstractSet[int]) -> Plan:
    """The plan of the fewest steps. OutOfTime."""
    check_time()
    pairs = [(edge.source, edge.target) for edge in graph.edges]
    extra, cost = extra_walks(len(graph.states), pairs, wanted, graph.roots)
    times = [(number in wanted) + more for number, more in enumerate(extra)]
    return Plan(graph, newest_first(trimmed(_walks(graph, times), wanted), wanted), cost + len(wanted))


LOOK = 1024  # steps between two looks at the clock
ANEW = -1  # instead of an edge: going back to where all walks begin; what is less goes from there to a root


def _walks(graph: Graph, times: Sequence[int]) -> list[list[int]]:
    """Closed walks over every edge as often as needed, cut where they start anew.

    They begin in the initial state, or, where there are several, in a hub from which these can be gone to.
    """
    hub = 0 if graph.roots == 1 else len(graph.states)
    pending: list[list[int]] = [[edge for edge in leaving for _ in range(times[edge])] for leaving in graph.leaving]
    surplus = [-len(edges) for edges in pending]
    for number, transition in enumerate(graph.edges):
        surplus[transition.target] += times[number]
    for state, more in enumerate(surplus):
        if state != hub and more > 0:
            # taken last: a walk goes on as long as it can
            pending[state] = [ANEW] * more + pending[state]
    if hub:
        pending.append([ANEW - 1 - root for root in range(graph.roots) for _ in range(-surplus[root])])
    walks: list[list[int]] = [[]]
    for edge in _circuit(graph, pending, hub, hub):
        if edge == ANEW:
            walks.append([])
        elif edge >= 0:
            walks[-1].append(edge)
    for state in range(len(graph.states)):
        if pending[state]:  # a circle that the way of the others does not touch
            walks.append(graph.way_to(state) + _circuit(graph, pending, state, hub))
    return [walk for walk in walks if walk]


def _circuit(graph: Graph, pending: list[list[int]], start: int, hub: int) -> list[int]:
    """A closed walk from a state over all that hangs together with it (Hierholzer); uses up what is pending there."""
    circuit: list[int] = []
    stack: list[tuple[int, int]] = [(start, ANEW)]  # (state, by which edge it was reached)
    while stack:
        state, _ = stack[-1]
        if pending[state]:
            edge = pending[state].pop()
            target = graph.edges[edge].target if edge >= 0 else hub if edge == ANEW else ANEW - 1 - edge
            stack.append((target, edge))
        else:
            circuit.append(stack.pop()[1])
            if len(circuit) % LOOK == 0:
                check_time()
    return circuit[-2::-1]


def trimmed(walks: list[list[int]], wanted: AbstractSet[int]) -> list[list[int]]:
    """The walks without tails in which nothing is walked that is wanted and not walked elsewhere too."""
    times: dict[int, int] = {}
    for walk in walks:
        for edge in walk:
            times[edge] = times.get(edge, 0) + 1
    kept = []
    for walk in walks:
        end = len(walk)
        while end and (times[walk[end - 1]] > 1 or walk[end - 1] not in wanted):
            end -= 1
            times[walk[end]] -= 1
        kept.append(walk[:end])
    return [walk for walk in kept if walk]


def newest_first(walks: Sequence[list[int]], wanted: AbstractSet[int]) -> list[list[int]]:
    """The walks in an order in which each has the most wanted transitions not covered yet for each of its steps."""
    covered: set[int] = set()

    def worth(walk: Sequence[int]) -> float:
        return len((wanted & set(walk)) - covered) / len(walk)

    # What a walk is worth only falls, so the first whose worth is still as noted is the best.
    queue = [(-worth(walk), number) for number, walk in enumerate(walks)]
    heapq.heapify(queue)
    ordered = []
    while queue:
        check_time()
        noted, number = heapq.heappop(queue)
        now = -worth(walks[number])
        if now > noted and queue and now > queue[0][0]:
            heapq.heappush(queue, (now, number))
            continue
        ordered.append(walks[number])
        covered.update(walks[number])
    return ordered
