"""Which states lie on least runs, compiled once for every number of words a state has."""

from __future__ import annotations

from onceproof.model.checker.compiled.kernels.batch import ENDS, EVALUATE, EXPAND, REPRESENTATIVE, SPENT
from onceproof.model.checker.compiled.kernels.visited import hash_of, number_of
from onceproof.model.checker.compiled.llvm.kernel import Fixed, kernel
from onceproof.model.checker.compiled.llvm.primitives import call, call_expand


@kernel
def scan(functions, states, words: Fixed, start, stop, which, faults, calm, out, moves, marks, label) -> int:  # type: ignore[no-untyped-def]
    """Marks with ``label`` each state where claim ``which`` - 1 is false after so many faults.

    0: a deadlock; less than 0: that the model fails in a step from there.

    faults: less than 0 means any number; calm: words of bits of the moves that are not faults; moves: a row for
    ``expand``. Returns how many there are.
    """
    found = 0
    for number in range(start, stop):
        at = number * words
        if which < 0:
            hit = call_expand(functions[EXPAND], states, at, out, 0, moves, 0) < 0
        elif which == 0:
            hit = call_expand(functions[EXPAND], states, at, out, 0, moves, 0) >= 0
            for word in range(len(calm)):
                hit = hit and moves[len(calm) + word] & calm[word] == 0
            hit = hit and call(functions[ENDS], states, at, out, 0) == 0
        else:
            hit = (call(functions[EVALUATE], states, at, out, 0) >> (which - 1)) & 1 != 0
        if hit and (faults < 0 or call(functions[SPENT], states, at, out, 0) == faults):
            marks[number] = label
            found += 1
    return found


@kernel
def mark(  # type: ignore[no-untyped-def]
    functions, states, words: Fixed, table, bits, start, stop, label, fault_label, is_fault, out, moves, marks
) -> int:
    """Marks each state with a step to one that is marked ``label`` + 1 (by a fault: ``fault_label`` + 1).

    Returns how many there are.
    """
    representative = functions[REPRESENTATIVE]
    found = 0
    for number in range(start, stop):
        got = call_expand(functions[EXPAND], states, number * words, out, 0, moves, 0)
        hit = False
        for record in range(0, got, words + 1):
            move = out[record]
            if hit:
                break
            if representative != 0:
                call(representative, out, record + 1, out, got)
            value = hash_of(out, record + 1, words)
            target = number_of(out, record + 1, value, states, words, table, bits)
            if target >= 0:
                hit = marks[target] == (fault_label + 1 if is_fault[move] else label + 1)
        if hit:
            marks[number] = label
            found += 1
    return found
