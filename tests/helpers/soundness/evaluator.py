"""Explores a model that is written as a plain program: its own state, search and properties, nothing of onceproof.

A program is a dictionary with INITIAL (cells by key), ACTIONS and PROPERTIES (see ``writer``), and the class Off, which
an action raises where it cannot happen.
"""

import heapq
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

State = tuple[Any, ...]
Parameter = tuple[int, bool]  # how many elements there are, and whether the first that will do is enough


class TooLarge(Exception):
    """There are more states than were asked for."""


@dataclass
class Exploration:
    """What there is to compare: counts, and what was found of each property.

    Of an "always", and of deadlocks, that is the faults and steps of its least violation, or None; of a "sometimes",
    whether it was seen.
    """

    states: int
    transitions: int
    depth: int
    found: dict[str, tuple[int, int] | bool | None]


class Evaluator:
    """Runs the functions of a program. A state is the cells in their order, and what is left of each fault's budget."""

    def __init__(self, program: dict[str, Any], budgets: dict[str, int | None]) -> None:
        self.keys = list(program["INITIAL"])
        self.off = program["Off"]
        self.actions: list[tuple[Callable[..., None], list[Parameter], str | None]] = program["ACTIONS"]
        self.properties: dict[str, tuple[str, Callable[..., bool], list[int]]] = program["PROPERTIES"]
        self.faults = [name for name, left in budgets.items() if left is not None]
        self.never = {name for name, left in budgets.items() if left == 0}
        self.initial: State = (*program["INITIAL"].values(), *(budgets[name] for name in self.faults))

    def steps(self, state: State) -> Iterator[tuple[bool, State]]:
        """Whether each step that can be taken is a fault, and the state after it."""
        for function, parameters, fault in self.actions:
            if fault in self.never:
                continue
            fixed = [range(count) if not fresh else range(1) for count, fresh in parameters]
            for chosen in itertools.product(*fixed):
                free = [
                    range(count) if fresh else [one] for (count, fresh), one in zip(parameters, chosen, strict=True)
                ]
                for arguments in itertools.product(*free):
                    after = self.taken(function, arguments, fault, state)
                    if after is not None:
                        yield fault is not None, after
                        break

    def taken(self, function: Callable[..., None], arguments: tuple[int, ...], fault: str | None, state: State) -> Any:
        """The state after a step; None where it cannot be taken."""
        cells = self.cells(state)
        left = list(state[len(self.keys) :])
        if fault in self.faults:
            place = self.faults.index(fault)
            if left[place] == 0:
                return None
            left[place] -= 1
        try:
            function(cells, *arguments)
        except self.off:
            return None
        if list(cells) != self.keys:
            raise KeyError(set(cells) - set(self.keys))
        return (*(tuple(cell) if type(cell) is list else cell for cell in cells.values()), *left)

    def cells(self, state: State) -> dict[Any, Any]:
        """A state as a program sees it: its sequences are lists, each one its own."""
        parts = (list(cell) if type(cell) is tuple else cell for cell in state)
        return dict(zip(self.keys, parts, strict=False))

    def counts(self, name: str, state: State) -> bool:
        """Whether a state violates an "always", or shows a "sometimes"."""
        kind, function, sizes = self.properties[name]
        cells = self.cells(state)
        truths = (function(cells, *arguments) for arguments in itertools.product(*map(range, sizes)))
        return any(truths) if kind == "sometimes" else not all(truths)

    def explore(self, most: int) -> Exploration:
        """All reachable states; TooLarge where there are more than ``most``."""
        after: dict[State, list[tuple[bool, State]]] = {}
        frontier, depth = [self.initial], -1
        seen = {self.initial}
        while frontier:
            depth += 1
            following = []
            for state in frontier:
                after[state] = list(self.steps(state))
                for _, one in after[state]:
                    if one not in seen:
                        seen.add(one)
                        following.append(one)
            if len(seen) > most:
                raise TooLarge
            frontier = following
        distances = self.distances(after)
        found: dict[str, tuple[int, int] | bool | None] = {}
        for name, (kind, _, _) in self.properties.items():
            least = min((distances[state] for state in after if self.counts(name, state)), default=None)
            found[name] = least is not None if kind == "sometimes" else least
        stuck = [distances[state] for state in after if all(fault for fault, _ in after[state])]
        found["deadlock"] = min(stuck, default=None)
        return Exploration(len(after), sum(map(len, after.values())), depth, found)

    def distances(self, after: dict[State, list[tuple[bool, State]]]) -> dict[State, tuple[int, int]]:
        """The least faults, then steps, to each state."""
        found: dict[State, tuple[int, int]] = {}
        waiting = [((0, 0), 0, self.initial)]
        for number in itertools.count(1):
            if not waiting:
                return found
            cost, _, state = heapq.heappop(waiting)
            if state in found:
                continue
            found[state] = cost
            for place, (fault, one) in enumerate(after[state]):
                heapq.heappush(waiting, ((cost[0] + fault, cost[1] + 1), number * 10_000 + place, one))
        raise AssertionError
