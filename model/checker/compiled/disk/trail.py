"""The states on least runs to a violation, found backwards over the levels on disk.

Nothing is kept of how a state was found. So of each level, the last one first, the states with a step to a state that
was marked in the next one are marked in their turn. They are few, and make a small search in memory, from which the
run is chosen as from any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from onceproof.model.checker.compiled.disk.search import DiskSearch
from onceproof.model.checker.compiled.frontier import Level
from onceproof.model.checker.compiled.kernels import batch
from onceproof.model.checker.compiled.kernels.paths import mark
from onceproof.model.checker.compiled.paths import MOST_AT_A_LEVEL, Paths
from onceproof.model.checker.compiled.search import Search
from onceproof.model.checker.deadline import check_time

PIECE = 1 << 16  # states that are looked at together
MEMORY = 64 << 20  # bytes


class NoTrail(Exception):
    """The states that would show a violation are not on disk any more."""


def trail(search: DiskSearch, which: int, faults: int, steps: int) -> Search:
    """A search with just the states on least runs to a state that violates claim ``which`` - 1.

    which: 0 for a deadlock, less than 0 for a step that fails; faults: that were made (less than 0: any number); steps:
    the level that it is in.
    """
    marked = _goals(search, which, faults, steps)
    if not len(marked):
        raise NoTrail
    levels = [marked]
    for depth in range(min(steps, len(search.levels)) - 1, -1, -1):
        levels.append(_before(search, depth, levels[-1]))
    return _small(search, levels[::-1], which)


def deadlock_in(search: DiskSearch, level: Level) -> int:
    """The least key (faults << 32 | steps) of a deadlock in a level of which no steps were taken; FAR for none."""
    least = batch.FAR
    for states in _pieces(search, level.steps):
        small = _scratch(search, states)
        least = min(least, Paths(small).deadlock_in(Level([(0, len(states))], steps=level.steps)))
        small.close()
    return least


def _pieces(search: DiskSearch, depth: int) -> Iterator[Any]:
    """The states of a level; of the one that was found last also those that were gathered for it, and not merged."""
    if depth < len(search.levels):
        rows = search.folder.levels[depth]
        for start in range(0, len(rows), PIECE):
            check_time()
            yield rows.read(start, min(start + PIECE, len(rows)))
    if depth >= len(search.levels) - 1:
        for run in search.gathered:
            for start in range(0, len(run), PIECE):
                check_time()
                yield run.states.read(start, min(start + PIECE, len(run)))


def _scratch(search: DiskSearch, states: Any) -> Search:
    """A search in memory that has just these states, all different, and nothing to do."""
    small = Search(search.functions, search.library, 1, MEMORY)
    small.states[: states.size] = states.reshape(-1)
    small.shared[batch.COUNT] = small.shared[batch.NEXT_BLOCK] = len(states)
    small.visited.make_room(len(states))
    small.visited.enter([(0, len(states))] if len(states) else [])
    return small


def _least(states: Any) -> Any:
    """So many that ``Paths`` sees whether there are too many for it; the least ones."""
    states = np.unique(states, axis=0) if len(states) else states
    return states[: MOST_AT_A_LEVEL + 1]


def _goals(search: DiskSearch, which: int, faults: int, steps: int) -> Any:
    found = np.empty((0, search.words), np.int64)
    for states in _pieces(search, steps):
        small = _scratch(search, np.empty((0, search.words), np.int64))
        small.states[: states.size] = states.reshape(-1)
        marks = np.zeros(len(states), np.int32)
        Paths(small).mark_violations(Level([(0, len(states))]), which, faults, marks, 1)
        found = _least(np.concatenate([found, states[marks == 1]]))
        small.close()
    return found


def _before(search: DiskSearch, depth: int, after: Any) -> Any:
    """The states of a level with a step to one of these."""
    found = np.empty((0, search.words), np.int64)
    small = _scratch(search, after)
    paths, many = Paths(small), len(after)
    for states in _pieces_of(search, depth):
        small.states[after.size : after.size + states.size] = states.reshape(-1)
        marks = np.zeros(many + len(states), np.int32)
        marks[:many] = 2
        mark(
            small.addresses,
            small.states,
            small.words,
            small.visited.entries,
            small.visited.bits,
            many,
            many + len(states),
            1,
            1,
            paths.is_fault,
            paths.out,
            paths.moves,
            marks,
        )
        found = _least(np.concatenate([found, states[marks[many:] == 1]]))
    small.close()
    return found


def _pieces_of(search: DiskSearch, depth: int) -> Iterator[Any]:
    """The states of a level that is on disk."""
    rows = search.folder.levels[depth]
    for start in range(0, len(rows), PIECE):
        check_time()
        yield rows.read(start, min(start + PIECE, len(rows)))


def _small(search: DiskSearch, levels: list[Any], which: int) -> Search:
    small = _scratch(search, np.concatenate(levels))
    first = 0
    for depth, states in enumerate(levels):
        small.levels.append(Level([(first, first + len(states))], steps=depth))
        first += len(states)
    if which >= 0:
        small.workers[0].best[:] = search.best
    return small
