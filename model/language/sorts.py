"""Sorts (the index sets of a model) and kinds (what one cell of a field may hold)."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as attribute
from enum import Enum
from typing import Annotated, Any, ClassVar, TypeVar

from onceproof.model.language.errors import ModelError
from onceproof.model.language.mode import current

T = TypeVar("T")


class SortType(type):
    """Makes ``for message in Message`` mean: for every element of the sort, in the model that runs just now.

    And ``len(Message)`` how many there are.
    """

    def __iter__(cls: type[T]) -> Iterator[T]:
        return current().iterate(cls)

    def __len__(cls) -> int:
        return current().size(typing.cast("type[Sort]", cls))

    def __bool__(cls) -> bool:
        return True


class Sort(metaclass=SortType):
    """A finite set of alike things, declared by a subclass: ``class Message(Sort): "A message in the queue."``

    size: the key that sets how many there are (default: the name in lower case and an "s").
    default: how many there are when a configuration does not say.
    symmetric: the elements are interchangeable, so that exploration may treat renamed states as one.
    """

    size_name: ClassVar[str]
    default_size: ClassVar[int]
    symmetric: ClassVar[bool]

    def __init_subclass__(cls, *, size: str | None = None, default: int = 1, symmetric: bool = False) -> None:
        if type(default) is not int or default < 1:
            raise ModelError(
                f"sort `{cls.__name__}`: its default must be a whole number of at least 1, found {default!r}"
            )
        cls.size_name = size or f"{cls.__name__.lower()}s"
        cls.default_size = default
        cls.symmetric = symmetric

    @classmethod
    def element(cls, index: int) -> str:
        """The name of the element with this 0-based index: ``message1`` is the first."""
        return f"{cls.__name__.lower()}{index + 1}"


S = TypeVar("S", bound=Sort)
MOST_COUNTED = 10_000  # what a count, or a budget, may be


class Unused:
    """The mark in ``Fresh[Message]``."""


Fresh = Annotated[S, Unused]
"""``message: Fresh[Message]`` as a parameter: any element for which the action is enabled will do.

Such elements are alike (unused ids), so exploration takes the first one; a proof lets it be any.
"""


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a cell may hold. Cells are stored as small whole numbers; 0 is the value that a cell starts with."""

    def cardinality(self, sizes: Mapping[str, int]) -> int:
        """How many values there are, in a model with these sizes (by sort name)."""
        raise NotImplementedError

    def encode(self, value: Any) -> int:
        """The stored number of a Python value; ModelError where the value does not fit."""
        raise NotImplementedError

    def decode(self, code: int) -> Any:
        """The Python value of a stored number."""
        raise NotImplementedError

    def show(self, code: int) -> Any:
        """The value as JSON can hold it: names of elements and of enum members, numbers, true and false, null."""
        return self.decode(code)


@dataclass(frozen=True, slots=True)
class Flag(_Kind):
    """True or False."""

    def cardinality(self, sizes: Mapping[str, int]) -> int:
        return 2

    def encode(self, value: Any) -> int:
        if value is True or value is False:
            return int(value)
        raise ModelError(f"expected True or False, found {value!r}")

    def decode(self, code: int) -> bool:
        return bool(code)


@dataclass(frozen=True, slots=True)
class Choice(_Kind):
    """One member of an enum, numbered in the order of its definition."""

    enum: type[Enum]

    def cardinality(self, sizes: Mapping[str, int]) -> int:
        return len(self.enum)

    def encode(self, value: Any) -> int:
        if isinstance(value, self.enum):
            return list(self.enum).index(value)
        members = ", ".join(member.name for member in self.enum)
        raise ModelError(f"expected a {self.enum.__name__} ({members}), found {value!r}")

    def decode(self, code: int) -> Enum:
        return list(self.enum)[code]

    def show(self, code: int) -> str:
        return self.decode(code).name


@dataclass(frozen=True, slots=True)
class Index(_Kind):
    """An element of a sort."""

    sort: type[Sort]

    def cardinality(self, sizes: Mapping[str, int]) -> int:
        return sizes[self.sort.__name__]

    def encode(self, value: Any) -> int:
        if type(value) is int:
            return value
        raise ModelError(f"expected a {self.sort.__name__}, found {value!r}")

    def decode(self, code: int) -> int:
        return code

    def show(self, code: int) -> str:
        return self.sort.element(code)


@dataclass(frozen=True, slots=True)
class Maybe(_Kind):
    """An element of a sort, or None."""

    sort: type[Sort]

    def cardinality(self, sizes: Mapping[str, int]) -> int:
        return sizes[self.sort.__name__] + 1

    def encode(self, value: Any) -> int:
        if value is None:
            return 0
        if type(value) is int:
            return value + 1
        raise ModelError(f"expected a {self.sort.__name__} or None, found {value!r}")

    def decode(self, code: int) -> int | None:
        return code - 1 if code else None

    def show(self, code: int) -> str | None:
        return self.sort.element(code - 1) if code else None


@dataclass(frozen=True, slots=True)
class Count(_Kind):
    """A whole number from 0 to ``most``; a step that would leave that range fails.

    saturate: it stays at its ends instead: read ``Count(2, saturate=True)`` as none, one, many.
    """

    most: int
    saturate: bool = attribute(default=False, compare=False)

    def __post_init__(self) -> None:
        if type(self.most) is not int or not -1 <= self.most <= MOST_COUNTED:
            raise ModelError(f"Count(n): expected a whole number from 1 to {MOST_COUNTED:,}, found {self.most!r}")

    def cardinality(self, sizes: Mapping[str, int]) -> int:
        return self.most + 1

    def encode(self, value: Any) -> int:
        if type(value) is not int:
            raise ModelError(f"expected a whole number, found {value!r}")
        if not self.saturate and not 0 <= value <= self.most:
            raise ModelError(f"{value} {self.out_of_range}")
        return self.clipped(value)

    def clipped(self, value: int) -> int:
        """A number brought into the range."""
        return min(max(value, 0), self.most)

    @property
    def out_of_range(self) -> str:
        """What is said of a number that leaves the range, and what can be done about it."""
        remedy = f"let a guard keep it there, or declare Count({self.most}, saturate=True)"
        return f"is not within 0 to {self.most}: {remedy}"

    def decode(self, code: int) -> int:
        return code


Kind = Flag | Choice | Index | Maybe | Count
"""What a cell may hold: every kind that there is, so that whoever takes them apart can end in ``assert_never``."""


def kind_of(annotation: Any) -> Kind:
    """The kind that a declaration means: ``bool``, an Enum, a Sort, ``Optional[Sort]`` or ``Count(n)``.

    Raises ModelError for anything else.
    """
    if isinstance(annotation, Count) and annotation.most > 0:
        return annotation
    if annotation is bool:
        return Flag()
    if isinstance(annotation, type) and issubclass(annotation, Enum) and len(annotation):
        return Choice(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Sort):
        return Index(annotation)
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        inner = [part for part in typing.get_args(annotation) if part is not type(None)]
        if len(inner) == 1 and isinstance(inner[0], type) and issubclass(inner[0], Sort):
            return Maybe(inner[0])
    raise ModelError(f"a field holds bool, an Enum, a Sort, Optional[Sort] or Count(n), not {annotation!r}")
