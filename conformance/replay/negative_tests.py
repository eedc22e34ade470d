"""Negative tests: what the model forbids, the system must refuse; traces of allowed steps never show a missing guard.

A step that only a spent budget of faults forbids says nothing of the system, so guards are asked without budgets. Of
a ``Fresh`` parameter any element that is free will do for the system; such an action is forbidden only where the
model has no element for it at all.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from onceproof.conformance.driver import Abilities
from onceproof.model.language import Config, Step, System, build
from onceproof.model.language.declare import Action
from onceproof.model.language.index_sets import cardinality
from onceproof.model.language.layout import LEFT, State
from onceproof.model.language.reading.result import Chosen
from onceproof.model.language.terms import TRUE

PLENTY = 9  # what is left of each bounded choice, for one step: anything but nothing


class Guards:
    """Which steps of a system a state allows, whatever is left of the budgets."""

    def __init__(self, system: System) -> None:
        self.system = system
        self._open = build(system.model.without_bounds(), opened(system))
        self._cells = sum(place.cells for name, place in system.layout.places.items() if not name.startswith(LEFT))
        self._rest = self._open.layout.initial[self._cells :]

    def enabled(self, state: State) -> set[Step]:
        """The steps that are allowed; of a ``Fresh`` parameter only the first element that will do."""
        return {step for step, _ in self._open.successors((*state[: self._cells], *self._rest))}

    def forbids(self, state: State, step: Step) -> bool:
        """Whether a step is forbidden, for any choice of its ``Fresh`` parameters."""
        parameters = self.system.parameters_of(step.action)
        fixed = [position for position, parameter in enumerate(parameters) if not parameter.fresh]
        return not any(
            other.action == step.action and all(other.arguments[p] == step.arguments[p] for p in fixed)
            for other in self.enabled(state)
        )


class NegativeTests:
    """The steps that a driver can perform and the model forbids, state by state; asked as evenly as possible.

    abilities: whose ``lenient`` actions are left out. seed: for the choice between steps asked equally often.
    """

    def __init__(self, system: System, abilities: Abilities, seed: int = 0) -> None:
        self.system, self._guards = system, Guards(system)
        names = [n for n in system.actions if n in abilities.performs and n not in abilities.lenient]
        self._groups = [group for name in names for group in self._all_steps(system.actions[name])]
        self._asked: Counter[Step] = Counter()
        self._chance = random.Random(seed)

    def _all_steps(self, action: Action) -> Iterable[list[Step]]:
        """All steps of an action, in groups that differ in ``Fresh`` parameters alone.

        None of an action that need not come to each of its choices: what it is asked for might not be what it does.
        """
        parameters = self.system.parameters_of(action.name)
        if any(isinstance(one, Chosen) and one.met is not TRUE for one in parameters):
            return []
        groups: dict[tuple[int, ...], list[Step]] = {}
        ranges = (range(cardinality(one.sort, self.system.sizes)) for one in parameters)
        for arguments in itertools.product(*ranges):
            fixed = tuple(a for a, p in zip(arguments, parameters, strict=True) if not p.fresh)
            groups.setdefault(fixed, []).append(Step(action.name, arguments))
        return groups.values()

    def forbidden(self, state: State) -> list[Step]:
        """Every step that the model forbids in a state, whatever is left of the budgets."""
        enabled = self._guards.enabled(state)
        return [step for group in self._groups if enabled.isdisjoint(group) for step in group]

    def choose(self, state: State, number: int, first: Iterable[Step] = ()) -> list[Step]:
        """At most ``number`` forbidden steps of a state: of ``first`` (what was possible a moment ago, say), then
        those asked least often so far."""
        forbidden = self.forbidden(state)
        allowed = set(forbidden)
        chosen = [step for step in dict.fromkeys(first) if step in allowed][:number]
        if len(chosen) < number:
            self._chance.shuffle(forbidden)
            taken = set(chosen)
            rest = [step for step in forbidden if step not in taken]
            chosen += sorted(rest, key=self._asked.__getitem__)[: number - len(chosen)]
        self._asked.update(chosen)
        return chosen


def opened(system: System) -> Config:
    """The configuration of a system in which no budget ever runs out."""
    config = system.config
    bounded = {a.budget for a in system.actions.values() if a.budget is not None and not a.fault}
    sizes = {name: PLENTY if name in bounded else size for name, size in config.sizes.items()}
    budgets = {name: 0 if left == 0 else None for name, left in config.budgets.items()}
    return replace(config, sizes=sizes, budgets=budgets)
