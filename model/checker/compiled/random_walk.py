"""Random runs of a model by compiled code: millions of steps a second, the same for a seed on every machine."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from onceproof.model.checker.compiled.codegen.functions import Functions
from onceproof.model.checker.compiled.errors import CannotCompile
from onceproof.model.checker.compiled.kernels import random_walk as walk_kernel
from onceproof.model.checker.compiled.llvm import cache
from onceproof.model.checker.compiled.llvm.machine import Library
from onceproof.model.checker.compiled.search import NAMES
from onceproof.model.checker.compiled.verdicts import reproduce_failure
from onceproof.model.checker.ground.python_code import generated
from onceproof.model.checker.results import Counterexample, Departure, Trace
from onceproof.model.checker.safety import violating_steps
from onceproof.model.language.declare import DEADLOCK, Property
from onceproof.model.language.errors import OutOfRange
from onceproof.model.language.system import System

ROUND = 64  # walks of each worker between two looks at the clock, at least


@dataclass(frozen=True)
class WalkResult:
    """What random runs found. violation: the first, by number of the walk; None if there was none.

    distinct: an estimate (within some 2 %) of how many different states were seen; ended: how many walks came to a
    state without a step; deepest: the longest walk; interrupted: by Ctrl-C, after so many.
    """

    seed: int
    walks: int
    steps: int
    distinct: int
    ended: int
    deepest: int
    seconds: float
    violation: Counterexample | None = None
    interrupted: bool = False


def walk(
    system: System,
    properties: Sequence[Property] | None,
    *,
    walks: int,
    depth: int,
    seed: int,
    workers: int,
    max_seconds: float | None,
) -> WalkResult:
    """As ``onceproof.model.checker.compiled.walk``."""
    began = time.monotonic()
    chosen = list(properties) if properties is not None else system.properties()
    claims = [claim for claim in chosen if claim.is_safety or claim.kind == "deadlock"]
    functions = Functions(generated(system), claims)
    if functions.inexact:
        raise CannotCompile(functions.inexact)
    code, _ = cache.machine_code(functions.source())
    walkers = _Walkers(functions, Library(code), seed, depth, workers)
    done, size, interrupted = 0, ROUND, False
    while done < walks and not walkers.found:
        if max_seconds is not None and time.monotonic() - began > max_seconds:
            break
        step = min(size * workers, walks - done)
        round_began = time.monotonic()
        try:
            walkers.round(done, done + step)
        except KeyboardInterrupt:
            interrupted = True
            break
        done += step
        if time.monotonic() - round_began < 0.1:
            size *= 2
    violation = walkers.violation()
    return WalkResult(
        seed=seed,
        walks=walkers.first_violation + 1 if walkers.found else done,
        steps=walkers.sum(walk_kernel.TAKEN),
        distinct=estimate(walkers.registers),
        ended=walkers.sum(walk_kernel.ENDED),
        deepest=max(int(tally[walk_kernel.DEEPEST]) for tally in walkers.tally),
        seconds=time.monotonic() - began,
        violation=violation,
        interrupted=interrupted,
    )


class _Walkers:
    """Several workers that walk; each has its own sums."""

    def __init__(self, functions: Functions, library: Library, seed: int, depth: int, workers: int) -> None:
        self.functions, self.library = functions, library  # the library holds the code that the addresses point to
        self.addresses = np.array([library.address(name) for name in NAMES], np.int64)
        self.calm = np.array(functions.kinds_of_moves(None), np.int64)[functions.move_words :]
        starts = functions.system.initials
        self.initial = np.array([functions.packing.pack(state) for state in starts], np.int64).reshape(-1)
        self.seed, self.depth = np.int64(seed % (1 << 63)), depth
        self.tally = [np.zeros(walk_kernel.NOTED, np.int64) for _ in range(workers)]
        self.seen = [np.zeros(1 << walk_kernel.REGISTERS, np.uint8) for _ in range(workers)]
        self.found: list[Any] = []
        self._pool = ThreadPoolExecutor(workers) if workers > 1 else None

    def round(self, start: int, stop: int) -> None:
        """These walks, shared among the workers."""
        workers = len(self.tally)
        bounds = [start + (stop - start) * part // workers for part in range(workers + 1)]

        def go(worker: int) -> bool:
            return bool(self._go(bounds[worker], bounds[worker + 1], self.tally[worker], self.seen[worker], 0)[0])

        hits = list((self._pool.map if self._pool else map)(go, range(workers)))
        self.found = [tally for tally, hit in zip(self.tally, hits, strict=True) if hit]

    def _go(self, start: int, stop: int, tally: Any, seen: Any, room: int) -> tuple[int, Any]:
        out = np.zeros((self.functions.most_records + 1) * (self.functions.packing.words + 1), np.int64)
        moves = np.array(self.functions.row_of_moves(idle=True), np.int64)
        log = np.zeros(room, np.int64)
        parts = (
            self.addresses,
            self.initial,
            len(self.initial) // self.functions.packing.words,
            np.zeros(self.functions.packing.words, np.int64),
            self.functions.packing.words,
            self.seed,
            start,
            stop,
            self.depth,
            out,
            moves,
            self.calm,
            tally,
            seen,
            log,
        )
        return int(walk_kernel.walk(*parts)), log

    @property
    def first_violation(self) -> int:
        """The number of the first walk that ended in a violation."""
        return int(min(tally[walk_kernel.WALK] for tally in self.found))

    @property
    def registers(self) -> Any:
        """The registers of all workers together."""
        return np.maximum.reduce(self.seen)

    def sum(self, what: int) -> int:
        """A sum over all workers."""
        return sum(int(tally[what]) for tally in self.tally)

    def violation(self) -> Counterexample | None:
        """The violation of the first walk that found one, walked again to see its steps."""
        if not self.found:
            return None
        tally = np.zeros(walk_kernel.NOTED, np.int64)
        number = self.first_violation
        _, log = self._go(number, number + 1, tally, np.zeros(1 << walk_kernel.REGISTERS, np.uint8), self.depth)
        path = log[: tally[walk_kernel.STEPS]].tolist()
        failing = bool(tally[walk_kernel.FAILING]) or int(tally[walk_kernel.FALSE]) < 0
        return counterexample(self.functions, tally[walk_kernel.START], path, failing, bool(tally[walk_kernel.STUCK]))


def counterexample(functions: Functions, start: int, path: Sequence[int], failing: bool, stuck: bool) -> Counterexample:
    """What is violated at the end of a run: by moves from an initial state.

    failing: the model fails there, or by a step from there; ModelError unless that step leaves the range of a field.
    stuck: no step but faults leads on.
    """
    system = functions.system
    states = [system.initials[start]]
    steps = [functions.steps[move] for move in path]
    for step in steps:
        after = system.step(states[-1], step)
        if after is None:
            raise AssertionError(f"{step} is not enabled on a walk")
        states.append(after)
    trace = Trace(system, tuple(states), tuple(steps))
    if failing:
        try:
            reproduce_failure(functions, states[-1])
        except OutOfRange:
            found = system.departure(states[-1])
            assert found is not None
            departure = Departure.by(*found)
            return Counterexample(departure.claim, (), replace(trace, departure=departure))
    if stuck:
        return Counterexample(DEADLOCK, (), trace)
    for claim, arguments in functions.properties.instances:
        if claim.is_safety and system.holds(claim, states[-1], arguments) is False:
            if claim.kind == "step":
                trace = trace.followed_by(violating_steps(system, claim, states[-1])[0])
            return Counterexample(claim.name, arguments, trace)
    raise AssertionError("the state that ends a walk violates nothing")


def estimate(registers: Any) -> int:
    """About how many different states were seen, as registers tell (HyperLogLog)."""
    size = len(registers)
    guess = 0.7213 / (1 + 1.079 / size) * size * size / float(np.sum(2.0 ** -registers.astype(np.float64)))
    empty = int(np.count_nonzero(registers == 0))
    return round(size * math.log(size / empty)) if guess <= 2.5 * size and empty else round(guess)
