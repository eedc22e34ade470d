"""The search that remembers only a 64-bit hash of each state, compiled; see ``kernels`` for its other half.

The table holds fingerprints; whole states are kept only until they are expanded. Two states with one fingerprint would
be taken for one: ``collision_probability`` says how likely that is.
"""

from __future__ import annotations

from model.checker.compiled.kernel import Fixed, kernel, part
from model.checker.compiled.kernels_batch import (
    ALONE,
    BLOCK,
    BLOCK_END,
    CHUNKS,
    COUNT,
    CURSOR,
    DEPTH,
    FAILED,
    FINISHED,
    FROM,
    GROW,
    LIMIT,
    LOGGED,
    LOOKED_UP,
    NEXT_BLOCK,
    NEXT_CHUNK,
    PAUSED,
    SETTLING,
    TO,
    gather,
    hashed,
    judged,
    settle,
)
from model.checker.compiled.kernels_table import hash_of, slot_of
from model.checker.compiled.primitives import add_and_fetch, claim


def collision_probability(states: int) -> float:
    """An upper bound of the probability that some two of so many states have one fingerprint."""
    return min(states * (states - 1) / 2 / 2**64, 1.0)


@kernel
def explore_fingerprints(  # type: ignore[no-untyped-def]
    functions, states, words: Fixed, table, bits, shared, mine, chunks, log, fired, kinds, best, out, hashes,
    settled, settles, places, moves, rounds
) -> int:  # fmt: skip
    """As ``kernels.explore``, on a table of fingerprints."""
    record = words + 1
    slot_mask = int((1 << bits) - 1)
    depth, alone, settling = shared[DEPTH], shared[ALONE] != 0, shared[SETTLING]
    cursor, block_end = mine[CURSOR], mine[BLOCK_END]
    reason = FINISHED
    for _ in range(rounds):
        if shared[COUNT] >= shared[LIMIT]:
            reason = GROW
            break
        n = gather(functions, states, words, shared, mine, chunks, fired, kinds, best, out, settled, moves)
        if n < 0:
            reason = FAILED
            break
        if n == 0 and mine[FROM] >= mine[TO] and shared[NEXT_CHUNK] >= shared[CHUNKS]:
            break
        count = hashed(functions, words, out, n, hashes, table, bits)
        mine[LOOKED_UP] += count
        found = 0
        for i in range(count):
            value = hashes[i]
            slot = slot_of(value, bits)
            while table[slot] != value:
                if table[slot] != 0:
                    slot = (slot + 1) & slot_mask
                    continue
                if alone:
                    table[slot] = value
                elif claim(table, slot, value) != 0:
                    continue  # somebody was faster: look at this slot again
                if cursor == block_end:
                    cursor = add_and_fetch(shared, NEXT_BLOCK, BLOCK)
                    block_end = cursor + BLOCK
                    log[mine[LOGGED]] = cursor
                    mine[LOGGED] += 1
                at = i * record
                for word in range(words):
                    states[cursor * words + word] = out[at + 1 + word]
                if settling != 0:
                    settle(out[at], True, cursor * settling, shared, moves, settles, places, settled)
                if judged(functions, states, words, cursor, mine, best, depth, out):
                    reason = FAILED
                cursor += 1
                found += 1
                break
        add_and_fetch(shared, COUNT, found)
        if reason == FAILED:
            break
    else:
        reason = PAUSED
    mine[CURSOR], mine[BLOCK_END] = cursor, block_end
    return reason


@part
def enter_one(value, table, bits) -> None:  # type: ignore[no-untyped-def]
    """Enters one fingerprint."""
    slot = slot_of(value, bits)
    while table[slot] != 0:
        slot = (slot + 1) & ((1 << bits) - 1)
    table[slot] = value


@kernel
def enter_fingerprints(states, words: Fixed, table, bits, start, stop) -> None:  # type: ignore[no-untyped-def]
    """Enters the fingerprints of the states from ``start`` up to ``stop``."""
    for number in range(start, stop):
        enter_one(hash_of(states, number * words, words), table, bits)


@kernel
def enter_again(old, table, bits) -> None:  # type: ignore[no-untyped-def]
    """Enters the fingerprints of an old table into a larger one."""
    for at in range(len(old)):
        if old[at] != 0:
            enter_one(old[at], table, bits)
