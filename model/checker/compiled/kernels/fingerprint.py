"""The table of a search that remembers only a 64-bit hash of each state: its fingerprint.

Two states with one fingerprint would be taken for one: ``collision_probability`` says how likely that is.
"""

from __future__ import annotations

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
from onceproof.model.checker.compiled.kernels.visited import hash_of, slot_of
from onceproof.model.checker.compiled.llvm.kernel import Fixed, kernel, part
from onceproof.model.checker.compiled.llvm.primitives import claim


def collision_probability(states: int) -> float:
    """An upper bound of the probability that some two of so many states have one fingerprint."""
    return min(states * (states - 1) / 2 / 2**64, 1.0)


@part
def add_fingerprints(  # type: ignore[no-untyped-def]
    functions, states, words, table, bits, shared, mine, log, best, out, hashes, count,
    sleeping, sleep_after, renamed, moves
) -> int:  # fmt: skip
    """As ``kernels.add_states``, on a table of fingerprints."""
    record = words + 1
    alone, sleep_words = shared[ALONE] != 0, shared[SLEEP_WORDS]
    found, failed, cursor = 0, False, mine[CURSOR]
    cut, most = False, shared[MOST_STATES] - shared[COUNT]
    for i in range(count):
        value = hashes[i]
        slot = slot_of(value, bits)
        while table[slot] != value:
            if table[slot] != 0:
                slot = (slot + 1) & ((1 << bits) - 1)
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
