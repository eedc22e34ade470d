"""Runs: states in the order of their fingerprints, without and with those that are known already."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from onceproof.model.checker.compiled.disk.numbers import Draft, Pieces, Rows, in_memory
from onceproof.model.checker.compiled.kernels import runs as kernels

PAIRS = 1 << 16  # equal fingerprints that are looked at together
MERGED = 1 << 22  # fingerprints that are merged at a time
WHOLE = 1 << 64


def fingerprints_of(rows: Any) -> Any:
    """The fingerprints of states, a row of words each."""
    found = np.empty(len(rows), np.uint64)
    kernels.fingerprints_of(np.ascontiguousarray(rows).reshape(-1), rows.shape[1], found)
    return found


@dataclass(frozen=True)
class Run:
    """States in the order of their fingerprints. sleeping: the words of their sleep sets."""

    fingerprints: Rows
    states: Rows
    sleeping: Rows

    def __len__(self) -> int:
        return len(self.fingerprints)

    def between(self, low: int, high: int) -> tuple[Any, Any, Any]:
        """Those whose fingerprints are not less than ``low`` and less than ``high``."""
        place = self.fingerprints.place_of(low), self.fingerprints.place_of(high)
        return self.fingerprints.read(*place), self.states.read(*place), self.sleeping.read(*place)

    def close(self) -> None:
        """Gives its files back."""
        for rows in (self.fingerprints, self.states, self.sleeping):
            rows.close()


def sorted_run(states: Any, sleeping: Any) -> tuple[Any, Any, Any]:
    """Fingerprints, states and sleep sets in the order of the fingerprints."""
    fingerprints = fingerprints_of(states)
    order = np.argsort(fingerprints)
    return fingerprints[order], states[order], sleeping[order]


def distinct(fingerprints: Any, states: Any, sleeping: Any) -> tuple[Any, Any, Any]:
    """Each state once, in the order of fingerprints; what sleeps in one of several equal ones sleeps in it.

    That is right within a level: each of the steps that lead to a state settles what it settles.
    """
    if len(states) < 2:
        return fingerprints, states, sleeping
    order = np.argsort(fingerprints, kind="stable")
    fingerprints, states, sleeping = fingerprints[order], states[order], sleeping[order]
    same = fingerprints[1:] == fingerprints[:-1]
    equal = (states[1:] == states[:-1]).all(axis=1)
    if (same & ~equal).any():  # two states with one fingerprint: equal ones are to stand side by side
        order = np.lexsort((*states.T[::-1], fingerprints))
        fingerprints, states, sleeping = fingerprints[order], states[order], sleeping[order]
        same = fingerprints[1:] == fingerprints[:-1]
        equal = (states[1:] == states[:-1]).all(axis=1)
    first = np.flatnonzero(np.concatenate([[True], ~(same & equal)]))
    if len(first) == len(states):
        return fingerprints, states, sleeping
    together = np.bitwise_or.reduceat(sleeping, first, axis=0)
    return fingerprints[first], states[first], together


class Index:
    """The fingerprints of all states that are known, in a few sorted runs, with the numbers of the states.

    draft: makes room for so many rows, to be written from first to last.
    """

    def __init__(self, draft: Callable[[int], Draft | Pieces]) -> None:
        self._draft = draft
        self._runs: list[tuple[Rows, Rows]] = []

    def add(self, fingerprints: Rows, first: int) -> None:
        """Adds a run of new states, which have the numbers from ``first`` on."""
        numbers = self._draft(len(fingerprints))
        for at in range(0, len(fingerprints), MERGED):
            stop = min(at + MERGED, len(fingerprints))
            numbers.add(np.arange(first + at, first + stop, dtype=np.int64).reshape(-1, 1))
        self._runs.append((fingerprints, numbers.done()))
        while len(self._runs) > 1 and len(self._runs[-2][0]) <= 2 * len(self._runs[-1][0]):
            newer, older = self._runs.pop(), self._runs.pop()
            self._runs.append(self._merged(older, newer))

    def known(self, fingerprints: Any, states: Any, states_at: Callable[[Any], Any]) -> Any:
        """Which of some states, in the order of fingerprints, are known. states_at: the states by their numbers."""
        seen = np.zeros(len(fingerprints), np.bool_)
        if not len(fingerprints):
            return seen
        low, high = int(fingerprints[0]), int(fingerprints[-1]) + 1
        left, right = np.empty(PAIRS, np.int64), np.empty(PAIRS, np.int64)
        for run, numbers in self._runs:
            start, stop = run.place_of(low), run.place_of(high)
            for piece in range(start, stop, MERGED):
                # equal fingerprints may stand on both sides of a cut, and each is compared by itself
                there = run.read(piece, min(piece + MERGED, stop)).view(np.uint64).reshape(-1)
                at = np.zeros(2, np.int64)
                while pairs := kernels.join(fingerprints, there, at, left, right):
                    mine = left[:pairs]
                    others = states_at(numbers.take(piece + right[:pairs])[:, 0])
                    seen[mine[(states[mine] == others).all(axis=1)]] = True
        return seen

    def close(self) -> None:
        """Gives the files back."""
        for run, numbers in self._runs:
            run.close()
            numbers.close()
        self._runs = []

    def _merged(self, older: tuple[Rows, Rows], newer: tuple[Rows, Rows]) -> tuple[Rows, Rows]:
        """Two runs as one; a slice of the fingerprints is merged at a time."""
        many = len(older[0]) + len(newer[0])
        fingerprints, numbers = self._draft(many), self._draft(many)
        parts = -(-many // MERGED)
        for part in range(parts):
            low, high = part * WHOLE // parts, (part + 1) * WHOLE // parts
            (one, with_one), (other, with_other) = (_slice(run, low, high) for run in (older, newer))
            merged = np.empty(len(one) + len(other), np.uint64)
            with_merged = np.empty(len(merged), np.int64)
            kernels.merge(one, with_one, other, with_other, merged, with_merged)
            fingerprints.add(merged.view(np.int64).reshape(-1, 1))
            numbers.add(with_merged.reshape(-1, 1))
        for rows in (*older, *newer):
            rows.close()
        return fingerprints.done(), numbers.done()


def _slice(run: tuple[Rows, Rows], low: int, high: int) -> tuple[Any, Any]:
    start, stop = run[0].place_of(low), run[0].place_of(high)
    fingerprints, numbers = (np.ascontiguousarray(rows.read(start, stop)).reshape(-1) for rows in run)
    return fingerprints.view(np.uint64), numbers


def in_memory_run(fingerprints: Any, states: Any, sleeping: Any) -> Run:
    """A run that stays in memory."""
    return Run(in_memory(fingerprints.view(np.int64).reshape(-1, 1)), in_memory(states), in_memory(sleeping))
