"""The search itself, compiled once for every number of words a state has; models come in as addresses.

States stand one after the other in ``states`` (``words`` numbers each) and are never moved. ``table`` has their
numbers, as ``kernels_table`` says. Successors are gathered in batches: all their places in the table are asked for
before any is read, so that the waits for memory overlap.

Workers share all of it. A state is written first and then claimed with one atomic operation; who comes second finds
the state of the first. What two workers write in ``settled`` at the same time may be lost, which costs time only.
"""

from __future__ import annotations

import numpy as np

from model.checker.compiled.kernel import Fixed, kernel
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
    FRESH_FROM,
    FRESH_TO,
    FROM,
    GROW,
    LIMIT,
    LOGGED,
    LOOKED_UP,
    NEXT_BLOCK,
    NEXT_CHUNK,
    PAUSED,
    RING,
    SETTLING,
    TO,
    gather,
    hashed,
    judged,
    settle,
)
from model.checker.compiled.kernels_table import is_at, slot_of, tag_of
from model.checker.compiled.primitives import add_and_fetch, claim, prefetch


@kernel
def explore(  # type: ignore[no-untyped-def]
    functions, states, words: Fixed, table, bits, shared, mine, chunks, log, fired, kinds, best, out, hashes,
    settled, settles, places, moves, rounds
) -> int:  # fmt: skip
    """Expands the chunks of one level until they are done, the table is full, or it is time for a pause.

    Returns why it came back.
    """
    record = words + 1
    number_mask, slot_mask = np.uint32((1 << bits) - 1), (1 << bits) - 1
    depth, alone = shared[DEPTH], shared[ALONE] != 0
    settling, ring, fresh_from, fresh_to = shared[SETTLING], shared[RING], shared[FRESH_FROM], shared[FRESH_TO]
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
        for i in range(count):
            value = hashes[i]
            tag = tag_of(value, bits)
            entry = table[slot_of(value, bits)]
            if entry != 0 and (entry & ~number_mask) == tag:
                number = int(entry & number_mask) - 1
                prefetch(states, number * words)
                if fresh_from <= number < fresh_to:
                    prefetch(settled, (number & ring) * settling)
        found = 0
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
                    if not written:
                        if cursor == block_end:
                            cursor = add_and_fetch(shared, NEXT_BLOCK, BLOCK)
                            block_end = cursor + BLOCK
                            log[mine[LOGGED]] = cursor
                            mine[LOGGED] += 1
                        for word in range(words):
                            states[cursor * words + word] = out[at + word]
                        if fresh_from <= cursor < fresh_to:
                            place = (cursor & ring) * settling
                            settle(step, True, place, shared, moves, settles, places, settled)
                        written = True
                    if alone:
                        table[slot] = np.uint32(cursor + 1) | tag
                    else:
                        entry = claim(table, slot, np.uint32(cursor + 1) | tag)
                    if entry == 0:
                        if judged(functions, states, words, cursor, mine, best, depth, out):
                            reason = FAILED
                        cursor += 1
                        found += 1
                        break
                if (entry & ~number_mask) == tag:
                    other = int(entry & number_mask) - 1
                    if is_at(states, other, out, at, words):
                        if fresh_from <= other < fresh_to:
                            place = (other & ring) * settling
                            settle(step, False, place, shared, moves, settles, places, settled)
                        break
                slot = (slot + 1) & slot_mask
        add_and_fetch(shared, COUNT, found)
        if reason == FAILED:
            break
    else:
        reason = PAUSED
    mine[CURSOR], mine[BLOCK_END] = cursor, block_end
    return reason
