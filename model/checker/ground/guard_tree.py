"""Guarded pieces of work arranged so that a test that many of them share is made once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from onceproof.model.checker.deadline import check_time
from onceproof.model.checker.ground.formula import Formula
from onceproof.model.checker.ground.steps import Alternative, Group, Put


@dataclass(frozen=True, slots=True)
class Unit:
    """Work to do where the guard holds: the ``chain``, of which the first part whose own guard holds is done."""

    guard: Mapping[int, int]
    chain: tuple[Work, ...]


@dataclass(frozen=True, slots=True)
class Work:
    """``number`` happens (a move is taken, a property is violated) where the guard and ``rest`` hold."""

    number: int
    guard: Mapping[int, int]
    rest: tuple[Formula, ...]
    puts: tuple[Put, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class Switch:
    """One cell decides: each branch is for the values in its mask; the masks have nothing in common."""

    slot: int
    branches: tuple[tuple[int, Block], ...]


Block = tuple["Switch | Unit", ...]


def units_of(groups: Sequence[Group]) -> list[Unit]:
    """The moves of a system as units; possible failures of the model stand apart."""
    units: list[Unit] = []
    for group in groups:
        ways = [way for way in group.alternatives if not way.error]
        units += [_unit([way]) for way in group.alternatives if way.error]
        if group.fresh and ways:
            units.append(_unit(ways))
        else:
            units += [_unit([way]) for way in ways]
    return units


def _unit(ways: list[Alternative]) -> Unit:
    common = {s: m for s, m in ways[0].guard.items() if all(way.guard.get(s) == m for way in ways)}
    chain = tuple(
        Work(way.move, {s: m for s, m in way.guard.items() if s not in common}, way.rest, way.puts, way.error)
        for way in ways
    )
    return Unit(common, chain)


def arrange(units: Sequence[Unit]) -> Block:
    """The units as nested switches; the cell that most of them test comes first."""
    block: list[Switch | Unit] = []
    rest = list(units)
    while rest:
        check_time()
        votes = Counter(slot for unit in rest for slot in unit.guard)
        if not votes or max(votes.values()) == 1:
            return (*block, *rest)
        slot = max(votes, key=lambda s: (votes[s], -s))
        tested = [unit for unit in rest if slot in unit.guard]
        rest = [unit for unit in rest if slot not in unit.guard]
        by_mask: dict[int, list[Unit]] = {}
        for unit in tested:
            inner = {s: m for s, m in unit.guard.items() if s != slot}
            by_mask.setdefault(unit.guard[slot], []).append(Unit(inner, unit.chain))
        block += [
            Switch(slot, tuple((mask, arrange(by_mask[mask])) for mask in chain)) for chain in _disjoint(list(by_mask))
        ]
    return tuple(block)


def _disjoint(masks: list[int]) -> list[list[int]]:
    """The masks in as few chains as is easy, each without a value in common."""
    chains: list[list[int]] = []
    for mask in sorted(masks):
        for chain in chains:
            if not any(mask & other for other in chain):
                chain.append(mask)
                break
        else:
            chains.append([mask])
    return chains
