"""The table of a search that remembers only a 64-bit hash of each state: its fingerprint.

Two states with one fingerprint would be taken for one: ``collision_probability`` says how likely that is.

It is a hash table with open addressing whose slots are in the order of the hashes: ``home_of`` never falls where the
hash grows, and nothing wraps around; what has no room before the end stands after it. So it can grow in place, by any
factor, from its end to its beginning (``spread``), and needs no second table beside it.
"""

from __future__ import annotations

import numpy as np

from onceproof.model.checker.compiled.kernels.batch import (
    ALONE,
    BLOCK_END,
    COUNT,
    CURSOR,
    CUT,
    MOST_STATES,
    SLEEP_WORDS,
    evaluate_state,
    put_to_sleep,
    take_block,
)
from onceproof.model.checker.compiled.kernels.visited import hash_of, home_of
from onceproof.model.checker.compiled.llvm.kernel import Fixed, kernel, part
from onceproof.model.checker.compiled.llvm.primitives import claim


def collision_probability(states: int) -> float:
    """An upper bound of the probability that some two of so many states have one fingerprint."""
    return min(states * (states - 1) / 2 / 2**64, 1.0)


@part
def add_fingerprints(  # type: ignore[no-untyped-def]
    functions, states, words, table, size, shared, mine, log, best, out, hashes, count,
    sleeping, sleep_after, renamed, moves
) -> int:  # fmt: skip
    """As ``kernels.add_states``, on a table of fingerprints."""
    record = words + 1
    alone, sleep_words = shared[ALONE] != 0, shared[SLEEP_WORDS]
    found, failed, cursor = 0, False, mine[CURSOR]
    cut, most = False, shared[MOST_STATES] - shared[COUNT]
    for i in range(count):
        value = hashes[i]
        slot = home_of(value, size)
        while table[slot] != value:
            if table[slot] != 0:
                slot += 1
                continue
            if found >= most:
                cut, mine[CUT] = True, 1
                break
            if alone:
                table[slot] = value
            elif claim(table, slot, value) != 0:
                continue  # somebody was faster: look at this slot again
            if cursor == mine[BLOCK_END]:
                cursor = take_block(shared, mine, log)
            at = i * record
            for word in range(words):
                states[cursor * words + word] = out[at + 1 + word]
            if sleep_words != 0:
                put_to_sleep(out[at], True, cursor * sleep_words, shared, moves, sleep_after, renamed, sleeping)
            failed = evaluate_state(functions, states, words, cursor, shared, mine, best, out) or failed
            cursor += 1
            found += 1
            break
        if cut:
            break
    mine[CURSOR] = cursor
    return -1 - found if failed else found


@part
def enter_one(value, table, size) -> None:  # type: ignore[no-untyped-def]
    """Enters one fingerprint."""
    slot = home_of(value, size)
    while table[slot] != 0:
        slot += 1
    table[slot] = value


@kernel
def enter_fingerprints(states, words: Fixed, table, size, start, stop) -> None:  # type: ignore[no-untyped-def]
    """Enters the fingerprints of the states from ``start`` up to ``stop``."""
    for number in range(start, stop):
        enter_one(hash_of(states, number * words, words), table, size)


@kernel
def first_unused(table, size) -> int:  # type: ignore[no-untyped-def]
    """The first slot from ``size`` on that is empty; all behind it are, too."""
    slot = size
    while table[slot] != 0:
        slot += 1
    return int(slot)


@kernel
def spread(table, end, size, run) -> int:  # type: ignore[no-untyped-def]
    """Moves the fingerprints in the slots below ``end`` to their places in a table of ``size`` slots, which is larger.

    Each run of used slots is taken out as a whole, the last one first: its places are nowhere before it, so that what
    stands before is not met, and what it meets has its place already. ``run`` has room for one; 0 is returned when all
    is done, else the ``end`` to go on from with room for a longer one.
    """
    last = end
    while last > 0:
        while last > 0 and table[last - 1] == 0:
            last -= 1
        first = last
        while first > 0 and table[first - 1] != 0:
            first -= 1
        if last - first > len(run):
            return int(last)
        for slot in range(first, last):
            run[slot - first] = table[slot]
            table[slot] = np.uint64(0)
        for at in range(last - first):
            enter_one(run[at], table, size)
        last = first
    return 0
