"""From the packed states of a search back to runs for people: the least run to a violation.

Only states are kept, not how they were found. So the states on least runs are marked backwards, level by level, by
taking the steps of each level again; they are few, and from them the run is chosen as the plain engine chooses it.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np

from onceproof.model.checker.compiled.frontier import Level, pieces
from onceproof.model.checker.compiled.kernels import batch
from onceproof.model.checker.compiled.kernels.paths import mark, scan
from onceproof.model.checker.compiled.search import Search
from onceproof.model.checker.deadline import OutOfTime, check_time
from onceproof.model.checker.explicit.graph import Graph
from onceproof.model.checker.explicit.minimal import MINIMAL, Costs
from onceproof.model.checker.results import Limits, StopReason, Trace
from onceproof.model.language.errors import OutOfRange
from onceproof.model.language.layout import State
from onceproof.model.language.system import Step

MOST_AT_A_LEVEL = 1000  # of the states on least runs, so many of each level are looked at
FAILS = -1  # in place of a claim: that the model fails in a step
LAYER = 1 << 24  # labels: faults * LAYER + steps + 1
Words = tuple[int, ...]


class Paths:
    """Least runs to the violations that a search found."""

    def __init__(self, search: Search) -> None:
        self.search, self.words = search, search.words
        self.generated = search.functions.generated
        self.out = search.workers[0].out
        functions = search.functions
        self.is_fault = np.array([*functions.is_fault, False], np.bool_)
        self.calm = np.array(functions.kinds_of_moves(None), np.int64)[functions.move_words :]
        self.moves = np.array(functions.row_of_moves(idle=False), np.int64)

    def least(self, which: int, violates: Callable[[State], bool]) -> tuple[Trace, str]:
        """A least run to a state that violates claim ``which`` - 1 (0: a deadlock), and in what it is least."""
        graph, goals, minimal = self._least_runs(which, violates)
        return graph.trace(Costs(graph).cheapest(goals)), minimal

    def least_step(self, which: int, violating: Callable[[State], list[Step]], by_fault: bool) -> tuple[Trace, str]:
        """A least run that ends with a step that violates claim ``which``, and in what it is least.

        violating: such steps from a state; by_fault: whether the step is a fault.
        """
        system = self.search.functions.system

        def wanted(state: State) -> list[Step]:
            return [step for step in violating(state) if system.actions[step.action].fault == by_fault]

        graph, goals, minimal = self._least_runs(which, lambda state: bool(wanted(state)))
        path, step = Costs(graph).cheapest_step({number: wanted(graph.states[number]) for number in goals})
        return graph.trace(path).followed_by(step), minimal

    def _least_runs(self, which: int, violates: Callable[[State], bool]) -> tuple[Graph, list[int], str]:
        """All least runs to states that violate a claim, as a graph, those states in it, and in what they are least."""
        search = self.search
        key = int(search.best[which])
        faults, steps = key >> 32, key & 0xFFFFFFFF
        counted = search.functions.faults_counted
        levels = {(0, level.steps): level for level in search.levels}
        if counted or not any(search.functions.is_fault):
            return self._runs(levels, (0, steps), which, faults if counted else -1, 0, violates)
        return self._runs(*self._in_layers(which), which, -1, LAYER, violates)

    def to_departure(self, level: Level, leaves: Callable[[State], bool]) -> Trace:
        """A run of least steps to a state of a level from which a step leaves the range of a field."""
        levels = {(0, one.steps): one for one in self.search.levels}
        graph, goals, _ = self._runs(levels, (0, level.steps), FAILS, -1, 0, leaves)
        return graph.trace(Costs(graph).cheapest(goals))

    def _in_layers(self, which: int) -> tuple[dict[tuple[int, int], Level], tuple[int, int]]:
        """Searches again, all that k faults reach before fault k + 1, up to the first violation.

        Returns its levels by (faults, steps), and where the violation is.
        """
        old = self.search
        search = Search(old.functions, old.library, len(old.workers), old.max_memory)
        search.begin()
        self.search, self.out = search, search.workers[0].out
        levels = {(0, 0): search.levels[0]}
        faults = 0
        while True:
            steps = 1
            before = {s: level for (f, s), level in levels.items() if f == faults - 1}
            last = max(before, default=0)
            while steps <= last + 1 or (faults, steps - 1) in levels:
                found = []
                if (faults, steps - 1) in levels:
                    found += search.expand(levels[faults, steps - 1].ranges, steps, Limits(), faults=False)
                if steps - 1 in before:
                    found += search.expand(before[steps - 1].ranges, steps, Limits(), faults=True)
                if found:
                    levels[faults, steps] = Level(found, faults, steps)
                if search.stopped and search.stopped.reason is not StopReason.RANGE_LEFT:
                    raise OutOfTime
                search.stopped = None
                if self._violated(which, levels.get((faults, steps - 1))):
                    return levels, (faults, steps - 1)
                steps += 1
            faults += 1

    def _violated(self, which: int, level: Level | None) -> bool:
        if level is None or int(self.search.best[which]) == batch.FAR:
            return False
        marks = np.zeros(int(self.search.shared[batch.NEXT_BLOCK]), np.int32)
        return self.mark_violations(level, which, -1, marks, 1) > 0

    def deadlock_in(self, level: Level) -> int:
        """The least key (faults << 32 | steps) of a deadlock in a level of which no steps were taken; FAR for none."""
        marks = np.zeros(int(self.search.shared[batch.NEXT_BLOCK]), np.int32)
        if not self.mark_violations(level, 0, -1, marks, 1):
            return batch.FAR
        faults = 0
        while not self.mark_violations(level, 0, faults, marks, 1):
            faults += 1
        return faults << 32 | level.steps

    def mark_violations(self, level: Level, which: int, faults: int, marks: Any, label: int) -> int:
        """Marks the states of a level that violate a claim, as the kernel ``scan`` says; returns how many there are."""
        search, found = self.search, 0
        for start, stop in pieces(level.ranges):
            check_time()
            place = (search.addresses, search.states, search.words, start, stop)
            found += int(scan(*place, which, faults, self.calm, self.out, self.moves, marks, label))
        return found

    def _runs(
        self,
        levels: dict[tuple[int, int], Level],
        goal: tuple[int, int],
        which: int,
        faults: int,
        layer: int,
        violates: Callable[[State], bool],
    ) -> tuple[Graph, list[int], str]:
        search = self.search
        marks = np.zeros(int(search.shared[batch.NEXT_BLOCK]), np.int32)
        label = goal[0] * layer + goal[1] + 1
        self.mark_violations(levels[goal], which, faults, marks, label)
        marked: dict[Words, int] = {}
        thinned = self._keep(levels[goal], marks, label, marked)
        for at in sorted(levels, key=lambda key: (-key[1], -key[0])):
            if at[1] >= goal[1] or at[0] > goal[0]:
                continue
            label = at[0] * layer + at[1] + 1
            for start, stop in pieces(levels[at].ranges):
                check_time()
                mark(
                    search.addresses,
                    search.states,
                    search.words,
                    search.visited.entries,
                    search.visited.bits,
                    start,
                    stop,
                    label,
                    label + layer,
                    self.is_fault,
                    self.out,
                    self.moves,
                    marks,
                )
            thinned = self._keep(levels[at], marks, label, marked) or thinned
        graph = self._graph(marked, layer)
        goals = [
            number for number, state in enumerate(graph.states) if violates(state) and graph.depths[number] == goal[1]
        ]
        return graph, goals, "faults, then steps" if thinned else MINIMAL

    def _keep(self, level: Level, marks: Any, label: int, marked: dict[Words, int]) -> bool:
        """Notes the marked states of a level; whether there were too many, so that some were dropped."""
        numbers = [start + np.flatnonzero(marks[start:stop] == label) for start, stop in level.ranges]
        found = np.concatenate(numbers) if numbers else np.zeros(0, np.int64)
        rows = self.search.states.reshape(-1, self.words)[found]
        order = np.lexsort(rows.T[::-1])
        for number, row in zip(found[order[:MOST_AT_A_LEVEL]], rows[order[:MOST_AT_A_LEVEL]].tolist(), strict=True):
            marks[number] = label
            marked[tuple(row)] = label
        marks[found[order[MOST_AT_A_LEVEL:]]] = 0
        return len(found) > MOST_AT_A_LEVEL

    def _graph(self, marked: dict[Words, int], layer: int) -> Graph:
        """All least runs over the marked states, as a graph of real states (a marked one may represent several)."""
        generated = self.generated
        system = self.search.functions.system
        graph = Graph(system, generated, [one for one in system.initials if marked.get(self._representative(one)) == 1])
        faults = self.search.functions.is_fault
        labels = [1] * graph.roots
        number = 0
        while number < len(graph.states):
            try:
                following = generated.successors(graph.states[number])
            except OutOfRange:  # a step leaves the range of a field: no run goes on from there
                following = []
            for step, after in following:
                label = labels[number] + 1 + (layer if faults[step] else 0)
                if marked.get(self._representative(after)) != label:
                    continue
                if after not in graph.numbers:
                    graph.numbers[after] = len(graph.states)
                    graph.states.append(after)
                    graph.depths.append(graph.depths[number] + 1)
                    labels.append(label)
                graph.edge_steps.append(step)
                graph.edge_targets.append(graph.numbers[after])
            graph.first_edge.append(len(graph.edge_targets))
            number += 1
        return graph

    def _representative(self, state: State) -> Words:
        words = self.search.functions.packing.pack(state)
        address = self.search.library.address("representative")
        if not address:
            return words
        numbers = np.array(words, np.int64)
        function = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p)(address)
        function(numbers.ctypes.data, self.out.ctypes.data)
        return tuple(numbers.tolist())
