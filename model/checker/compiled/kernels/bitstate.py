"""A depth-first search that keeps a few bits of each state that it met, compiled once for every number of words.

As G. J. Holzmann, "An analysis of bitstate hashing" (1998), describes it: a state whose bits are all set is taken for
one that was met. So states may be overlooked, and none is met twice.
"""

from __future__ import annotations

import numpy as np

from onceproof.model.checker.compiled.kernels.batch import ENDS, EVALUATE, EXERCISED, EXPAND
from onceproof.model.checker.compiled.kernels.visited import hash_of
from onceproof.model.checker.compiled.llvm.kernel import Fixed, kernel, part
from onceproof.model.checker.compiled.llvm.primitives import call, call_expand, trailing_zeros, unsigned

# what a search tells: what waits on its stack, how many states it met, the length of the path to the last, in which of
# the initial states that begins, the longest path; which bits are false there, whether the model fails there, or has no
# step from there; states that were left out as the stack was full, and those that are not gone on from as they are deep
WAITING, MET, STEPS, START, DEEPEST, FALSE, FAILING, STUCK, DROPPED, CUT, RANDOM = range(11)
NOTED = RANDOM + 1
ENTRY = 3  # numbers of a state that waits, before its words: length of the path to it, last move, faults on the path
REGISTERS = 10  # as a power of two: of each estimate of how many different states were met
# why a search came back
EMPTY, PAUSED, ENOUGH, HIT = range(4)


@part
def met_before(value, salt, bits, size) -> bool:  # type: ignore[no-untyped-def]
    """Sets the three bits of a hash; whether they all were set."""
    mixed = value ^ unsigned(salt)
    known = True
    for _ in range(3):
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB
        mixed ^= mixed >> 31
        place = int(mixed >> np.uint64(64 - size))
        bit = 1 << (place & 7)
        known = known and bits[place >> 3] & bit != 0
        bits[place >> 3] |= bit
    return known


@part
def note(registers, cell, value) -> None:  # type: ignore[no-untyped-def]
    """Notes a state, by its hash, in the estimate of a cell (HyperLogLog)."""
    value ^= value >> 29
    register = (cell << REGISTERS) + int(value >> (64 - REGISTERS))
    rest = value << REGISTERS
    rank = 1
    while rank <= 64 - REGISTERS and rest >> 63 == 0:
        rank += 1
        rest = rest << 1
    if rank > registers[register]:
        registers[register] = rank


@kernel
def dive(  # type: ignore[no-untyped-def]
    functions, words: Fixed, stack, path, state, out, moves, calm, allowed, faults, columns, questions, pending,
    bits, size, salt, depth, most, rounds, registers, tally
) -> int:  # fmt: skip
    """Goes on from the states on ``stack``, the last first, for at most ``rounds`` states; returns why it came back.

    path: the moves to the state that was met last. calm: words of bits of the moves that are not faults. allowed: of
    each move, whether it is taken; faults: of each, the bit of its fault, or 0. columns: how many kinds of faults there
    are, and two more. questions: the bits, among the claims, of what is asked of each state. registers: of every state,
    and then of those that answer each question with yes: all, those that no fault led to, those that each fault led to.
    size: of ``bits``, as a power of two. most: ends when it has met so many states.
    """
    record, entry = words + 1, words + ENTRY
    room = len(stack) // entry
    for _ in range(rounds):
        waiting = tally[WAITING] - 1
        if waiting < 0:
            return EMPTY
        if tally[MET] >= most:
            return ENOUGH
        tally[WAITING] = waiting
        at = waiting * entry
        level, move, happened = stack[at], stack[at + 1], stack[at + 2]
        for word in range(words):
            state[word] = stack[at + ENTRY + word]
        value = hash_of(state, 0, words)
        if level == 0:
            if met_before(value, salt, bits, size):
                continue
            tally[START] = move
        else:
            path[level - 1] = move
        tally[STEPS] = level
        tally[DEEPEST] = max(tally[DEEPEST], level)
        tally[MET] += 1
        false = call(functions[EVALUATE], state, 0, out, 0)
        if false != 0:
            tally[FALSE] = false
            return HIT
        pending[0] = questions
        if questions != 0:
            call(functions[EXERCISED], state, 0, pending, 0)
        answered, row = questions & ~pending[0], 0
        asked = questions
        while True:
            if row == 0 or answered & 1 << trailing_zeros(asked) != 0:
                note(registers, row * columns, value)
                if happened == 0:
                    note(registers, row * columns + 1, value)
                rest = happened
                while rest != 0:
                    note(registers, row * columns + 2 + trailing_zeros(rest), value)
                    rest &= rest - 1
            if row > 0:
                asked &= asked - 1
            row += 1
            if asked == 0:
                break
        got = call_expand(functions[EXPAND], state, 0, out, 0, moves, 0)
        if got < 0:
            tally[FAILING] = 1
            return HIT
        if functions[ENDS] != 0:
            hit = True
            for word in range(len(calm)):
                hit = hit and moves[len(calm) + word] & calm[word] == 0
            if hit and call(functions[ENDS], state, 0, out, got) == 0:
                tally[STUCK] = 1
                return HIT
        if level == depth:
            tally[CUT] += got != 0
            continue
        random = unsigned(tally[RANDOM])
        left = got // record
        while left > 0:
            random += 0x9E3779B97F4A7C15
            mixed = (random ^ (random >> 30)) * 0xBF58476D1CE4E5B9
            mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB
            mixed ^= mixed >> 31
            chosen = int(((mixed >> 32) * np.uint64(left)) >> 32) * record
            move = out[chosen]
            if allowed[move] != 0 and not met_before(hash_of(out, chosen + 1, words), salt, bits, size):
                waiting = tally[WAITING]
                if waiting == room:
                    tally[DROPPED] += 1
                else:
                    at = waiting * entry
                    stack[at], stack[at + 1], stack[at + 2] = level + 1, move, happened | faults[move]
                    for word in range(words):
                        stack[at + ENTRY + word] = out[chosen + 1 + word]
                    tally[WAITING] = waiting + 1
            left -= 1
            for word in range(record):
                out[chosen + word] = out[left * record + word]
        tally[RANDOM] = int(random >> 1)
    return PAUSED
