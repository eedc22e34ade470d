"""``eventually`` properties on an explicit graph: is there a fair run on which the promise is never kept?

A run is fair if faults end at some point, every weakly fair action instance that stays enabled for ever is taken, and
every strongly fair one that is enabled again and again is taken. Such a run ends in a strongly connected set of states
(or stays in one state for ever); the search takes the sets that the promise leaves open and asks each whether it can
be gone round fairly. Streett emptiness: see Clarke, Grumberg, Peled, "Model Checking", on fairness constraints.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onceproof.model.checker.explicit.graph import Graph
from onceproof.model.checker.explicit.minimal import Edge
from onceproof.model.language.declare import Fairness

Bools = npt.NDArray[np.bool_]
Pending = tuple[int, bool]  # a state, and whether a promise made before is still open there


@dataclass(frozen=True)
class Lasso:
    """A fair run that never keeps the promise: ``stem`` from the initial state, ``cycle`` (or nothing) for ever."""

    stem: list[Edge]
    cycle: list[Edge]


class FairSearch:
    """Finds fair runs on which a promise stays open. One instance serves all properties of a graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        actions = graph.system.actions
        self.is_fault = [actions[step.action].fault for step in graph.stepper.steps]
        self.fairness = [actions[step.action].fairness for step in graph.stepper.steps]
        self._moves = _Moves(graph, self.is_fault, self.fairness)

    def lasso(self, promised: Callable[[int], bool], kept: Callable[[int], bool]) -> Lasso | None:
        """A fair run on which, from a state that is ``promised`` on, no state is ``kept``; None if there is none.

        Of all such runs one whose stem has the fewest faults, then the fewest steps.
        """
        numbers = range(len(self.graph.states))
        unkept = np.fromiter((not kept(number) for number in numbers), dtype=bool)
        unkept = self._moves.reached(np.fromiter(map(promised, numbers), dtype=bool) & unkept, unkept)
        member: dict[int, frozenset[int]] = {n: frozenset([n]) for n in self._moves.may_stay(unkept)}
        for group in self._fair_sets(self._moves.on_cycles(unkept)):
            member.update(dict.fromkeys(group, group))
        if not member:
            return None
        reached = self._open_states(promised, kept)
        goals = [pair for pair in reached if pair[1] and pair[0] in member]
        if not goals:
            return None
        goal = min(goals, key=lambda pair: reached[pair][0])
        stem: list[Edge] = []
        pair: Pending | None = goal
        while pair is not None:
            _, pair_before, step = reached[pair]
            if pair_before is not None:
                stem.append((step, pair[0]))
            pair = pair_before
        return Lasso(stem[::-1], self._round(goal[0], member[goal[0]]))

    def _open_states(
        self, promised: Callable[[int], bool], kept: Callable[[int], bool]
    ) -> dict[Pending, tuple[tuple[int, int], Pending | None, int]]:
        """All (state, promise open?) pairs with their least (faults, steps), where they come from, by which step."""
        known: dict[int, tuple[bool, bool]] = {}

        def opens(number: int, before: bool) -> bool:
            if number not in known:
                is_kept = kept(number)
                known[number] = (not is_kept and promised(number), is_kept)
            starts, is_kept = known[number]
            return starts or (before and not is_kept)

        first: Pending = (0, opens(0, False))
        reached: dict[Pending, tuple[tuple[int, int], Pending | None, int]] = {first: ((0, 0), None, -1)}
        queue, faults = deque([first]), 0
        later: deque[tuple[Pending, Pending, int, int]] = deque()
        while queue or later:
            if not queue:
                faults += 1
                for pair, source, step, steps in later:
                    if pair not in reached:
                        reached[pair] = ((faults, steps), source, step)
                        queue.append(pair)
                later.clear()
                queue = deque(sorted(queue, key=lambda p: reached[p][0]))
                continue
            pair = queue.popleft()
            steps = reached[pair][0][1] + 1
            for step, target in self.graph.edges(pair[0]):
                onward = (target, opens(target, pair[1]))
                if onward in reached:
                    continue
                if self.is_fault[step]:
                    later.append((onward, pair, step, steps))
                else:
                    reached[onward] = ((faults, steps), pair, step)
                    queue.append(onward)
        return reached

    def _fair_sets(self, region: set[int]) -> list[frozenset[int]]:
        """The sets of several states in the region that a fair run can go round in for ever."""
        fair: list[frozenset[int]] = []
        pending = [region]
        while pending:
            part = pending.pop()
            onward = {n: [t for s, t in self.graph.edges(n) if not self.is_fault[s] and t in part] for n in part}
            for component in components(onward):
                verdict = self._judge(component)
                if verdict is True:
                    fair.append(component)
                elif verdict:
                    pending.append(set(component - verdict))
        return fair

    def _judge(self, component: frozenset[int]) -> bool | set[int]:
        """True if a run that visits all of the component is fair; False if none inside it is; or what to avoid.

        A weakly fair step that is enabled everywhere and never taken inside condemns every part of the component;
        a strongly fair one only those parts that enable it.
        """
        taken = set(self._taken(component))
        always_enabled: set[int] | None = None
        avoid: set[int] = set()
        for number in component:
            enabled = {step for step, _ in self.graph.edges(number)}
            always_enabled = enabled if always_enabled is None else always_enabled & enabled
            if any(self.fairness[s] is Fairness.STRONG and s not in taken for s in enabled):
                avoid.add(number)
        weak = {s for s in always_enabled or set() if self.fairness[s] is not Fairness.NONE}
        if not weak <= taken:
            return False
        if avoid:
            return avoid if avoid != component else False
        return True

    def _taken(self, component: frozenset[int]) -> Iterable[int]:
        return (s for n in component for s, t in self.graph.edges(n) if t in component and not self.is_fault[s])

    def _round(self, start: int, component: frozenset[int]) -> list[Edge]:
        """A closed walk from ``start`` inside the component that is fair; empty where staying is."""
        cycle: list[Edge] = []
        here = start
        for wanted in self._duties(component):
            if any(wanted(n, s) for n, s in self._visited(start, cycle)):
                continue
            part = self._walk(here, component, wanted)
            cycle += part
            here = cycle[-1][1] if cycle else start
        if here != start:
            cycle += self._walk(here, component, lambda number, _: number == start)
        return cycle

    def _visited(self, start: int, cycle: list[Edge]) -> Iterable[tuple[int, int]]:
        """The states of a walk, each with the step that led there."""
        yield start, -1
        for step, number in cycle:
            yield number, step

    def _duties(self, component: frozenset[int]) -> Iterable[Callable[[int, int], bool]]:
        """What a fair walk must pass, for each fair step that is enabled inside: the step, or a state without it."""
        enabled = {number: {step for step, _ in self.graph.edges(number)} for number in component}
        taken = set(self._taken(component))
        for step in sorted(set().union(*enabled.values())):
            fairness = self.fairness[step]
            if fairness is Fairness.WEAK:
                yield lambda number, by, step=step: by == step or step not in enabled[number]  # type: ignore[misc]
            elif fairness is Fairness.STRONG and step in taken:
                yield lambda number, by, step=step: by == step  # type: ignore[misc]

    def _walk(self, start: int, component: frozenset[int], arrived: Callable[[int, int], bool]) -> list[Edge]:
        """A shortest walk of at least one step inside the component to where ``arrived(state, step)`` is true."""
        seen: set[int] = set()
        queue: deque[tuple[int, list[Edge]]] = deque([(start, [])])
        while queue:
            number, path = queue.popleft()
            for step, target in self.graph.edges(number):
                if target in component and not self.is_fault[step]:
                    if arrived(target, step):
                        return [*path, (step, target)]
                    if target not in seen:
                        seen.add(target)
                        queue.append((target, [*path, (step, target)]))
        return []


class _Moves:
    """The steps of a graph as arrays, to rule out at once what cannot be part of a fair run: mostly everything."""

    def __init__(self, graph: Graph, is_fault: list[bool], fairness: list[Fairness]) -> None:
        edges = graph.first_edge[-1]
        counts = np.diff(np.frombuffer(graph.first_edge, dtype=np.int64)).astype(np.int64)
        sources = np.repeat(np.arange(len(counts)), counts)
        steps = np.frombuffer(graph.edge_steps, dtype=np.int32)[:edges]
        targets = np.frombuffer(graph.edge_targets, dtype=np.int32)[:edges]
        moves = sources != targets
        is_fair = np.array([kind is not Fairness.NONE for kind in fairness], dtype=bool)
        progress = np.array([not fault for fault in is_fault], dtype=bool)
        self.left_for_sure = np.zeros(len(graph.states), dtype=bool)
        self.left_for_sure[sources[moves & is_fair[steps]]] = True
        self.all_sources, self.all_targets = sources, targets
        ordinary = moves & progress[steps]
        self.sources, self.targets = sources[ordinary], targets[ordinary]

    def reached(self, starts: Bools, region: Bools) -> Bools:
        """The states of a region that steps of any kind reach from the ``starts`` without leaving it."""
        inside = region[self.all_sources] & region[self.all_targets]
        sources, targets = self.all_sources[inside], self.all_targets[inside]
        found = starts.copy()
        while True:
            new = found[sources] & ~found[targets]
            if not new.any():
                return found
            found[targets[new]] = True

    def may_stay(self, region: Bools) -> list[int]:
        """The states of a region in which a fair run may stay for ever: no fair step leads out of them."""
        return [int(number) for number in np.flatnonzero(region & ~self.left_for_sure)]

    def on_cycles(self, region: Bools) -> set[int]:
        """The states of a region that are on a cycle of steps that are no faults, or between two such cycles."""
        kept = region[self.sources] & region[self.targets]
        sources, targets = self.sources[kept], self.targets[kept]
        size = len(region)
        while len(sources):
            goes_on = np.bincount(sources, minlength=size) > 0
            comes_from = np.bincount(targets, minlength=size) > 0
            kept = goes_on[targets] & comes_from[sources]
            if kept.all():
                break
            sources, targets = sources[kept], targets[kept]
        return set(sources.tolist())


def components(onward: Mapping[int, list[int]]) -> Iterator[frozenset[int]]:
    """The strongly connected sets of several nodes of a graph. Tarjan's algorithm, without recursion.

    R. Tarjan, "Depth-first search and linear graph algorithms", SIAM J. Comput. 1 (1972).
    """
    order: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    on_stack: set[int] = set()
    for root in onward:
        if root in order:
            continue
        work = [(root, iter(onward[root]))]
        order[root] = low[root] = len(order)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, targets = work[-1]
            for target in targets:
                if target not in order:
                    order[target] = low[target] = len(order)
                    stack.append(target)
                    on_stack.add(target)
                    work.append((target, iter(onward[target])))
                    break
                if target in on_stack:
                    low[node] = min(low[node], order[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == order[node]:
                    component = set()
                    while node not in component:
                        component.add(stack.pop())
                    on_stack -= component
                    if len(component) > 1:
                        yield frozenset(component)
