"""A plan: how many states an exploration will find, and what that takes, from its first levels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from onceproof.model.checker.results import CheckResult, Limits
from onceproof.model.language.declare import Property
from onceproof.model.language.system import System

FEWEST_LEVELS = 8
MOST_GROWTH = 1.3  # above this the largest level is too far away to say how large it will be
WIDEST = 1000  # times the least number that the most may be, to be of any use
MANY = 1 << 20  # states among which the first size of the table does not count any more
FINGERPRINT_BYTES = 12  # of a state, at most, with what waits
INDEX_BYTES = 16  # of a state on disk, beside the state itself
DISK_SLOWER = 5.0


@dataclass(frozen=True)
class Forecast:
    """How many states there are in all: at least and at most; most is None where it is too early to say.

    growth: how many times as large the last level is as the one before it.
    """

    least: int
    most: int | None
    growth: float


@dataclass(frozen=True)
class Plan:
    """What was explored, and what it tells of the rest.

    explored: with the reductions that a check uses; forecast: None where all was explored. rate: states a second;
    memory_bytes, state_bytes: of a state in memory with its share of the table, and of the state alone. looked_up: the
    share of steps whose states were looked up, since no other order of independent steps answers for them.
    symmetry_saves: how many times fewer states there are by symmetry, at the same depth; 1.0 where it is not used.
    free_bytes: of memory, that a check may use here.
    """

    explored: CheckResult
    forecast: Forecast | None
    rate: float
    memory_bytes: float
    state_bytes: int
    looked_up: float
    symmetry_saves: float
    free_bytes: int


def forecast(levels: Sequence[int]) -> Forecast:
    """The number of states of all levels, from the sizes of the first ones.

    Levels grow by a factor that falls, until they shrink. How fast it falls is estimated in several ways, and what
    they say is widened by how far the largest level may still be away; where they grow by more than ``MOST_GROWTH``,
    no upper bound is given.
    """
    known = sum(levels)
    growth = levels[-1] / levels[-2] if len(levels) > 1 and levels[-2] else math.inf
    if len(levels) < FEWEST_LEVELS or growth > MOST_GROWTH:
        return Forecast(known, None, growth)
    from onceproof.model.checker.compiled.frontier import expected_states

    guesses: list[float] = [expected_states(levels)]
    guesses += [guess for many in (6, 8, len(levels)) if (guess := _by_parabola(levels, many)) is not None]
    away = max(growth - 1, 0.0)
    least = max(known, int(min(guesses) * (0.8 - away)))
    most = max(known, math.ceil(max(guesses) * (1.3 + 12 * away)))
    return Forecast(least, most if most < WIDEST * least else None, growth)


def _by_parabola(levels: Sequence[int], many: int) -> float | None:
    """As if the logarithms of the last so many sizes, and of those to come, lay on a parabola that opens down."""
    import numpy as np

    last = [math.log(size) for size in levels[-many:] if size]
    curve = np.polyfit(range(len(last)), last, 2)
    if len(last) < 4 or curve[0] >= -1e-4:
        return None
    offset = last[-1] - float(np.polyval(curve, len(last) - 1))
    total, place = float(sum(levels)), len(last)
    while (size := float(np.polyval(curve, place)) + offset) > 0:
        total += math.exp(size)
        place += 1
    return total


def plan(system: System, properties: Sequence[Property], limits: Limits, *, symmetry: bool = True) -> Plan:
    """Explores until the limits end it, and says what the rest would take.

    CannotCompile where the compiled engine cannot explore the system. symmetry: whether a check may use it.
    """
    from onceproof.model.checker import compiled
    from onceproof.model.checker.compiled.memory import HEADROOM, free_memory

    claims = [claim for claim in properties if not claim.is_liveness and claim.kind != "refines"]
    report: dict[str, float] = {}
    found = compiled.check(system, claims, limits, symmetry=symmetry, report=report)
    seconds = max(report.get("search_seconds", 0.0), 1e-6)
    state_bytes = int(report.get("state_bytes", 0))
    saves = 1.0
    if found.symmetry != "none":
        whole = compiled.check(system, [], limits)
        depth = min(whole.bound, found.bound) + 1
        saves = sum(whole.levels[:depth]) / max(sum(found.levels[:depth]), 1)
    return Plan(
        explored=found,
        forecast=None if found.complete else forecast(found.levels[: found.bound + 1]),
        rate=found.states / seconds,
        memory_bytes=max(report.get("bytes", 0.0) / found.states if found.states > MANY else 0.0, state_bytes + 8.0),
        state_bytes=state_bytes,
        looked_up=report.get("looked_up", 0) / max(found.transitions, 1),
        symmetry_saves=saves,
        free_bytes=int(free_memory() * HEADROOM),
    )
