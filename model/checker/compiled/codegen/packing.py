"""States packed into 64-bit words: each cell that can change gets just the bits that its values need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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

    def __init__(
        self,
        known: Sequence[int],
        order: Sequence[int] | None = None,
        exchanged: Iterable[Sequence[int]] = (),
    ) -> None:
        """known: for each cell the mask of its values. order: cells in the order in which they are to get bits.

        exchanged: ways in which cells change places: for each, where every cell goes. Cells that may take each other's
        place get as many bits as the widest of them, since they may hold different values: a vote that each node only
        ever gives itself is 0 or 1 for the first node, 0 or 2 for the second.
        """
        self.known = list(known)
        self.of: list[Bits | None] = [None] * len(known)
        widths = _common_widths([(mask.bit_length() - 1).bit_length() for mask in known], list(exchanged))
        fill: list[int] = []
        for slot in order if order is not None else range(len(known)):
            width = widths[slot]
            if known[slot].bit_count() < 2:
                continue
            word = next((w for w, used in enumerate(fill) if used + width <= WORD), None)
            if word is None:
                word = len(fill)
                fill.append(0)
            self.of[slot] = Bits(word, fill[word], width)
            fill[word] += width
        self.used = fill or [0]  # bits of each word
        self.words = len(self.used)
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


def _common_widths(widths: list[int], exchanged: list[Sequence[int]]) -> list[int]:
    """The widths, raised until all cells that may take each other's place have the same."""
    changed = True
    while changed:
        before = list(widths)
        for to in exchanged:
            for slot, target in enumerate(to):
                widths[slot] = widths[target] = max(widths[slot], widths[target])
        changed = widths != before
    return widths


def signed(word: int) -> int:
    """A word as the signed number with the same 64 bits."""
    word &= (1 << WORD) - 1
    return word - (1 << WORD) if word >> (WORD - 1) else word
