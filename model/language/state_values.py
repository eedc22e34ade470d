"""Composite cells while a model function runs: lists and records of Python that write the state when they change."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, SupportsIndex

from onceproof.model.language.composites import CompositeField, Seq, encoded, value_of_all_parts
from onceproof.model.language.errors import ModelError, OutOfRange
from onceproof.model.language.value_kinds import record_kind

Write = Callable[[Any], None]


class StateList(list[Any]):
    """The list in a cell: Python's own, but that its changes are written to the state, and that it has an end."""

    def __init__(
        self, values: Iterable[Any], kind: Seq[Any], write: Write, leaving: Callable[[OutOfRange], OutOfRange]
    ) -> None:
        super().__init__(values)
        self._kind, self._write, self._leaving = kind, write, leaving

    def append(self, value: Any) -> None:
        """At the end; where the list is full, as its kind says."""
        if len(self) < self._kind.most:
            super().append(value)
        elif self._kind.drop is None:
            raise self._leaving(self._kind.overflow)
        elif self._kind.drop == "old":
            super().pop(0)
            super().append(value)
        self._write(self)

    def extend(self, values: Iterable[Any]) -> None:
        """One after the other."""
        for value in list(values):
            self.append(value)

    def __iadd__(self, values: Iterable[Any]) -> StateList:  # type: ignore[misc]
        self.extend(values)
        return self

    def insert(self, place: SupportsIndex, value: Any) -> None:
        """Before the element at a place; where the list is full, the new one is dropped, or it is a violation."""
        if len(self) == self._kind.most:
            if self._kind.drop == "new":
                return
            raise self._leaving(self._kind.overflow)
        super().insert(place, value)
        self._write(self)

    def pop(self, place: SupportsIndex = -1) -> Any:
        """Takes out the element at a place."""
        value = super().pop(place)
        self._write(self)
        return value

    def remove(self, value: Any) -> None:
        """Takes out the first element that is equal to it."""
        super().remove(value)
        self._write(self)

    def clear(self) -> None:
        """Takes out all."""
        super().clear()
        self._write(self)

    def __setitem__(self, place: Any, value: Any) -> None:
        super().__setitem__(place, value)
        self._write(self)

    def __delitem__(self, place: Any) -> None:
        super().__delitem__(place)
        self._write(self)

    def reverse(self) -> None:
        """Turned round."""
        super().reverse()
        self._write(self)


class CompositeCells:
    """The cells of a field of a composite kind; their parts are cells of the fields that hold them."""

    def __init__(self, declared: CompositeField, parts: list[Any]) -> None:
        self.declared, self._parts = declared, parts
        self._values: dict[Any, Any] = {}

    def forget(self) -> None:
        """The state is another one."""
        self._values.clear()

    def __getitem__(self, key: Any) -> Any:
        if key not in self._values:
            parts = [cells[key] for cells in self._parts]
            self._values[key] = self._bound(key, value_of_all_parts(self.declared.kind, parts))
        return self._values[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        if key not in self._parts[0].slots:
            self._parts[0].__missing__(key)
        if self.declared.constant:
            raise ModelError(f"`{self.declared.name}` is constant")
        self._store(key, value)
        old = self._values.pop(key, None)
        if isinstance(old, StateList):
            old._write = _nothing  # Python would go on with a list that is in no state any more

    def __bool__(self) -> bool:
        raise ModelError(f"`{self.declared.name}` is an array: read one of its cells")

    def __eq__(self, other: object) -> bool:
        return bool(self)

    __ne__ = __eq__
    __hash__ = None  # type: ignore[assignment]

    def _store(self, key: Any, value: Any) -> None:
        kind = self.declared.kind
        try:
            codes = encoded(kind, value)
        except OutOfRange as error:
            raise self._leaving(key, error) from None
        except ModelError as error:
            raise ModelError(f"`{self.declared.name}`: {error.message}") from None
        for cells, code in zip(self._parts, codes, strict=True):
            if not 0 <= code < cells.place.cardinality:
                raise ModelError(f"`{self.declared.name}`: {value!r} is out of range")
            if cells.codes[cells[key]] != code:
                cells[key] = cells.values_of[code]

    def _leaving(self, key: Any, error: OutOfRange) -> OutOfRange:
        """The error that says which cell of this field a step cannot write, and what."""
        indices = self._parts[0].indices(key)
        inside = ", ".join(sort.element(index) for sort, index in zip(self.declared.indices, indices, strict=True))
        cell = f"{self.declared.name}[{inside}]" if inside else self.declared.name
        return OutOfRange(f"`{cell}`: {error.message}", field=self.declared.name, cell=cell, value=error.value)

    def _bound(self, key: Any, value: Any) -> Any:
        if isinstance(self.declared.kind, Seq):
            return StateList(
                value, self.declared.kind, lambda now: self._store(key, now), lambda error: self._leaving(key, error)
            )
        if record_kind(type(value)) is not None:
            value.__dict__["_write"] = lambda now: self._store(key, now)
        return value


def _nothing(value: Any) -> None:
    """What is written of a value that is in no cell."""
