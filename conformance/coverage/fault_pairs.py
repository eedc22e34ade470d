"""Pairs of faults, and the least sizes of a model at which both can happen in one run.

What a model does only so often without being a fault (a user stops a task, a queue is handed over) counts as well: each
budget does. A pair may be a fault that happens twice.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from onceproof.conformance.coverage.graph import Graph
from onceproof.model.checker.deadline import check_time
from onceproof.model.checker.ground.steps import Ground, TooLarge
from onceproof.model.language import Config, ConfigError, Model, System, build
from onceproof.model.language.declare import Action
from onceproof.model.language.errors import AxiomError
from onceproof.model.language.layout import LEFT, State

MOST_MORE = 2  # elements more than the least that are tried, all sorts together
MOST_STATES = 50_000  # of one model that is searched for a run with both faults


@dataclass(frozen=True)
class FaultPair:
    """Two faults, by the names of their budgets; the same name twice where one happens twice."""

    one: str
    other: str

    @property
    def times(self) -> dict[str, int]:
        """How often each happens."""
        return {self.one: 2} if self.one == self.other else {self.one: 1, self.other: 1}

    def __str__(self) -> str:
        return f"{self.one} twice" if self.one == self.other else f"{self.one} + {self.other}"


class Unsure(Exception):
    """The search for a run with both faults ended at its limit of states."""


def pairs_of(model: Model) -> list[FaultPair]:
    """Every pair of what a model does only so often."""
    names = list(dict.fromkeys(_event(action) for action in model.actions.values() if action.fault or action.budget))
    return [FaultPair(*pair) for pair in itertools.combinations_with_replacement(names, 2)]


def after_both(graph: Graph) -> set[int]:
    """The transitions (by number) after which nothing is left of any budget: both faults have happened."""
    cells = _budget_cells(graph.system)
    return {n for n, edge in enumerate(graph.edges) if all(graph.states[edge.target][cell] == 0 for cell in cells)}


class LeastSizes:
    """The search for the least sizes, of the model of one spec under its mechanisms and parameters.

    It begins with one element of each sort, or with what a fault needs to show anything, and goes on with one more of
    each sort, then two; at last it tries the sizes of the spec.
    """

    def __init__(self, system: System) -> None:
        self.model, self.config = system.model, system.config
        sorts = [sort.size_name for sort in self.model.sorts.values()]
        ones = dict.fromkeys(sorts, 1)
        derive = self.model.derive or (lambda config, given: {})
        derived = derive(replace(self.config, sizes={**self.config.sizes, **ones}), {})
        self._sorts = [name for name in sorts if name not in derived]
        self._bounded = {a.budget for a in self.model.actions.values() if a.budget and not a.fault}
        self._possible: dict[tuple[int, ...], frozenset[str]] = {}

    def find(self, pair: FaultPair) -> System | None:
        """The model at the least sizes at which a run has both faults; None where none has at any that are tried.

        Unsure, OutOfTime.
        """
        unsure = False
        for sizes in self._sizes(pair):
            check_time()
            if not self._conceivable(sizes).issuperset(pair.times):
                continue
            system = self._built(sizes, pair.times)
            found = system is not None and _has_run(system)
            if found:
                return system
            unsure = unsure or found is None
        if unsure:
            raise Unsure
        return None

    def of(self, system: System) -> dict[str, int]:
        """The sizes of a system that it was looked for with: those that do not follow from others."""
        return {name: system.config.sizes[name] for name in self._sorts}

    def _sizes(self, pair: FaultPair) -> Iterator[dict[str, int]]:
        """The sizes that are tried, the least first."""
        needs = [self.model.needs.get(name, {}) for name in pair.times]
        least = {name: max([1, *(need.get(name, 1) for need in needs)]) for name in self._sorts}
        most = {name: max(2, size, self.config.sizes[name]) for name, size in least.items()}
        for more in range(MOST_MORE + 1):
            for chosen in itertools.combinations_with_replacement(self._sorts, more):
                sizes = {name: size + chosen.count(name) for name, size in least.items()}
                if all(size <= most[name] for name, size in sizes.items()):
                    yield sizes
        yield {name: self.config.sizes[name] for name in self._sorts}

    def _built(self, sizes: Mapping[str, int], times: Mapping[str, int]) -> System | None:
        """The model at these sizes, in which just these may happen so often; None where it has none of these sizes."""
        config = self._config(sizes, times)
        try:
            return None if config is None else build(self.model, config)
        except AxiomError:
            return None

    def _config(self, sizes: Mapping[str, int], times: Mapping[str, int]) -> Config | None:
        bounded = {name: times.get(name, 0) for name in self._bounded}
        given = {**sizes, **{name: times for name, times in bounded.items() if times}}
        budgets = {name: times.get(name, 0) for name in self.model.faults}
        try:
            return self.model.configure(given, self.config.switches, budgets, self.config.parameters)
        except ConfigError:
            return None

    def _conceivable(self, sizes: Mapping[str, int]) -> frozenset[str]:
        """What can happen at these sizes for all that the guards say, whatever else happens."""
        key = tuple(sizes.values())
        if key not in self._possible:
            everything = dict.fromkeys((*self.model.faults, *self._bounded), 2)
            system = self._built(sizes, everything)
            self._possible[key] = frozenset() if system is None else _possible(system)
        return self._possible[key]


def _event(action: Action) -> str:
    return action.budget or action.name


def _possible(system: System) -> frozenset[str]:
    try:
        ground = Ground(system)
    except TooLarge:
        return frozenset(_event(action) for action in system.actions.values())
    moves = {way.move for group in ground.groups for way in group.alternatives}
    return frozenset(_event(system.actions[ground.steps[move].action]) for move in moves)


def _budget_cells(system: System) -> list[int]:
    return [place.offset for name, place in system.layout.places.items() if name.startswith(LEFT)]


def _has_run(system: System) -> bool | None:
    """Whether some run uses up all budgets; None where there are too many states to say. OutOfTime."""
    cells = _budget_cells(system)

    def left(state: State) -> int:
        return sum(state[cell] for cell in cells)

    known = set(system.initials)
    queue = [(left(state), number, state) for number, state in enumerate(system.initials)]
    heapq.heapify(queue)
    while queue:
        check_time()
        rest, _, state = heapq.heappop(queue)
        if rest == 0:
            return True
        for _, after in system.successors(state):
            if after not in known:
                known.add(after)
                heapq.heappush(queue, (left(after), len(known), after))
        if len(known) > MOST_STATES:
            return None
    return False
