"""Random runs, compiled once for every number of words a state has."""

from __future__ import annotations

import numpy as np

from onceproof.model.checker.compiled.kernels.batch import ENDS, EVALUATE, EXPAND
from onceproof.model.checker.compiled.kernels.visited import hash_of
from onceproof.model.checker.compiled.llvm.kernel import Fixed, kernel
from onceproof.model.checker.compiled.llvm.primitives import call, call_expand, unsigned

# what a worker tells: where it found a violation (walk, steps), which bits, sums over all its walks, and in which of
# the initial states the last of them began
WALK, STEPS, FALSE, TAKEN, ENDED, DEEPEST, FAILING, STUCK, START = range(9)
NOTED = START + 1
REGISTERS = 14  # as a power of two: of the estimate of how many different states were seen


@kernel
def walk(  # type: ignore[no-untyped-def]
    functions, initial, starts, state, words: Fixed, seed, start, stop, depth, out, moves, calm, tally, registers, log
) -> int:  # fmt: skip
    """Walks number ``start`` up to ``stop``, each of at most ``depth`` steps; ends at the first violation.

    Every walk has random numbers of its own, made from ``seed`` and its number, and begins in one of the ``starts``
    states that lie one after the other in ``initial``. ``log`` takes the moves of the last walk if there is room for
    them. ``state`` is room for one state. calm: words of bits of the moves that are not faults.
    """
    record = words + 1
    for number in range(start, stop):
        random = unsigned(seed) * 0x9E3779B97F4A7C15 + unsigned(number) * 0xD6E8FEB86659FD93
        start_at = 0
        if starts > 1:
            random += 0x9E3779B97F4A7C15
            drawn = (random ^ (random >> 30)) * 0xBF58476D1CE4E5B9
            drawn = (drawn ^ (drawn >> 27)) * 0x94D049BB133111EB
            drawn ^= drawn >> 31
            start_at = int(((drawn >> 32) * np.uint64(starts)) >> 32)
        tally[START] = start_at
        for word in range(words):
            state[word] = initial[start_at * words + word]
        steps = 0
        while True:
            value = hash_of(state, 0, words)
            value ^= value >> 29
            register = int(value >> (64 - REGISTERS))
            rest = value << REGISTERS
            rank = 1
            while rank <= 64 - REGISTERS and rest >> 63 == 0:
                rank += 1
                rest = rest << 1
            if rank > registers[register]:
                registers[register] = rank
            false = call(functions[EVALUATE], state, 0, out, 0)
            if false != 0:
                tally[WALK], tally[STEPS], tally[FALSE] = number, steps, false
                return 1
            if steps == depth:
                break
            got = call_expand(functions[EXPAND], state, 0, out, 0, moves, 0)
            if got < 0:
                tally[WALK], tally[STEPS], tally[FAILING] = number, steps, 1
                return 1
            if functions[ENDS] != 0:
                hit = True
                for word in range(len(calm)):
                    hit = hit and moves[len(calm) + word] & calm[word] == 0
                if hit and call(functions[ENDS], state, 0, out, got) == 0:
                    tally[WALK], tally[STEPS], tally[STUCK] = number, steps, 1
                    return 1
            if got == 0:
                tally[ENDED] += 1
                break
            random += 0x9E3779B97F4A7C15
            mixed = (random ^ (random >> 30)) * 0xBF58476D1CE4E5B9
            mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB
            mixed ^= mixed >> 31
            chosen = int(((mixed >> 32) * np.uint64(got // record)) >> 32) * record
            move = out[chosen]
            if steps < len(log):
                log[steps] = move if move >= 0 else -1 - move
            if move >= 0:
                for word in range(words):
                    state[word] = out[chosen + 1 + word]
            steps += 1
            tally[TAKEN] += 1
        tally[DEEPEST] = max(tally[DEEPEST], steps)
    return 0
