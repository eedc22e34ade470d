"""How often each transition must be walked at least, so that walks from initial states cover all of them.

Every transition is walked once; a state that is entered more often than left is where walks end (starting anew is
free); a state that is left more often than entered must be walked to again. The cheapest way to do so is a flow of
least cost from the former to the latter (every step costs one, going back to the start nothing), found by augmenting
along shortest paths, all those of one length at a time. For large graphs that takes long, so it looks at the clock.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from onceproof.model.checker.deadline import check_time

UNBOUNDED = 1 << 60
LOOK = 1024  # nodes between two looks at the clock


class Network:
    """Arcs with capacities and costs of 0 or more, in pairs: arc ``i ^ 1`` is the way back of arc ``i``."""

    def __init__(self, nodes: int) -> None:
        self.leaving: list[list[int]] = [[] for _ in range(nodes)]
        self.heads: list[int] = []
        self.room: list[int] = []
        self.costs: list[int] = []

    def add(self, tail: int, head: int, room: int, cost: int) -> int:
        """Add an arc; its number."""
        number = len(self.heads)
        self.leaving[tail].append(number)
        self.leaving[head].append(number + 1)
        self.heads += (head, tail)
        self.room += (room, 0)
        self.costs += (cost, -cost)
        return number

    def saturate(self, source: int, sink: int) -> int:
        """Send as much as possible from source to sink, as cheaply as possible; the cost. OutOfTime passes through."""
        potentials = [0] * len(self.leaving)
        total = 0
        while True:
            distances = self._distances(source, potentials)
            if distances[sink] >= UNBOUNDED:
                return total
            # What is farther than the sink needs no exact distance.
            potentials = [p + min(d, distances[sink]) for p, d in zip(potentials, distances, strict=True)]
            total += self._send_all(source, sink, potentials) * (potentials[sink] - potentials[source])

    def _distances(self, source: int, potentials: Sequence[int]) -> list[int]:
        """Shortest distances under reduced costs, which are never below 0 (Dijkstra)."""
        heads, room, costs, leaving = self.heads, self.room, self.costs, self.leaving
        distances = [UNBOUNDED] * len(leaving)
        distances[source] = 0
        queue = [(0, source)]
        popped = 0
        while queue:
            popped += 1
            if popped % LOOK == 0:
                check_time()
            distance, tail = heapq.heappop(queue)
            if distance > distances[tail]:
                continue
            base = distance + potentials[tail]
            for arc in leaving[tail]:
                if room[arc]:
                    head = heads[arc]
                    there = base + costs[arc] - potentials[head]
                    if there < distances[head]:
                        distances[head] = there
                        heapq.heappush(queue, (there, head))
        return distances

    def _send_all(self, source: int, sink: int, potentials: Sequence[int]) -> int:
        """Send as much as arcs of reduced cost 0 carry (Dinic); how much that was."""
        sent = 0
        while True:
            check_time()
            levels = self._levels(source, sink, potentials)
            if levels[sink] < 0:
                return sent
            nexts = [0] * len(self.leaving)
            while pushed := self._push(source, sink, potentials, levels, nexts):
                sent += pushed
                check_time()

    def _levels(self, source: int, sink: int, potentials: Sequence[int]) -> list[int]:
        levels = [-1] * len(self.leaving)
        levels[source] = 0
        layer = [source]
        while layer and levels[sink] < 0:
            following = []
            for tail in layer:
                for arc in self.leaving[tail]:
                    head = self.heads[arc]
                    tight = self.costs[arc] + potentials[tail] == potentials[head]
                    if tight and levels[head] < 0 and self.room[arc]:
                        levels[head] = levels[tail] + 1
                        following.append(head)
            layer = following
        return levels

    def _push(self, source: int, sink: int, potentials: Sequence[int], levels: Sequence[int], nexts: list[int]) -> int:
        """One path of the layered network; how much it carries (0: there is none any more)."""
        path: list[int] = []
        tail = source
        while tail != sink:
            arcs = self.leaving[tail]
            while nexts[tail] < len(arcs):
                arc = arcs[nexts[tail]]
                head = self.heads[arc]
                tight = self.costs[arc] + potentials[tail] == potentials[head]
                if tight and self.room[arc] and levels[head] == levels[tail] + 1:
                    break
                nexts[tail] += 1
            else:
                if not path:
                    return 0
                tail = self.heads[path.pop() ^ 1]
                nexts[tail] += 1
                continue
            path.append(arc)
            tail = head
        amount = min(self.room[arc] for arc in path)
        for arc in path:
            self.room[arc] -= amount
            self.room[arc ^ 1] += amount
        return amount


def extra_walks(
    states: int, edges: Sequence[tuple[int, int]], required: AbstractSet[int] | None = None, roots: int = 1
) -> tuple[list[int], int]:
    """By edge, how often it is walked beyond the once that is required; and their sum, which no cover can do without.

    states: how many there are; all are reached from the first ``roots``. edges: (from, to). required: which must be
    walked (None: all of them). OutOfTime where a deadline comes first.
    """
    balance = [0] * states
    for number, (tail, head) in enumerate(edges):
        if required is None or number in required:
            balance[tail] -= 1
            balance[head] += 1
    network = Network(states + 3)
    source, sink = states, states + 1
    anew = 0 if roots == 1 else states + 2  # to go back to, from where each of several roots can be gone to
    arcs: dict[tuple[int, int], tuple[int, int]] = {}  # a pair of states -> its arc, and the edge that carries the flow
    for number, (tail, head) in enumerate(edges):
        if tail != head and head >= roots and (tail, head) not in arcs:
            arcs[tail, head] = (network.add(tail, head, UNBOUNDED, 1), number)
    for state, surplus in enumerate(balance):
        if surplus > 0:
            network.add(source, state, surplus, 0)
            network.add(state, anew, UNBOUNDED, 0)
        elif surplus < 0:
            network.add(state, sink, -surplus, 0)
    for root in range(roots if anew else 0):
        network.add(anew, root, UNBOUNDED, 0)
    cost = network.saturate(source, sink)
    extra = [0] * len(edges)
    for arc, number in arcs.values():
        extra[number] = network.room[arc ^ 1]
    return extra, cost
