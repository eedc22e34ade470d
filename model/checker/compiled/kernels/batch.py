"""What every search does with a batch of successors: gathers them, and finds their hashes.

Lookups are what a search spends its time on, so as many as possible are left out. A step that some other order of
independent steps has taken already needs none: if steps a < b are both enabled in a state p, and independent, then
after b (in p·b) a need not be looked up, as p·b·a is p·a·b. ``sleeping`` has for each state that waits the bits of such
steps, its sleep set. Nothing is lost, and nothing found later than it would be: p·a is found no later than p·b, and so
all its successors no later than those of p·b; if b is sleeping there in its turn, then by a step greater than b, and so
on; steps are finitely many. (Godefroid's sleep sets rest on the same: Partial-Order Methods for the Verification of
Concurrent Systems, 1996, chapter 5; there the least common set counts, here, breadth first, all that one level finds.)
"""

from __future__ import annotations

from onceproof.model.checker.compiled.kernels.visited import hash_of, home_of, slot_of
from onceproof.model.checker.compiled.llvm.kernel import part
from onceproof.model.checker.compiled.llvm.primitives import add_and_fetch, call, call_expand, prefetch, trailing_zeros

BATCH = 768  # successors that are looked up together
BLOCK = 1024  # states that a worker takes room for at a time
FAR = 1 << 62  # worse than any key of a violation: faults << 32 | steps
# of the number of a step: the move, above it the number of its source in the batch, and above that which arrangement
# of elements makes the successor its representative
MOVE_BITS, SOURCE_BITS = 32, 16

# what the functions of a model are called, by their position in ``functions``
EXPAND, EVALUATE, EXERCISED, SPENT, ENDS, REPRESENTATIVE = range(6)
# numbers that workers share; of the states from FRESH_FROM to FRESH_TO found now, and OLD_FROM to OLD_TO expanded now,
# it is known which moves are sleeping: in SLEEP_WORDS words each (0: of none), in a ring
NEXT_CHUNK, NEXT_BLOCK, COUNT, LIMIT, CHUNKS, DEPTH, ALONE = range(7)
MOVE_WORDS, SLEEP_WORDS, RING, OLD_FROM, OLD_TO, FRESH_FROM, FRESH_TO = range(7, 14)
# how many states may be found at all, and how many sources a batch may have
MOST_STATES, MOST_SOURCES = 14, 15
# numbers of each worker
CURSOR, BLOCK_END, FROM, TO, LOGGED, ERROR, PENDING, LOOKED_UP, CUT, FAILURES = range(10)
# why a worker came back
FINISHED, GROW, PAUSED, FAILED, LIMITED = range(5)
PLANES = 6  # of the counters that count all moves of a word at once


@part
def gather(functions, states, words, shared, mine, chunks, fired, kinds, best, out, sleeping, moves) -> int:  # type: ignore[no-untyped-def]
    """Fills ``out`` with the successors of some states, as far as they are wanted and not sleeping.

    Takes states from the worker's chunk, and chunks until there are none left. Counts what is taken, notes deadlocks,
    and the enabled moves of each source in its row of ``moves``, from row 1 on. kinds: words of bits of the moves that
    are wanted, then of those that are not faults. Returns how many numbers were written. A source in which the model
    fails is passed over, noted and counted.
    """
    expand, spent, ends = functions[EXPAND], functions[SPENT], functions[ENDS]
    move_words, sleep_words, ring = shared[MOVE_WORDS], shared[SLEEP_WORDS], shared[RING]
    old_from, old_to = shared[OLD_FROM], shared[OLD_TO]
    row = 2 * move_words + 2
    source, end = mine[FROM], mine[TO]
    n = 0
    batch = 0
    most_sources = shared[MOST_SOURCES]
    while n < BATCH * (words + 1) and batch < most_sources:
        if source >= end:
            chunk = add_and_fetch(shared, NEXT_CHUNK, 1)
            if chunk >= shared[CHUNKS]:
                break
            source, end = chunks[chunk][0], chunks[chunk][1]
        batch += 1
        at = batch * row
        for word in range(move_words):
            moves[at + word] = kinds[word]
        if old_from <= source < old_to:
            for word in range(sleep_words):
                moves[at + word] &= ~sleeping[(source & ring) * sleep_words + word]
        moves[at + row - 2] = batch << MOVE_BITS
        got = call_expand(expand, states, source * words, out, n, moves, at)
        if got < 0:
            mine[ERROR] = source
            mine[FAILURES] += 1
            for word in range(move_words):
                moves[at + move_words + word] = 0
            source += 1
            continue
        if ends != 0:
            calm = 0
            for word in range(move_words):
                calm |= moves[at + move_words + word] & kinds[move_words + word]
            if calm == 0 and call(ends, states, source * words, out, n + got) == 0:
                key = (call(spent, states, source * words, out, n + got) << 32) | (shared[DEPTH] - 1)
                best[0] = min(best[0], key)
        n += got
        source += 1
    mine[FROM], mine[TO] = source, end
    tally(moves, move_words, batch, fired)
    return n


@part
def tally(moves, move_words, batch, fired) -> None:  # type: ignore[no-untyped-def]
    """Adds to ``fired`` how often each move is enabled in the rows from 1 to ``batch``.

    All 64 moves of a word are counted at once: each plane has one binary digit of their counts.
    """
    row = 2 * move_words + 2
    for word in range(move_words):
        for first in range(1, batch + 1, (1 << PLANES) - 1):
            p0 = p1 = p2 = p3 = p4 = p5 = 0
            for source in range(first, min(first + (1 << PLANES) - 1, batch + 1)):
                more = moves[source * row + move_words + word]
                p0, more = p0 ^ more, p0 & more
                p1, more = p1 ^ more, p1 & more
                p2, more = p2 ^ more, p2 & more
                p3, more = p3 ^ more, p3 & more
                p4, more = p4 ^ more, p4 & more
                p5 ^= more
            for bit in range(64):
                low = (p0 >> bit & 1) + 2 * (p1 >> bit & 1) + 4 * (p2 >> bit & 1)
                fired[word * 64 + bit] += low + 8 * (p3 >> bit & 1) + 16 * (p4 >> bit & 1) + 32 * (p5 >> bit & 1)


@part
def put_to_sleep(step, new, place, shared, moves, sleep_after, renamed, sleeping) -> None:  # type: ignore[no-untyped-def]
    """Notes the moves that are sleeping after a step in the words at ``place``, which are those of a new state or not.

    renamed: for each arrangement of elements which move each becomes.
    """
    sleep_words, move_words = shared[SLEEP_WORDS], shared[MOVE_WORDS]
    move, arrangement = step & ((1 << MOVE_BITS) - 1), step >> (MOVE_BITS + SOURCE_BITS)
    enabled = ((step >> MOVE_BITS) & ((1 << SOURCE_BITS) - 1)) * (2 * move_words + 2) + move_words
    if new:
        for word in range(sleep_words):
            sleeping[place + word] = 0
    for word in range(sleep_words):
        bits = moves[enabled + word] & sleep_after[move * sleep_words + word]
        if arrangement == 0:
            sleeping[place + word] |= bits
            continue
        while bits != 0:
            one = renamed[arrangement * move_words * 64 + word * 64 + trailing_zeros(bits)]
            if one >> 6 < sleep_words:
                sleeping[place + (one >> 6)] |= 1 << (one & 63)
            bits &= bits - 1


@part
def hashed(functions, words, out, n, hashes, table, size, fingerprints) -> int:  # type: ignore[no-untyped-def]
    """Finds the hashes of the successors in ``out``, and prefetches their slots of the hash table; returns how many.

    size: of the table, as ``slot_of`` takes it, or ``home_of`` where the table has fingerprints.

    Each becomes its representative under symmetry; which arrangement that is goes to the number of its step.
    """
    record = words + 1
    representative = functions[REPRESENTATIVE]
    count = 0
    for at in range(0, n, record):
        if representative != 0:
            out[at] |= call(representative, out, at + 1, out, n) << (MOVE_BITS + SOURCE_BITS)
        value = hash_of(out, at + 1, words)
        hashes[count] = value
        prefetch(table, home_of(value, size) if fingerprints else slot_of(value, size))
        count += 1
    return count


@part
def take_block(shared, mine, log) -> int:  # type: ignore[no-untyped-def]
    """Takes room for more states; returns the number of the first."""
    cursor = add_and_fetch(shared, NEXT_BLOCK, BLOCK)
    mine[BLOCK_END] = cursor + BLOCK
    log[mine[LOGGED]] = cursor
    mine[LOGGED] += 1
    return int(cursor)


@part
def evaluate_state(functions, states, words, number, shared, mine, best, out) -> bool:  # type: ignore[no-untyped-def]
    """Notes what a new state violates, and what it puts to use; whether the model itself fails there."""
    at = number * words
    false = call(functions[EVALUATE], states, at, out, 0)
    if mine[PENDING] != 0:
        call(functions[EXERCISED], states, at, mine, PENDING)
    if false == 0:
        return False
    if false < 0:
        mine[ERROR] = number
        return True
    key = (call(functions[SPENT], states, at, best, 0) << 32) | shared[DEPTH]
    which = 1
    while false > 0:
        if false & 1:
            best[which] = min(best[which], key)
        false >>= 1
        which += 1
    return False
