"""The comparison of readings with runs, in states that are reached and in states that are made for it.

Every action (also one whose reading can never happen) and every property is taken both ways. States are made so that
its guard holds, or one condition of it does not, with what the function looks at changed at random: most misreadings
show only there. A difference is a fault of onceproof; it is said aloud and never becomes a verdict.
"""

from __future__ import annotations

import contextlib
import itertools
import random
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from dataclasses import fields as parts_of_record
from pathlib import Path

from onceproof.model.checker.agreement.aiming import aimed
from onceproof.model.checker.agreement.content import fields_named, recall, remember
from onceproof.model.checker.agreement.goals import Goal, goals_of
from onceproof.model.language.declare import Action, Property
from onceproof.model.language.errors import InternalContradiction, ModelError
from onceproof.model.language.evaluate import Environment, meaning, step_of
from onceproof.model.language.layout import LEFT, Layout, State, budget_of
from onceproof.model.language.primes import unprimed
from onceproof.model.language.reading.reader import Reader
from onceproof.model.language.reading.result import ActionReading, Obligation, PropertyReading
from onceproof.model.language.refinement import refinement_of
from onceproof.model.language.showing import text_of
from onceproof.model.language.system import Arguments, System
from onceproof.model.language.terms import Var
from onceproof.model.language.traversal import free_variables

REACHED = 40  # states that are reached by running the functions
INSTANCES = 4  # tuples of elements for which one action or property is compared
ROUNDS = 8  # how often each goal of a reading is aimed at, at most; once at least
FEWEST = 8  # times that one action or property is compared in states made for it
ENOUGH, MOST = 1_500, 5_000  # comparisons in all, about: more rounds up to the first, fewer goals from the second on


Reading = ActionReading | PropertyReading


class Disagreement(InternalContradiction):
    """The reading of a function and its run differ in a state."""


def check_agreement(system: System, claims: Iterable[Property] = (), *, unbounded: bool = False) -> None:
    """Holds readings against runs; Disagreement where they differ. What agreed once is remembered by its content.

    claims: the properties to compare, beside all actions and what an ending is. unbounded: the readings that a proof
    works on are compared, those of axioms among them.
    """
    claims = list(claims)
    for other in _seen_through(system, claims):
        check_agreement(other)
    comparison = Comparison(system, claims, unbounded)
    content = recall(system.config, system.layout, comparison.readings, comparison.functions)
    if content is None:
        return
    comparison.run(comparison.readings)
    remember(content)


def _seen_through(system: System, claims: Iterable[Property]) -> Iterator[System]:
    """What refinements are made of: their mappings, and the abstract models."""
    for claim in claims:
        if claim.kind == "refines":
            refinement = refinement_of(system, claim)
            yield from (refinement.mapping, refinement.abstract)


class Agreements:
    """Holds many systems of one model against their runs; what was compared in one is not compared in the next."""

    def __init__(self) -> None:
        self._known: set[Hashable] = set()

    def check(self, system: System, claims: Iterable[Property] = ()) -> None:
        """As ``check_agreement``, for readings and functions that are not known from another system."""
        claims = list(claims)
        for other in _seen_through(system, claims):
            self.check(other)
        comparison = Comparison(system, claims, unbounded=False)
        content = {reading: comparison.content(reading) for reading in comparison.readings}
        comparison.run([reading for reading in comparison.readings if content[reading] not in self._known])
        self._known.update(content.values())


@dataclass
class _Item:
    """One action or property, with what its comparison needs."""

    reading: Reading
    goals: list[Goal]
    layout: Layout  # of the states that it is compared in: of pairs for a property of steps
    slots: list[int]  # the cells that its function may look at, and that may be changed
    step: Callable[[State, Environment], State | None] | None  # of an action


def declared_of(reading: Reading) -> Action | Property:
    """What was read."""
    return reading.action if isinstance(reading, ActionReading) else reading.property


def _once(item: _Item) -> int:
    """How many comparisons it takes to aim at each of its goals once."""
    return max(2 * len(item.goals), FEWEST)


class Comparison:
    """Compares the readings of a system with its functions."""

    def __init__(self, system: System, claims: list[Property], unbounded: bool) -> None:
        self.system, self.layout = system, system.layout
        # What is read of a deadlock is the ending, and of a refinement its mapping, which is compared by itself.
        claims = [claim for claim in claims if claim.kind not in ("deadlock", "refines")]
        if unbounded:
            reader = Reader(system.model, system.config, unbounded=True)
            allowed = [a for a in system.model.actions.values() if budget_of(a, system.config) != 0]
            claims = list(dict.fromkeys([*claims, *system.model.axioms.values()]))
            self.readings: list[Reading] = [*map(reader.action, allowed), *map(reader.property, claims)]
            start = reader.start(list(system.model.initials.values()))
            self.functions = reader.functions
        else:
            claims = [*claims, *system.bounds, *([system.ending] if system.ending is not None else [])]
            claims = list(dict.fromkeys(claims))
            self.readings = [*system.all_readings.values(), *map(system.property_reading, claims)]
            start, self.functions = system.beginning, system.read_functions
        if start is not None:
            self.readings.append(start)
        self.random = random.Random(1)
        self.free = {
            slot: place.cardinality
            for place in system.layout.places.values()
            if place.field is not None and not place.field.constant
            for slot in range(place.offset, place.offset + place.cells)
        }
        self.free |= {slot + len(system.layout.initial): size for slot, size in self.free.items()}  # of a second state

    def content(self, reading: Reading) -> Hashable:
        """All that the comparison of one action or property depends on, but for states that are reached."""
        named = self._names(reading)
        places = self.layout.places.values()
        cells = tuple((p.name, p.offset, p.shape, p.cardinality) for p in places if p.field is not None)
        switches = tuple((name, on) for name, on in self.system.config.switches.items() if name in named)
        parameters = tuple((name, value) for name, value in self.system.config.parameters.items() if name in named)
        return cells, switches, parameters, *(getattr(reading, one.name) for one in parts_of_record(reading))

    def run(self, readings: Iterable[Reading]) -> None:
        """Compares these of the readings; Disagreement at the first difference."""
        items = [self._item(reading) for reading in readings]
        if not items:
            return
        reached = self._reached()
        pairs = self._pairs(reached) if any(_of_steps(item.reading) for item in items) else []
        once = sum(map(_once, items))
        rounds = min(max(ENOUGH / once, 1.0), ROUNDS, MOST / once)
        for item in items:
            instances = self._instances(item.reading)
            number = max(int(rounds * _once(item)), FEWEST)
            known = pairs if _of_steps(item.reading) else reached
            for turn, state in enumerate(self.random.sample(known, min(len(known), number // 4))):
                self._compare(item, state, instances[turn % len(instances)])
            for turn in range(number // 2):
                arguments = instances[turn % len(instances)]
                for state in self._made(item, item.goals[turn % len(item.goals)], known, arguments):
                    self._compare(item, state, arguments)

    def _item(self, reading: Reading) -> _Item:
        named = self._names(reading)
        layout = self.system.pairs if _of_steps(reading) else self.layout
        slots = [
            slot
            for place in layout.places.values()
            if unprimed(place.declared) in named
            for slot in range(place.offset, place.offset + place.cells)
            if slot in self.free
        ]
        step = step_of(reading, self.layout) if isinstance(reading, ActionReading) else None
        return _Item(reading, goals_of(reading, layout), layout, slots, step)

    def _names(self, reading: Reading) -> set[str]:
        """The names that the functions of an action or a property use."""
        if isinstance(reading, ActionReading):
            functions = reading.action.functions
        else:
            functions = tuple(filter(None, (reading.property.function, reading.property.goal)))
        return set().union(*(fields_named(one, self.functions) for one in functions))

    def _compare(self, item: _Item, state: State, arguments: Arguments) -> None:
        if isinstance(item.reading, ActionReading) and item.reading.choices:
            arguments = self.system.aligned(item.reading, state, arguments)
        environment = environment_of(item.reading, arguments)
        if isinstance(item.reading, ActionReading):
            assert item.step is not None
            self._compare_step(item.reading, item.step, state, arguments, environment)
        else:
            self._compare_truth(item.reading, item.layout, state, arguments, environment)

    # -- states

    def _reached(self) -> list[State]:
        """States that are reached, by running the functions; as many as come before the model itself fails."""
        found = list(itertools.islice(self.system.initials, REACHED // 2))
        seen = set(found)
        for state in found:
            if len(found) >= REACHED:
                break
            with contextlib.suppress(ModelError):
                for _, after in itertools.islice(self.system.successors(state), REACHED):
                    if after not in seen:
                        seen.add(after)
                        found.append(after)
        return found

    def _pairs(self, reached: Sequence[State]) -> list[State]:
        """Pairs of a state that is reached and one after it, as one state; at least one of two that are the same."""
        found = [self.system.initials[0] * 2]
        for state in reached:
            found += [state + after for _, after in itertools.islice(self.system.steps_within(state), INSTANCES)]
        return found

    def _made(self, item: _Item, goal: Goal, reached: Sequence[State], arguments: Arguments) -> Iterator[State]:
        """A state in which the goal holds, if one was found, and one beside it."""
        environment = environment_of(item.reading, arguments)
        state = list(self.random.choice(reached))
        for slot in self._some(item.slots, 4):
            state[slot] = self.random.randrange(self.free[slot])
        made = aimed(tuple(state), goal, item.layout, environment, self.free, self.random)
        yield item.layout.repaired(made)
        for slot in self._some(item.slots, 1):
            other = (*made[:slot], self.random.randrange(self.free[slot]), *made[slot + 1 :])
            yield item.layout.repaired(other)

    def _some(self, slots: Sequence[int], most: int) -> list[int]:
        return self.random.choices(slots, k=self.random.randint(1, most)) if slots else []

    def _instances(self, reading: Reading) -> list[Arguments]:
        declared = declared_of(reading)
        ranges = [range(self.system.sizes[parameter.sort.__name__]) for parameter in declared.parameters]
        if isinstance(reading, ActionReading):
            ranges += reading.codes(self.layout.sizes)
        every = list(itertools.islice(itertools.product(*ranges), 5_000))
        return every if len(every) <= INSTANCES else self.random.sample(every, INSTANCES)

    # -- comparisons

    def _compare_step(
        self,
        reading: ActionReading,
        step: Callable[[State, Environment], State | None],
        state: State,
        arguments: Arguments,
        environment: Environment,
    ) -> None:
        action = reading.action
        try:
            ran = self.system.run_action(action, state, arguments)
        except ModelError as error:
            if not self._fails(reading.obligations, self.layout, state, environment):
                raise self._disagreement(
                    action, state, arguments, f"it fails: {error.message}", "it does not"
                ) from None
            return
        read = step(state, environment)
        if read != ran:
            raise self._disagreement(action, state, arguments, self._shown(state, ran), self._shown(state, read))

    def _compare_truth(
        self,
        reading: PropertyReading,
        layout: Layout,
        state: State,
        arguments: Arguments,
        environment: Environment,
    ) -> None:
        claim, size = reading.property, len(self.layout.initial)
        try:
            if _of_steps(reading):
                ran = self.system.run_step_claim(claim, state[:size], state[size:], arguments)
            else:
                ran = self.system.holds(claim, state, arguments)
        except ModelError as error:
            if not self._fails(reading.obligations, layout, state, environment):
                failure = f"it fails: {error.message}"
                raise self._disagreement(claim, state, arguments, failure, "it does not") from None
            return
        applies = meaning(reading.antecedent, layout)(state, environment)
        read = bool(meaning(reading.body, layout)(state, environment)) if applies else None
        if read is not ran:
            raise self._disagreement(claim, state, arguments, _truth(ran), _truth(read))
        if claim.goal is not None:
            lasts = self.system.lasts(claim, state, arguments)
            if lasts is not bool(meaning(reading.meanwhile, layout)(state, environment)):
                raise self._disagreement(claim, state, arguments, _truth(lasts), _truth(not lasts))

    def _fails(self, obligations: Sequence[Obligation], layout: Layout, state: State, environment: Environment) -> bool:
        """Whether the reading says that the function fails there."""
        for one in obligations:
            guard = [meaning(term, layout) for term in one.guard]
            free = [v for v in dict.fromkeys(v for t in one.guard for v in free_variables(t)) if v not in environment]
            for values in itertools.product(*(range(self.system.sizes[v.sort.__name__]) for v in free)):
                inner = {**environment, **dict(zip(free, values, strict=True))}
                if all(holds(state, inner) for holds in guard):
                    return True
        return False

    def _shown(self, before: State, after: State | None) -> str:
        if after is None:
            return "it cannot happen"
        changes = self.layout.changes(before, after)
        return ", ".join(f"{cell} becomes {text_of(new)}" for cell, (_, new) in changes.items()) or "it changes nothing"

    def _disagreement(
        self, declared: Action | Property, state: State, arguments: Arguments, ran: str, read: str
    ) -> Disagreement:
        kind = "action" if isinstance(declared, Action) else "property"
        elements = ", ".join(p.element(a) for p, a in zip(declared.parameters, arguments, strict=False))
        file, line = declared.line
        cells = ", ".join(
            f"{cell.label} = {text_of(cell.show(state))}"
            for name, mine in (
                self.layout if len(state) == len(self.layout.initial) else self.system.pairs
            ).cells.items()
            for cell in mine
            if any(state[slot] for slot in cell.slots) and not name.startswith(LEFT)
        )
        return Disagreement(
            f"a fault of onceproof, not a verdict: it reads {kind} `{declared.name}({elements})` "
            f"({Path(file).name}:{line}) otherwise than Python runs it. In the state with "
            f"{cells or 'all at its first'}: run, {ran}; read, {read}"
        )


def _of_steps(reading: Reading) -> bool:
    return isinstance(reading, PropertyReading) and reading.property.kind == "step"


def environment_of(reading: Reading, arguments: Arguments) -> dict[Var, int]:
    """What each variable of a reading stands for."""
    if isinstance(reading, ActionReading):
        return reading.environment(arguments)
    return dict(zip(reading.variables, arguments, strict=True))


def _truth(value: bool | None) -> str:
    return {None: "it claims nothing", True: "it is true", False: "it is false"}[value]
