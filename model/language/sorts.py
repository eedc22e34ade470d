"""Sorts (the index sets of a model) and kinds (what one cell of a field may hold)."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as attribute
from enum import Enum
from typing import Annotated, Any, ClassVar, Protocol, TypeVar

from onceproof.model.language.errors import ModelError, OutOfRange
from onceproof.model.language.mode import current
from onceproof.model.language.parameters import ModelParameter, bound_under

T = TypeVar("T")


W = TypeVar("W", covariant=True)


class Holding(Protocol[W]):
    """For type checkers: a kind that is a value, such as ``Count(2)``."""

    def decode(self, code: int, /) -> W:
        """What a cell holds."""


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
    ordered: the elements have an order, and with it ``<``, ``n + 1``, ``n - 1``, ``first(Node)`` and ``last(Node)``.
    """

    size_name: ClassVar[str]
    default_size: ClassVar[int]
    symmetric: ClassVar[bool]
    ordered: ClassVar[bool] = False
    values: ClassVar[Kind | None] = None  # of a set of values, say of an enum, that stands for a sort: their kind

    def __init_subclass__(
        cls, *, size: str | None = None, default: int = 1, symmetric: bool = False, ordered: bool = False
    ) -> None:
        if type(default) is not int or default < 1:
            raise ModelError(
                f"sort `{cls.__name__}`: its default must be a whole number of at least 1, found {default!r}"
            )
        if symmetric and ordered:
            raise ModelError(f"sort `{cls.__name__}`: its elements are symmetric or ordered, not both")
        cls.size_name = size or f"{cls.__name__.lower()}s"
        cls.default_size = default
        cls.symmetric, cls.ordered = symmetric, ordered

    @classmethod
    def element(cls, index: int) -> str:
        """The name of the element with this 0-based index: ``message1`` is the first."""
        return f"{cls.__name__.lower()}{index + 1}"


class Ordered(Sort, ordered=True):
    """A sort with ``ordered=True`` whose order type checkers know, too: ``class Floor(Ordered): "A floor."``."""

    def __init_subclass__(cls, *, size: str | None = None, default: int = 1, symmetric: bool = False) -> None:
        super().__init_subclass__(size=size, default=default, symmetric=symmetric, ordered=True)

    if typing.TYPE_CHECKING:
        __hash__ = object.__hash__

        def __lt__(self, other: typing.Self) -> bool: ...
        def __le__(self, other: typing.Self) -> bool: ...
        def __gt__(self, other: typing.Self) -> bool: ...
        def __ge__(self, other: typing.Self) -> bool: ...
        def __add__(self, other: int) -> typing.Self: ...
        def __sub__(self, other: int) -> typing.Self: ...


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

    @property
    def strict(self) -> bool:
        """Whether a step may try to write a value that such a cell cannot hold, which is a violation."""
        return False

    def show(self, code: int) -> Any:
        """The value as JSON can hold it: names of elements and of enum members, numbers, true and false, null."""
        return self.decode(code)

    def under(self, parameters: Mapping[str, int]) -> Any:
        """The same kind with bounds that are parameters replaced by what these are set to."""
        return self


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
        if type(value) is int or (self.sort.ordered and isinstance(value, int) and type(value) is not bool):
            return int(value)
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
        if type(value) is int or (self.sort.ordered and isinstance(value, int) and type(value) is not bool):
            return int(value) + 1
        raise ModelError(f"expected a {self.sort.__name__} or None, found {value!r}")

    def decode(self, code: int) -> int | None:
        return code - 1 if code else None

    def show(self, code: int) -> str | None:
        return self.sort.element(code - 1) if code else None


@dataclass(frozen=True, slots=True)
class Count(_Kind):
    """A whole number from 0 to ``most``; a step that would leave that range is a violation.

    most: a number, or a parameter of the model until ``under`` says what it is.
    saturate: it stays at its ends instead: read ``Count(2, saturate=True)`` as none, one, many.
    """

    most: int
    saturate: bool = attribute(default=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.most, ModelParameter) and (
            type(self.most) is not int or not -1 <= self.most <= MOST_COUNTED
        ):
            raise ModelError(f"Count(n): expected a whole number from 1 to {MOST_COUNTED:,}, found {self.most!r}")

    @property
    def low(self) -> int:
        """The least value."""
        return 0

    @property
    def high(self) -> int:
        """The greatest value."""
        return self.most

    def cardinality(self, sizes: Mapping[str, int]) -> int:
        return self.most + 1

    def encode(self, value: Any) -> int:
        if type(value) is not int:
            raise ModelError(f"expected a whole number, found {value!r}")
        if not self.saturate and not 0 <= value <= self.most:
            raise OutOfRange(f"{value} {self.out_of_range}", value=str(value))
        return self.clipped(value)

    @property
    def strict(self) -> bool:
        return not self.saturate

    def clipped(self, value: int) -> int:
        """The stored number of a number brought into the range."""
        return min(max(value, 0), self.most)

    @property
    def out_of_range(self) -> str:
        """What is said of a number that leaves the range, and what can be done about it."""
        remedy = f"let a guard keep it there, or declare Count({self.most}, saturate=True)"
        return f"is not within 0 to {self.most}: {remedy}"

    def decode(self, code: int) -> int:
        return code

    def under(self, parameters: Mapping[str, int]) -> Count:
        return Count(bound_under(self.most, parameters), self.saturate)


@dataclass(frozen=True, slots=True)
class Int(_Kind):
    """A whole number from ``low`` to ``high``; to leave it is a violation. Stored is value - low.

    Each bound is a number, or a parameter of the model until ``under`` says what it is.
    """

    low: int
    high: int

    if typing.TYPE_CHECKING:

        def __iter__(self) -> Iterator[int]: ...  # so that checkers know what an index of a field may be

    def __post_init__(self) -> None:
        for bound in (self.low, self.high):
            if not isinstance(bound, ModelParameter) and (type(bound) is not int or abs(bound) > MOST_COUNTED):
                raise ModelError(
                    f"Int(low, high): expected whole numbers from -{MOST_COUNTED:,} to {MOST_COUNTED:,}, "
                    f"found {bound!r}"
                )
        if type(self.low) is int and type(self.high) is int and self.low > self.high:
            raise ModelError(f"Int(low, high): {self.low} is more than {self.high}, so that there is no value")

    def cardinality(self, sizes: Mapping[str, int]) -> int:
        return self.high - self.low + 1

    def encode(self, value: Any) -> int:
        if type(value) is not int:
            raise ModelError(f"expected a whole number, found {value!r}")
        if not self.low <= value <= self.high:
            raise OutOfRange(f"{value} {self.out_of_range}", value=str(value))
        return value - self.low

    @property
    def strict(self) -> bool:
        return True

    def clipped(self, value: int) -> int:
        """The stored number of a number brought into the range."""
        return min(max(value, self.low), self.high) - self.low

    @property
    def out_of_range(self) -> str:
        """What is said of a number that leaves the range, and what can be done about it."""
        return f"{self.outside}: let a guard keep it there, or declare wider bounds"

    @property
    def outside(self) -> str:
        """What is said of a number that is out of range."""
        return f"is not within {self.low} to {self.high}"

    def decode(self, code: int) -> int:
        return code + self.low

    def under(self, parameters: Mapping[str, int]) -> Int:
        return Int(bound_under(self.low, parameters), bound_under(self.high, parameters))


Kind = Flag | Choice | Index | Maybe | Count | Int
"""What a cell may hold: every kind that there is, so that whoever takes them apart can end in ``assert_never``."""


def kind_of(annotation: Any) -> Kind:
    """The kind that a declaration means: ``bool``, an Enum, a Sort, ``Optional[Sort]``, ``Count(n)`` or ``Int(a, b)``.

    Raises ModelError for anything else.
    """
    if isinstance(annotation, Int) or (
        isinstance(annotation, Count) and annotation.most != 0 and annotation.most != -1
    ):
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
    raise ModelError(
        f"a field holds bool, an Enum, a Sort, Optional[Sort], Count(n) or Int(low, high), not {annotation!r}"
    )
