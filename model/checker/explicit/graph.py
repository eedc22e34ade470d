"""The reachable states of a system as an explicit graph, found breadth first."""

from __future__ import annotations

import time
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from onceproof.model.checker.deadline import OutOfTime, check_time, deadline
from onceproof.model.checker.results import INTERRUPTED, Limits, Progress, Stop, StopReason, Trace
from onceproof.model.language.errors import OutOfRange
from onceproof.model.language.layout import State
from onceproof.model.language.system import Step, System

LOOK_EVERY = 0.02  # seconds between two looks at the clock, about
MOST_UNSEEN = 512  # steps of the search between them, at most


Edge = tuple[int, int]  # step number, state number


class Stepper(Protocol):
    """What a search needs to know of a system: its steps by number, and what each state allows."""

    steps: list[Step]

    def successors(self, state: State) -> list[tuple[int, State]]:
        """The enabled steps, by their number in ``steps``, with the states after them."""


class DirectStepper:
    """Steps by running the model's functions: the slow and obvious way."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.steps: list[Step] = []
        self._numbers: dict[Step, int] = {}

    def successors(self, state: State) -> list[tuple[int, State]]:
        """The enabled steps, by their number in ``steps``, with the states after them."""
        found = []
        for name in self.system.actions:  # a look at the clock for each action: its functions may take long
            check_time()
            found += [(self._number(Step(name, one)), after) for one, after in self.system.steps_of(name, state)]
        return found

    def _number(self, step: Step) -> int:
        number = self._numbers.get(step)
        if number is None:
            number = self._numbers[step] = len(self.steps)
            self.steps.append(step)
        return number


@dataclass(frozen=True)
class GraphPath:
    """A way through a graph: the number of the initial state where it begins, and the edges that it takes."""

    start: int
    edges: list[Edge]

    @property
    def end(self) -> int:
        """The number of the state to which it leads."""
        return self.edges[-1][1] if self.edges else self.start

    def onward(self, step: int, target: int) -> GraphPath:
        """The same way and one edge more."""
        return GraphPath(self.start, [*self.edges, (step, target)])


class Graph:
    """States by number (the first ``roots`` are initial), each with its depth; edges by source, in order of discovery.

    initials: the initial states from which the graph is found; all, unless a limit allows fewer. ``begun`` is False
    until all of them were looked at. ``complete`` is False where a limit or an interruption (``stopped`` says which)
    left states unexplored.
    """

    def __init__(self, system: System, stepper: Stepper, initials: Sequence[State]) -> None:
        self.system, self.stepper = system, stepper
        self.states: list[State] = list(initials)
        self.roots, self.begun = len(self.states), False
        self.numbers: dict[State, int] = {state: number for number, state in enumerate(self.states)}
        self.depths = array("i", [0] * self.roots)
        self.first_edge = array("q", [0])  # edges of state n: first_edge[n] up to first_edge[n + 1]
        self.edge_steps = array("i")
        self.edge_targets = array("i")
        self.found_by = array("q", [-1] * self.roots)  # for each state the edge that led to it first
        self.cut: dict[int, Edge] = {}  # of states found by a state that a limit cut off: the step, and from where
        self.departing: list[int] = []  # the states from which a step leaves the range of a field
        self.stopped: Stop | None = None
        self.seconds = 0.0

    @property
    def explored(self) -> int:
        """How many states (the first ones) have had their steps taken."""
        return len(self.first_edge) - 1

    @property
    def complete(self) -> bool:
        """Whether every reachable state was found and explored."""
        return self.explored == len(self.states) and not self.departing

    @property
    def depth(self) -> int:
        """The most steps that any state found needs at least."""
        return max(self.depths)

    @property
    def levels(self) -> list[int]:
        """How many states there are at each depth; they were found in that order."""
        ends = [bisect_right(self.depths, depth) for depth in range(self.depth + 1)]
        return [stop - start for start, stop in pairwise([0, *ends])]

    @property
    def finished_depth(self) -> int:
        """The most steps up to which all states were found; all of them with fewer steps were explored.

        -1 where not even all initial states were looked at.
        """
        if not self.begun:
            return -1
        if self.departing:
            return self.depths[self.departing[0]]
        return self.depth if self.complete else self.depths[self.explored]

    def edges(self, number: int) -> Iterator[tuple[int, int]]:
        """The steps (by number) from an explored state, each with the number of the state after it."""
        for edge in range(self.first_edge[number], self.first_edge[number + 1]):
            yield self.edge_steps[edge], self.edge_targets[edge]

    def drop_unfinished(self) -> None:
        """Forgets the edges of a state whose steps were not all taken, and a state that Ctrl-C caught half noted."""
        size = min(len(self.states), len(self.depths), len(self.found_by))
        if self.found_by[size - 1] >= len(self.edge_steps):
            size -= 1
        while len(self.numbers) > size:
            self.numbers.popitem()
        del self.states[size:], self.depths[size:], self.found_by[size:]
        kept = self.first_edge[-1]
        for number in range(len(self.states) - 1, 0, -1):
            if self.found_by[number] < kept:
                break
            self.cut[number] = (self.edge_steps[self.found_by[number]], self.explored)
        del self.edge_steps[kept:], self.edge_targets[kept:]

    def first_path(self, number: int) -> GraphPath:
        """The way on which a state was found first: as few steps as possible, whatever else."""
        path: list[Edge] = []
        while number >= self.roots:
            edge = self.found_by[number]
            step, before = self.cut.get(number) or (self.edge_steps[edge], bisect_right(self.first_edge, edge) - 1)
            path.append((step, number))
            number = before
        return GraphPath(number, path[::-1])

    def trace(self, path: GraphPath, loop: int | None = None) -> Trace:
        """The trace that goes this way."""
        states = (self.states[path.start], *(self.states[target] for _, target in path.edges))
        return Trace(self.system, states, tuple(self.stepper.steps[step] for step, _ in path.edges), loop)


def explore(
    system: System,
    stepper: Stepper,
    limits: Limits | None = None,
    visit: Callable[[int, State], None] = lambda number, state: None,
) -> Graph:
    """All reachable states, breadth first, as far as the limits allow; Ctrl-C keeps what was found.

    visit: called once for each state that is found, with its number. A state of which a limit cut off the steps counts
    as found and not as explored. Where a step leaves the range of a field, the level is finished and no further one
    begun; the state before has no steps then.
    """
    limits = limits or Limits()
    search = _Search(Graph(system, stepper, system.initials[: limits.max_states]), limits, visit)
    began = time.monotonic()
    try:
        with deadline(limits.max_seconds):
            search.run()
    except KeyboardInterrupt:
        search.graph.stopped = INTERRUPTED
    except OutOfTime:
        search.graph.stopped = Stop(StopReason.SECONDS, limits.max_seconds)
    search.graph.drop_unfinished()
    search.graph.seconds = time.monotonic() - began
    return search.graph


class _Search:
    """One exploration."""

    def __init__(self, graph: Graph, limits: Limits, visit: Callable[[int, State], None]) -> None:
        self.graph, self.limits, self.visit = graph, limits, visit
        self.began = self.reported = self.looked = time.monotonic()
        self.every = 1  # steps of the search between two looks at the clock

    def run(self) -> None:
        """Explores until all is found or a limit is reached; OutOfTime for that of time."""
        graph, limits, visit = self.graph, self.limits, self.visit
        most = limits.max_states if limits.max_states is not None else float("inf")
        deepest = limits.max_depth if limits.max_depth is not None else float("inf")
        states, numbers, depths, found_by = graph.states, graph.numbers, graph.depths, graph.found_by
        steps, targets = graph.edge_steps, graph.edge_targets
        successors = graph.stepper.successors
        number = unseen = 0
        self._begin()
        if not graph.begun:
            graph.stopped = Stop(StopReason.STATES, limits.max_states)
            return
        while number < len(states):
            depth = depths[number] + 1
            if graph.departing and depth > depths[graph.departing[0]] + 1:
                graph.stopped = Stop(StopReason.RANGE_LEFT)
                return
            if depth > deepest:
                graph.stopped = Stop(StopReason.DEPTH, limits.max_depth)
                return
            try:
                following = successors(states[number])
            except OutOfRange:
                graph.departing.append(number)
                following = []
            for step, after in following:
                target = numbers.get(after)
                if target is None:
                    if len(states) >= most:
                        graph.stopped = Stop(StopReason.STATES, limits.max_states)
                        return
                    target = len(states)
                    visit(target, after)
                    numbers[after] = target
                    states.append(after)
                    depths.append(depth)
                    found_by.append(len(targets))
                    unseen += 1
                steps.append(step)
                targets.append(target)
                if unseen >= self.every:
                    unseen = 0
                    self._look(number, depth)
            graph.first_edge.append(len(targets))
            number += 1
            unseen += 1
            if unseen >= self.every:
                unseen = 0
                self._look(number, depth)
        if graph.departing:
            graph.stopped = Stop(StopReason.RANGE_LEFT)

    def _begin(self) -> None:
        """Looks at the initial states."""
        graph = self.graph
        for number, state in enumerate(graph.states):
            if not number & 1023:
                check_time()
            self.visit(number, state)
        graph.begun = graph.roots == len(graph.system.initials)

    def _look(self, number: int, depth: int) -> None:
        """Looks at the clock, and when to look again."""
        check_time()
        now = time.monotonic()
        spent, self.looked = now - self.looked, now
        self.every = max(self.every // 2, 1) if spent > LOOK_EVERY else min(2 * self.every, MOST_UNSEEN)
        if self.limits.report and now - self.reported > 1:
            self.reported = now
            found = len(self.graph.states)
            self.limits.report(Progress(found, found - number, depth - 1, now - self.began))
