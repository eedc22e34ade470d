"""A model built under one configuration: states, steps and properties. All that an engine needs to know."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import FunctionType
from typing import Any

from onceproof.model.language.arguments import arguments_of
from onceproof.model.language.axioms import constants_of, false_axiom
from onceproof.model.language.declare import DEADLOCK, Action, Property, never_ends
from onceproof.model.language.errors import (
    ConfigError,
    Disabled,
    ModelError,
    OutOfRange,
    locate,
    located,
    nearest,
)
from onceproof.model.language.evaluate import meaning
from onceproof.model.language.index_sets import cardinality
from onceproof.model.language.initials import INITIALLY, listed
from onceproof.model.language.judging import Arguments as Arguments
from onceproof.model.language.judging import Judge, names_with_values
from onceproof.model.language.layout import LEFT, Layout, State, budget_of
from onceproof.model.language.mode import enter, leave
from onceproof.model.language.model import Config, Model
from onceproof.model.language.pairs import of_pairs
from onceproof.model.language.reading.reader import Reader, can_be_switched_on
from onceproof.model.language.reading.result import UNMET, ActionReading, Chosen, PropertyReading
from onceproof.model.language.run import RunMode, RunState
from onceproof.model.language.step_arguments import (
    choices_made,
    groups_of_arguments,
    with_met_choices,
)
from onceproof.model.language.step_names import Step as Step
from onceproof.model.language.step_names import StepNames
from onceproof.model.language.terms import FALSE, TRUE, Term

NOTHING_INSIDE = "no initial state is within `{}`: there is nothing to explore"
NEVER_ENDS = PropertyReading(Property(never_ends, (), "ending", name=never_ends.__name__), (), TRUE, FALSE, ())


NOTHING_CHOSEN = Step(INITIALLY, ())  # what leads to the only initial state of a model without @initial functions


@dataclass(frozen=True, slots=True)
class Violation:
    """A property that is false in a state, and for which elements."""

    property: str
    arguments: Arguments


class System(StepNames):
    """A model under a configuration. States are flat tuples of small numbers; see ``layout`` for their meaning.

    Raises AxiomError where an axiom of the model is false in it, unless ``axioms`` is False: a counterexample to
    induction has constants of its own.
    """

    def __init__(self, model: Model, config: Config, *, axioms: bool = True) -> None:
        model = model.under(config)
        self.model, self.config = model, config
        self.layout = Layout(model, config)
        self.sizes = self.layout.sizes
        reader = Reader(model, config)
        self.beginning, self.start_asks = reader.start(list(model.initials.values())), reader.switches_asked
        allowed = [action for action in model.actions.values() if budget_of(action, config) != 0]
        read = [(action.name, reader.action(action), reader.switches_asked) for action in allowed]
        self.all_readings = {name: reading for name, reading, _ in read}
        self.switches_asked = {name: asked for name, _, asked in read}
        # What the switches rule out is left out. What no switch can make possible stays, so that it is told.
        self.readings: dict[str, ActionReading] = {
            name: one
            for name, one in self.all_readings.items()
            if one.possible or not can_be_switched_on(one.action, model, config)
        }
        self.actions: dict[str, Action] = {name: model.actions[name] for name in self.readings}
        self._reader = reader
        self._property_readings: dict[str, PropertyReading] = {}
        self._looked_at: tuple[State, Property | None] | None = None  # the last state, and what it is outside of
        self._mode = RunMode(self.sizes)
        self._mode.end()
        self._view = RunState(self.layout, config)
        self._states: tuple[Any, ...] = (self._view,)  # what actions get first
        self._left = {
            name: self.layout.places[LEFT + a.budget].offset
            for name, a in self.actions.items()
            if a.budget is not None and LEFT + a.budget in self.layout.places
        }
        self._ordered = names_with_values(model)
        self._judge = Judge(self.sizes, self._view, lambda: RunState(self.layout, config), self._ordered)
        self.bounds = bounds_of(model, config)
        for axiom in model.axioms.values() if axioms else ():
            self._check(axiom)
        beyond = [self.outside(state) for state in self.initials] if axioms and self.bounds else [None]
        if beyond[0] is not None and None not in beyond:
            raise located(NOTHING_INSIDE.format(beyond[0].name), beyond[0].what, beyond[0].function)

    # -- the start

    @property
    def initial(self) -> State:
        """The initial state of a model that has just one; ModelError for a model that has several."""
        if len(self.starts) > 1:
            raise ModelError(f"the model has {len(self.starts):,} initial states, and this takes only one")
        return self.initials[0]

    @cached_property
    def initials(self) -> tuple[State, ...]:
        """All initial states, at least one, in the order of their choices."""
        return tuple(self.starts)

    @cached_property
    def starts(self) -> Mapping[State, Step]:
        """Each initial state, with the first choices that lead to it; ModelError where there is none, or a failure."""
        if self.beginning is None:
            return {self.layout.initial: NOTHING_CHOSEN}
        ways = self._ways(self.beginning, self.layout.initial, ())
        return {state: Step(INITIALLY, choices) for state, choices in listed(self.beginning.action, ways).items()}

    def begun(self, start: Step) -> State | None:
        """The initial state that these choices lead to; None where they lead to none."""
        if self.beginning is None:
            return None if start.arguments else self.layout.initial
        choices, codes = self.beginning.choices, start.arguments
        if len(choices) != len(codes) or any(
            code >= cardinality(one.sort, self.sizes) for one, code in zip(choices, codes, strict=True)
        ):
            return None
        return self.run_action(self.beginning.action, self.layout.initial, codes)

    # -- steps

    def successors(self, state: State) -> Iterator[tuple[Step, State]]:
        """Every step that is enabled in a state, with the state after it, in a fixed order."""
        for name in self.actions:
            for arguments, after in self.steps_of(name, state):
                yield Step(name, arguments), after

    def steps_of(self, name: str, state: State) -> Iterator[tuple[Arguments, State]]:
        """The enabled steps of one action. Of a ``Fresh`` parameter only the first element that will do is used."""
        for candidates in self._candidates[name]:
            yield from self._first_of(name, state, candidates)

    def _first_of(
        self, name: str, state: State, candidates: list[Arguments], *, failing: bool = False
    ) -> Iterator[tuple[Arguments, State]]:
        """The steps of an action with the first of these arguments that will do. failing: ways may fail."""
        if self.readings[name].choices:
            yield from sorted(self._ways(self.readings[name], state, candidates[0], failing=failing))
            return
        for arguments in candidates:
            after = self._run(name, state, arguments)
            if after is not None:
                yield arguments, after
                return

    def departure(self, state: State) -> tuple[Step, OutOfRange] | None:
        """The first step from a state that leaves the range of a field (faults last); None where none does."""
        for name in sorted(self.actions, key=lambda name: self.actions[name].fault):
            chooses = self.readings[name].choices
            for candidates in self._candidates[name]:
                for arguments in candidates:
                    try:
                        ways = self._ways(self.readings[name], state, arguments)
                        if (list(ways) if chooses else [self._run(name, state, arguments)]) != [None]:
                            break
                    except OutOfRange as error:
                        if chooses:
                            reading, taken = self.readings[name], self._mode.taken
                            arguments = choices_made(reading, self.layout, state, arguments, taken, ended=False)
                        return Step(name, arguments), error
        return None

    def step(self, state: State, step: Step) -> State | None:
        """The state after a step; None where it is not enabled. ModelError for an action or element that is none."""
        if step.action not in self.model.actions:
            raise ModelError(f"unknown action `{step.action}`{nearest(step.action, self.model.actions)}")
        if step.action not in self.actions:
            return None
        parameters = self.parameters_of(step.action)
        if len(step.arguments) != len(parameters):
            raise ModelError(f"`{step.action}` takes {len(parameters)} arguments, found {len(step.arguments)}")
        fresh = {position for position, parameter in enumerate(parameters) if parameter.fresh}
        if fresh:
            rest = tuple(a for position, a in enumerate(step.arguments) if position not in fresh)
            for arguments, after in self.steps_of(step.action, state):
                same = tuple(a for position, a in enumerate(arguments) if position not in fresh) == rest
                if same and arguments == step.arguments:
                    return after
            return None
        if any(a >= cardinality(p.sort, self.sizes) for a, p in zip(step.arguments, parameters, strict=True)):
            return None
        reading = self.readings[step.action]
        if reading.choices and not all(self._holds(term, state, step) for term in reading.as_chosen(step.arguments)):
            return None
        return self._run(step.action, state, step.arguments)

    def _holds(self, term: Term, state: State, step: Step) -> bool:
        return bool(meaning(term, self.layout)(state, self.readings[step.action].environment(step.arguments)))

    def _ways(
        self, reading: ActionReading, state: State, arguments: Arguments, *, failing: bool = False
    ) -> Iterator[tuple[Arguments, State]]:
        """The steps of an action that chooses, for these arguments: each with its choices, in no order.

        failing: a way that fails is left out.
        """
        left = self._left.get(reading.action.name)
        begins = reading is self.beginning
        if (left is not None and state[left] == 0) or (not begins and self.outside(state) is not None):
            return
        scripts: list[list[Any]] = [[]]
        while scripts:
            self._mode.begin(scripts.pop(), exploring=True)
            try:
                after = self._after(reading.action, state, arguments)
            except ModelError:
                if not failing:
                    raise
                after = None
            finally:
                self._mode.end()
            scripts += self._mode.open
            if after is not None:
                taken = choices_made(reading, self.layout, state, arguments, self._mode.taken)
                yield taken, after if left is None else (*after[:left], after[left] - 1, *after[left + 1 :])

    def aligned(self, reading: ActionReading, state: State, arguments: Arguments) -> Arguments:
        """Arguments with choices where the reading says that the action meets them in a state, and nowhere else."""
        return with_met_choices(reading, self.layout, state, arguments)

    def instance(self, step: Step) -> Step:
        """What fairness is of: an action and its arguments, whatever is chosen, or just some of them (``fair_for``).

        Of actions that are fair together (``fair_with``) the first stands for all.
        """
        action = self.model.actions[step.action]
        name = step.action if action.fair_with is None else self._fair_with.get(action.fair_with, step.action)
        return Step(name, tuple(step.arguments[place] for place in action.fair_places))

    @cached_property
    def _fair_with(self) -> dict[str, str]:
        """The first action of each name under which actions are fair together."""
        shared = ((action.fair_with, name) for name, action in self.actions.items() if action.fair_with is not None)
        return dict(reversed([(with_, name) for with_, name in shared]))

    def candidates(self, name: str) -> list[list[Arguments]]:
        """The argument tuples of an action, in groups of which at most one (the first enabled) counts."""
        return self._candidates[name]

    @cached_property
    def _candidates(self) -> dict[str, list[list[Arguments]]]:
        return {name: list(groups_of_arguments(action, self.sizes)) for name, action in self.actions.items()}

    def _run(self, name: str, state: State, arguments: Arguments) -> State | None:
        left = self._left.get(name)
        if (left is not None and state[left] == 0) or self.outside(state) is not None:
            return None
        run = self.run_action if getattr(self.readings.get(name), "choices", ()) else self._after
        after = run(self.actions[name], state, arguments)
        if after is None or left is None:
            return after
        return (*after[:left], after[left] - 1, *after[left + 1 :])

    def run_action(self, action: Action, state: State, arguments: Arguments) -> State | None:
        """The state after an action's function has run, whatever its budget; None where it is not enabled.

        Among the arguments are its choices, if it makes any: one that is not met is left out.
        """
        script: list[Any] = []
        if len(arguments) > len(action.parameters):
            choices = self.parameters_of(action.name)[len(action.parameters) :]
            pairs = zip(choices, arguments[len(action.parameters) :], strict=True)
            script = [one.kind.decode(code) for one, code in pairs if code != UNMET and isinstance(one, Chosen)]
            arguments = arguments[: len(action.parameters)]
        self._mode.begin(script, exploring=False)
        try:
            after = self._after(action, state, arguments)
        finally:
            self._mode.end()
        return after if len(self._mode.taken) == len(script) else None

    def _after(self, action: Action, state: State, arguments: Arguments) -> State | None:
        view = self._view
        if view._loaded is not state:
            view._load(state)
        given = arguments_of(action.parameters, arguments, self.sizes) if action.name in self._ordered else arguments
        enter(self._mode)
        try:
            action.function(*self._states, *given)
            return view._taken()
        except Disabled:
            if view._written:
                view._put_back()
            return None
        except Exception as error:
            view._put_back()
            raise locate(error, action.what, action.function) from None
        finally:
            leave()

    def outside(self, state: State) -> Property | None:
        """The first bound of exploration (``@within``) that is false in a state, from which no step is taken then."""
        if not self.bounds:
            return None
        if self._looked_at is None or self._looked_at[0] is not state:
            instances = ((bound, arguments) for bound in self.bounds for arguments in self.instances(bound))
            false = (b for b, arguments in instances if self._judge.in_state(b, state, arguments) is False)
            self._looked_at = state, next(false, None)
        return self._looked_at[1]

    # -- properties

    def properties(self, names: list[str] | None = None) -> list[Property]:
        """The properties by these names, or all that a configuration should be asked, and ``deadlock``.

        ConfigError for unknown ones.
        """
        if names is None:
            known = self.config.names()
            claims = [p for p in self.model.properties.values() if p.kind != "ending" and not p.optional]
            return [*(claim for claim in claims if claim.applies(known)), self.deadlock]
        for name in names:
            if name not in self.model.checkable:
                raise ConfigError(f"unknown property `{name}`{nearest(name, self.model.checkable)}", name)
        return [self.deadlock if name == DEADLOCK else self.model.properties[name] for name in names]

    @cached_property
    def deadlock(self) -> Property:
        """The built-in claim that every state in which nothing but faults can happen is a wanted end."""
        function = self.ending.function if self.ending is not None else never_ends
        return Property(function, (), DEADLOCK, name=DEADLOCK)

    def stuck(self, state: State) -> bool:
        """Whether nothing but faults can happen in a state, and it is not a wanted end.

        As in TLC, a step that changes nothing is one that can happen. A state beyond a bound of exploration is no end.
        """
        if self.outside(state) is not None:
            return False
        if any(not self.actions[step.action].fault for step, _ in self.successors(state)):
            return False
        return self.ending is None or self.holds(self.ending, state, ()) is False

    @property
    def ending(self) -> Property | None:
        """What says that a state in which nothing can happen is a wanted end; None if the model does not say."""
        return next((p for p in self.model.properties.values() if p.kind == "ending"), None)

    @cached_property
    def pairs(self) -> Layout:
        """Where the cells of a pair of states stand, which a property of steps is read of."""
        return of_pairs(self.layout, self.model)

    @property
    def read_functions(self) -> tuple[FunctionType, ...]:
        """The functions that were read so far: the model's own, and the helpers that they call."""
        return self._reader.functions

    def property_reading(self, claim: Property) -> PropertyReading:
        """A property as terms (reading when first asked for); of ``deadlock``, what a wanted end is."""
        if claim.kind == DEADLOCK:
            return self.property_reading(self.ending) if self.ending is not None else NEVER_ENDS
        if claim.name not in self._property_readings:
            self._property_readings[claim.name] = self._reader.property(claim)
        return self._property_readings[claim.name]

    def add_reading(self, reading: PropertyReading) -> None:
        """Adds a property that is made of terms, and has no function that could be run."""
        self._property_readings[reading.property.name] = reading

    def instances(self, claim: Property) -> Iterator[Arguments]:
        """All argument tuples of a property."""
        return itertools.product(*(range(self.sizes[parameter.sort.__name__]) for parameter in claim.parameters))

    def holds(self, claim: Property, state: State, arguments: Arguments) -> bool | None:
        """Whether a property is true in a state for these elements; None where its ``given`` is false.

        One of steps is true there if it is true of all steps from there that change something.
        """
        if claim.kind == DEADLOCK:
            return not self.stuck(state)
        if claim.kind == "step":
            truths = {self.holds_of_step(claim, state, after, arguments) for _, after in self.steps_within(state)}
            silent = truths <= {None} and self.presupposes(claim)
            return None if silent else False not in truths
        return self._judge.in_state(claim, state, arguments)

    def holds_of_step(self, claim: Property, before: State, after: State, arguments: Arguments) -> bool | None:
        """Whether a property of steps is true of a step; None where its ``given`` is false, or nothing changes."""
        return None if before == after else self.run_step_claim(claim, before, after, arguments)

    def run_step_claim(self, claim: Property, before: State, after: State, arguments: Arguments) -> bool | None:
        """What the function of a property of steps says of two states, even if they are the same."""
        return self._judge.of_step(claim, before, after, arguments)

    def steps_within(self, state: State) -> Iterator[tuple[Step, State]]:
        """Every step that is enabled in a state and does not fail there, with the state after it."""
        for name in self.actions:
            for candidates in self._candidates[name]:
                try:
                    found = self._first_of(name, state, candidates, failing=True)
                    yield from ((Step(name, one), after) for one, after in found)
                except ModelError:  # whoever takes the steps of this state is told
                    continue

    def keeps(self, claim: Property, state: State, arguments: Arguments) -> bool:
        """Whether a state keeps the promise of an ``eventually``, whatever its ``given`` says there."""
        return self._judge.keeps(claim, state, arguments)

    def lasts(self, claim: Property, state: State, arguments: Arguments) -> bool:
        """Whether what an ``until`` says of the time before its goal is true in a state."""
        return self._judge.lasts(claim, state, arguments)

    def presupposes(self, claim: Property) -> bool:
        """Whether a property says ``given(...)``."""
        return self.property_reading(claim).presupposes

    def _check(self, axiom: Property) -> None:
        """Raises AxiomError where an axiom is false in this instance."""
        read = constants_of(self.model, axiom, self.property_reading(axiom))
        for arguments in self.instances(axiom):
            if self.holds(axiom, self.layout.initial, arguments) is False:
                raise false_axiom(self.model, axiom, read, self.sizes, arguments)


def bounds_of(model: Model, config: Config) -> tuple[Property, ...]:
    """The bounds of exploration that count in a configuration."""
    known = config.names()
    return tuple(bound for bound in model.bounds.values() if bound.applies(known))


def build(model: Model, config: Config | None = None) -> System:
    """The model under a configuration (default: all mechanisms on, no faults, default sizes)."""
    return System(model, config or model.configure())
