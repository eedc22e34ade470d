"""Holds an observation against a model state: the same, or the labelled cells in which they differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from onceproof.conformance.driver import DriverError, Observation
from onceproof.model.language import System
from onceproof.model.language.composites import COMPOSITE
from onceproof.model.language.errors import ModelError, nearest
from onceproof.model.language.layout import LEFT, Cell, State
from onceproof.model.language.showing import expectation


@dataclass(frozen=True, slots=True)
class Difference:
    """One cell in which model and system disagree: ``stage[message1]``, and the value in each."""

    label: str
    model: Any
    system: Any


class Comparison:
    """Compares states of one system in the fields that a driver observes.

    Raises DriverError for a field that the model lacks.
    """

    def __init__(self, system: System, observes: Iterable[str]) -> None:
        self.system = system
        known = [name for name in system.layout.cells if not name.startswith(LEFT)]
        wanted = frozenset(observes)
        for name in sorted(wanted):
            if name not in known:
                raise DriverError(f"the driver observes `{name}`, which the model lacks{nearest(name, known)}")
        self.fields = [name for name in known if name in wanted]
        self._cells: dict[str, dict[str, tuple[int, Mapping[Any, int]]]] = {}  # of scalar fields
        self._composites: dict[str, dict[str, tuple[int, Cell]]] = {}
        self._slots: list[int] = []
        for name in self.fields:
            self._add(name, system.layout.cells[name])
        self._initial = [system.layout.initial[slot] for slot in self._slots]

    def _add(self, name: str, cells: Sequence[Cell]) -> None:
        kind = cells[0].kind
        positions = {}
        for cell in cells:
            positions[cell.key] = len(self._slots)
            self._slots += cell.slots
        if isinstance(kind, COMPOSITE):
            self._composites[name] = {cell.key: (positions[cell.key], cell) for cell in cells}
        else:
            codes = {kind.show(code): code for code in range(cells[0].cardinalities[0])}
            self._cells[name] = {key: (position, codes) for key, position in positions.items()}

    def codes(self, observation: Observation) -> list[int]:
        """The observed cells as stored numbers; DriverError for a field, key or value that the model lacks."""
        codes = self._initial.copy()
        for name, values in observation.items():
            if name in self._composites:
                self._put_composite(codes, name, values)
                continue
            cells = self._cells.get(name)
            if cells is None:
                raise DriverError(f"the driver observed `{name}`, which it did not announce{self._near(name)}")
            if type(values) is not dict:
                values = {"": values}
            try:
                for key, value in values.items():
                    position, known = cells[key]
                    codes[position] = known[value]
            except (KeyError, TypeError):
                raise DriverError(self._wrong(name, values)) from None
        return codes

    def _put_composite(self, codes: list[int], name: str, values: Any) -> None:
        cells = self._composites[name]
        if "" in cells:
            values = {"": values}
        if type(values) is not dict:
            raise DriverError(f"the driver observed {name} = {values!r}, expected an object with a key for each cell")
        for key, value in values.items():
            if key not in cells:
                known = f"; the model has {name}[{', '.join(cells)}]" if len(cells) <= 8 else ""
                raise DriverError(
                    f"the driver observed {name}[{key}], which the model lacks{nearest(str(key), cells) or known}"
                )
            position, cell = cells[key]
            try:
                found = cell.parse(value)
            except (KeyError, TypeError, ModelError):
                raise DriverError(
                    f"the driver observed {cell.label} = {value!r}, expected {expectation(cell.kind)}"
                ) from None
            codes[position : position + len(found)] = found

    def expected(self, state: State) -> list[int]:
        """The same cells of a model state."""
        return [state[slot] for slot in self._slots]

    def agrees(self, state: State, observation: Observation) -> bool:
        """Whether the observation is this state, as far as it is observed."""
        return self.codes(observation) == self.expected(state)

    def differences(self, state: State, observation: Observation) -> list[Difference]:
        """The cells in which the observation is not this state."""
        codes = self.codes(observation)
        if codes == self.expected(state):
            return []
        observed = list(state)
        for slot, code in zip(self._slots, codes, strict=True):
            observed[slot] = code
        changes = self.system.layout.changes(state, tuple(observed))
        return [Difference(label, *pair) for label, pair in changes.items()]

    def _near(self, name: str) -> str:
        return nearest(name, self.fields)

    def _wrong(self, name: str, values: Mapping[Any, Any]) -> str:
        cells = self._cells[name]
        for key, value in values.items():
            if key not in cells:
                keys = f"; the model has {name}[{', '.join(cells)}]" if len(cells) <= 8 else ""
                return f"the driver observed {name}[{key}], which the model lacks{nearest(str(key), cells) or keys}"
            known = cells[key][1]
            if not isinstance(value, str | int | None) or value not in known:
                choices = ", ".join(str(choice) for choice in known)
                return f"the driver observed {name}[{key}] = {value!r}, expected one of {choices}"
        return f"the driver observed {name} = {values!r}"
