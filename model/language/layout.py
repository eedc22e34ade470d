"""Where each cell of each field stands in the flat state: a tuple of small whole numbers."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

from onceproof.model.language.declare import Action, Field, starts_with
from onceproof.model.language.errors import ModelError
from onceproof.model.language.index_sets import size_of
from onceproof.model.language.model import Config, Model
from onceproof.model.language.sorts import Count, Kind, Sort

State = tuple[int, ...]
LEFT = "left_of_"  # how the cell that counts what is left of a budget is called: left_of_scheduler_crash


@dataclass(frozen=True, slots=True)
class Place:
    """The cells of one field: ``offset`` of the first, ``shape`` (a size for each index), ``kind`` of a cell."""

    name: str
    offset: int
    shape: tuple[int, ...]
    sorts: tuple[type[Sort], ...]
    kind: Kind
    cardinality: int
    field: Field | None  # None for what is left of a budget

    @property
    def cells(self) -> int:
        """How many cells the field has."""
        return prod(self.shape)

    @property
    def strides(self) -> tuple[int, ...]:
        """How far apart in the state two neighbours along each index are."""
        return tuple(prod(self.shape[axis + 1 :]) for axis in range(len(self.shape)))

    def all_indices(self) -> Iterator[tuple[int, ...]]:
        """All indices, in the order of the cells."""
        return itertools.product(*map(range, self.shape))

    def slot(self, indices: tuple[int, ...]) -> int:
        """The position in the state of the cell with these indices."""
        return self.offset + sum(i * stride for i, stride in zip(indices, self.strides, strict=True))

    def label(self, indices: tuple[int, ...]) -> str:
        """``stage[message1]``: the cell as a person writes it."""
        inside = ", ".join(sort.element(i) for sort, i in zip(self.sorts, indices, strict=True))
        return f"{self.name}[{inside}]" if inside else self.name


class Layout:
    """All fields of a model, and the budgets that a configuration bounds, as one flat tuple."""

    def __init__(self, model: Model, config: Config) -> None:
        self.sizes = sizes_of(model, config)
        self.places: dict[str, Place] = {}
        initial: list[int] = []
        for declared in model.fields.values():
            shape = tuple(self.sizes[sort.__name__] for sort in declared.indices)
            cardinality = declared.kind.cardinality(self.sizes)
            place = Place(declared.name, len(initial), shape, declared.indices, declared.kind, cardinality, declared)
            self.places[declared.name] = place
            initial.extend(starts_with(declared, indices, self.sizes) for indices in place.all_indices())
        for name, left in sorted(bounded_budgets(model, config).items()):
            self.places[LEFT + name] = Place(LEFT + name, len(initial), (), (), Count(left), left + 1, None)
            initial.append(left)
        self.initial: State = tuple(initial)
        self.labels = [(place, key) for place in self.places.values() for key in place.all_indices()]
        self.meanings: dict[Any, Any] = {}  # terms as functions, see ``evaluate``
        self.slots: dict[Any, Any] = {}  # the positions of cells, likewise

    def show(self, state: State) -> dict[str, Any]:
        """A state with names: ``{"stage": {"message1": "VISIBLE"}, "big": 3}``; keys of several indices as
        ``"scheduler1,message1"``."""
        shown: dict[str, Any] = {}
        for place in self.places.values():
            if not place.shape:
                shown[place.name] = place.kind.show(state[place.offset])
                continue
            shown[place.name] = {
                element_key(place, key): place.kind.show(state[place.offset + number])
                for number, key in enumerate(place.all_indices())
            }
        return shown

    def parse(self, shown: Mapping[str, Any]) -> State:
        """The state that ``show`` turned into names; ModelError where a name or a value is not this model's."""
        state = list(self.initial)
        for place in self.places.values():
            if place.name not in shown:
                raise ModelError(f"the state has no `{place.name}`")
            values = {place.kind.show(code): code for code in range(place.cardinality)}
            for number, key in enumerate(place.all_indices()):
                cells = shown[place.name]
                try:
                    value = cells[element_key(place, key)] if place.shape else cells
                    state[place.offset + number] = values[value]
                except (KeyError, TypeError):
                    raise ModelError(f"the state has no proper value for `{place.label(key)}`") from None
        return tuple(state)

    def changes(self, before: State, after: State) -> dict[str, tuple[Any, Any]]:
        """What differs, by label, as pairs of shown values."""
        return {
            place.label(key): (place.kind.show(before[slot]), place.kind.show(after[slot]))
            for slot, (place, key) in enumerate(self.labels)
            if before[slot] != after[slot]
        }


def sizes_of(model: Model, config: Config) -> dict[str, int]:
    """How many elements there are of each sort, and values in each index set, by name."""
    return {name: size_of(sort, config.sizes) for name, sort in (model.sorts | model.index_sets).items()}


def element_key(place: Place, indices: tuple[int, ...]) -> str:
    """The indices of a cell as names, joined by commas."""
    return ",".join(sort.element(i) for sort, i in zip(place.sorts, indices, strict=True))


def budget_of(action: Action, config: Config) -> int | None:
    """How often the configuration lets an action happen; None for any number of times."""
    if action.budget is None:
        return None
    return config.budgets[action.budget] if action.fault else config.sizes[action.budget]


def bounded_budgets(model: Model, config: Config) -> dict[str, int]:
    """The budgets that need a counter in the state: neither 0 (no such step) nor any."""
    found = {}
    for action in model.actions.values():
        left = budget_of(action, config)
        if action.budget is not None and left:
            found[action.budget] = left
    return found
