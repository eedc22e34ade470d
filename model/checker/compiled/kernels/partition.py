"""The search of one partition: what it finds for others travels, and what others found for it is added.

A state belongs to the partition that its hash says (``owner_of``). ``emit`` takes the steps of a level and sorts what
they lead to into a box for each partition; ``absorb`` adds what is in a box. A record is the words of a state, and one
number: the move that led there, as it is called among the elements of the representative. That number is enough to
know what is sleeping there: all moves that are independent of it and rank lower. Those of them that were not enabled
before the move are not enabled after it either, so that they need not be left out.
"""

from __future__ import annotations

import numpy as np

from onceproof.model.checker.compiled.kernels.batch import (
    BATCH,
    CHUNKS,
    COUNT,
    FAILED,
    FINISHED,
    FROM,
    GROW,
    LOOKED_UP,
    MOVE_BITS,
    MOVE_WORDS,
    NEXT_CHUNK,
    PAUSED,
    REPRESENTATIVE,
    SLEEP_WORDS,
    TO,
    gather,
)
from onceproof.model.checker.compiled.kernels.explore import add_states
from onceproof.model.checker.compiled.kernels.visited import hash_of, slot_of
from onceproof.model.checker.compiled.llvm.kernel import Fixed, kernel, part
from onceproof.model.checker.compiled.llvm.primitives import add_and_fetch, call, prefetch


@part
def owner_of(value, partitions) -> int:  # type: ignore[no-untyped-def]
    """Which partition a hash belongs to: by the half of it that the table of a partition makes no use of."""
    return int(((value & 0xFFFFFFFF) * np.uint64(partitions)) >> np.uint64(32))


@kernel
def owners(rows, words: Fixed, partitions, found) -> None:  # type: ignore[no-untyped-def]
    """Writes to ``found`` which partition each of these states belongs to."""
    for number in range(len(found)):
        found[number] = owner_of(hash_of(rows, number * words, words), partitions)


@kernel
def emit(  # type: ignore[no-untyped-def]
    functions, states, words: Fixed, shared, mine, chunks, fired, kinds, best, out, sleeping, renamed, moves,
    boxes, filled, size, number_word, number_shift, most, none, rounds
) -> int:  # fmt: skip
    """Takes steps until the chunks are done, a box could be too full for the next batch, or it is time for a pause.

    boxes: room for the records for each partition, as much for each, of which ``filled`` are in use; size: the words of
    a record, number_word, number_shift: where its number is; most: how many records a batch may have; none: the number
    of a record after which nothing is sleeping. Returns why it came back.
    """
    record, partitions = words + 1, len(filled)
    room = len(boxes) // (size * partitions)
    move_words, sleep_words = shared[MOVE_WORDS], shared[SLEEP_WORDS]
    representative = functions[REPRESENTATIVE]
    for _ in range(rounds):
        for owner in range(partitions):
            if filled[owner] + most > room:
                return GROW
        n = gather(functions, states, words, shared, mine, chunks, fired, kinds, best, out, sleeping, moves)
        if n == 0 and mine[FROM] >= mine[TO] and shared[NEXT_CHUNK] >= shared[CHUNKS]:
            return FINISHED
        for at in range(0, n, record):
            move, arrangement = out[at] & ((1 << MOVE_BITS) - 1), 0
            if representative != 0:
                arrangement = call(representative, out, at + 1, out, n)
            if sleep_words == 0:
                move = none
            elif arrangement != 0:
                move = renamed[arrangement * move_words * 64 + move]
            owner = owner_of(hash_of(out, at + 1, words), partitions)
            place = (owner * room + filled[owner]) * size
            for word in range(words):
                boxes[place + word] = out[at + 1 + word]
            if number_word == words:
                boxes[place + words] = move
            else:
                boxes[place + number_word] |= move << number_shift
            filled[owner] += 1
    return PAUSED


@kernel
def absorb(  # type: ignore[no-untyped-def]
    functions, states, words: Fixed, table, bits, shared, mine, log, best, out, hashes, sleeping, sleep_after, renamed,
    moves, records, size, number_word, number_shift, number_mask, start, stop
) -> int:  # fmt: skip
    """Adds the records from ``start`` up to ``stop`` that are new. Returns FINISHED, or FAILED if the model fails.

    size, number_word, number_shift: as for ``emit``; number_mask: the bits of a number.
    The bits of enabled moves in the first row of ``moves`` are all set: see above.
    """
    record = words + 1
    for first in range(start, stop, BATCH):
        count = min(first + BATCH, stop) - first
        for i in range(count):
            place = (first + i) * size
            out[i * record] = (records[place + number_word] >> number_shift) & number_mask
            for word in range(words):
                out[i * record + 1 + word] = records[place + word]
            if number_word < words:
                out[i * record + 1 + number_word] &= ~(number_mask << number_shift)
            value = hash_of(out, i * record + 1, words)
            hashes[i] = value
            prefetch(table, slot_of(value, bits))
        mine[LOOKED_UP] += count
        found = add_states(
            functions, states, words, table, bits, shared, mine, log, best, out, hashes, count,
            sleeping, sleep_after, renamed, moves
        )  # fmt: skip
        add_and_fetch(shared, COUNT, found if found >= 0 else -1 - found)
        if found < 0:
            return FAILED
    return FINISHED
