"""The visited set: the numbers of the states that were found, by their hashes.

It is a hash table with open addressing, with entries of 32 bits: in the low ``bits`` of them the number of a state plus
one, in the rest the tag, a piece of its hash, so that most unequal states are known to differ without a look at them.
Nothing is ever taken out.
"""

from __future__ import annotations

import numpy as np

from onceproof.model.checker.compiled.llvm.kernel import Fixed, kernel, part
from onceproof.model.checker.compiled.llvm.primitives import claim, prefetch, unsigned


@part
def hash_of(numbers, at, words) -> np.uint64:  # type: ignore[no-untyped-def]
    """The hash of the state that stands there; never 0, which tables of fingerprints have for nothing."""
    value = np.uint64(0)
    for word in range(words):
        value = (value ^ unsigned(numbers[at + word])) * 0x9E3779B97F4A7C15
        value ^= value >> 32
    value = value * 0xD6E8FEB86659FD93
    return max(value ^ (value >> 31), np.uint64(1))


@part
def tag_of(value, bits) -> np.uint32:  # type: ignore[no-untyped-def]
    """The tag of a hash, where it is in an entry."""
    return np.uint32((value >> 32) << np.uint64(bits) & 0xFFFFFFFF)


@part
def slot_of(value, bits) -> int:  # type: ignore[no-untyped-def]
    """Where the search for the place of a hash begins."""
    return int(value >> np.uint64(64 - bits))


@part
def home_of(value, size) -> int:  # type: ignore[no-untyped-def]
    """Where the search for the place of a fingerprint begins, in a table of ``size`` slots, a multiple of 256."""
    return int(((value >> np.uint64(32)) * np.uint64(size >> 8)) >> np.uint64(24))


@part
def is_at(states, number, numbers, at, words) -> bool:  # type: ignore[no-untyped-def]
    """Whether the state with this number is what stands at ``at``."""
    same = True
    for word in range(words):
        same = same and states[number * words + word] == numbers[at + word]
    return same


@part
def number_of(numbers, at, value, states, words, table, bits) -> int:  # type: ignore[no-untyped-def]
    """The number of the state that stands there, whose hash is ``value``; -1 where it was not found by the search."""
    number_mask = np.uint32((1 << bits) - 1)
    tag = tag_of(value, bits)
    slot = slot_of(value, bits)
    while table[slot] != 0:
        entry = table[slot]
        if (entry & ~number_mask) == tag:
            number = int(entry & number_mask) - 1
            if is_at(states, number, numbers, at, words):
                return number
        slot = (slot + 1) & ((1 << bits) - 1)
    return -1


@kernel
def enter(states, words: Fixed, table, bits, start, stop, hashes, alone) -> None:  # type: ignore[no-untyped-def]
    """Enters the states from number ``start`` up to ``stop``, which are not in the table and all different."""
    for first in range(start, stop, len(hashes)):
        last = min(first + len(hashes), stop)
        for number in range(first, last):
            value = hash_of(states, number * words, words)
            hashes[number - first] = value
            prefetch(table, slot_of(value, bits))
        for number in range(first, last):
            value = hashes[number - first]
            tag = tag_of(value, bits)
            slot = slot_of(value, bits)
            entry = tag | np.uint32(number + 1)
            while table[slot] != 0 or not (alone or claim(table, slot, entry) == 0):
                slot = (slot + 1) & ((1 << bits) - 1)
            table[slot] = entry
