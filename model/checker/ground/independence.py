"""Which steps cannot disturb each other: what no two of them both touch, where one of them writes it."""

from __future__ import annotations

from collections.abc import Iterable

from onceproof.model.checker.ground.formula import slots_of
from onceproof.model.checker.ground.steps import Alternative, Ground


class Footprints:
    """For each step of a system, by its number, the cells that it may read and those that it may write, as bits.

    Cells that keep one value for ever do not count. Whether a step is enabled is read too; of steps of which the first
    enabled one counts (a ``Fresh`` choice), each reads what all of them test.
    """

    def __init__(self, ground: Ground) -> None:
        self.reads = [0] * len(ground.steps)
        self.writes = [0] * len(ground.steps)
        changing = _bits(slot for slot, mask in enumerate(ground.known) if mask & (mask - 1))
        for group in ground.groups:
            tested = [_tested(way) for way in group.alternatives]
            for way, own in zip(group.alternatives, tested, strict=True):
                tests = _any(tested) if group.fresh else own
                self.reads[way.move] |= (tests | _effects_read(way)) & changing
                self.writes[way.move] |= _bits(put.slot for put in way.puts) & changing

    def independent(self, one: int, other: int) -> bool:
        """Whether neither step writes what the other reads or writes.

        Then, in any state where both are enabled, each is still enabled after the other, and both orders end in the
        same state.
        """
        touched = self.reads[other] | self.writes[other]
        return not (self.writes[one] & touched or self.reads[one] & self.writes[other])


def _tested(way: Alternative) -> int:
    return _bits(way.guard) | _any(_bits(slots_of(formula)) for formula in way.rest)


def _effects_read(way: Alternative) -> int:
    return _any(_bits(slots_of(part)) for put in way.puts for part in (put.value, put.condition))


def _bits(slots: Iterable[int]) -> int:
    return sum(1 << slot for slot in set(slots))


def _any(parts: Iterable[int]) -> int:
    whole = 0
    for part in parts:
        whole |= part
    return whole
