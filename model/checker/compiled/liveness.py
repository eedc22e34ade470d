"""Liveness obligations (``eventually``) on the compiled graph: is there a fair run on which one stays open for ever?

All steps are written down once as arrays; per instance of a property the states in which the obligation may be open
are found, and among them the sets that a fair run can stay in. Only if there is one are Python objects made, for the
states of one stem and one set, and the search of the explicit engine shows the run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Event, Timer
from typing import Any

import numpy as np

from onceproof.model.checker.compiled.frontier import Ranges, pieces
from onceproof.model.checker.compiled.kernels import batch
from onceproof.model.checker.compiled.kernels import graph as kernels
from onceproof.model.checker.compiled.search import Search
from onceproof.model.checker.deadline import OutOfTime, check_time, time_left, timer
from onceproof.model.checker.explicit.graph import Graph
from onceproof.model.checker.explicit.liveness import FairSearch
from onceproof.model.checker.obligations import Demand, demand_of
from onceproof.model.checker.results import Counterexample, Trace
from onceproof.model.language.declare import Fairness, Property
from onceproof.model.language.layout import State
from onceproof.model.language.system import Arguments, Step

UNFULFILLED, INCURRED, BROKEN = 1, 2, 4  # bits that an ``obligation`` function returns
STRENGTH = {
    Fairness.NONE: kernels.NO_FAIRNESS,
    Fairness.WEAK: kernels.WEAK,
    Fairness.STRONG: kernels.STRONG,
}


EDGE_BYTES = 12  # a move, a target, and what was exchanged on the way to it
STATE_BYTES = 110  # what the searches note of each state


def bytes_needed(search: Search) -> int:
    """What the graph of a search and the searches on it take, beside the states and their table."""
    return int(search.fired.sum()) * EDGE_BYTES + int(search.shared[batch.NEXT_BLOCK]) * STATE_BYTES


class ModelFailed(Exception):
    """The model itself fails where an obligation is looked at."""

    def __init__(self, state: State) -> None:
        super().__init__(state)
        self.state = state


class LivenessGraph:
    """The graph of a search that went to its end, asked for obligations that are never fulfilled."""

    def __init__(self, search: Search) -> None:
        self.search, self.functions = search, search.functions
        self.size = int(search.shared[batch.NEXT_BLOCK])
        self.ranges: Ranges = sorted(part for level in search.levels for part in level.ranges)
        self.is_fault = np.array([*self.functions.is_fault, False], np.bool_)
        actions = self.functions.system.actions
        self.fairness = np.array([STRENGTH[actions[s.action].fairness] for s in self.functions.steps] + [0], np.int64)
        self._make_edges()
        # Moves that differ in what they choose are one action instance, of which the first stands for all.
        first: dict[Step, int] = {}
        instances = [first.setdefault(self.functions.system.instance(s), n) for n, s in enumerate(self.functions.steps)]
        same = instances == list(range(len(instances)))
        self.fair_moves = self.moves if same else np.array([*instances, len(instances)], np.int32)[self.moves]
        self._peel()
        self._base: Any = None

    def _make_edges(self) -> None:
        search = self.search
        most = (kernels.GROUP * self.functions.most_records + 1) * (search.words + 1)
        self.first = np.zeros(self.size + 1, np.int64)
        self.moves, self.targets, self.exchanged = np.zeros((3, 0), np.int32)
        expired = timer()
        for _ in range(2):

            def fill(piece: tuple[int, int]) -> int:
                if expired():
                    return 0
                out, hashes = np.empty(most, np.int64), np.empty(most, np.uint64)
                moves = np.array(self.functions.row_of_moves(idle=True), np.int64)
                parts = (search.addresses, search.states, search.words, search.visited.entries, search.visited.bits)
                arrays = (self.first, self.moves, self.targets, self.exchanged, out, hashes, moves)
                return int(kernels.make_edges(*parts, *piece, *arrays))

            alike = search.all_workers(fill, pieces(self.ranges))
            check_time()
            if not len(self.targets):
                np.cumsum(self.first, out=self.first)
                edges = int(self.first[-1])
                self.moves, self.targets = np.zeros((2, edges + 1), np.int32)
                self.exchanged = np.zeros(edges + 1 if self.functions.exchanges else 0, np.int32)
            self.alike = sum(alike)  # steps from a state to another that it represents

    def _peel(self) -> None:
        """What of the answer is the same for each obligation: where cycles are, and where a fair run may stay."""
        self.entries, queue = np.zeros(self.size, np.int32), np.zeros(self.size, np.int32)
        self.resting = np.zeros(self.size, np.bool_)  # whether a fair run may stay there
        graph = (self.first, self.moves, self.targets, self.is_fault, self.fairness)
        self._in_time(kernels.peel, *graph, self.entries, queue, self.resting)

    def _in_time(self, kernel: Callable[..., Any], *arguments: Any) -> Any:
        """What a kernel gives that goes through the edges; OutOfTime soon after the time is up.

        No kernel looks at a clock. When the time is up the edges are taken away from it, so that it comes to its end.
        """
        check_time()
        left = time_left()
        if left is None:
            return kernel(*arguments)
        over = Event()

        def end() -> None:
            over.set()
            self.first[:] = 0

        clock = Timer(left, end)
        clock.daemon = True
        clock.start()
        try:
            found = kernel(*arguments)
        finally:
            clock.cancel()
        if over.is_set():
            raise OutOfTime
        return found

    def _labels(self, number: int) -> Any:
        """For each state whether it incurs the obligation with this number, and whether it fails to fulfil it.

        What must be true at some time is owed from the start on. What must stay true is looked for everywhere.
        """
        labels = self._bodies(number)
        match self._demand(number):
            case Demand.ONCE:
                labels[self.search.roots :] &= UNFULFILLED | BROKEN
            case Demand.LASTING:
                labels &= UNFULFILLED
            case Demand.RESPONSE | Demand.REPEATED:
                pass
        return labels

    def _demand(self, number: int) -> Demand:
        return demand_of(self.functions.system, self.functions.properties.instances[number][0])

    def _is_weak(self, number: int) -> bool:
        return self.functions.properties.instances[number][0].weak

    def _bodies(self, number: int) -> Any:
        """What the function of the obligation with this number says of each state."""
        labels = self._answers(f"obligation_{number}")
        if self.search.outside:  # a run that goes there is not followed, so it is no run on which this stays open
            labels[self._answers("beyond") != 0] = 0
        return labels

    def _answers(self, function: str) -> Any:
        """What a function says of each state."""
        labels = np.zeros(self.size, np.uint8)
        search = self.search
        address = search.library.address(function)
        for start, stop in pieces(self.ranges):
            check_time()
            failing = kernels.make_labels(
                address, search.states, search.words, start, stop, labels, search.workers[0].out
            )
            if failing >= 0:
                raise ModelFailed(search.state(failing))
        return labels

    # -- one obligation

    def holds_by_symmetry(self, numbers: Sequence[int]) -> bool:
        """Whether these instances, all of one property, are kept, whichever elements change places.

        States that represent others do not say which element is which along a run. But if no step closes a cycle, not
        even to what differs by such a change alone, then neither does any in the whole graph, and each fair run comes
        to rest; in which states, and which instances are open there, is known. False where this does not answer it.
        """
        whole = self.functions.path is not None
        followed = whole or len(self.functions.exchanges) <= kernels.EXCHANGES.bit_length()
        if self.alike or np.any(self.entries >= 0) or not followed:
            return False
        labels = np.stack([self._labels(number) for number in numbers], axis=1)
        if np.any(labels & BROKEN):
            return False  # it is not followed whether such an obligation is open there
        if self._is_weak(numbers[0]):
            return True
        if not np.any(labels[self.resting]):
            return True
        if self._demand(numbers[0]) is Demand.LASTING:
            return False
        opened = np.zeros(labels.size, np.bool_)
        graph = (self.first, self.targets, self.exchanged, self._swaps(numbers), whole, len(numbers))
        self._in_time(kernels.reach_by_symmetry, *graph, labels.reshape(-1), opened, np.zeros(labels.size, np.int64))
        return not np.any(opened.reshape(labels.shape)[self.resting])

    def _swaps(self, numbers: Sequence[int]) -> Any:
        """Which of these instances each becomes, by their positions: for each arrangement, or else each exchange."""
        instances = [self.functions.properties.instances[number] for number in numbers]
        position = {arguments: at for at, (_, arguments) in enumerate(instances)}
        swaps = np.array(
            [
                [position[exchange.arguments(arguments, claim.parameters)] for claim, arguments in instances]
                for exchange in self.functions.exchanges
            ],
            np.int64,
        )
        if self.functions.path is not None:
            here = [np.arange(len(instances))]
            for at in self.functions.path:
                here.append(swaps[at][here[-1]])
            swaps = np.stack(here)
        return swaps.reshape(-1)

    def counterexample(self, claim: Property, number: int) -> Counterexample | None:
        """A fair run that incurs the obligation with this number and never fulfils it; None if there is none."""
        labels = self._labels(number)
        unfulfilled = labels & UNFULFILLED != 0
        seeds = np.flatnonzero(labels & INCURRED)
        recurring = None
        if self._demand(number) is Demand.LASTING:
            recurring, unfulfilled = unfulfilled, np.zeros(self.size, np.bool_)
            for start, stop in self.ranges:
                unfulfilled[start:stop] = True
            seeds = np.arange(self.search.roots)
        if not len(seeds):
            return None
        opened = np.zeros(self.size, np.bool_)
        opened[seeds] = True
        queue = np.empty(int(np.count_nonzero(unfulfilled)) + 1, np.int64)
        queue[: len(seeds)] = seeds
        count = self._in_time(kernels.reach, self.first, self.targets, unfulfilled, opened, queue, len(seeds))
        weak = self._is_weak(number)
        group = np.full(self.size, -1, np.int64) if weak else self._fair_sets(queue[:count])
        ended = queue[:count][labels[queue[:count]] & BROKEN != 0]
        group[ended] = 2 * self.size + 1 + np.arange(len(ended))  # an ``until`` is violated there, each by itself
        if recurring is not None:
            group[~np.isin(group, group[recurring])] = 0
        if not np.any(group > 0):
            return None
        return self._shown(claim, number, seeds, unfulfilled, group)

    def _fair_sets(self, members: Any) -> Any:
        """For each state the number (from 1 on) of the set among ``members`` that a fair run can stay in; or less."""
        group = np.full(self.size, -1, np.int64)
        sets = 0
        peeled = self.entries[members] < 0
        on_cycles = members[~peeled]
        if len(on_cycles):
            group[on_cycles] = 0
            graph = (self.first, self.fair_moves, self.targets, self.is_fault, self.fairness)
            room, counts = np.zeros((7, self.size), np.int64), np.zeros((3, len(self.fairness)), np.int64)
            sets = self._in_time(kernels.fair_sets, *graph, on_cycles, group, room, counts)
        alone = members[peeled & self.resting[members]]
        group[alone] = sets + 1 + np.arange(len(alone))
        return group

    def _shown(self, claim: Property, number: int, seeds: Any, unfulfilled: Any, group: Any) -> Counterexample:
        base_faults, base_steps = self._base_costs()
        seeds = seeds[np.lexsort((base_steps[seeds], base_faults[seeds]))]
        faults, steps = self._least_costs(unfulfilled, seeds, base_faults[seeds], base_steps[seeds])
        goals = np.flatnonzero(group > 0)
        costs = faults[goals] << 32 | steps[goals]
        goal = self._least(goals[costs == costs.min()])
        stem = self._stem(goal, faults, steps, seeds)
        cycle = np.flatnonzero(group == group[goal])
        return self._lasso(claim, number, stem, cycle[:0] if group[goal] > 2 * self.size else cycle)

    def _base_costs(self) -> Any:
        if self._base is None:
            roots = np.arange(self.search.roots)
            nothing = np.zeros_like(roots)
            self._base = self._least_costs(np.ones(self.size, np.bool_), roots, nothing, nothing)
        return self._base

    def _least_costs(self, allowed: Any, seeds: Any, seed_faults: Any, seed_steps: Any) -> Any:
        faults, steps, noted = np.full((3, self.size), -1, np.int64)
        graph = (self.first, self.moves, self.targets, self.is_fault)
        queues = np.zeros((5, self.size + 1), np.int64)
        costs = (faults, steps, queues, noted)
        self._in_time(kernels.least_costs, *graph, allowed, seeds, seed_faults, seed_steps, *costs)
        return faults, steps

    def _least(self, numbers: Any) -> int:
        """The state whose words are least: the same for any number of workers."""
        rows = self.search.states.reshape(-1, self.search.words)[numbers]
        return int(numbers[np.lexsort(rows.T[::-1])[0]])

    def _stem(self, goal: int, faults: Any, steps: Any, seeds: Any) -> list[int]:
        """The states on a least run to the goal, on which the obligation is open from one of the seeds on."""
        base_faults, base_steps = self._base_costs()
        found = np.empty(self.size, np.int64)
        is_seed = np.zeros(self.size, np.bool_)
        is_seed[seeds] = True
        stem = [goal]
        opened = True
        while stem[-1] >= self.search.roots or opened:
            here = stem[-1]
            if opened and is_seed[here] and (faults[here], steps[here]) == (base_faults[here], base_steps[here]):
                opened = False
                continue
            cost = (faults, steps) if opened else (base_faults, base_steps)
            graph = (self.first, self.moves, self.targets, self.is_fault)
            count = kernels.sources(*graph, *cost, here, cost[0][here], found)
            stem.append(self._least(found[:count]))
        return stem[::-1]

    def _lasso(self, claim: Property, number: int, stem: list[int], cycle: Any) -> Counterexample:
        """The plain engine's answer on the part of the graph that matters; all other states count as kept."""
        functions = self.functions
        graph = Graph(functions.system, functions.generated, [self.search.state(stem[0])])
        inside = {self.search.state(n) for n in {*stem, *cycle.tolist()}}
        for state in inside - {graph.states[0]}:
            self._add(graph, state)
        for state in graph.states[:]:
            for step, after in functions.generated.successors(state):
                graph.edge_steps.append(step)
                graph.edge_targets.append(self._add(graph, after))
            graph.first_edge.append(len(graph.edge_targets))
        graph.first_edge.extend([len(graph.edge_targets)] * (len(graph.states) - graph.explored))
        truth, fulfilled = functions.properties.truth(number), functions.properties.fulfilled(number)
        lasts = functions.properties.lasts(number) if claim.kind == "until" else None
        demand, search = self._demand(number), FairSearch(graph)
        if demand is Demand.LASTING:
            lasso = search.lasso(
                lambda n: n == 0,
                lambda n: graph.states[n] not in inside,
                lambda n: graph.states[n] in inside and not fulfilled(graph.states[n]),
            )
        else:
            lasso = search.violation(
                demand,
                lambda n: graph.states[n] in inside and truth(graph.states[n]) is False,
                lambda n: graph.states[n] not in inside or fulfilled(graph.states[n]),
                None if lasts is None else lambda n: not lasts(graph.states[n]),
                claim.weak,
            )
        if lasso is None:
            raise AssertionError(f"{claim.name}: the fair run that the compiled search found is none")
        trace: Trace = graph.trace(lasso.path, loop=lasso.loop)
        arguments: Arguments = functions.properties.instances[number][1]
        return Counterexample(claim.name, arguments, trace, lasso.minimal)

    def _add(self, graph: Graph, state: State) -> int:
        number = graph.numbers.get(state)
        if number is None:
            number = graph.numbers[state] = len(graph.states)
            graph.states.append(state)
            graph.depths.append(0)
        return number
