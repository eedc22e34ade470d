"""The search that remembers only a 64-bit hash of each state, compiled by Numba; see ``kernels`` for its other half.

The table holds fingerprints; whole states are kept only until they are expanded. Two states with one fingerprint would
be taken for one: ``collision_probability`` says how likely that is.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numba
import numpy as np

from model.checker.compiled.kernels import (
    ALONE,
    BATCH,
    BLOCK,
    BLOCK_END,
    CANONICAL,
    COUNT,
    CURSOR,
    DEPTH,
    FAILED,
    FINISHED,
    FROM,
    GROW,
    LIMIT,
    LOGGED,
    NEXT_BLOCK,
    PAUSED,
    RECENT,
    TO,
    gather,
    judged,
)
from model.checker.compiled.primitives import add_and_fetch, call, claim_wide, prefetch, unsigned


def collision_probability(states: int) -> float:
    """An upper bound of the probability that some two of so many states have one fingerprint."""
    return min(states * (states - 1) / 2 / 2**64, 1.0)


@cache
def fingerprint_kernel(words: int) -> Any:
    """The function that a worker runs over the chunks of a level, for states of so many words."""
    record = words + 1
    most = np.int64(BATCH * record)

    @numba.njit(nogil=True, cache=True, error_model="numpy")
    def explore(  # type: ignore[no-untyped-def]
        functions, states, table, bits, shared, mine, chunks, log, fired, is_fault, best, out, hashes, recent, rounds
    ):
        """Expands the chunks of one level until they are done, the table is full, or it is time for a pause."""
        canonical = functions[CANONICAL]
        shift = np.uint64(64 - bits)
        slot_mask = np.int64((1 << bits) - 1)
        depth, alone = shared[DEPTH], shared[ALONE] != 0
        cursor, block_end = mine[CURSOR], mine[BLOCK_END]
        reason = FINISHED
        for _ in range(rounds):
            if shared[COUNT] >= shared[LIMIT]:
                reason = GROW
                break
            n = gather(functions, states, words, shared, mine, chunks, fired, is_fault, best, out, most)
            if n < 0:
                reason = FAILED
                break
            if n == 0 and mine[FROM] >= mine[TO]:
                break
            count = 0
            for at in range(0, n, record):
                if canonical != 0:
                    call(canonical, out, at + 1, out, n)
                value = np.uint64(0)
                for word in range(words):
                    value = (value ^ unsigned(out[at + 1 + word])) * np.uint64(0x9E3779B97F4A7C15)
                    value ^= value >> np.uint64(32)
                value = value * np.uint64(0xD6E8FEB86659FD93)
                place = np.int64((value >> np.uint64(8)) & np.uint64(RECENT - 1)) * words
                known = True
                for word in range(words):
                    known = known and recent[place + word] == out[at + 1 + word]
                if known:
                    continue  # looked up a moment ago
                to = count * record + 1
                for word in range(words):
                    recent[place + word] = out[at + 1 + word]
                    out[to + word] = out[at + 1 + word]
                value = max(value ^ (value >> np.uint64(31)), np.uint64(1))
                hashes[count] = value
                count += 1
                prefetch(table, np.int64(value >> shift))
            fresh = np.int64(0)
            for i in range(count):
                value = hashes[i]
                slot = np.int64(value >> shift)
                while table[slot] != value:
                    if table[slot] != 0:
                        slot = (slot + 1) & slot_mask
                        continue
                    if alone:
                        table[slot] = value
                    elif claim_wide(table, slot, value) != 0:
                        continue  # somebody was faster: look at this slot again
                    if cursor == block_end:
                        cursor = add_and_fetch(shared, NEXT_BLOCK, BLOCK)
                        block_end = cursor + BLOCK
                        log[mine[LOGGED], 0] = cursor
                        mine[LOGGED] += 1
                    for word in range(words):
                        states[cursor * words + word] = out[i * record + 1 + word]
                    if judged(functions, states, words, cursor, mine, best, depth, out):
                        reason = FAILED
                    cursor += 1
                    fresh += 1
                    break
            add_and_fetch(shared, COUNT, fresh)
            if reason == FAILED:
                break
        else:
            reason = PAUSED
        mine[CURSOR], mine[BLOCK_END] = cursor, block_end
        return reason

    return explore


@numba.njit(nogil=True, cache=True, error_model="numpy")
def enter_again(old, table, bits):  # type: ignore[no-untyped-def]
    """Enters the fingerprints of an old table into a larger one."""
    shift = np.uint64(64 - bits)
    slot_mask = np.int64((1 << bits) - 1)
    for value in old:
        if value != 0:
            slot = np.int64(value >> shift)
            while table[slot] != 0:
                slot = (slot + 1) & slot_mask
            table[slot] = value
