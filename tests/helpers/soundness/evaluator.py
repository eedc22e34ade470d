"""Explores a model that is written as a plain program: its own state, search and properties, nothing of onceproof.

A program is a dictionary with INITIAL (cells by key), ACTIONS and PROPERTIES (see ``writer``), and the classes Off and
Left, which an action raises where it cannot happen and where it would put a number out of its range.
"""

import heapq
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.helpers.soundness.fairness import State, Taken, is_broken

Parameter = tuple[int, bool]  # how many elements there are, and whether the first that will do is enough
Action = tuple[Callable[..., None], list[Parameter], str | None, bool, str]  # its budget, is it a fault, its fairness


class TooLarge(Exception):
    """There are more states than were asked for."""


class Vacuous(Exception):
    """What a property presupposes is false."""


@dataclass
class Exploration:
    """What there is to compare: counts, and what was found of each property.

    Of an "always", and of deadlocks, that is the faults and steps of its least violation, or None; of a "sometimes",
    whether it was seen; of a promise, whether it is broken. Where a number leaves its range there is nothing but the
    steps to there, and where an axiom is false nothing at all.
    """

    states: int
    transitions: int
    depth: int
    found: dict[str, tuple[int, int] | bool | int | None]


class Evaluator:
    """Runs the functions of a program. A state is the cells in their order, and what is left of each budget."""

    def __init__(self, text: str, name: str, budgets: dict[str, int | None]) -> None:
        program: dict[str, Any] = {"choice": self.choice, "given": self.given}
        exec(compile(text, name, "exec"), program)
        self.keys = list(program["INITIAL"])
        self.off, self.left = program["Off"], program["Left"]
        self.actions: list[Action] = program["ACTIONS"]
        self.properties: dict[str, tuple[str, Callable[..., bool], list[int]]] = program["PROPERTIES"]
        self.bounded = [name for name, left in budgets.items() if left is not None]
        self.never = {name for name, left in budgets.items() if left == 0}
        self.initial: State = (*program["INITIAL"].values(), *(budgets[name] for name in self.bounded))
        self.script: list[int] = []  # what is chosen, by number, in the run that is under way
        self.widths: list[int] = []  # among how many values each choice of that run was
        self.heeds_given, self.presupposed = True, False

    # -- what a program calls

    def choice(self, values: Any) -> Any:
        """One of the different values, as the script says; the first where it says nothing yet."""
        different = list(dict.fromkeys(values))
        if not different:
            raise self.off
        place = len(self.widths)
        self.widths.append(len(different))
        if place == len(self.script):
            self.script.append(0)
        return different[self.script[place]]

    def given(self, condition: bool) -> None:
        """What a promise presupposes."""
        self.presupposed = True
        if self.heeds_given and not condition:
            raise Vacuous

    # -- steps

    def steps(self, state: State) -> Iterator[Taken]:
        """Each step that can be taken from a state."""
        for number, (function, parameters, budget, fault, fairness) in enumerate(self.actions):
            if budget in self.never:
                continue
            fixed = [range(count) if not fresh else range(1) for count, fresh in parameters]
            for chosen in itertools.product(*fixed):
                free = [
                    range(count) if fresh else [one] for (count, fresh), one in zip(parameters, chosen, strict=True)
                ]
                for arguments in itertools.product(*free):
                    outcomes = list(self.outcomes(function, arguments, budget, state))
                    for after in outcomes:
                        yield Taken((number, arguments), fault, fairness, after)
                    if outcomes:
                        break

    def outcomes(
        self, function: Callable[..., None], arguments: tuple[int, ...], budget: str | None, state: State
    ) -> Iterator[State]:
        """The states after an action, one for each way to choose in it."""
        left = list(state[len(self.keys) :])
        if budget in self.bounded:
            place = self.bounded.index(budget)
            if left[place] == 0:
                return
            left[place] -= 1
        self.script = []
        while True:
            self.widths = []
            cells = self.cells(state)
            try:
                function(cells, *arguments)
            except self.off:
                pass
            else:
                if list(cells) != self.keys:
                    raise KeyError(set(cells) - set(self.keys))
                yield (*map(frozen, cells.values()), *left)
            while self.script and self.script[-1] + 1 == self.widths[len(self.script) - 1]:
                self.script.pop()
            if not self.script:
                return
            self.script[-1] += 1

    def cells(self, state: State) -> dict[Any, Any]:
        """A state as a program sees it: its lists and sets are its own."""
        return dict(zip(self.keys, map(thawed, state), strict=False))

    # -- properties

    def truth(self, name: str, state: State, arguments: tuple[int, ...]) -> bool | None:
        """What a property says of a state; None where what it presupposes is false."""
        try:
            return self.properties[name][1](self.cells(state), *arguments)
        except Vacuous:
            return None

    def instances(self, name: str) -> list[tuple[int, ...]]:
        """The arguments of a property."""
        return list(itertools.product(*map(range, self.properties[name][2])))

    def counts(self, name: str, state: State) -> bool:
        """Whether a state violates an "always" or an axiom, shows a "sometimes", or is a wanted ending."""
        truths = [self.truth(name, state, arguments) for arguments in self.instances(name)]
        return any(truths) if self.properties[name][0] in ("sometimes", "ending") else not all(truths)

    def is_broken(self, name: str, graph: dict[State, list[Taken]]) -> bool:
        """Whether a promise of endless runs is broken, for some elements."""

        kind = self.properties[name][0]
        for arguments in self.instances(name):
            self.presupposed = False
            truths = {state: self.truth(name, state, arguments) for state in graph}
            self.heeds_given = False
            kept = {state: bool(self.truth(name, state, arguments)) for state in graph}
            self.heeds_given = True
            incurred = {state for state, truth in truths.items() if truth is False}
            if is_broken(graph, self.initial, kind, self.presupposed, kept, incurred):
                return True
        return False

    # -- all of it

    def explore(self, most: int) -> Exploration:
        """All reachable states; TooLarge where there are more than ``most``."""
        for name, (kind, _, _) in self.properties.items():
            if kind == "axiom" and self.counts(name, self.initial):
                return Exploration(0, 0, 0, {"axiom": False})
        graph: dict[State, list[Taken]] = {}
        frontier, depth = [self.initial], -1
        seen = {self.initial}
        while frontier:
            depth += 1
            following, has_left = [], False
            for state in frontier:
                try:
                    graph[state] = list(self.steps(state))
                except self.left:
                    has_left = True
                    continue
                for taken in graph[state]:
                    if taken.after not in seen:
                        seen.add(taken.after)
                        following.append(taken.after)
            if has_left:
                return Exploration(0, 0, 0, {"range of strict": depth + 1})
            if len(seen) > most:
                raise TooLarge
            frontier = following
        return Exploration(len(graph), sum(map(len, graph.values())), depth, self.judged(graph))

    def judged(self, graph: dict[State, list[Taken]]) -> dict[str, tuple[int, int] | bool | int | None]:
        """What is found of each property in all states."""
        distances = self.distances(graph)
        found: dict[str, tuple[int, int] | bool | int | None] = {}
        endings = [name for name, (kind, _, _) in self.properties.items() if kind == "ending"]
        for name, (kind, _, _) in self.properties.items():
            if kind in ("always", "sometimes"):
                least = min((distances[state] for state in graph if self.counts(name, state)), default=None)
                found[name] = least is not None if kind == "sometimes" else least
            elif kind not in ("ending", "axiom"):
                found[name] = self.is_broken(name, graph)
        stuck = [state for state in graph if all(taken.fault for taken in graph[state])]
        unwanted = [state for state in stuck if not any(self.counts(name, state) for name in endings)]
        found["deadlock"] = min((distances[state] for state in unwanted), default=None)
        return found

    def distances(self, graph: dict[State, list[Taken]]) -> dict[State, tuple[int, int]]:
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
            for place, taken in enumerate(graph[state]):
                heapq.heappush(waiting, ((cost[0] + taken.fault, cost[1] + 1), number * 10_000 + place, taken.after))
        raise AssertionError


def frozen(cell: Any) -> Any:
    """A cell as part of a state."""
    return tuple(cell) if type(cell) is list else frozenset(cell) if type(cell) is set else cell


def thawed(cell: Any) -> Any:
    """A cell as a program changes it."""
    return list(cell) if type(cell) is tuple else set(cell) if type(cell) is frozenset else cell
