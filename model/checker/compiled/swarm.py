"""Members of a swarm: bitstate searches by compiled code, each with an order, a depth and faults of its own.

Swarms of small searches that differ meet more of a space that no machine holds than one large search does in the same
time (G. J. Holzmann, R. Joshi, A. Groce, "Swarm verification techniques", 2011); and runs that leave out some kinds of
events go further with the others (A. Groce et al., "Swarm testing", 2012).
"""

from __future__ import annotations

import functools
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from onceproof.model.checker.compiled.codegen.functions import Functions
from onceproof.model.checker.compiled.kernels import bitstate
from onceproof.model.checker.compiled.llvm import cache
from onceproof.model.checker.compiled.llvm.machine import Library
from onceproof.model.checker.compiled.random_walk import estimate
from onceproof.model.checker.compiled.search import NAMES
from onceproof.model.language.declare import Property

SIZE = 28  # as a power of two: bits of a member, 32 MiB; a full member sets at most 5 % of them
MOST = 1 << 22  # states that a member meets, at most
ROOM = 1 << 20  # states that wait on its stack, at most
SHARES = (1, 4, 2, 8)  # one member goes as deep as is allowed, the next a quarter as deep, and so on
ROUNDS = 1 << 14  # states between two looks at the clock


@dataclass(frozen=True)
class Dive:
    """How a member of a swarm searches: its seed says it all.

    depth: the longest path. left_out: the faults that never happen.
    """

    seed: int
    depth: int
    left_out: frozenset[str]


def dive_of(seed: int, depth: int, faults: Sequence[str]) -> Dive:
    """The search that a seed stands for: a quarter have all faults; others leave out each with one chance in two."""
    draw = random.Random(seed)
    with_all = draw.random() < 0.25
    left_out = frozenset(name for name in faults if not with_all and draw.random() < 0.5)
    return Dive(seed, max(depth // SHARES[seed % len(SHARES)], 1), left_out)


@dataclass(frozen=True)
class DivePlan:
    """A model as members of a swarm search it; it can travel to other machines, which need no file of the model.

    text: its functions. words: of a state; initials: the words of all that it begins in. most_records: the most that
    one state leads to. row, calm: what ``expand`` takes, and the bits of the moves that are no faults. fault_of: of
    each move the number of its fault, -1 for none. faults: their names. questions: the bits of what is asked of states.
    """

    text: str
    words: int
    initials: tuple[int, ...]
    most_records: int
    row: tuple[int, ...]
    calm: tuple[int, ...]
    fault_of: tuple[int, ...]
    faults: tuple[str, ...]
    questions: int


def plan_of(functions: Functions, questions: Sequence[Property]) -> DivePlan:
    """The plan for the functions of a model and some of its claims, ``questions``, which are asked of each state."""
    system = functions.system
    faults = [name for name, action in system.actions.items() if action.fault]
    number_of = {name: number for number, name in enumerate(faults)}
    return DivePlan(
        text=functions.source(),
        words=functions.packing.words,
        initials=tuple(word for state in system.initials for word in functions.packing.pack(state)),
        most_records=functions.most_records,
        row=tuple(functions.row_of_moves(idle=False)),
        calm=tuple(functions.kinds_of_moves(None)[functions.move_words :]),
        fault_of=tuple(number_of.get(step.action, -1) for step in functions.steps),
        faults=tuple(faults),
        questions=sum(1 << functions.bit_of(question) for question in questions),
    )


@dataclass
class Met:
    """What a member met.

    states: how many, none counted twice; deepest: the longest path. registers: the estimates of cells. ended: no state
    was left to go on from; complete: nor was any left out, for its depth, its faults or want of memory.
    path: the moves to a state in which something is violated, from the initial state of number ``start``; None where
    nothing is. failing: the model fails there, or by a step from there; stuck: no step but faults leads on.
    """

    dive: Dive
    states: int
    deepest: int
    registers: Any
    ended: bool
    complete: bool
    path: tuple[int, ...] | None = None
    start: int = 0
    failing: bool = False
    stuck: bool = False


class Diver:
    """What runs the searches of a plan on a machine; several may run at the same time."""

    def __init__(self, plan: DivePlan) -> None:
        self.plan = plan
        self._library = Library(cache.machine_code(plan.text)[0])  # it holds the code that the addresses point to
        self._addresses = np.array([self._library.address(name) for name in NAMES], np.int64)

    def dive(self, chosen: Dive, go_on: Callable[[int], bool]) -> Met:
        """One search, until it ends, meets a violation or its most states, or is told not to go on.

        go_on: asked every few milliseconds, with the number of states met since.
        """
        plan, registers = self.plan, np.zeros(cells(self.plan) << bitstate.REGISTERS, np.uint8)
        tally, path = np.zeros(bitstate.NOTED, np.int64), np.zeros(chosen.depth + 1, np.int64)
        parts = self._parts(chosen, path, registers, tally)
        met, why = 0, bitstate.PAUSED
        while why == bitstate.PAUSED:
            why = int(bitstate.dive(*parts))
            before, met = met, int(tally[bitstate.MET])
            if not go_on(met - before):
                break
        ended = why == bitstate.EMPTY
        left_out = tally[bitstate.CUT] or tally[bitstate.DROPPED] or chosen.left_out.intersection(plan.faults)
        found = Met(chosen, met, int(tally[bitstate.DEEPEST]), registers, ended, ended and not left_out)
        if why == bitstate.HIT:
            found.path = tuple(path[: tally[bitstate.STEPS]].tolist())
            found.start, found.stuck = int(tally[bitstate.START]), bool(tally[bitstate.STUCK])
            found.failing = bool(tally[bitstate.FAILING]) or int(tally[bitstate.FALSE]) < 0
        return found

    def _parts(self, chosen: Dive, path: Any, registers: Any, tally: Any) -> tuple[Any, ...]:
        """What the kernel takes."""
        plan, words = self.plan, self.plan.words
        entry, starts = words + bitstate.ENTRY, len(plan.initials) // words
        stack = np.zeros((ROOM + starts) * entry, np.int64)
        for number in range(starts):
            state = plan.initials[number * words : (number + 1) * words]
            stack[number * entry : (number + 1) * entry] = [0, number, 0, *state]
        tally[bitstate.WAITING], tally[bitstate.RANDOM] = starts, chosen.seed % (1 << 62)
        names = [plan.faults[fault] if fault >= 0 else "" for fault in plan.fault_of] or [""]
        bits = [1 << fault if fault >= 0 else 0 for fault in plan.fault_of] or [0]
        return (
            self._addresses,
            words,
            stack,
            path,
            np.zeros(words, np.int64),
            np.zeros((plan.most_records + 1) * (words + 1), np.int64),
            np.array(plan.row, np.int64),
            np.array(plan.calm, np.int64),
            np.array([name not in chosen.left_out for name in names], np.int64),
            np.array(bits, np.int64),
            columns(plan),
            plan.questions,
            np.zeros(1, np.int64),
            np.zeros(1 << (SIZE - 3), np.uint8),
            SIZE,
            chosen.seed % (1 << 62),
            chosen.depth,
            MOST,
            ROUNDS,
            registers,
            tally,
        )


def dive_on_node(plan: DivePlan, chosen: Dive, seconds: float | None) -> Met:
    """One search on another machine, of so many seconds at most."""
    end = None if seconds is None else time.monotonic() + seconds
    return _diver(plan).dive(chosen, lambda _: end is None or time.monotonic() < end)


@functools.cache
def _diver(plan: DivePlan) -> Diver:
    return Diver(plan)


def columns(plan: DivePlan) -> int:
    """How many cells a row has: for all states, for those that no fault led to, for those that each fault led to."""
    return 2 + len(plan.faults)


def cells(plan: DivePlan) -> int:
    """How many cells there are: a row for every state, and one for those that answer a question with yes."""
    return (1 + plan.questions.bit_count()) * columns(plan)


def table_of(plan: DivePlan, registers: Any) -> list[list[int]]:
    """About how many different states each cell has, in the order of the bits of the questions."""
    each = registers.reshape(-1, columns(plan), 1 << bitstate.REGISTERS)
    return [[estimate(cell) for cell in row] for row in each]
