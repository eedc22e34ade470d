"""The reachable states of a system as an explicit graph, found breadth first."""

from __future__ import annotations

import time
from array import array
from collections.abc import Iterator
from typing import Protocol

from onceproof.model.checker.results import INTERRUPTED, Limits, Progress, Stop, StopReason, Trace
from onceproof.model.language.layout import State
from onceproof.model.language.system import Step, System

LOOK_EVERY = 512  # states between two looks at the clock


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
        return [(self._number(step), after) for step, after in self.system.successors(state)]

    def _number(self, step: Step) -> int:
        number = self._numbers.get(step)
        if number is None:
            number = self._numbers[step] = len(self.steps)
            self.steps.append(step)
        return number


class Graph:
    """States by number (0 is initial), each with its depth; edges grouped by source, in order of discovery.

    ``complete`` is False where a limit or an interruption (``stopped`` says which) left states unexplored.
    """

    def __init__(self, system: System, stepper: Stepper) -> None:
        self.system, self.stepper = system, stepper
        self.states: list[State] = [system.initial]
        self.numbers: dict[State, int] = {system.initial: 0}
        self.depths = array("i", [0])
        self.first_edge = array("q", [0])  # edges of state n: first_edge[n] up to first_edge[n + 1]
        self.edge_steps = array("i")
        self.edge_targets = array("i")
        self.stopped: Stop | None = None
        self.seconds = 0.0

    @property
    def explored(self) -> int:
        """How many states (the first ones) have had their steps taken."""
        return len(self.first_edge) - 1

    @property
    def complete(self) -> bool:
        """Whether every reachable state was found and explored."""
        return self.explored == len(self.states)

    @property
    def depth(self) -> int:
        """The most steps that any state found needs at least."""
        return max(self.depths)

    def edges(self, number: int) -> Iterator[tuple[int, int]]:
        """The steps (by number) from an explored state, each with the number of the state after it."""
        for edge in range(self.first_edge[number], self.first_edge[number + 1]):
            yield self.edge_steps[edge], self.edge_targets[edge]

    def trace(self, path: list[tuple[int, int]], loop: int | None = None) -> Trace:
        """The trace that takes these edges (step number, state number) from the initial state."""
        states = (self.states[0], *(self.states[target] for _, target in path))
        return Trace(self.system, states, tuple(self.stepper.steps[step] for step, _ in path), loop)


def explore(system: System, stepper: Stepper, limits: Limits | None = None) -> Graph:
    """All reachable states, breadth first, as far as the limits allow; Ctrl-C keeps what was found."""
    limits = limits or Limits()
    graph = Graph(system, stepper)
    began = reported = time.monotonic()
    most = limits.max_states if limits.max_states is not None else float("inf")
    deepest = limits.max_depth if limits.max_depth is not None else float("inf")
    states, numbers, depths = graph.states, graph.numbers, graph.depths
    steps, targets = graph.edge_steps, graph.edge_targets
    successors = stepper.successors
    number = 0
    try:
        while number < len(states) and not graph.stopped:
            depth = depths[number] + 1
            if depth > deepest:
                graph.stopped = Stop(StopReason.DEPTH, limits.max_depth)
                break
            found = successors(states[number])
            for step, after in found:
                target = numbers.get(after)
                if target is None:
                    target = numbers[after] = len(states)
                    states.append(after)
                    depths.append(depth)
                steps.append(step)
                targets.append(target)
            graph.first_edge.append(len(targets))
            number += 1
            if len(states) > most:
                graph.stopped = Stop(StopReason.STATES, limits.max_states)
            if number % LOOK_EVERY == 0:
                now = time.monotonic()
                if limits.max_seconds is not None and now - began > limits.max_seconds:
                    graph.stopped = Stop(StopReason.SECONDS, limits.max_seconds)
                if limits.report and now - reported > 1:
                    reported = now
                    limits.report(Progress(len(states), len(states) - number, depth - 1, now - began))
    except KeyboardInterrupt:
        graph.stopped = INTERRUPTED
        del steps[graph.first_edge[-1] :], targets[graph.first_edge[-1] :]
    graph.seconds = time.monotonic() - began
    return graph
