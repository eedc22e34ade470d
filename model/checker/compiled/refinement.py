"""Refinement on the states that a compiled search found: is each step one of the abstract model, or none there?

All steps are taken once more, those too that sleep sets left out of the search. Where states represent others, the
steps from those that represent them are real ones: no successor is replaced here. What a step does to images is a pair
of them, of which there are few; each is looked at once, by running the abstract model.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from onceproof.model.checker.compiled.codegen.image_text import ImageText
from onceproof.model.checker.compiled.frontier import Level, Ranges, pieces
from onceproof.model.checker.compiled.kernels import batch
from onceproof.model.checker.compiled.kernels import refinement as kernels
from onceproof.model.checker.compiled.paths import LAYER, Paths
from onceproof.model.checker.compiled.search import Search
from onceproof.model.checker.deadline import check_time, timer
from onceproof.model.checker.explicit.minimal import Costs
from onceproof.model.checker.results import Trace
from onceproof.model.checker.safety import violating_steps
from onceproof.model.language.layout import State
from onceproof.model.language.system import Step

MOST_PAIRS = 1 << 14  # that a worker writes before it shows them

Pair = tuple[int, ...]


class MappingFailed(Exception):
    """The mapping fails in a state, or in one that a step from there leads to."""

    def __init__(self, state: State) -> None:
        super().__init__(state)
        self.state = state


class RefinementScan:
    """All steps of a search, held against an abstract model."""

    def __init__(self, search: Search, number: int) -> None:
        self.search = search
        self.text: ImageText = search.functions.images[number]
        self.refinement = self.text.refinement
        self.address = search.library.address(f"image_{number}")
        self.size = self.text.packing.words
        self.length = 2 * self.size + 1
        self.verdicts: dict[Pair, bool] = {}
        self.table, self.bits = np.zeros(0, np.int64), 0
        self.partial = False

    def judge(self, ranges: Ranges) -> None:
        """Looks at all steps from these states; MappingFailed where there is no answer.

        OutOfTime where that takes too long and nothing is wrong so far; ``partial`` where something is.
        """
        expired = timer()
        found = self.search.all_workers(lambda piece: [] if expired() else self._pairs(piece), pieces(ranges))
        for pair in {pair for part in found for pair in part}:
            if expired():
                break
            self.verdicts[pair] = self._allowed(pair)
        self.partial = expired()
        self._make_table([pair for pair, allowed in self.verdicts.items() if not allowed])
        if not self.wrong:
            check_time()

    @cached_property
    def starts_badly(self) -> State | None:
        """The first initial state that is wrong."""
        initials = self.search.functions.system.initials
        return next((one for one in initials if not self.refinement.starts_well(one)), None)

    @property
    def wrong(self) -> bool:
        """Whether a step is."""
        return bool(self.bits)

    @property
    def exercised(self) -> bool:
        """Whether any step changes an image."""
        return bool(self.verdicts)

    def _pairs(self, piece: tuple[int, int]) -> set[Pair]:
        """The pairs of the steps from some states."""
        search, functions = self.search, self.search.functions
        start, stop = piece
        out = np.empty((functions.most_records + 1) * (search.words + 1), np.int64)
        row = np.array(functions.row_of_moves(idle=False), np.int64)
        pair, progress = np.zeros(self.length, np.int64), np.zeros(2, np.int64)
        seen = np.zeros((1 << kernels.SEEN_BITS) * self.length, np.int64)
        most = functions.most_records
        written = np.empty((MOST_PAIRS + most) * self.length, np.int64)
        found: set[Pair] = set()
        while True:
            place = (search.addresses, self.address, search.states, search.words, self.size, start, stop, most)
            reason = kernels.new_pairs(*place, out, row, pair, seen, written, progress)
            rows = written[: int(progress[kernels.COUNT]) * self.length].reshape(-1, self.length)
            found.update(map(tuple, rows.tolist()))
            if reason == kernels.DONE:
                return found
            start = int(progress[kernels.STATE])
            if reason == kernels.FAILED:
                raise MappingFailed(search.state(start))

    def _allowed(self, pair: Pair) -> bool:
        before, after = (self.text.packing.unpack(part) for part in (pair[: self.size], pair[self.size : -1]))
        return pair[-1] == 0 and self.refinement.allows(before, after)

    def _make_table(self, wrong: Sequence[Pair]) -> None:
        if wrong:
            self.bits = max(4, (2 * len(wrong)).bit_length())
            self.table = np.zeros((1 << self.bits) * self.length, np.int64)
            kernels.enter_pairs(np.array(wrong, np.int64).reshape(-1), self.length, self.table, self.bits)

    def least_run(self, levels: Sequence[Level]) -> tuple[Trace, str]:
        """A least run whose last step is wrong, and in what it is least; there is one in these levels."""
        runs = [_Runs(self, by_fault) for by_fault in (False, True)]
        counted = self.search.functions.faults_counted or not any(self.search.functions.is_fault)
        costs = [(cost, run) for run in runs if (cost := run.least_cost(levels, counted)) is not None]
        return min(costs, key=lambda pair: pair[0])[1].trace()


class _Runs(Paths):
    """Least runs to a state from which a step is wrong. by_fault: whether that step is a fault."""

    def __init__(self, scan: RefinementScan, by_fault: bool) -> None:
        super().__init__(scan.search)
        self.scan, self.by_fault = scan, by_fault
        self.functions = scan.search.functions
        self.row = np.array(self.functions.row_of_moves(idle=False), np.int64)
        self.row[: self.functions.move_words] = self.functions.kinds_of_moves(by_fault)[: self.functions.move_words]
        self.least_faults = np.full(1, batch.FAR, np.int64)
        self.levels: dict[tuple[int, int], Level] = {}
        self.goal = 0, 0
        self.faults, self.layer = -1, 0
        self._scratch = np.zeros(0, np.int32)

    def least_cost(self, levels: Sequence[Level], counted: bool) -> tuple[int, int] | None:
        """The faults and steps of a least run with its last step; None where there is none."""
        costs = []
        for level in levels:
            self.least_faults[0] = batch.FAR
            if self.mark_violations(level, 0, -1, self._marks(), 1):
                costs.append((int(self.least_faults[0]) if counted else 0, level.steps))
        if not costs:
            return None
        if counted:
            self.levels, self.goal = {(0, level.steps): level for level in self.search.levels}, (0, min(costs)[1])
            self.faults = min(costs)[0] if self.functions.faults_counted else -1
            faults, steps = min(costs)
        else:
            self.levels, self.goal = self._in_layers(0)
            self.layer = LAYER
            faults, steps = self.goal
        return faults + self.by_fault, steps + 1

    def trace(self) -> tuple[Trace, str]:
        """Such a run, and in what it is least."""
        place = (self.levels, self.goal, 0, self.faults, self.layer)
        graph, goals, minimal = self._runs(*place, lambda state: bool(self._ends(state)))
        path, step = Costs(graph).cheapest_step({number: self._ends(graph.states[number]) for number in goals})
        return graph.trace(path).followed_by(step), minimal

    def _ends(self, state: State) -> list[Step]:
        """The wrong steps from a state."""
        system = self.functions.system
        wrong = violating_steps(system, self.scan.refinement.claim, state)
        return [step for step in wrong if system.actions[step.action].fault == self.by_fault]

    def _marks(self) -> Any:
        """Marks that nobody asks for."""
        size = int(self.search.shared[batch.NEXT_BLOCK])
        if len(self._scratch) < size:
            self._scratch = np.zeros(size, np.int32)
        return self._scratch

    def _violated(self, which: int, level: Level | None) -> bool:
        return level is not None and self.mark_violations(level, which, -1, self._marks(), 1) > 0

    def mark_violations(self, level: Level, which: int, faults: int, marks: Any, label: int) -> int:
        """As in ``Paths``, of wrong steps."""
        search, scan, found = self.search, self.scan, 0
        pair = np.zeros(scan.length, np.int64)
        for start, stop in pieces(level.ranges):
            check_time()
            place = (search.addresses, scan.address, search.states, search.words, scan.size, start, stop, faults)
            table = (pair, scan.table, scan.bits, self.least_faults)
            found += int(kernels.mark_wrong(*place, self.out, self.row, *table, marks, label))
        return found
