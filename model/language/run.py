"""Run a model function on values: the slow, obvious meaning of a model that all else is held against."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

from onceproof.model.language.arguments import values_of_kind
from onceproof.model.language.budgets import UNCOUNTED
from onceproof.model.language.composites import Bag, Set
from onceproof.model.language.errors import MISPLACED, Disabled, ModelError, OutOfRange, nearest
from onceproof.model.language.index_sets import values_of
from onceproof.model.language.layout import LEFT, Layout, Place, State
from onceproof.model.language.model import Config
from onceproof.model.language.sorts import Count, Index, Int, Maybe, Sort
from onceproof.model.language.state_members import MemberCells
from onceproof.model.language.state_values import CompositeCells
from onceproof.model.language.value_kinds import RecordKind, record_kind


class Cells(dict[Any, Any]):
    """The cells of one field, keyed by an index (or a tuple of them), with every write checked and noted."""

    def __init__(self, place: Place, written: list[tuple[Cells, Any]]) -> None:
        super().__init__()
        self.place = place
        self.codes = {place.kind.decode(code): code for code in range(place.cardinality)}
        self.values_of: list[Any] = [place.kind.decode(code) for code in range(place.cardinality)]
        if isinstance(place.kind, Index | Maybe) and place.kind.sort.ordered:
            values = values_of(place.kind.sort, place.cardinality - isinstance(place.kind, Maybe))
            self.values_of = [None if value is None else values[value] for value in self.values_of]
        axes = zip(place.sorts, place.shape, strict=True)
        keys = itertools.product(*(values_of(sort, size) for sort, size in axes))
        self.keys_in_order = [key[0] if len(key) == 1 else key for key in keys]
        self.slots = {key: place.offset + number for number, key in enumerate(self.keys_in_order)}
        self.written = written

    def load(self, codes: tuple[int, ...]) -> None:
        """Takes the cells of a state."""
        values = self.values_of
        self.update(zip(self.keys_in_order, [values[code] for code in codes], strict=True))

    def __missing__(self, key: Any) -> Any:
        sorts = ", ".join(sort.__name__ for sort in self.place.sorts)
        raise ModelError(f"`{self.place.name}` is indexed by [{sorts}], found {key!r}")

    def __bool__(self) -> bool:
        raise ModelError(f"`{self.place.name}` is an array: read one of its cells")

    def __eq__(self, other: object) -> bool:
        return bool(self)

    __ne__ = __eq__
    __hash__ = None

    def __setitem__(self, key: Any, value: Any) -> None:
        if key not in self.slots:
            self.__missing__(key)
        if self.place.field is not None and self.place.field.constant:
            raise ModelError(f"`{self.place.name}` is constant")
        self.written.append((self, key))
        try:
            super().__setitem__(key, checked(self.place, value))
        except OutOfRange as error:
            raise self.leaving(key, error) from None

    def indices(self, key: Any) -> tuple[int, ...]:
        """The numbers of the elements that a key stands for."""
        return list(self.place.all_indices())[self.slots[key] - self.place.offset]

    def leaving(self, key: Any, error: OutOfRange) -> OutOfRange:
        """The error that says which cell of this field a step cannot write, and what."""
        cell = self.place.label(self.indices(key))
        return OutOfRange(f"`{cell}`: {error.message}", field=self.place.name, cell=cell, value=error.value)


def checked(place: Place, value: Any) -> Any:
    """The value as the cell will hold it; ModelError where its kind does not allow it."""
    try:
        code = place.kind.encode(value)
    except OutOfRange:
        raise
    except ModelError as error:
        raise ModelError(f"`{place.name}`: {error.message}") from None
    if code >= place.cardinality or code < 0:
        raise ModelError(f"`{place.name}`: {value!r} is out of range")
    return place.kind.decode(code) if isinstance(place.kind, Count | Int) else value


def _composite_cells(parts: list[Place], cells: list[Cells], layout: Layout) -> CompositeCells | MemberCells:
    field = parts[0].field
    assert field is not None and field.part is not None
    declared = field.part.of
    if isinstance(declared.kind, Set | Bag):
        return MemberCells(declared, cells, layout.sizes)
    return CompositeCells(declared, cells)


class RunState:
    """What a model function gets as ``st`` when it is run: fields, switches, and nothing else.

    Whatever else it has begins with an underscore, as no field does: a model may have a field called ``load``.
    """

    def __init__(self, layout: Layout, config: Config) -> None:
        written: list[tuple[Cells, Any]] = []
        cells = {name: Cells(place, written) for name, place in layout.places.items()}
        parts = [(c, c.place.offset, c.place.offset + c.place.cells) for c in cells.values()]
        self.__dict__.update(_written=written, _cells=cells, _layout=layout, _parts=parts, _loaded=None, _config=config)
        self.__dict__.update(config.switches)
        self.__dict__.update(config.parameters)
        self.__dict__.update({name: c for name, c in cells.items() if c.place.shape})
        composites = {
            name: _composite_cells(parts, [cells[place.name] for place in parts], layout)
            for name, parts in layout.composites.items()
        }
        self.__dict__["_composites"] = composites
        self.__dict__.update({name: c for name, c in composites.items() if c.declared.indices})

    def __getattr__(self, name: str) -> Any:
        if name in self._composites:
            return self._composites[name][()]
        raise ModelError(f"the model has no field `{name}`{nearest(name, self._layout.cells)}")

    def __setattr__(self, name: str, value: Any) -> None:
        cells: Cells | CompositeCells | MemberCells | None = self._composites.get(name, self._cells.get(name))
        if isinstance(cells, CompositeCells | MemberCells) and not cells.declared.indices:
            cells[()] = value
            return
        if cells is None or isinstance(cells, CompositeCells | MemberCells) or cells.place.shape:
            what = "is an array: write one of its cells" if cells is not None else "is not a field that can be written"
            raise ModelError(f"`{name}` {what}{'' if cells is not None else nearest(name, self._layout.cells)}")
        cells[()] = value
        self.__dict__[name] = cells[()]

    def _used(self, name: str, budget: str, fault: bool) -> int:
        """How much of a budget was used, of an action with this name."""
        place = self._layout.places.get(LEFT + budget)
        if place is not None:
            return int(place.cardinality - 1 - self._cells[LEFT + budget][()])
        if fault and self._config.budgets[budget] is None:
            raise ModelError(UNCOUNTED.format(name=name))
        return 0

    def _load(self, state: State) -> None:
        """Takes a state; what did not change since the last one loaded is not touched."""
        known = self._loaded
        for cells, start, end in self._parts:
            codes = state[start:end]
            if known is None or known[start:end] != codes:
                cells.load(codes)
                if not cells.place.shape:
                    self.__dict__[cells.place.name] = cells[()]
        self.__dict__["_loaded"] = state
        self._written.clear()
        self._forget()

    def _taken(self) -> State:
        """The state after the writes since ``_load``; the loaded one is put back."""
        state: State = self._loaded
        if not self._written:
            return state
        new = list(state)
        for cells, key in self._written:
            new[cells.slots[key]] = cells.codes[cells[key]]
        self._put_back()
        return tuple(new)

    def _put_back(self) -> None:
        """Undoes the writes since ``_load``."""
        self._forget()
        for cells, key in self._written:
            value = cells.values_of[self._loaded[cells.slots[key]]]
            dict.__setitem__(cells, key, value)
            if not cells.place.shape:
                self.__dict__[cells.place.name] = value
        self._written.clear()

    def _forget(self) -> None:
        """Lists and records that were read belong to the state before."""
        for composite in self._composites.values():
            composite.forget()


class RunMode:
    """What loops, quantifiers and guards mean on values."""

    def __init__(self, sizes: dict[str, int], skips_given: bool = False) -> None:
        self.sizes, self.skips_given = sizes, skips_given
        self.presupposed = False  # whether a property said `given` since this was last set
        self.script: list[Any] | None = None  # the choices that an action is to make; None in a property
        self.exploring = False  # whether choices beyond the script are made one after the other
        self.taken: list[Any] = []
        self.open: list[list[Any]] = []  # scripts for the other ways that choices beyond the script could go

    def begin(self, script: list[Any], exploring: bool) -> None:
        """Makes ready for a run of an action that makes these choices."""
        self.script, self.exploring = script, exploring
        self.taken, self.open = [], []

    def end(self) -> None:
        """Lets no further choice be made: an action that comes to one cannot happen."""
        self.script, self.exploring = [], False

    def choose(self, options: Any, allowed: Callable[[Any], bool] | None) -> Any:
        """The next value of the script, or the first that is possible; Disabled where there is none."""
        if self.script is None:
            raise ModelError(MISPLACED["choose"])
        values: list[Any] = []
        for value in options:
            if not any(type(value) is type(other) and value == other for other in values):
                values.append(value)
        place = len(self.taken)
        if place < len(self.script):
            value = next((one for one in values if one == self.script[place]), self)
            if value is self or not (allowed is None or truth_of(allowed(value))):
                raise Disabled
        else:
            possible = [one for one in values if allowed is None or truth_of(allowed(one))] if self.exploring else []
            if not possible:
                raise Disabled
            value = possible[0]
            self.open += [[*self.taken, other] for other in possible[1:]]
        self.taken.append(value)
        return value

    def iterate(self, sort: type[Sort]) -> Iterator[int]:
        """All elements, as 0-based whole numbers."""
        return iter(values_of(sort, self.sizes[sort.__name__]))

    def records(self, kind: RecordKind, allowed: Callable[[Any], bool] | None) -> list[Any]:
        """All records of a kind for which ``allowed`` is true."""
        return [one for one in values_of_kind(kind, self.sizes) if allowed is None or truth_of(allowed(one))]

    def element(self, sort: type[Sort], place: int) -> Any:
        """An element of an ordered sort by its place."""
        return values_of(sort, self.sizes[sort.__name__])[place]

    def size(self, sort: type[Sort]) -> int:
        """How many elements a sort has."""
        return self.sizes[sort.__name__]

    def quantify(self, universal: bool, sorts: tuple[type[Sort], ...], body: Callable[..., Any]) -> bool:
        """The conjunction (or disjunction) over all combinations."""
        kinds = [record_kind(sort) or Index(sort) for sort in sorts]
        combinations = itertools.product(*(values_of_kind(kind, self.sizes) for kind in kinds))
        truths = (truth_of(body(*indices)) for indices in combinations)
        return all(truths) if universal else any(truths)

    def guard(self, condition: Any, what: str) -> bool:
        """The condition itself, which must be a bool."""
        self.presupposed = self.presupposed or what == "given"
        return truth_of(condition)


def truth_of(value: Any) -> bool:
    """``value`` if it is a bool; ModelError for the truth of anything else (an index, an enum member, None)."""
    if value is True or value is False:
        return bool(value)
    raise ModelError(f"expected a condition, found {value!r}, which has no truth")
