"""Every step of a system, element by element, as tests of numbered cells and writes to them.

Each action with its arguments filled in is a ``Move``. Fields that no step can change fold to what they start with, and
each cell keeps only the values that some step may give it, so that whatever a configuration rules out vanishes.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from onceproof.model.checker.deadline import check_time
from onceproof.model.checker.ground.formula import (
    Formula,
    In,
    Value,
    added,
    both,
    cell,
    conjuncts,
    negate,
    pick,
    possible,
    values_in,
)
from onceproof.model.checker.ground.instantiate import Grounder, Split
from onceproof.model.checker.ground.narrowing import again, value_again
from onceproof.model.checker.ground.shared_parts import weight
from onceproof.model.language.declare import Action
from onceproof.model.language.layout import LEFT, State
from onceproof.model.language.reading.result import Obligation, Path
from onceproof.model.language.system import Step, System
from onceproof.model.language.terms import Term, Var

MOST_ALTERNATIVES = 50_000
MOST_TESTS = 200_000


class TooLarge(Exception):
    """The system would make more code than is reasonable; the message says of what there is too much."""


Rearranged = tuple[Sequence[int], Callable[[int, int], int]]


@dataclass(frozen=True, slots=True)
class Put:
    """``cell = value`` where ``condition`` holds; values are those before the step; of two puts the later counts."""

    slot: int
    value: Value
    condition: Formula = True


@dataclass(frozen=True, slots=True)
class Alternative:
    """One way a move goes: where every guarded cell has a value of its mask and all of ``rest`` holds.

    error: the trace says that the model itself may fail here (to be confirmed by running it); "" for a real way.
    """

    move: int
    guard: Mapping[int, int]
    rest: tuple[Formula, ...]
    puts: tuple[Put, ...]
    error: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Moves of which the first enabled one counts (a ``Fresh`` choice), or a single move: their ways, in order."""

    alternatives: tuple[Alternative, ...]
    fresh: bool


class Ground:
    """All moves of a system. ``known[slot]`` is the mask of values that a cell may ever have.

    exchanges: ways in which states may be rearranged on the way: where each cell goes, and what a mask of its values is
    called there. What is known holds for all rearranged states, too. known: where that is known from elsewhere.
    """

    def __init__(
        self, system: System, exchanges: Sequence[Rearranged] = (), known: Sequence[int] | None = None
    ) -> None:
        self.system, self._exchanges = system, exchanges
        self.steps: list[Step] = []
        self._first = _values_in(system.initials)
        self.known = self._conceivable_values() if known is None else list(known)
        self._count = 0
        self.grounder = Grounder(system, self.known)
        groups = [group for name in system.actions for group in self._groups(name)]
        if known is None:
            self.known = self._reachable_values(groups)
        self.grounder = Grounder(system, self.known)
        self.groups = [group for group in (self._simplified_group(group) for group in groups) if group.alternatives]
        self._check_weight()

    def _conceivable_values(self) -> list[int]:
        """For each cell all values of its kind; of one that no step writes, what it starts with."""
        system, known = self.system, list[int]()
        written = {w.field for t in system.readings.values() for path in t.paths for w in path.writes}
        for place in system.layout.places.values():
            for first in self._first[place.offset : place.offset + place.cells]:
                changes = place.name in written or place.name.startswith(LEFT)
                known.append((1 << place.cardinality) - 1 if changes else first)
        return known

    def _check_weight(self) -> None:
        """TooLarge where the code of all moves would be."""
        total = 0
        for group in self.groups:
            for way in group.alternatives:
                total += weight([*way.rest, *(part for put in way.puts for part in (put.value, put.condition))])
                if total > MOST_TESTS:
                    raise TooLarge(f"more than {MOST_TESTS:,} tests in all actions of all elements")

    def _groups(self, name: str) -> Iterator[Group]:
        action = self.system.actions[name]
        chosen = list(itertools.product(*self.system.readings[name].codes(self.system.sizes)))
        for candidates, choices in itertools.product(self.system.candidates(name), chosen):
            alternatives: list[Alternative] = []
            for arguments in candidates:
                alternatives += self._alternatives(action, (*arguments, *choices))
            yield Group(tuple(alternatives), len(candidates) > 1)

    def _alternatives(self, action: Action, arguments: tuple[int, ...]) -> Iterator[Alternative]:
        reading = self.system.readings[action.name]
        move = len(self.steps)
        self.steps.append(Step(action.name, arguments))
        environment, as_chosen = reading.environment(arguments), reading.as_chosen(arguments)
        left = self.system.layout.places.get(LEFT + action.budget) if action.budget else None
        known = list(self.known)
        if left is not None:
            known[left.offset] &= ~1
        for path in reading.paths:
            if as_chosen:
                path = replace(path, guard=(*path.guard, *as_chosen))
            for way in self._ways(move, path, environment, known):
                if left is not None:
                    spent = Put(left.offset, added(cell(left.offset, self.known), -1))
                    way = replace(way, puts=(*way.puts, spent))
                yield way
        for obligation in reading.obligations:
            yield from self.failures(move, obligation, environment, known)

    def _ways(self, move: int, path: Path, environment: dict[Var, int], known: list[int]) -> Iterator[Alternative]:
        """The ways of one reading path; more than one where an index is read from a cell: one for each value of it."""
        self._count += 1
        check_time()
        if self._count > MOST_ALTERNATIVES:
            raise TooLarge(f"more than {MOST_ALTERNATIVES} ways through all actions of all elements")
        if not all(known):
            return
        known = list(known)
        try:
            rest = self._guarded(path.guard, environment, known)
            if rest is None:
                return
            puts = tuple(put for write in path.writes for put in self.grounder.puts(write, environment, known))
        except Split as split:
            for value in values_in(known[split.slot]):
                narrowed = list(known)
                narrowed[split.slot] = 1 << value
                yield from self._ways(move, path, environment, narrowed)
            return
        yield Alternative(move, self._narrowed(known), rest, tuple(Put(*put) for put in puts))

    def failures(
        self, number: int, obligation: Obligation, environment: dict[Var, int], known: list[int] | None = None
    ) -> Iterator[Alternative]:
        """Where the model itself may fail, as ways of what has this number."""
        free = self.grounder.free_variables(obligation.guard, environment)
        ranges = (range(self.system.sizes[variable.sort.__name__]) for variable in free)
        for values in itertools.product(*ranges):
            inner = environment | dict(zip(free, values, strict=True))
            for way in self._ways(number, Path(obligation.guard, ()), inner, known or list(self.known)):
                yield replace(way, error=obligation.message)

    def _guarded(
        self, guard: tuple[Term, ...], environment: dict[Var, int], known: list[int]
    ) -> tuple[Formula, ...] | None:
        """Narrows ``known`` by the guard and returns what is not a test of one cell; None where it is never true."""
        rest: list[Formula] = []
        for term in guard:
            formula = both([self.grounder.literal(term, environment, known)], known)
            for part in conjuncts(formula):
                if part is False:
                    return None
                if isinstance(part, In):
                    known[part.slot] &= part.mask
                    if not known[part.slot]:
                        return None
                elif part is not True:
                    rest.append(part)
        return _simplified(rest, known)

    def _narrowed(self, known: list[int]) -> dict[int, int]:
        return {slot: mask for slot, mask in enumerate(known) if mask != self.known[slot]}

    def _reachable_values(self, groups: list[Group]) -> list[int]:
        """For each cell the values that it starts with or that some step, enabled by such values, may put there."""
        alternatives = [way for group in groups for way in group.alternatives if not way.error]
        reached = list(self._first)
        changed = True
        while changed:
            changed = False
            check_time()
            for way in alternatives:
                if not all(reached[slot] & mask for slot, mask in way.guard.items()):
                    continue
                view = list(reached)
                for slot, mask in way.guard.items():
                    view[slot] &= mask
                for put in way.puts:
                    old = reached[put.slot]
                    if old != self.known[put.slot]:
                        reached[put.slot] |= possible(put.value, view, self.known[put.slot]) & self.known[put.slot]
                        changed = changed or reached[put.slot] != old
            changed = self._spread(reached) or changed
        return reached

    def _spread(self, reached: list[int]) -> bool:
        """Gives each cell the values of the cells that may take its place; whether that was any news."""
        before = list(reached)
        for to, renamed in self._exchanges:
            for slot, mask in enumerate(reached[:]):
                reached[to[slot]] |= renamed(slot, mask)
        return reached != before

    def _simplified_group(self, group: Group) -> Group:
        """The ways of a group under what is known in the end; ways with the same puts are joined where they can be."""
        ways: list[Alternative] = []
        for way in group.alternatives:
            check_time()
            known = list(self.known)
            for slot, mask in way.guard.items():
                known[slot] &= mask
            if not all(known):
                continue
            rest = _simplified(way.rest, known)
            if rest is None:
                continue
            puts = tuple(_simplified_puts(way.puts, known))
            ways.append(replace(way, guard=self._narrowed(known), rest=rest, puts=puts))
        return Group(tuple(_joined(ways, self.known)), group.fresh)


def _values_in(states: Sequence[State]) -> list[int]:
    """For each cell the mask of the values that it has in some of these states."""
    masks = [0] * len(states[0])
    for state in states:
        for slot, code in enumerate(state):
            masks[slot] |= 1 << code
    return masks


def _simplified(rest: list[Formula] | tuple[Formula, ...], known: list[int]) -> tuple[Formula, ...] | None:
    """The formulas under what is known, with single tests of a cell moved into ``known``; None: never true."""
    while True:
        kept: list[Formula] = []
        narrowed = False
        for formula in rest:
            simpler = again(formula, known)
            if simpler is False:
                return None
            for part in conjuncts(simpler):
                if isinstance(part, In):
                    narrowed = True
                    known[part.slot] &= part.mask
                    if not known[part.slot]:
                        return None
                elif part is not True:
                    kept.append(part)
        if not narrowed:
            return tuple(dict.fromkeys(kept))
        rest = kept


def _simplified_puts(puts: tuple[Put, ...], known: list[int]) -> Iterator[Put]:
    """The puts that change something, at most one for each cell unless conditions forbid it."""
    last: dict[int, list[Put]] = {}
    for put in puts:
        condition = again(put.condition, known)
        if condition is False:
            continue
        value = value_again(put.value, known)
        if condition is True:
            last[put.slot] = []
        last.setdefault(put.slot, []).append(Put(put.slot, value, condition))
    for slot, changes in sorted(last.items()):
        if len(changes) == 1 and changes[0].condition is True:
            if changes[0].value != cell(slot, known):
                yield changes[0]
        elif len(changes) == 1:
            condition = changes[0].condition
            if isinstance(changes[0].value, int) and changes[0].value >= 0:  # not where the cell has it already
                unchanged = 1 << changes[0].value
                condition = both([condition, _outside(slot, unchanged, known)], known)
            if condition is not False:
                yield Put(slot, changes[0].value, condition)
        else:
            result: Value = cell(slot, known)
            for change in changes:
                result = pick(change.condition, change.value, result)
            yield Put(slot, result)


def _outside(slot: int, mask: int, known: list[int]) -> Formula:
    if not known[slot] & mask:
        return True
    return negate(In(slot, mask & known[slot]), known) if known[slot] & ~mask else False


def _joined(ways: list[Alternative], known: list[int]) -> list[Alternative]:
    """Joins ways of one move that do the same and whose guards differ in the values of one cell only."""
    changed = True
    while changed:
        changed = False
        for i, one in enumerate(ways):
            for j in range(i + 1, len(ways)):
                other = ways[j]
                if (one.move, one.rest, one.puts, one.error) != (other.move, other.rest, other.puts, other.error):
                    continue
                slots = one.guard.keys() | other.guard.keys()
                differing = [s for s in slots if one.guard.get(s, known[s]) != other.guard.get(s, known[s])]
                if len(differing) > 1:
                    continue
                guard = dict(one.guard)
                for slot in differing:
                    guard[slot] = one.guard.get(slot, known[slot]) | other.guard.get(slot, known[slot])
                    if guard[slot] == known[slot]:
                        del guard[slot]
                ways[i] = replace(one, guard=guard)
                del ways[j]
                changed = True
                break
            if changed:
                break
    return ways
