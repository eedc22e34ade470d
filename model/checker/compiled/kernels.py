"""The search itself, compiled by Numba once for every number of words a state has; models come in as addresses.

States stand one after the other in ``states`` (``words`` numbers each) and are never moved. ``table`` is an
open-addressing table of 32-bit entries: the number of a state plus one in the low ``bits`` bits, a piece of its hash
in the rest, so that most unequal states are told apart without a look at them. Successors are gathered in batches: all
their table slots are asked for before any is read, so that the waits for memory overlap.

Workers share all of it. A state is written first and then claimed with one atomic operation; who comes second finds
the state of the first.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numba
import numpy as np

from model.checker.compiled.primitives import add_and_fetch, call, claim, prefetch, unsigned

BATCH = 768  # successors that are looked up together
RECENT = 1 << 13  # states that a worker looked up a moment ago: most are met again at once, by other ways
BLOCK = 4096  # states that a worker takes room for at a time
FAR = 1 << 62  # worse than any key of a violation: faults << 32 | steps

# what the functions of a model are called, by their position in ``functions``
EXPAND, JUDGE, EXERCISED, SPENT, ENDS, CANONICAL = range(6)
# numbers that workers share
NEXT_CHUNK, NEXT_BLOCK, COUNT, LIMIT, CHUNKS, DEPTH, ONLY, ALONE = range(8)
# numbers of each worker
CURSOR, BLOCK_END, FROM, TO, LOGGED, ERROR, PENDING = range(7)
# what ONLY asks for: all moves, those that are no faults, those that are
ALL, NO_FAULTS, FAULTS = range(3)
# why a worker came back
FINISHED, GROW, PAUSED, FAILED = range(4)


@numba.njit(nogil=True, cache=True, error_model="numpy")
def gather(functions, states, words, shared, mine, chunks, fired, is_fault, best, out, most):  # type: ignore[no-untyped-def]
    """Fills ``out`` with the successors of some states (of those that ONLY asks for, and that differ from them).

    Takes states from the worker's chunk, and chunks until there are none left. Counts what is taken, notes deadlocks.
    Returns how many numbers were written; -1 where the model itself fails.
    """
    expand, spent, ends = functions[EXPAND], functions[SPENT], functions[ENDS]
    record = words + 1
    depth, only = shared[DEPTH], shared[ONLY]
    source, end = mine[FROM], mine[TO]
    n = np.int64(0)
    while n < most:
        if source >= end:
            chunk = add_and_fetch(shared, NEXT_CHUNK, 1)
            if chunk >= shared[CHUNKS]:
                break
            source, end = chunks[chunk, 0], chunks[chunk, 1]
        got = call(expand, states, source * words, out, n)
        if got < 0:
            mine[ERROR] = source
            return np.int64(-1)
        stuck = True
        to = n
        for at in range(n, n + got, record):
            move = out[at]
            changes = move >= 0
            if not changes:
                move = -1 - move
            fired[move] += 1
            stuck = stuck and is_fault[move]
            if changes and (only == 0 or is_fault[move] == (only == 2)):
                if to != at:
                    for word in range(record):
                        out[to + word] = out[at + word]
                to += record
        if stuck and ends != 0 and call(ends, states, source * words, out, to) == 0:
            key = (call(spent, states, source * words, out, to) << 32) | (depth - 1)
            best[0] = min(best[0], key)
        n = to
        source += 1
    mine[FROM], mine[TO] = source, end
    return n


@numba.njit(nogil=True, cache=True, error_model="numpy")
def judged(functions, states, words, number, mine, best, depth, out):  # type: ignore[no-untyped-def]
    """Notes what a new state violates, and what it puts to use; whether the model itself fails there."""
    at = number * words
    false = call(functions[JUDGE], states, at, out, 0)
    if mine[PENDING] != 0:
        call(functions[EXERCISED], states, at, mine, PENDING)
    if false == 0:
        return False
    if false < 0:
        mine[ERROR] = number
        return True
    key = (call(functions[SPENT], states, at, best, 0) << 32) | depth
    which = 1
    while false > 0:
        if false & 1:
            best[which] = min(best[which], key)
        false >>= 1
        which += 1
    return False


@cache
def kernel(words: int) -> Any:
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
        number_mask = np.uint32((1 << bits) - 1)
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
                hashes[count] = value
                count += 1
                prefetch(table, np.int64(value >> shift))
            for i in range(count):
                value = hashes[i]
                entry = table[np.int64(value >> shift)]
                tag = np.uint32((value >> np.uint64(32)) << np.uint64(bits))
                if entry != 0 and (entry & ~number_mask) == tag:
                    prefetch(states, np.int64((entry & number_mask) - 1) * words)
            fresh = np.int64(0)
            for i in range(count):
                value = hashes[i]
                slot = np.int64(value >> shift)
                tag = np.uint32((value >> np.uint64(32)) << np.uint64(bits))
                at = i * record + 1
                written = False
                while True:
                    entry = table[slot]
                    if entry == 0:
                        if not written:
                            if cursor == block_end:
                                cursor = add_and_fetch(shared, NEXT_BLOCK, BLOCK)
                                block_end = cursor + BLOCK
                                log[mine[LOGGED], 0] = cursor
                                mine[LOGGED] += 1
                            for word in range(words):
                                states[cursor * words + word] = out[at + word]
                            written = True
                        if alone:
                            table[slot] = np.uint32(cursor + 1) | tag
                        else:
                            entry = claim(table, slot, np.uint32(cursor + 1) | tag)
                        if entry == 0:
                            if judged(functions, states, words, cursor, mine, best, depth, out):
                                reason = FAILED
                            cursor += 1
                            fresh += 1
                            break
                    if (entry & ~number_mask) == tag:
                        other = np.int64((entry & number_mask) - 1) * words
                        same = True
                        for word in range(words):
                            same = same and states[other + word] == out[at + word]
                        if same:
                            break
                    slot = (slot + 1) & slot_mask
            add_and_fetch(shared, COUNT, fresh)
            if reason == FAILED:
                break
        else:
            reason = PAUSED
        mine[CURSOR], mine[BLOCK_END] = cursor, block_end
        return reason

    return explore


@cache
def rebuilder(words: int) -> Any:
    """The function that enters states anew into an empty table."""

    @numba.njit(nogil=True, cache=True, error_model="numpy")
    def rebuild(states, table, bits, start, stop, hashes, alone):  # type: ignore[no-untyped-def]
        """Enters the states from number ``start`` up to ``stop``, which are all different."""
        shift = np.uint64(64 - bits)
        slot_mask = np.int64((1 << bits) - 1)
        for first in range(start, stop, 256):
            last = min(first + 256, stop)
            for number in range(first, last):
                value = np.uint64(0)
                for word in range(words):
                    value = (value ^ unsigned(states[number * words + word])) * np.uint64(0x9E3779B97F4A7C15)
                    value ^= value >> np.uint64(32)
                value = value * np.uint64(0xD6E8FEB86659FD93)
                hashes[number - first] = value
                prefetch(table, np.int64(value >> shift))
            for number in range(first, last):
                value = hashes[number - first]
                slot = np.int64(value >> shift)
                entry = np.uint32((value >> np.uint64(32)) << np.uint64(bits)) | np.uint32(number + 1)
                while table[slot] != 0 or not (alone or claim(table, slot, entry) == 0):
                    slot = (slot + 1) & slot_mask
                table[slot] = entry

    return rebuild


@cache
def scanner(words: int) -> Any:
    """The function that finds the states that violate something at a certain cost."""

    @numba.njit(nogil=True, cache=True, error_model="numpy")
    def scan(functions, states, start, stop, which, faults, is_fault, out, marks, label):  # type: ignore[no-untyped-def]
        """Marks with ``label`` each state where claim ``which`` - 1 is false (0: a deadlock) after so many faults.

        faults: less than 0 means any number. Returns how many there are.
        """
        found = 0
        for number in range(start, stop):
            at = number * words
            if which == 0:
                got = call(functions[EXPAND], states, at, out, 0)
                hit = True
                for record in range(0, got, words + 1):
                    move = out[record] if out[record] >= 0 else -1 - out[record]
                    hit = hit and is_fault[move]
                hit = hit and call(functions[ENDS], states, at, out, 0) == 0
            else:
                hit = (call(functions[JUDGE], states, at, out, 0) >> (which - 1)) & 1 != 0
            if hit and (faults < 0 or call(functions[SPENT], states, at, out, 0) == faults):
                marks[number] = label
                found += 1
        return found

    return scan


@cache
def marker(words: int) -> Any:
    """The function that finds the states one step before marked ones."""

    @numba.njit(nogil=True, cache=True, error_model="numpy")
    def mark(functions, states, table, bits, start, stop, label, fault_label, is_fault, out, marks):  # type: ignore[no-untyped-def]
        """Marks each state with a step to one that is marked ``label`` + 1 (by a fault: ``fault_label`` + 1)."""
        shift = np.uint64(64 - bits)
        number_mask = np.uint32((1 << bits) - 1)
        slot_mask = np.int64((1 << bits) - 1)
        canonical = functions[CANONICAL]
        found = 0
        for number in range(start, stop):
            got = call(functions[EXPAND], states, number * words, out, 0)
            hit = False
            for record in range(0, got, words + 1):
                move = out[record]
                if move < 0 or hit:
                    continue
                if canonical != 0:
                    call(canonical, out, record + 1, out, got)
                value = np.uint64(0)
                for at in range(record + 1, record + 1 + words):
                    value = (value ^ unsigned(out[at])) * np.uint64(0x9E3779B97F4A7C15)
                    value ^= value >> np.uint64(32)
                value = value * np.uint64(0xD6E8FEB86659FD93)
                slot = np.int64(value >> shift)
                while table[slot] != 0:
                    other = np.int64((table[slot] & number_mask) - 1)
                    same = True
                    for word in range(words):
                        same = same and states[other * words + word] == out[record + 1 + word]
                    if same:
                        wanted = fault_label + 1 if is_fault[move] else label + 1
                        hit = marks[other] == wanted
                        break
                    slot = (slot + 1) & slot_mask
            if hit:
                marks[number] = label
                found += 1
        return found

    return mark
