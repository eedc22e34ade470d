"""Where each cell of each field stands in the flat state: a tuple of small whole numbers."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from math import prod
from typing import Any

from onceproof.model.language.composites import COMPOSITE, AnyKind, repaired
from onceproof.model.language.declare import Action, Field
from onceproof.model.language.errors import ModelError
from onceproof.model.language.index_sets import size_of
from onceproof.model.language.model import Config, Model
from onceproof.model.language.primes import unprimed
from onceproof.model.language.showing import parsed, shown
from onceproof.model.language.sorts import Count, Index, Kind, Sort

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
    prefix: str = ""  # what people write before its name: the state that it is of, where there are two

    @property
    def declared(self) -> str:
        """The name of the field as its author declared it."""
        part = self.field.part if self.field is not None else None
        return part.of.name if part is not None else self.name

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
        return self.text([sort.element(i) for sort, i in zip(self.sorts, indices, strict=True)])

    def text(self, indices: Sequence[str]) -> str:
        """The same with the text of each index; of a part of a composite value, ``len(log[node1])``."""
        part = self.field.part if self.field is not None else None
        name = unprimed(self.declared)
        own = len(part.of.indices) if part is not None else len(indices)
        cell = self.prefix + (f"{name}[{', '.join(indices[:own])}]" if own else name)
        return part.text.format(cell, *indices[own:]) if part is not None else cell


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell as its author declared it, and where its parts stand in the state: one slot, or several if composite.

    key: its indices as names, joined by commas.
    """

    name: str
    label: str
    key: str
    kind: AnyKind
    slots: tuple[int, ...]
    cardinalities: tuple[int, ...]
    component: str
    sizes: Mapping[str, int]

    def show(self, state: State) -> Any:
        """Its value as JSON can hold it."""
        if isinstance(self.kind, COMPOSITE):
            return shown(self.kind, [state[slot] for slot in self.slots], self.sizes)
        return self.kind.show(state[self.slots[0]])

    def parse(self, value: Any) -> tuple[int, ...]:
        """What its slots hold where it shows this value; ModelError where it never does."""
        return parsed(self.kind, self.cardinalities, value, self.sizes)


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
        self._arrange()

    def _arrange(self) -> None:
        """Works out what follows from the places."""
        self.labels = [(place, key) for place in self.places.values() for key in place.all_indices()]
        self.meanings: dict[Any, Any] = {}  # terms as functions, see ``evaluate``
        self.slots: dict[Any, Any] = {}  # the positions of cells, likewise
        parts = _parts(self.places)
        self.cells = {name: list(_cells_of(name, mine, self.sizes)) for name, mine in parts.items()}
        composite = {place.declared for place in self.places.values() if place.field is not None and place.field.part}
        self.composites = {name: mine for name, mine in parts.items() if name in composite}

    def of_places(self, places: Mapping[str, Place], initial: State) -> Layout:
        """One of other places, with the same sizes."""
        other = copy(self)
        other.places, other.initial = dict(places), initial
        other._arrange()
        return other

    def show(self, state: State) -> dict[str, Any]:
        """A state with names: ``{"stage": {"message1": "VISIBLE"}, "big": 3}``; keys of several indices as
        ``"scheduler1,message1"``."""
        shown: dict[str, Any] = {}
        for name, cells in self.cells.items():
            if cells[0].key:
                shown[name] = {cell.key: cell.show(state) for cell in cells}
            else:
                shown[name] = cells[0].show(state)
        return shown

    def parse(self, shown: Mapping[str, Any]) -> State:
        """The state that ``show`` turned into names; ModelError where a name or a value is not this model's."""
        state = list(self.initial)
        for name, cells in self.cells.items():
            if name not in shown:
                raise ModelError(f"the state has no `{name}`")
            for cell in cells:
                try:
                    codes = cell.parse(shown[name][cell.key] if cell.key else shown[name])
                except (KeyError, TypeError, ModelError):
                    raise ModelError(f"the state has no proper value for `{cell.label}`") from None
                for slot, code in zip(cell.slots, codes, strict=True):
                    state[slot] = code
        return tuple(state)

    def changes(self, before: State, after: State) -> dict[str, tuple[Any, Any]]:
        """What differs, by label, as pairs of shown values."""
        return {
            cell.label: (cell.show(before), cell.show(after))
            for cells in self.cells.values()
            for cell in cells
            if any(before[slot] != after[slot] for slot in cell.slots)
        }

    def repaired(self, state: State) -> State:
        """The nearest state that could be one: of any numbers in the parts of composite values few are a value."""
        found = list(state)
        for cell in (cell for name in self.composites for cell in self.cells[name]):
            assert isinstance(cell.kind, COMPOSITE)
            codes = repaired(cell.kind, [state[slot] for slot in cell.slots])
            for slot, code in zip(cell.slots, codes, strict=True):
                found[slot] = code
        return tuple(found)


def starts_with(declared: Field, indices: tuple[int, ...], sizes: Mapping[str, int]) -> int:
    """The stored number that a cell of a field starts with."""
    if declared.init is None:
        return 0
    try:
        value = declared.init(*indices) if callable(declared.init) else declared.init
        if isinstance(declared.kind, Index):
            value = value % sizes[declared.kind.sort.__name__]
        code = declared.kind.encode(value)
    except ModelError as error:
        raise ModelError(error.message, f"field `{declared.name}`, its init") from None
    except Exception as error:
        raise ModelError(f"{type(error).__name__}: {error}", f"field `{declared.name}`, its init") from None
    if not 0 <= code < declared.kind.cardinality(sizes):
        sort = getattr(declared.kind, "sort", None)
        last = f" (there are {sizes[sort.__name__]}: the last is {sizes[sort.__name__] - 1})" if sort else ""
        raise ModelError(f"{value!r} is out of range{last}", f"field `{declared.name}`, its init")
    return code


def _parts(places: Mapping[str, Place]) -> dict[str, list[Place]]:
    """The fields as they were declared, each with the places of its parts."""
    found: dict[str, list[Place]] = {}
    for place in places.values():
        found.setdefault(place.declared, []).append(place)
    return found


def _cells_of(name: str, parts: list[Place], sizes: Mapping[str, int]) -> Iterator[Cell]:
    first = parts[0]
    part = first.field.part if first.field is not None else None
    kind: AnyKind = part.of.kind if part is not None else first.kind
    component = first.field.component if first.field is not None else ""
    cardinalities = tuple(place.cardinality for place in parts)
    own = len(part.of.indices) if part is not None else len(first.shape)
    for indices in itertools.product(*map(range, first.shape[:own])):
        names = [sort.element(i) for sort, i in zip(first.sorts, indices, strict=False)]
        label = first.prefix + unprimed(f"{name}[{', '.join(names)}]" if names else name)
        inner = [itertools.product(*map(range, place.shape[own:])) for place in parts]
        slots = tuple(
            place.slot((*indices, *more)) for place, every in zip(parts, inner, strict=True) for more in every
        )
        yield Cell(name, label, ",".join(names), kind, slots, cardinalities, component, sizes)


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
