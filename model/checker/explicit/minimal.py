"""The counterexample that is easiest to follow: fewest faults, then fewest steps, then fewest changes of actor."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from onceproof.model.checker.deadline import check_time
from onceproof.model.checker.explicit.graph import Edge, Graph, GraphPath
from onceproof.model.language.system import Step

MINIMAL = "faults, then steps, then changes of actor"
Cost = tuple[int, int]  # faults, steps


# of a state, by the actor of the last step: turns, the state before, the actor of the step to that, the step
_Turns = dict[int, dict[str, tuple[int, int, str, int]]]


class Costs:
    """For every state the least (faults, steps) that reach it, lexicographically.

    A breadth-first search for each number of faults: all that k faults reach is done before fault k + 1 is spent.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        faults = {name for name, action in graph.system.actions.items() if action.fault}
        self.is_fault = [step.action in faults for step in graph.stepper.steps]
        self.of: list[Cost | None] = [None] * len(graph.states)
        self._search()

    def _search(self) -> None:
        bucket: dict[int, list[int]] = {
            0: list(range(self.graph.roots))
        }  # by steps: states that the faults spent so far reach
        spent = 0
        while bucket:
            later: dict[int, list[int]] = {}  # the same, with one fault more
            while bucket:
                check_time()
                steps = min(bucket)
                for number in bucket.pop(steps):
                    if self.of[number] is None:
                        self.of[number] = (spent, steps)
                        if not number & 4095:
                            check_time()
                        for step, target in self._onward(number):
                            (later if self.is_fault[step] else bucket).setdefault(steps + 1, []).append(target)
            bucket = later
            spent += 1

    def _onward(self, number: int) -> Iterator[Edge]:
        if number < self.graph.explored:
            for step, target in self.graph.edges(number):
                if self.of[target] is None:
                    yield step, target

    def cheapest(self, targets: Collection[int]) -> GraphPath:
        """A least path from an initial state to one of the targets (all reachable, at least one)."""
        best = min(cost for number in targets if (cost := self.of[number]) is not None)
        goals = [number for number in targets if self.of[number] == best]
        turns = self._turns(goals)
        goal, last = min(
            ((goal, actor) for goal in goals for actor in turns[goal]), key=lambda pair: (turns[pair[0]][pair[1]], pair)
        )
        return _back(turns, goal, last)

    def cheapest_step(self, steps: Mapping[int, Collection[Step]]) -> tuple[GraphPath, Step]:
        """A path to a state from which one of these steps is taken, and that step: least with the step.

        steps: by the state that they are taken from (all reachable, at least one).
        """
        system = self.graph.system
        totals = {
            (number, step): (cost[0] + system.actions[step.action].fault, cost[1] + 1)
            for number, taken in steps.items()
            for step in taken
            if (cost := self.of[number]) is not None
        }
        best = min(totals.values())
        ends = [end for end, total in totals.items() if total == best]
        turns = self._turns(list(dict.fromkeys(number for number, _ in ends)))

        def order(end: tuple[int, Step, str]) -> tuple[int, int, str, str, tuple[int, ...]]:
            number, step, last = end
            return turns[number][last][0] + (system.actor(step) != last), number, last, step.action, step.arguments

        number, step, last = min(((*end, last) for end in ends for last in turns[end[0]]), key=order)
        return _back(turns, number, last), step

    def _turns(self, goals: list[int]) -> _Turns:
        """How often the actor changes on the least paths to the goals: a sweep over their edges by cost."""
        sources = self._tight_sources(goals)
        actors = [self.graph.system.actor(step) for step in self.graph.stepper.steps]
        best: _Turns = {root: {"": (-1, -1, "", -1)} for root in range(self.graph.roots)}
        for number in sorted(sources, key=lambda n: self.of[n] or (0, 0)):
            for source, step in sources[number]:
                for last, (turns, *_) in best[source].items():
                    actor = actors[step]
                    candidate = (turns + (actor != last), source, last, step)
                    known = best.setdefault(number, {}).get(actor)
                    if known is None or candidate < known:
                        best[number][actor] = candidate
        return best

    def _tight_sources(self, goals: list[int]) -> dict[int, list[tuple[int, int]]]:
        """For every state on a least path to a goal: the (state, step) pairs that lead to it at least cost."""
        worst = max(self.of[goal] or (0, 0) for goal in goals)
        sources: dict[int, list[tuple[int, int]]] = {}
        incoming: dict[int, list[tuple[int, int]]] = {}
        for source in range(self.graph.explored):
            if not source & 4095:
                check_time()
            cost = self.of[source]
            if cost is None or cost >= worst:
                continue
            for step, target in self.graph.edges(source):
                if self.of[target] == (cost[0] + self.is_fault[step], cost[1] + 1):
                    incoming.setdefault(target, []).append((source, step))
        stack = list(goals)
        while stack:
            number = stack.pop()
            if number < self.graph.roots or number in sources:
                continue
            sources[number] = incoming.get(number, [])
            stack.extend(source for source, _ in sources[number])
        return sources


def _back(turns: _Turns, goal: int, last: str) -> GraphPath:
    """A path to a state whose last step has this actor."""
    path: list[Edge] = []
    while (entry := turns[goal][last])[1] >= 0:
        _, source, before, step = entry
        path.append((step, goal))
        goal, last = source, before
    return GraphPath(goal, path[::-1])
