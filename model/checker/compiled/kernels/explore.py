"""The search itself, compiled once for every number of words a state has; models come in as addresses.

States stand one after the other in ``states`` (``words`` numbers each) and are never moved. ``table`` has their
numbers (see ``visited``), or their fingerprints. Successors are gathered in batches: all their slots in the
table are prefetched before any is read, so that the waits for memory overlap.

Workers share all of it. A state is written first and then claimed with one atomic operation; who comes second finds
the state of the first. What two workers write in ``sleeping`` at the same time may be lost, which costs time only.
"""

from __future__ import annotations

import numpy as np

from onceproof.model.checker.compiled.kernels.batch import (
    ALONE,
    BLOCK_END,
    CHUNKS,
    COUNT,
    CURSOR,
    CUT,
    FAILED,
    FINISHED,
    FRESH_FROM,
    FRESH_TO,
    FROM,
    GROW,
    LIMIT,
    LIMITED,
    LOOKED_UP,
    MOST_STATES,
    NEXT_CHUNK,
    PAUSED,
    RING,
    SLEEP_WORDS,
    TO,
    evaluate_state,
    gather,
    hashed,
    put_to_sleep,
    take_block,
)
from onceproof.model.checker.compiled.kernels.fingerprint import add_fingerprints
from onceproof.model.checker.compiled.kernels.visited import is_at, slot_of, tag_of
from onceproof.model.checker.compiled.llvm.kernel import Fixed, kernel, part
from onceproof.model.checker.compiled.llvm.primitives import add_and_fetch, claim, prefetch


@kernel
def explore(  # type: ignore[no-untyped-def]
    functions, states, words: Fixed, fingerprints: Fixed, table, size, shared, mine, chunks, log, fired, kinds, best,
    out, hashes, sleeping, sleep_after, renamed, moves, rounds
) -> int:  # fmt: skip
    """Expands the chunks of one level until they are done, the table is full, or it is time for a pause.

    fingerprints: whether the table has those, and states are kept only until they are expanded. size: of the table,
    as a power of two; of one of fingerprints in slots. Returns why it came back.
    """
    for _ in range(rounds):
        if shared[COUNT] >= shared[LIMIT]:
            return GROW
        n = gather(functions, states, words, shared, mine, chunks, fired, kinds, best, out, sleeping, moves)
        if n == 0 and mine[FROM] >= mine[TO] and shared[NEXT_CHUNK] >= shared[CHUNKS]:
            return FINISHED
        count = hashed(functions, words, out, n, hashes, table, size, fingerprints)
        mine[LOOKED_UP] += count
        if fingerprints:
            found = add_fingerprints(
                functions, states, words, table, size, shared, mine, log, best, out, hashes, count,
                sleeping, sleep_after, renamed, moves
            )  # fmt: skip
        else:
            found = add_states(
                functions, states, words, table, size, shared, mine, log, best, out, hashes, count,
                sleeping, sleep_after, renamed, moves
            )  # fmt: skip
        add_and_fetch(shared, COUNT, found if found >= 0 else -1 - found)
        if found < 0:
            return FAILED
        if mine[CUT] != 0:
            return LIMITED
    return PAUSED


@part
def add_states(  # type: ignore[no-untyped-def]
    functions, states, words, table, bits, shared, mine, log, best, out, hashes, count,
    sleeping, sleep_after, renamed, moves
) -> int:  # fmt: skip
    """Adds what is new in a batch. Returns how many that are; -1 - as many if the model fails in one of them.

    Where that would be more states than are allowed, the rest of the batch is left out, and ``mine[CUT]`` is set.
    """
    record = words + 1
    number_mask, slot_mask = np.uint32((1 << bits) - 1), (1 << bits) - 1
    alone, sleep_words, ring = shared[ALONE] != 0, shared[SLEEP_WORDS], shared[RING]
    fresh_from, fresh_to = shared[FRESH_FROM], shared[FRESH_TO]
    for i in range(count):
        value = hashes[i]
        entry = table[slot_of(value, bits)]
        if entry != 0 and (entry & ~number_mask) == tag_of(value, bits):
            number = int(entry & number_mask) - 1
            prefetch(states, number * words)
            if fresh_from <= number < fresh_to:
                prefetch(sleeping, (number & ring) * sleep_words)
    found, failed, cursor = 0, False, mine[CURSOR]
    cut, most = False, shared[MOST_STATES] - shared[COUNT]
    for i in range(count):
        value = hashes[i]
        tag = tag_of(value, bits)
        slot = slot_of(value, bits)
        step = out[i * record]
        at = i * record + 1
        written = False
        while True:
            entry = table[slot]
            if entry == 0:
                if found >= most:
                    cut, mine[CUT] = True, 1
                    break
                if not written:
                    if cursor == mine[BLOCK_END]:
                        cursor = take_block(shared, mine, log)
                    for word in range(words):
                        states[cursor * words + word] = out[at + word]
                    if fresh_from <= cursor < fresh_to:
                        put_to_sleep(
                            step,
                            True,
                            (cursor & ring) * sleep_words,
                            shared,
                            moves,
                            sleep_after,
                            renamed,
                            sleeping,
                        )
                    written = True
                if alone:
                    table[slot] = np.uint32(cursor + 1) | tag
                else:
                    entry = claim(table, slot, np.uint32(cursor + 1) | tag)
                if entry == 0:
                    failed = evaluate_state(functions, states, words, cursor, shared, mine, best, out) or failed
                    cursor += 1
                    found += 1
                    break
            if (entry & ~number_mask) == tag:
                other = int(entry & number_mask) - 1
                if is_at(states, other, out, at, words):
                    if fresh_from <= other < fresh_to:
                        put_to_sleep(
                            step,
                            False,
                            (other & ring) * sleep_words,
                            shared,
                            moves,
                            sleep_after,
                            renamed,
                            sleeping,
                        )
                    break
            slot = (slot + 1) & slot_mask
        if cut:
            break
    mine[CURSOR] = cursor
    return -1 - found if failed else found
