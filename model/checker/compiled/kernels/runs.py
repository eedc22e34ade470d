"""Sorted runs of fingerprints, of a search that keeps its states on disk: hashed, merged, and joined."""

from __future__ import annotations

from onceproof.model.checker.compiled.kernels.visited import hash_of
from onceproof.model.checker.compiled.llvm.kernel import Fixed, kernel


@kernel
def fingerprints_of(numbers, words: Fixed, out) -> None:  # type: ignore[no-untyped-def]
    """The fingerprints of states that stand one after the other in ``numbers``."""
    for number in range(len(out)):
        out[number] = hash_of(numbers, number * words, words)


@kernel
def merge(first, with_first, second, with_second, out, with_out) -> None:  # type: ignore[no-untyped-def]
    """Merges two sorted arrays into ``out``, and what belongs to their numbers into ``with_out``."""
    one = other = 0
    for place in range(len(out)):
        from_first = other >= len(second)
        if one < len(first) and other < len(second):
            from_first = first[one] <= second[other]
        if from_first:
            out[place] = first[one]
            with_out[place] = with_first[one]
            one += 1
        else:
            out[place] = second[other]
            with_out[place] = with_second[other]
            other += 1


@kernel
def join(wanted, known, at, left, right) -> int:  # type: ignore[no-untyped-def]
    """Finds all pairs of equal numbers in two sorted arrays, as many as ``left`` and ``right`` have room for.

    at: from which places on; it is moved on. Returns how many pairs were found: 0 when there are no more. No number
    stands more often in ``known`` than there is room.
    """
    one, other = at[0], at[1]
    found = 0
    while one < len(wanted) and other < len(known):
        if wanted[one] < known[other]:
            one += 1
        elif wanted[one] > known[other]:
            other += 1
        else:
            last = other
            while last < len(known) and known[last] == wanted[one]:
                last += 1
            if found + last - other > len(left):
                break
            for place in range(other, last):
                left[found] = one
                right[found] = place
                found += 1
            one += 1
    at[0], at[1] = one, other
    return found
