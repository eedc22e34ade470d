"""Records: a state and the number of the move that led there, as they lie in a box and as they travel.

In a box a record is a row of words: those of the state, with the number in bits that the state leaves free; one more
word where it leaves too few. On its way a record is only the bytes of these words that are in use, in columns: the
first bytes of all records, then their next ones, so that packing costs a few copies and no loop over records.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from onceproof.model.checker.compiled.codegen.packing import WORD

BYTE = 8
SIZES = (8, 4, 2, 1)  # of the numbers that copies are made of, in bytes


@dataclass(frozen=True)
class Records:
    """The form of the records of one model.

    state_words: of a state; used: how many bits of each word of a record are in use, those of the number included;
    number_word, number_shift, number_bits: where the number is.
    """

    state_words: int
    used: tuple[int, ...]
    number_word: int
    number_shift: int
    number_bits: int

    @property
    def words(self) -> int:
        """The words of a record in a box."""
        return len(self.used)

    @property
    def wire_bytes(self) -> int:
        """The bytes of a record on its way."""
        return sum(map(_bytes, self.used))

    def numbered(self, states: Any, number: int) -> Any:
        """The records of some states, one in each row, that all have the same number."""
        records = np.zeros((len(states), self.words), np.int64)
        records[:, : self.state_words] = states
        records.view(np.uint64)[:, self.number_word] |= np.uint64(number << self.number_shift)
        return records

    def packed(self, parts: Sequence[Any]) -> Any:
        """The message that has all of these records, whose parts are rows of words one after the other."""
        rows = [part.reshape(-1, self.words) for part in parts]
        count = sum(map(len, rows))
        message = np.empty(count * self.wire_bytes, np.uint8)
        at = 0
        for size, place in self._columns():
            column = message[at : at + count * size].view(f"u{size}")
            at += count * size
            first = 0
            for part in rows:
                column[first : first + len(part)] = part.view(f"u{size}")[:, place]
                first += len(part)
        return message

    def unpacked(self, message: Any) -> Any:
        """The records in a message, one in each row."""
        count = message.nbytes // self.wire_bytes
        records = np.zeros((count, self.words), np.int64)
        at = 0
        for size, place in self._columns():
            records.view(f"u{size}")[:, place] = message[at : at + count * size].view(f"u{size}")
            at += count * size
        return records

    def _columns(self) -> Iterator[tuple[int, int]]:
        """Sizes and places (in numbers of that size) that together make up the bytes in use; the largest come first.

        So each column of a message begins at a multiple of its size.
        """
        for size in SIZES:
            for word, used in enumerate(self.used):
                if _bytes(used) & size:
                    above = _bytes(used) & ~(2 * size - 1)  # what larger numbers have of this word
                    yield size, (word * WORD // BYTE + above) // size


def records_of(used: Sequence[int], most: int) -> Records:
    """The form in which a record has the fewest bytes. used: bits of each word of a state; most: the largest number."""
    bits = max(most.bit_length(), 1)
    forms = [
        Records(len(used), (*used[:word], taken + bits, *used[word + 1 :]), word, taken, bits)
        for word, taken in enumerate(used)
        if taken + bits <= WORD
    ]
    forms.append(Records(len(used), (*used, bits), len(used), 0, bits))
    return min(forms, key=lambda form: (form.wire_bytes, form.words))


def _bytes(bits: int) -> int:
    return -(-bits // BYTE)
