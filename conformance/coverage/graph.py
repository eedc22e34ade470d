"""The reachable states of a model and every labelled transition between them, as a replay needs them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from onceproof.model.checker.ground.python_code import GeneratedSystem
from onceproof.model.checker.ground.steps import TooLarge
from onceproof.model.language import Step, System
from onceproof.model.language.layout import State


@dataclass(frozen=True, slots=True)
class Edge:
    """A transition: from one state to another (by number) by one step. Parallel edges differ in their step."""

    source: int
    target: int
    step: Step


@dataclass
class Graph:
    """States by number (the first ``roots`` are initial), every transition, and those that leave each state by number.

    skipped: by action, how many transitions are left out because a driver does not perform it; what can be reached
    only through them is not in the graph. complete: False where a limit ended the search.
    """

    system: System
    states: list[State]
    edges: list[Edge] = field(default_factory=list)
    leaving: list[list[int]] = field(default_factory=list)
    skipped: dict[str, int] = field(default_factory=dict)
    complete: bool = True
    parents: list[int] = field(default_factory=list)  # the edge by which breadth-first search found a state; -1: none
    roots: int = 1

    def way_to(self, state: int) -> list[int]:
        """A shortest path from an initial state, as numbers of edges."""
        path = []
        while state >= self.roots:
            path.append(self.parents[state])
            state = self.edges[path[-1]].source
        return path[::-1]


def stepper(system: System) -> Callable[[State], Iterable[tuple[Step, State]]]:
    """What ``system.successors`` gives, by generated code (some thirty times as fast) where it is not too much."""
    try:
        code = GeneratedSystem(system)
    except TooLarge:
        return system.successors
    steps, successors = code.steps, code.successors
    return lambda state: [(steps[number], after) for number, after in successors(state)]


def explore(
    system: System,
    allowed: Callable[[Step], bool] = lambda step: True,
    max_states: int | None = None,
    max_seconds: float | None = None,
) -> Graph:
    """Every state that allowed steps reach, breadth first, up to a number of states or a time in seconds."""
    roots = len(system.initials)
    graph = Graph(system, list(system.initials), parents=[-1] * roots, roots=roots)
    numbers = {state: number for number, state in enumerate(system.initials)}
    steps_from = stepper(system)
    until = None if max_seconds is None else time.monotonic() + max_seconds
    for number in iter(range(2**62)):
        if number == len(graph.states):
            break
        if (until is not None and time.monotonic() > until) or (max_states and len(graph.states) > max_states):
            graph.complete = False
            break
        graph.leaving.append([])
        for step, after in steps_from(graph.states[number]):
            if not allowed(step):
                graph.skipped[step.action] = graph.skipped.get(step.action, 0) + 1
                continue
            target = numbers.setdefault(after, len(graph.states))
            if target == len(graph.states):
                graph.states.append(after)
                graph.parents.append(len(graph.edges))
            graph.leaving[number].append(len(graph.edges))
            graph.edges.append(Edge(number, target, step))
    graph.leaving += [[] for _ in range(len(graph.states) - len(graph.leaving))]
    return graph
