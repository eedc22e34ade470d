"""Refinement: a model is another, abstract one, seen through a mapping of its states.

``refines(Abstract)`` marks a function ``mapping(st, spec)`` that gives each state of its model (``st``) a state of the
abstract model (``spec``): its image. The model refines the other one if its start has the image of a start there, and
if each of its steps leads from an image to one that a step of the abstract model leads to, or to the same one. So it is
simulation by a function (Abadi and Lamport, "The Existence of Refinement Mappings", 1991) and says nothing of liveness.

The abstract model is built for it: sorts and parameters that both have are as large as here, its faults may happen any
number of times, its mechanisms are as they are by default. A mapping is run and read as an action of one model that has
the fields of both.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from types import ModuleType
from typing import Any

from onceproof.model.language.declare import Action, Property
from onceproof.model.language.errors import (
    ConfigError,
    InternalContradiction,
    ModelError,
    OutOfRange,
    located,
    nearest,
)
from onceproof.model.language.layout import State
from onceproof.model.language.model import ANY, Config, Model, fields_of_parts
from onceproof.model.language.run import RunState
from onceproof.model.language.system import Arguments, System
from onceproof.model.language.terms import Read
from onceproof.model.language.traversal import walk


@dataclass(eq=False)
class MappingAction(Action):
    """The mapping of a refinement, as an action that gives the fields of the abstract model their values."""

    @property
    def what(self) -> str:
        """How messages call it."""
        return f"refinement `{self.name}`"


class SpecState:
    """What a mapping gets as ``spec``: the fields of the abstract model, by their own names."""

    def __init__(self, state: RunState, start: str, names: tuple[str, ...]) -> None:
        self.__dict__.update(_state=state, _start=start, _names=names)

    def __getattr__(self, name: str) -> Any:
        self._check(name)
        return getattr(self._state, self._start + name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._check(name)
        setattr(self._state, self._start + name, value)

    def _check(self, name: str) -> None:
        if name not in self._names:
            model = self._start[:-1]
            raise ModelError(f"the abstract model `{model}` has no field `{name}`{nearest(name, self._names)}")


class MappingSystem(System):
    """A model with the fields of an abstract one beside its own, and one action: the mapping that fills them."""

    def __init__(self, concrete: System, abstract: System, claim: Property) -> None:
        start = f"{abstract.model.name}."
        model = _together(concrete.model, abstract.model, start)
        self.mapping = MappingAction(claim.function, (), name=claim.name, component=claim.component, gives=start)
        model.actions = {claim.name: self.mapping}
        sizes = {**abstract.config.sizes, **concrete.config.sizes}
        config = Config(sizes, concrete.config.switches, {}, concrete.config.parameters)
        super().__init__(model, config, axioms=False)
        names = tuple(one.removeprefix(start) for one in model.field_names if one.startswith(start))
        self._states = (self._view, SpecState(self._view, start, names))
        self.start = start
        self.own = sum(self.layout.places[name].cells for name in concrete.model.fields)
        self.blank = self.layout.initial[self.own :]

    def image(self, state: State) -> State:
        """The image of a state of the concrete model; OutOfRange or ModelError where the mapping gives none."""
        after = self.run_action(self.mapping, (*state[: self.own], *self.blank), ())
        if after is None:
            raise InternalContradiction(f"{self.mapping.what} cannot be carried out in a state")
        return after[self.own :]


def _together(concrete: Model, abstract: Model, start: str) -> Model:
    """The fields of both models as one; those of the abstract one are called with ``start`` before their names."""
    model = copy(concrete)
    wholes = {name: replace(one, name=start + name) for name, one in abstract.composites.items()}
    parts = {part.name: part for whole in wholes.values() for part in fields_of_parts(whole)}
    model.fields = dict(concrete.fields)
    for name, declared in abstract.fields.items():
        model.fields[start + name] = (
            replace(declared, name=start + name) if declared.part is None else parts[start + name]
        )
    model.composites = {**concrete.composites, **{whole.name: whole for whole in wholes.values()}}
    model.sorts = {**abstract.sorts, **concrete.sorts}
    model.properties, model.axioms, model.bounds, model.initials, model.derive = {}, {}, {}, {}, None
    return model


class AbstractSystem(System):
    """The abstract model, asked only what its steps lead to."""

    def following(self, state: State) -> frozenset[State]:
        """The states that its steps lead to. A step that fails there is none, nor one that leaves a field's range.

        Of a ``Fresh`` parameter each element counts: the mapping need not take the first.
        """
        found: set[State] = set()
        for name in self.actions:
            for arguments in itertools.chain(*self.candidates(name)):
                found.update(self._ends(name, state, arguments))
        return frozenset(found)

    def _ends(self, name: str, state: State, arguments: Arguments) -> Iterator[State]:
        scripts: list[list[Any]] = [[]]
        while scripts:
            self._mode.begin(scripts.pop(), exploring=True)
            try:
                after = self._after(self.actions[name], state, arguments)
            except ModelError:
                after = None
            finally:
                self._mode.end()
            scripts += self._mode.open
            if after is not None:
                yield after


class Refinement:
    """One refinement under the configuration of a system. Raises ModelError where it makes no sense, with its place."""

    def __init__(self, system: System, claim: Property) -> None:
        self.system, self.claim = system, claim
        model = abstract_model(claim)
        try:
            _check_sorts(system.model, model)
            self.abstract = AbstractSystem(model, _configured(system, model))
        except (ModelError, ConfigError) as error:
            raise self._wrong(f"its abstract model `{model.name}`: {error}") from None
        self.mapping = MappingSystem(system, self.abstract, claim)
        self._check_complete()
        self._following: dict[State, frozenset[State]] = {}

    @property
    def name(self) -> str:
        """How the abstract model is called."""
        return self.abstract.model.name

    def image(self, state: State) -> State | None:
        """The state of the abstract model that the mapping gives a state; None where it leaves the range of a field.

        ModelError where the mapping fails.
        """
        try:
            return self.mapping.image(state)
        except OutOfRange:
            return None

    def starts(self, image: State | None) -> bool:
        """Whether the abstract model may start like this."""
        return image in self.abstract.starts

    def allows(self, before: State, after: State | None) -> bool:
        """Whether the abstract model has a step between two images, or they are the same."""
        if before == after:
            return True
        if before not in self._following:
            self._following[before] = self.abstract.following(before)
        return after in self._following[before]

    def starts_well(self, state: State) -> bool:
        """Whether an initial state has the image of one."""
        return self.starts(self.image(state))

    def keeps(self, before: State, after: State) -> bool:
        """Whether a step between two states is one of the abstract model, or changes nothing there.

        What comes after a state without an image is not judged: the step to that state was wrong.
        """
        image = self.image(before)
        return image is None or self.allows(image, self.image(after))

    @cached_property
    def switches_asked(self) -> frozenset[str]:
        """The mechanisms that the mapping asks after."""
        return self.mapping.switches_asked[self.claim.name]

    @property
    def fields_read(self) -> frozenset[str]:
        """The fields of the concrete model that the mapping looks at."""
        writes = [write for path in self.mapping.all_readings[self.claim.name].paths for write in path.writes]
        terms = [term for write in writes for term in (*write.indices, write.value, write.condition)]
        read = {part.field for term in terms for part in walk(term) if isinstance(part, Read)}
        return frozenset(name for name in read if not name.startswith(self.mapping.start))

    @property
    def content(self) -> tuple[Any, ...]:
        """All that its verdict depends on, beside the steps of the model."""
        mapping = self.mapping.all_readings[self.claim.name]
        abstract = [(name, one.all_variables, one.paths, one.choices) for name, one in self.abstract.readings.items()]
        places = [(place.name, place.shape, place.cardinality) for place in self.abstract.layout.places.values()]
        return self.claim.name, mapping.paths, mapping.obligations, abstract, places, self.abstract.initials

    def _check_complete(self) -> None:
        """ModelError for a mapping that gives a field of the abstract model no value at all."""
        reading = self.mapping.all_readings[self.claim.name]
        fields = self.mapping.model.fields
        given = {fields[write.field] for path in reading.paths for write in path.writes}
        named = {one.part.of.name if one.part else one.name for one in given}
        for name, declared in declared_fields(self.abstract.model).items():
            if reading.paths and not declared.constant and self.mapping.start + name not in named:
                indices = ", ".join(sort.__name__.lower() for sort in declared.indices)
                cell = f"spec.{name}[{indices}]" if indices else f"spec.{name}"
                raise self._wrong(f"it gives `{name}` of `{self.name}` no value: write `{cell} = ...`")

    def _wrong(self, message: str) -> ModelError:
        return located(message, self.claim.what, self.claim.function)


def declared_fields(model: Model) -> Mapping[str, Any]:
    """The fields of a model as their author declared them."""
    return {name: model.composites.get(name) or model.fields[name] for name in model.field_names}


@lru_cache(maxsize=64)
def abstract_model(claim: Property) -> Model:
    """The model that a refinement is one of; ModelError where there is none."""
    return claim.abstract if isinstance(claim.abstract, Model) else _gathered(claim)


def _gathered(claim: Property) -> Model:
    component = claim.abstract
    names: Mapping[str, Any] = component if isinstance(component, Mapping) else getattr(component, "__dict__", {})
    models = [value for value in names.values() if isinstance(value, Model)]
    if isinstance(component, ModuleType) and len(models) == 1:
        return models[0]
    what = f"`{getattr(component, '__name__', component)}`"
    if len(models) > 1:
        raise located(f"{what} has several models: name one of them, refines(...)", claim.what, claim.function)
    try:
        name = str(names.get("__name__") or getattr(component, "__name__", "abstract")).rpartition(".")[2]
        model = Model(name, component)
    except ModelError as error:
        raise located(f"its abstract model {what}: {error}", claim.what, claim.function) from None
    if not model.actions or not model.fields:
        raise located(f"{what} declares no model: it needs at least a field and an action", claim.what, claim.function)
    return model


def _check_sorts(concrete: Model, abstract: Model) -> None:
    """ModelError for what the two models call by one name and cannot both mean."""
    pairs: list[tuple[Mapping[str, Any], Mapping[str, Any], Callable[[str], str]]] = [
        (concrete.sorts, abstract.sorts, "two sorts are called `{}`: import the one of the abstract model".format),
        (concrete.index_sets, abstract.index_sets, "two enums that index fields are called `{}`: import one".format),
    ]
    for mine, theirs, message in pairs:
        for name in mine:
            if name in theirs and mine[name] is not theirs[name]:
                raise ModelError(message(name))
    for action in abstract.actions.values():
        if action.budget and not action.fault:
            raise ModelError(
                f"its action `{action.name}` has the budget `{action.budget}`, which no mapping "
                "could follow: count in a field"
            )


def _configured(system: System, abstract: Model) -> Config:
    """The abstract model's configuration: as large as the concrete one, with any number of faults."""
    mine = system.config
    sizes = {name: size for name, size in mine.sizes.items() if name in abstract.size_names}
    parameters = {name: value for name, value in mine.parameters.items() if name in abstract.parameters}
    return abstract.configure(sizes, budgets=dict.fromkeys(abstract.faults, ANY), parameters=parameters)


def content_of(system: System, claim: Property) -> Hashable:
    """All that the verdict on a property depends on, beside the steps of the model; to be compared."""
    return refinement_of(system, claim).content if claim.kind == "refines" else system.property_reading(claim)


@lru_cache(maxsize=16)
def refinement_of(system: System, claim: Property) -> Refinement:
    """The refinement of a system by its claim; of the last few it is remembered. ModelError where it makes no sense."""
    return Refinement(system, claim)
