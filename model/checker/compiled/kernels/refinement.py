"""Refinement on packed states: which pairs of images steps lead to, and from which states a wrong one is taken.

A pair is two images of ``size`` words each, and a number: 0, or what the mapping returned where the state after the
step has no image (all words of the second image are 0 then). No pair of a step that changes something is all zeros, so
tables of pairs have zeros where they have nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from onceproof.model.checker.compiled.kernels.batch import EXPAND, SPENT
from onceproof.model.checker.compiled.kernels.visited import hash_of
from onceproof.model.checker.compiled.llvm.kernel import Fixed, kernel, part
from onceproof.model.checker.compiled.llvm.primitives import call, call_expand

DONE, PAUSED, FAILED = range(3)  # why ``new_pairs`` came back
FAILS = -1  # what the function of a mapping returns where the mapping fails
SEEN_BITS = 12
STATE, COUNT = 0, 1  # of ``progress``: the state that is next, how many pairs were written


@part
def make_pair(image, out, at, size, pair) -> int:  # type: ignore[no-untyped-def]
    """Adds the image of the state at ``out[at]`` to the first one of a pair.

    Returns 1 where they differ, 0 where they do not, and FAILS where the mapping fails.
    """
    given = call(image, out, at, pair, size)
    if given == FAILS:
        return FAILS
    pair[2 * size] = given
    differs = int(given != 0)
    for word in range(size):
        if given != 0:
            pair[size + word] = 0
        if pair[word] != pair[size + word]:
            differs = 1
    return differs


@kernel
def new_pairs(  # type: ignore[no-untyped-def]
    functions, image, states, words: Fixed, size: Fixed, start, stop, most, out, row, pair, seen, found, progress
) -> int:
    """Writes the pairs of all steps from the states from ``start`` up to ``stop`` that change their image.

    A pair that stands in ``seen`` is left out; that is a table in which a new pair takes the place of an old one, so a
    pair may be written several times. most: of steps from one state. Returns DONE; PAUSED where ``found`` is full;
    FAILED where the mapping fails in the state ``progress[STATE]`` or in one that a step from there leads to. States in
    which the model fails, and those without an image, are passed over.
    """
    length = 2 * size + 1
    count = 0
    for number in range(start, stop):
        progress[STATE] = number
        progress[COUNT] = count
        if (count + most) * length > len(found):
            return PAUSED
        given = call(image, states, number * words, pair, 0)
        if given == FAILS:
            return FAILED
        if given != 0:
            continue
        got = call_expand(functions[EXPAND], states, number * words, out, 0, row, 0)
        for record in range(0, got, words + 1):
            differs = make_pair(image, out, record + 1, size, pair)
            if differs == FAILS:
                return FAILED
            if differs == 0:
                continue
            at = int(hash_of(pair, 0, length) >> np.uint64(64 - SEEN_BITS)) * length
            known = True
            for word in range(length):
                known = known and seen[at + word] == pair[word]
            if known:
                continue
            for word in range(length):
                seen[at + word] = pair[word]
                found[count * length + word] = pair[word]
            count += 1
    progress[STATE] = stop
    progress[COUNT] = count
    return DONE


@kernel
def mark_wrong(  # type: ignore[no-untyped-def]
    functions,
    image,
    states,
    words: Fixed,
    size: Fixed,
    start,
    stop,
    faults,
    out,
    row,
    pair,
    wrong,
    bits,
    least,
    marks,
    label,
) -> int:
    """Marks with ``label`` each state after so many faults from which a wanted step makes a pair that is ``wrong``.

    faults: less than 0 means any number; row: as for ``expand``; wrong: a table of ``1 << bits`` places with open
    addressing; least: the fewest faults after which there is such a state are written there, if they are fewer. Returns
    how many there are.
    """
    length = 2 * size + 1
    marked = 0
    for number in range(start, stop):
        if call(image, states, number * words, pair, 0) != 0:
            continue
        hit = False
        got = call_expand(functions[EXPAND], states, number * words, out, 0, row, 0)
        for record in range(0, got, words + 1):
            if hit:
                break
            if make_pair(image, out, record + 1, size, pair) != 1:
                continue
            place = int(hash_of(pair, 0, length) >> np.uint64(64 - bits))
            while not hit:
                empty, same = True, True
                for word in range(length):
                    entry = wrong[place * length + word]
                    empty = empty and entry == 0
                    same = same and entry == pair[word]
                if empty:
                    break
                hit = same
                place = (place + 1) & ((1 << bits) - 1)
        if not hit:
            continue
        spent = call(functions[SPENT], states, number * words, out, 0)
        if faults < 0 or spent == faults:
            least[0] = min(least[0], spent)
            marks[number] = label
            marked += 1
    return marked


@kernel
def enter_pairs(pairs: Any, length: int, wrong: Any, bits: int) -> int:
    """Enters pairs, each once, into an empty table for ``mark_wrong``; returns how many."""
    count = len(pairs) // length
    for number in range(count):
        place = int(hash_of(pairs, number * length, length) >> np.uint64(64 - bits))
        empty = False
        while not empty:
            empty = True
            for word in range(length):
                empty = empty and wrong[place * length + word] == 0
            if not empty:
                place = (place + 1) & ((1 << bits) - 1)
        for word in range(length):
            wrong[place * length + word] = pairs[number * length + word]
    return count
