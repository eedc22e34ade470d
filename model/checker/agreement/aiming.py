"""States that are made so that given conditions hold in them: cells are set one by one to what is asked of them."""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping, Sequence
from functools import lru_cache

from onceproof.model.language.evaluate import meaning, slot_of
from onceproof.model.language.layout import Layout, State
from onceproof.model.language.sorts import Int
from onceproof.model.language.terms import (
    And,
    Deref,
    Eq,
    IsNone,
    Ite,
    Less,
    Not,
    Or,
    Quantified,
    Read,
    Term,
    Var,
)
from onceproof.model.language.traversal import free_variables, walk

MOST_CHANGES = 24


def aimed(
    state: State,
    wanted: Sequence[Term],
    layout: Layout,
    environment: Mapping[Var, int],
    free: Mapping[int, int],
    chance: random.Random,
) -> State:
    """The state with cells changed until all wanted conditions hold, or until there was enough of it.

    free: the cells that may be changed, each with how many values it has. For a variable of the conditions that has no
    value, any element is taken.
    """
    loose = dict.fromkeys(v for term in wanted for v in free_variables(term) if v not in environment)
    if loose:
        chosen = {variable: chance.randrange(layout.sizes[variable.sort.__name__]) for variable in loose}
        environment = {**environment, **chosen}
    aim = _Aim(state, layout, free, chance)
    for _ in range(MOST_CHANGES):
        missed = next((t for t in wanted if not aim.value(t, environment)), None)
        if missed is None:
            break
        aim.at(missed, True, environment)
    return aim.state


class _Aim:
    def __init__(self, state: State, layout: Layout, free: Mapping[int, int], chance: random.Random) -> None:
        self.state, self.layout, self.free, self.random = state, layout, free, chance

    def value(self, term: Term, environment: Mapping[Var, int]) -> int:
        return meaning(term, self.layout)(self.state, environment)

    def at(self, term: Term, truth: bool, environment: Mapping[Var, int]) -> None:
        """Changes a cell so that the term may come to be as wanted."""
        match term:
            case Not(inner):
                self.at(inner, not truth, environment)
            case And(terms) | Or(terms):
                if isinstance(term, And) is truth:
                    wrong = [part for part in terms if bool(self.value(part, environment)) is not truth]
                    if wrong:
                        self.at(wrong[0], truth, environment)
                else:
                    self.at(self.random.choice(terms), truth, environment)
            case Quantified(universal, variables, body):
                self._quantified(universal, variables, body, truth, environment)
            case Ite(condition, then, other):
                chosen = bool(self.value(condition, environment))
                if self.random.random() < 0.5:
                    self.at(then if chosen else other, truth, environment)
                else:
                    self.at(condition, not chosen, environment)
            case IsNone(inner):
                self._set(inner, 0 if truth else None, environment)
            case Eq(left, right):
                self._equal(left, right, truth, environment)
            case Read():
                self._set(term, int(truth), environment)
            case Less():
                self._anything(term, environment)
            case _:
                pass

    def _quantified(
        self, universal: bool, variables: tuple[Var, ...], body: Term, truth: bool, environment: Mapping[Var, int]
    ) -> None:
        ranges = [range(self.layout.sizes[variable.sort.__name__]) for variable in variables]
        every = [{**environment, **dict(zip(variables, chosen, strict=True))} for chosen in itertools.product(*ranges)]
        if universal is truth:
            every = [one for one in every if bool(self.value(body, one)) is not truth] or every
        self.at(body, truth, self.random.choice(every))

    def _equal(self, left: Term, right: Term, truth: bool, environment: Mapping[Var, int]) -> None:
        sides = [(left, right), (right, left)]
        self.random.shuffle(sides)
        for one, other in sides:
            if isinstance(one, Deref):
                wanted = self.value(other, environment) + 1 if truth else None
                if self._set(one.term, wanted, environment):
                    return
            elif isinstance(one, Read) and self._set(
                one, self.value(other, environment) if truth else None, environment
            ):
                return
        self._anything(Eq(left, right), environment)

    def _anything(self, term: Term, environment: Mapping[Var, int]) -> None:
        reads = _reads_in(term)
        if reads and all(variable in environment for part in reads for variable in free_variables(part)):
            self._set(self.random.choice(reads), None, environment)

    def _set(self, term: Term, code: int | None, environment: Mapping[Var, int]) -> bool:
        """Sets a cell to a value, or to another one (None); whether the term is a cell that may change."""
        if not isinstance(term, Read):
            return False
        slot = slot_of(term.field, term.indices, self.layout)(self.state, environment)
        if slot not in self.free:
            return False
        if code is not None and isinstance(term.kind, Int):
            code -= term.kind.low
        if code is None:
            code = (self.state[slot] + self.random.randint(1, max(self.free[slot] - 1, 1))) % self.free[slot]
        if 0 <= code < self.free[slot]:
            self.state = (*self.state[:slot], code, *self.state[slot + 1 :])
        return True


@lru_cache(maxsize=4096)
def _reads_in(term: Term) -> list[Read]:
    return [part for part in walk(term) if isinstance(part, Read)]
