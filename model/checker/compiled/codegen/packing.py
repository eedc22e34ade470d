"""States packed into 64-bit words: each cell that can change gets just the bits that its values need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onceproof.model.language.layout import State

WORD = 64
MOST_WORDS = 64


@dataclass(frozen=True, slots=True)
class Bits:
    """Where a cell is kept: ``width`` bits of a word, from bit ``shift`` on."""

    word: int
    shift: int
    width: int

    @property
    def mask(self) -> int:
        """The bits of the cell, in place."""
        return ((1 << self.width) - 1) << self.shift


class Packing:
    """Which bits hold which cell. Cells of one value have none."""

    def __init__(self, known: Sequence[int], order: Sequence[int] | None = None) -> None:
        """known: for each cell the mask of its values. order: cells in the order in which they are to get bits."""
        self.known = list(known)
        self.of: list[Bits | None] = [None] * len(known)
        fill: list[int] = []
        for slot in order if order is not None else range(len(known)):
            width = (known[slot].bit_length() - 1).bit_length()
            if known[slot].bit_count() < 2:
                continue
            word = next((w for w, used in enumerate(fill) if used + width <= WORD), None)
            if word is None:
                word = len(fill)
                fill.append(0)
            self.of[slot] = Bits(word, fill[word], width)
            fill[word] += width
        self.words = max(len(fill), 1)
        self.bits = sum(fill)

    def pack(self, state: State) -> tuple[int, ...]:
        """The words of a state, as signed 64-bit numbers."""
        words = [0] * self.words
        for bits, code in zip(self.of, state, strict=True):
            if bits is not None:
                words[bits.word] |= code << bits.shift
        return tuple(map(signed, words))

    def unpack(self, words: Sequence[int]) -> State:
        """The state in these words."""
        return tuple(
            known.bit_length() - 1 if bits is None else (int(words[bits.word]) >> bits.shift) & ((1 << bits.width) - 1)
            for bits, known in zip(self.of, self.known, strict=True)
        )


def signed(word: int) -> int:
    """A word as the signed number with the same 64 bits."""
    word &= (1 << WORD) - 1
    return word - (1 << WORD) if word >> (WORD - 1) else word
