"""Sets and bags in cells while a model function runs: Python's own, but that their changes are written to the state."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from onceproof.model.language.composites import Bag, CompositeField, Set
from onceproof.model.language.errors import Disabled, ModelError, OutOfRange
from onceproof.model.language.index_sets import values_of
from onceproof.model.language.members import axes, patterns, row_at
from onceproof.model.language.value_kinds import encoded_value, parts_of_value, value_of_parts

Member = tuple[Any, Any, tuple[Any, ...]]  # a value, the cells that say whether it is in, and its indices there


class MemberCells:
    """The cells of a field of sets or bags, by the values that could be in them."""

    def __init__(self, declared: CompositeField, parts: list[Any], sizes: Mapping[str, int]) -> None:
        assert isinstance(declared.kind, Set | Bag)
        self.declared, self.kind, self.parts = declared, declared.kind, parts
        self.members = {value: (cells, indices) for value, cells, indices in _members(declared.kind, parts, sizes)}
        self._held: dict[Any, StateSet | StateBag] = {}
        self._own = own = [values_of(sort, sizes[sort.__name__]) for sort in declared.indices]
        self._keys = {key[0] if len(key) == 1 else key for key in itertools.product(*own)}

    def forget(self) -> None:
        """The state is another one."""
        self._held.clear()

    def checked(self, value: Any) -> Any:
        """A value that may be in it; ModelError for any other."""
        try:
            encoded_value(self.kind.element, value, False)
            if value not in self.members:
                raise ModelError(f"{value!r} is out of range")
        except ModelError as error:
            raise ModelError(f"`{self.declared.name}`: {error.message}") from None
        return value

    def leaving(self, key: Any, error: OutOfRange) -> OutOfRange:
        """The error that says which cell of this field a step cannot write, and what."""
        keys = key if isinstance(key, tuple) else (key,)
        axes_of_key = zip(self.declared.indices, self._own, keys, strict=True)
        inside = ", ".join(sort.element(list(values).index(one)) for sort, values, one in axes_of_key)
        cell = f"{self.declared.name}[{inside}]" if inside else self.declared.name
        return OutOfRange(f"`{cell}`: {error.message}", field=self.declared.name, cell=cell, value=error.value)

    def times(self, key: Any, value: Any) -> int:
        """How often a value is in the cell."""
        cells, indices = self.members[value]
        return int(cells[_joined(key, indices)])

    def put(self, key: Any, value: Any, times: int) -> None:
        """Writes how often a value is in the cell."""
        if self.declared.constant:
            raise ModelError(f"`{self.declared.name}` is constant")
        cells, indices = self.members[value]
        place = _joined(key, indices)
        if int(cells[place]) != times:
            cells[place] = bool(times) if isinstance(self.kind, Set) else times

    def __getitem__(self, key: Any) -> StateSet | StateBag:
        if key not in self._held:
            if key != () and key not in self._keys:
                sorts = ", ".join(sort.__name__ for sort in self.declared.indices)
                raise ModelError(f"`{self.declared.name}` is indexed by [{sorts}], found {key!r}")
            self._held[key] = StateSet(self, key) if isinstance(self.kind, Set) else StateBag(self, key)
        return self._held[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        if not isinstance(value, StateSet | StateBag) or not self.is_like(value.cells):
            raise ModelError(
                f"`{self.declared.name}`: a set or a bag is given another field's of one kind with it, or changed by "
                "clear(), add(...), discard(...)"
            )
        if key != () and key not in self._keys:
            self[key]  # which says what is wrong
        given = {member: value.cells.times(value.key, member) for member in self.members}
        for member, times in given.items():
            self.put(key, member, times)
        self._held.pop(key, None)

    def is_like(self, other: MemberCells) -> bool:
        """Whether both hold values of one kind, and in bags as many of them."""
        same = type(self.kind) is type(other.kind) and self.kind.element == other.kind.element
        return same and getattr(self.kind, "most", 0) == getattr(other.kind, "most", 0)

    def __bool__(self) -> bool:
        raise ModelError(f"`{self.declared.name}` is an array: read one of its cells")

    def __eq__(self, other: object) -> bool:
        return bool(self)

    __ne__ = __eq__
    __hash__ = None  # type: ignore[assignment]


def _joined(key: Any, indices: tuple[Any, ...]) -> Any:
    whole = ((*key, *indices) if isinstance(key, tuple) else (key, *indices)) if indices else key
    return whole[0] if isinstance(whole, tuple) and len(whole) == 1 else whole


def _members(kind: Set[Any] | Bag[Any], parts: list[Any], sizes: Mapping[str, int]) -> Iterator[Member]:
    kinds = [part.kind for part in parts_of_value(kind.element, "", "", False)]
    for pattern, cells in zip(patterns(kind.element), parts, strict=True):
        sorts = axes(kind.element, pattern)
        every = [values_of(sort, sizes[sort.__name__]) for sort in sorts]
        for numbers in itertools.product(*(range(len(values)) for values in every)):
            indices = tuple(values[number] for values, number in zip(every, numbers, strict=True))
            left = iter(indices)
            row = row_at(kind.element, pattern, numbers)
            values = [
                next(left) if code is None else part.decode(stored)
                for part, code, stored in zip(kinds, pattern, row, strict=True)
            ]
            yield value_of_parts(kind.element, values), cells, indices


class StateSet(set[Any]):
    """The set in a cell. It is gone through in the order of its cells."""

    def __init__(self, cells: MemberCells, key: Any) -> None:
        super().__init__(value for value in cells.members if cells.times(key, value))
        self._cells, self._key = cells, key
        self.cells, self.key = cells, key

    def __iter__(self) -> Iterator[Any]:
        return iter([value for value in self._cells.members if set.__contains__(self, value)])

    def __eq__(self, other: object) -> bool:
        return set.__eq__(self, self._other(other))

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __le__(self, other: object) -> bool:
        return set.__le__(self, self._other(other))

    def __ge__(self, other: object) -> bool:
        return set.__ge__(self, self._other(other))

    def __lt__(self, other: object) -> bool:
        raise ModelError("sets are compared by `<=`, `>=`, `==` and `!=`")

    __gt__ = __lt__
    __hash__ = None

    def _other(self, other: object) -> StateSet:
        if not isinstance(other, StateSet) or not self._cells.is_like(other.cells):
            raise ModelError("a set is compared: with another field's set of one kind with it, or ask what is in it")
        return other

    def __contains__(self, value: Any) -> bool:
        return set.__contains__(self, self._cells.checked(value))

    def add(self, value: Any) -> None:
        """Puts a value in."""
        super().add(self._cells.checked(value))
        self._cells.put(self._key, value, 1)

    send = add

    def discard(self, value: Any) -> None:
        """Takes a value out, if it is in."""
        super().discard(self._cells.checked(value))
        self._cells.put(self._key, value, 0)

    def remove(self, value: Any) -> None:
        """Takes a value out that is in."""
        super().remove(self._cells.checked(value))
        self._cells.put(self._key, value, 0)

    def receive(self, value: Any) -> None:
        """Takes a message out; where it is not there, the action cannot happen."""
        if value not in self:
            raise Disabled
        self.remove(value)

    def clear(self) -> None:
        """Takes all out."""
        for value in list(self):
            self.discard(value)

    def update(self, *more: Iterable[Any]) -> None:
        """Puts all of them in."""
        for values in more:
            for value in list(values):
                self.add(value)


class StateBag:
    """The bag in a cell."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, cells: MemberCells, key: Any) -> None:
        assert isinstance(cells.kind, Bag)
        self._cells, self._key, self._kind = cells, key, cells.kind
        self.cells, self.key = cells, key

    def __iter__(self) -> Iterator[Any]:
        return iter([value for value in self._cells.members for _ in range(self._cells.times(self._key, value))])

    def __contains__(self, value: Any) -> bool:
        return self.count(value) > 0

    def __len__(self) -> int:
        return sum(self._cells.times(self._key, value) for value in self._cells.members)

    def __eq__(self, other: object) -> bool:
        mine = self._cells.kind.element
        if not isinstance(other, StateBag) or mine != other.cells.kind.element:
            raise ModelError("a bag is compared: with another field's bag of one kind with it, or by `.count(...)`")
        return all(self.count(value) == other.count(value) for value in self._cells.members)

    def count(self, value: Any) -> int:
        """How often a value is in it."""
        return self._cells.times(self._key, self._cells.checked(value))

    def add(self, value: Any) -> None:
        """Puts a value in once more; where it is full of it, as its kind says."""
        times = self.count(value)
        if times < self._kind.most:
            self._cells.put(self._key, value, times + 1)
        elif self._kind.drop is None:
            raise self._cells.leaving(self._key, self._kind.overflow)

    send = add

    def discard(self, value: Any) -> None:
        """Takes a value out once, if it is in."""
        self._cells.put(self._key, value, max(self.count(value) - 1, 0))

    def remove(self, value: Any) -> None:
        """Takes a value out once that is in."""
        if value not in self:
            raise KeyError(value)
        self.discard(value)

    def receive(self, value: Any) -> None:
        """Takes a message out once; where it is not there, the action cannot happen."""
        if value not in self:
            raise Disabled
        self.discard(value)

    def clear(self) -> None:
        """Takes all out."""
        for value in self._cells.members:
            self._cells.put(self._key, value, 0)
