"""Liveness obligations (``eventually``) on an explicit graph: is there a fair run that never fulfils one?

A run is fair if faults end at some point, every weakly fair action instance that stays enabled for ever is taken, and
every strongly fair one that is enabled again and again is taken. As in TLA+ (WF and SF of ``<<A>>_v``), an action
instance counts as enabled or taken only where it changes the state: otherwise a strongly fair step would be excused by
steps of its own that do nothing. A fair run ends in a strongly connected set of states (or stays in one state for
ever); the search takes the sets in which the obligation stays open, and tests whether a fair run can stay in each.
Streett emptiness: see Clarke, Grumberg, Peled, "Model Checking", on fairness constraints.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from functools import cached_property
from typing import assert_never

from onceproof.model.checker.deadline import check_time
from onceproof.model.checker.explicit.graph import Edge, Graph, GraphPath
from onceproof.model.checker.obligations import Demand
from onceproof.model.language.declare import Fairness
from onceproof.model.language.system import Step

Open = tuple[int, bool]  # a state, and whether an obligation incurred before is still open there
Cost = tuple[int, int]  # faults, steps


@dataclass(frozen=True)
class Lasso:
    """A fair run that never fulfils an obligation: ``stem`` from an initial state, ``cycle`` (or nothing) for ever."""

    start: int
    stem: list[Edge]
    cycle: list[Edge]
    finite: bool = False  # whether it is violated where the stem ends, whatever comes then

    @property
    def loop(self) -> int | None:
        """The position from which the run repeats; None where its stem violates the property."""
        return None if self.finite else len(self.stem)

    @property
    def minimal(self) -> str:
        """In what it is least."""
        return "faults, then steps" if self.finite else "faults, then steps of the stem"

    @property
    def path(self) -> GraphPath:
        """The run, once round."""
        return GraphPath(self.start, self.stem + self.cycle)


class FairSearch:
    """Finds fair runs on which an obligation stays open. One instance serves all properties of a graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        actions = graph.system.actions
        self.is_fault = [actions[step.action].fault for step in graph.stepper.steps]
        self.fairness = [actions[step.action].fairness for step in graph.stepper.steps]
        # For each step the first one that is the same action instance: steps that differ in what they choose are one.
        first: dict[Step, int] = {}
        instances = map(graph.system.instance, graph.stepper.steps)
        self._instance = [first.setdefault(one, number) for number, one in enumerate(instances)]
        self._moves = _Moves(graph, self.is_fault, self.fairness)

    def violation(
        self,
        demand: Demand,
        incurred: Callable[[int], bool],
        fulfilled: Callable[[int], bool],
        broken: Callable[[int], bool] | None = None,
        weak: bool = False,
    ) -> Lasso | None:
        """A fair run on which a demand is not met; None if there is none. Of all such runs one with a least stem.

        incurred: whether the property is false in a state; fulfilled: whether its condition is true there, whatever
        its ``given`` says. broken, weak: see ``lasso``.
        """
        roots = self.graph.roots
        match demand:
            case Demand.RESPONSE | Demand.REPEATED:
                return self.lasso(incurred, fulfilled, None, broken, weak)
            case Demand.ONCE:
                return self.lasso(lambda number: number < roots and incurred(number), fulfilled, None, broken, weak)
            case Demand.LASTING:
                return self.lasso(
                    lambda number: number < roots, lambda number: False, lambda number: not fulfilled(number)
                )
            case _:
                assert_never(demand)

    def lasso(
        self,
        incurred: Callable[[int], bool],
        fulfilled: Callable[[int], bool],
        recurring: Callable[[int], bool] | None = None,
        broken: Callable[[int], bool] | None = None,
        weak: bool = False,
    ) -> Lasso | None:
        """A fair run on which, from a state that is ``incurred`` on, no state is ``fulfilled``; None if there is none.

        Of all such runs one whose stem has the fewest faults, then the fewest steps. recurring: a state for which this
        is true must come again and again. broken: where a run that is not fulfilled by then violates the property at
        once; weak: nothing else does.
        """
        numbers = range(len(self.graph.states))
        unfulfilled = bytes(not fulfilled(number) for number in numbers)
        resting = [] if weak else [number for number in self._moves.resting if unfulfilled[number]]
        cycling = set[int]() if weak else {number for number in self._moves.cycling if unfulfilled[number]}
        if broken is None and not resting and not cycling:
            return None
        starts = {number for number in numbers if unfulfilled[number] and incurred(number)}
        region = self._moves.reached(starts, unfulfilled)
        member: dict[int, frozenset[int]] = {n: frozenset([n]) for n in resting if n in region}
        for group in self._fair_sets(self._moves.on_cycles(cycling & region)):
            member.update(dict.fromkeys(group, group))
        if recurring is not None:
            member = {number: group for number, group in member.items() if any(map(recurring, group))}
        ended = set(filter(broken, region)) if broken is not None else set[int]()
        if not member and not ended:
            return None
        stem = self._least_stem(starts, unfulfilled, member.keys() | ended)
        if stem is None:
            return None
        end = stem.end
        if end in ended:
            return Lasso(stem.start, stem.edges, [], finite=True)
        return Lasso(stem.start, stem.edges, self._cycle(end, member[end], recurring))

    def _least_stem(self, starts: Set[int], unfulfilled: bytes, goals: Collection[int]) -> GraphPath | None:
        """The run of least cost, in faults and then in steps, to a goal in which the obligation is open.

        Dijkstra's algorithm: a queue by steps alone is not enough, since states that one more fault reaches have
        different numbers of steps behind them.
        """
        came_from: dict[Open, tuple[Open, int]] = {}
        least: dict[Open, Cost] = {(root, root in starts): (0, 0) for root in range(self.graph.roots)}
        queue: list[tuple[Cost, Open]] = [((0, 0), first) for first in sorted(least)]
        while queue:
            cost, here = heapq.heappop(queue)
            if not here[0] & 1023:
                check_time()
            if cost > least[here]:
                continue  # a cheaper way was found after this entry
            number, is_open = here
            if is_open and number in goals:
                return _path(came_from, here)
            for step, target in self.graph.edges(number):
                onward = (target, target in starts or bool(is_open and unfulfilled[target]))
                dearer = (cost[0] + self.is_fault[step], cost[1] + 1)
                if onward not in least or dearer < least[onward]:
                    least[onward], came_from[onward] = dearer, (here, step)
                    heapq.heappush(queue, (dearer, onward))
        return None

    def _fair_sets(self, region: set[int]) -> list[frozenset[int]]:
        """The sets of several states in the region that a fair run can stay in for ever."""
        fair: list[frozenset[int]] = []
        pending = [region]
        while pending:
            check_time()
            part = pending.pop()
            onward = {n: [t for s, t in self._changes(n) if not self.is_fault[s] and t in part] for n in part}
            for component in components(onward):
                check_time()
                avoid = self._to_avoid(component)
                if not avoid:
                    fair.append(component)
                elif avoid != component:
                    pending.append(set(component - avoid))
        return fair

    def _changes(self, number: int) -> Iterator[Edge]:
        """The steps from a state that change it: all that fairness counts."""
        return ((step, target) for step, target in self.graph.edges(number) if target != number)

    def _to_avoid(self, component: frozenset[int]) -> frozenset[int]:
        """The states that a fair run inside the component must avoid; none if a run that visits all of it is fair.

        A weakly fair step that is enabled everywhere and never taken inside rules out every part of the component;
        a strongly fair one only those parts that enable it.
        """
        taken = self._taken(component)
        always_enabled: set[int] | None = None
        avoid: set[int] = set()
        for number in component:
            enabled = {self._instance[step] for step, _ in self._changes(number)}
            always_enabled = enabled if always_enabled is None else always_enabled & enabled
            if any(self.fairness[s] is Fairness.STRONG and s not in taken for s in enabled):
                avoid.add(number)
        weak = {s for s in always_enabled or set() if self.fairness[s] is not Fairness.NONE}
        return component if not weak <= taken else frozenset(avoid)

    def _taken(self, component: frozenset[int]) -> set[int]:
        changes = ((s, t) for n in component for s, t in self._changes(n))
        return {self._instance[s] for s, t in changes if t in component and not self.is_fault[s]}

    def _cycle(
        self, start: int, component: frozenset[int], recurring: Callable[[int], bool] | None = None
    ) -> list[Edge]:
        """A closed walk from ``start`` inside the component that is fair; empty where staying is."""
        cycle: list[Edge] = []
        here = start
        duties = list(self._duties(component))
        if recurring is not None:
            duties.append(lambda number, by, recurs=recurring: recurs(number))  # type: ignore[misc]
        for wanted in duties:
            check_time()
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
        enabled = {number: {self._instance[step] for step, _ in self._changes(number)} for number in component}
        instance = [*self._instance, -1]  # the last is for where no step led
        taken = self._taken(component)
        for step in sorted(set().union(*enabled.values())):
            fairness = self.fairness[step]
            if fairness is Fairness.WEAK:
                yield lambda number, by, step=step: instance[by] == step or step not in enabled[number]  # type: ignore[misc]
            elif fairness is Fairness.STRONG and step in taken:
                yield lambda number, by, step=step: instance[by] == step  # type: ignore[misc]

    def _walk(self, start: int, component: frozenset[int], arrived: Callable[[int, int], bool]) -> list[Edge]:
        """A shortest walk of at least one step inside the component to where ``arrived(state, step)`` is true."""
        seen: set[int] = set()
        queue: deque[tuple[int, list[Edge]]] = deque([(start, [])])
        while queue:
            number, path = queue.popleft()
            for step, target in self._changes(number):
                if target in component and not self.is_fault[step]:
                    if arrived(target, step):
                        return [*path, (step, target)]
                    if target not in seen:
                        seen.add(target)
                        queue.append((target, [*path, (step, target)]))
        return []


def _path(came_from: Mapping[Open, tuple[Open, int]], end: Open) -> GraphPath:
    path: list[Edge] = []
    while end in came_from:
        before, step = came_from[end]
        path.append((step, end[0]))
        end = before
    return GraphPath(end[0], path[::-1])


class _Moves:
    """The steps of a graph, to rule out at once what cannot be part of a fair run: mostly everything.

    No library of arrays is imported for that: it would take longer than most specs.
    """

    def __init__(self, graph: Graph, is_fault: list[bool], fairness: list[Fairness]) -> None:
        self.graph = graph
        self.is_fault = is_fault
        self.is_fair = [kind is not Fairness.NONE for kind in fairness]

    @cached_property
    def resting(self) -> list[int]:
        """The states in which a fair run may stay for ever: no fair step leads out of them."""
        first, is_fair = self.graph.first_edge, self.is_fair
        steps, targets = self.graph.edge_steps, self.graph.edge_targets
        found = []
        for number in range(len(self.graph.states)):
            for edge in range(first[number], first[number + 1]):
                if is_fair[steps[edge]] and targets[edge] != number:
                    break
            else:
                found.append(number)
        return found

    @cached_property
    def cycling(self) -> set[int]:
        """The states on a cycle of steps that are not faults, or between two such cycles."""
        return self.on_cycles(range(len(self.graph.states)))

    def on_cycles(self, region: Collection[int]) -> set[int]:
        """The states on such a cycle inside a region, or between two of them."""
        first, is_fault = self.graph.first_edge, self.is_fault
        steps, targets = self.graph.edge_steps, self.graph.edge_targets
        onward: dict[int, list[int]] = {}
        for number in region:
            if not number & 1023:
                check_time()
            found = [
                target
                for edge in range(first[number], first[number + 1])
                if (target := targets[edge]) != number and target in region and not is_fault[steps[edge]]
            ]
            if found:
                onward[number] = found
        backward = _reversed(onward)
        for edges, against in ((onward, backward), (backward, onward)):
            _without_ends(edges, against)
        return set(onward)

    def reached(self, starts: Set[int], region: bytes) -> set[int]:
        """The states of a region that steps of any kind reach from the ``starts`` without leaving it."""
        first, targets = self.graph.first_edge, self.graph.edge_targets
        found = set(starts)
        waiting = list(found)
        while waiting:
            number = waiting.pop()
            if not number & 1023:
                check_time()
            for target in targets[first[number] : first[number + 1]]:
                if region[target] and target not in found:
                    found.add(target)
                    waiting.append(target)
        return found


def _reversed(edges: Mapping[int, list[int]]) -> dict[int, list[int]]:
    """The edges of a graph the other way round."""
    found: dict[int, list[int]] = {}
    for source, targets in edges.items():
        for target in targets:
            found.setdefault(target, []).append(source)
    return found


def _without_ends(edges: dict[int, list[int]], against: dict[int, list[int]]) -> None:
    """Takes away, again and again, what no edge leads away from: out of the edges, and out of those against them."""
    left = {source: len(targets) for source, targets in edges.items()}
    ended = [number for number in against if number not in left]
    while ended:
        number = ended.pop()
        edges.pop(number, None)
        for before in against.pop(number, ()):
            if before in left:
                left[before] -= 1
                if not left[before]:
                    del left[before]
                    ended.append(before)


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
