"""Sleep sets: moves that need no lookup, as another order of independent steps leads where they lead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from onceproof.model.checker.compiled.codegen.functions import Functions
from onceproof.model.checker.compiled.codegen.packing import WORD
from onceproof.model.checker.compiled.kernels import batch
from onceproof.model.checker.compiled.memory import WORD_BYTES, reserve
from onceproof.model.checker.ground.independence import Footprints
from onceproof.model.checker.ground.symmetry import Exchange

MOST_WORDS = 8  # of bits for each state that waits; moves for which there is no bit are always looked up
FIRST_RING = 1 << 14


@dataclass(frozen=True)
class SleepTables:
    """What is sleeping after which move.

    words: of bits for each state; sleep_after: for each move those bits, and a last row of none; renamed: for each
    arrangement of elements which move each becomes.
    """

    words: int
    sleep_after: Any
    renamed: Any


def sleep_tables(functions: Functions) -> SleepTables:
    """The tables for the functions of a model."""
    # all orders of independent steps must lead to one state: under symmetry, to one representative
    unique = functions.path is not None
    words = min(functions.move_words, MOST_WORDS) if unique else 0
    return SleepTables(words, _sleep_after_each(functions, words), _moves_by_arrangement(functions))


class SleepSets:
    """The bits of the moves that are sleeping in each state that waits, and which they are after each move.

    Only two levels wait at any time: the one that is expanded and the one that is found. So states have their bits in a
    ring, at their number modulo its size. Where it is too small, or memory short, some have none; that costs time only.
    """

    def __init__(self, tables: SleepTables, shared: Any, most_states: int) -> None:
        self.shared = shared
        self.words = tables.words  # of bits, for each state
        self.sleep_after, self.renamed = tables.sleep_after, tables.renamed
        self.ring = FIRST_RING
        largest = max(FIRST_RING, 1 << most_states.bit_length())
        self.sleeping = reserve(largest * self.words)

    @property
    def bytes_used(self) -> int:
        """The memory of the ring."""
        return self.ring * self.words * WORD_BYTES

    def begin(self, fresh_from: int, growth: float, room: int) -> None:
        """Before a level is expanded: states found from now on have numbers from ``fresh_from`` on.

        growth: how many times larger than this one the level found may be; room: bytes that the ring may take.
        """
        shared = self.shared
        old_from, old_to = int(shared[batch.FRESH_FROM]), min(int(shared[batch.FRESH_TO]), fresh_from)
        shared[batch.SLEEP_WORDS] = self.words
        shared[batch.OLD_FROM], shared[batch.OLD_TO] = old_from, old_to
        wanted = (old_to - old_from) * (1 + growth)
        while wanted > self.ring and 2 * self.bytes_used <= min(room, self.sleeping.nbytes):
            self._double(np.arange(old_from, old_to))
        shared[batch.RING] = self.ring - 1
        shared[batch.FRESH_FROM], shared[batch.FRESH_TO] = fresh_from, old_from + self.ring if self.words else 0

    def _double(self, numbers: Any) -> None:
        rows = self.sleeping.reshape(-1, self.words)
        moved = rows[numbers & (self.ring - 1)]
        self.ring *= 2
        rows[numbers & (self.ring - 1)] = moved

    def begin_anywhere(self) -> None:
        """Before a level is expanded whose states are found at any numbers but those of the states expanded."""
        shared = self.shared
        shared[batch.SLEEP_WORDS], shared[batch.RING] = self.words, -1
        shared[batch.OLD_FROM] = shared[batch.FRESH_FROM] = 0
        shared[batch.OLD_TO] = shared[batch.FRESH_TO] = len(self.sleeping) // max(self.words, 1)

    def pause(self) -> None:
        """Before steps are taken in another order than by levels: nothing is sleeping."""
        self.shared[[batch.SLEEP_WORDS, batch.OLD_FROM, batch.OLD_TO, batch.FRESH_FROM, batch.FRESH_TO]] = 0

    def stop(self) -> None:
        """From now on all is looked up: where memory is short."""
        self.pause()
        self.sleeping = np.zeros(0, np.int64)
        self.words = 0


def _sleep_after_each(functions: Functions, words: int) -> Any:
    """For each move the bits of the moves that are independent of it and rank lower.

    A move that may cross a bound of exploration is left out: beyond it the other order of the two steps is not taken.
    """
    footprints = Footprints(functions.generated.ground)
    crossing = functions.generated.bounds.crossing
    ranks = _ranks(functions, footprints)
    sleep_after = np.zeros((len(ranks) + 1) * words, np.uint64)
    for move, mine in enumerate(ranks):
        lower = (one for one in range(min(len(ranks), words * WORD)) if ranks[one] < mine)
        lower = (one for one in lower if not {one, move} & crossing)
        bits = sum(1 << one for one in lower if footprints.independent(one, move))
        for word in range(words):
            sleep_after[move * words + word] = bits >> (word * WORD) & ((1 << WORD) - 1)
    return sleep_after.view(np.int64)


def _ranks(functions: Functions, footprints: Footprints) -> list[tuple[int, int]]:
    """The order of moves: the more others a move is independent of, the later.

    Any order will do; in this one nearly all that can be left out is (of two moves one sleep_after the other only if no
    third that conflicts with both comes in between). Moves that are one move by symmetry rank the same.
    """
    moves = range(len(functions.steps))
    others = [sum(footprints.independent(one, move) for one in moves) for move in moves]
    alike = list(moves)  # the least move that each may become
    exchanged = [_exchanged_moves(functions, exchange) for exchange in functions.exchanges]
    changed = True
    while changed:
        before = list(alike)
        for there in exchanged:
            alike = [min(alike[move], alike[there[move]]) for move in moves]
        changed = alike != before
    return [(others[alike[move]], -alike[move]) for move in moves]


def _exchanged_moves(functions: Functions, exchange: Exchange) -> list[int]:
    """Which move each becomes where two elements change renamed."""
    number = {(step.action, step.arguments): move for move, step in enumerate(functions.steps)}
    system = functions.system
    return [
        number[step.action, exchange.arguments(step.arguments, system.parameters_of(step.action))]
        for step in functions.steps
    ]


def _moves_by_arrangement(functions: Functions) -> Any:
    """For each position on the path through all arrangements which move each becomes there."""
    exchanged = [_exchanged_moves(functions, exchange) for exchange in functions.exchanges]
    here = list(range(len(functions.steps)))
    room = np.zeros((len(functions.path or []) + 1, functions.move_words * WORD), np.int64)
    room[0, : len(here)] = here
    for position, at in enumerate(functions.path or []):
        here = [exchanged[at][move] for move in here]
        room[position + 1, : len(here)] = here
    return room.reshape(-1)
