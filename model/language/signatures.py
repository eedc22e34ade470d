"""What type checkers and editors take the declarations for: a field is what its cells hold, a switch is a bool.

When a model runs, these names are those of ``declare``. The signatures stand apart as there is one for each number of
indices. A kind that is written as a type (``bool``, an Enum, a Sort, ``Optional[Sort]``) is a ``TypeForm``; any other
kind says by the result of its ``decode`` what its cells hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from onceproof.model.language import declare, parameters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from enum import Enum
    from typing import Any, Generic, Never, Protocol, Self, TypeAlias, TypedDict, TypeVar, Unpack, overload

    from typing_extensions import TypeForm

    from onceproof.model.language.sorts import Holding, Sort

    V = TypeVar("V")  # what a cell holds
    K = TypeVar("K")  # what an array is indexed by
    Init = TypeVar("Init")  # what a cell starts with, or a function of the numbers of its indices
    A = TypeVar("A", bound=Sort | Enum | int)
    B = TypeVar("B", bound=Sort | Enum | int)
    C = TypeVar("C", bound=Sort | Enum | int)
    D = TypeVar("D", bound=Sort | Enum | int)
    E = TypeVar("E", bound=Sort | Enum | int)
    F = TypeVar("F", bound=Sort | Enum | int)

    P = TypeVar("P")  # what quantifiers go through: elements of sorts, and records
    Q = TypeVar("Q")
    R = TypeVar("R")
    S = TypeVar("S")
    T = TypeVar("T")
    U = TypeVar("U")

    Axis: TypeAlias = Iterable[A]  # a sort, an Enum, or ``Int(low, high)``: what it goes through

    class Setting(int):
        """A parameter: a whole number that the configuration sets; no action changes it."""

        @overload
        def __get__(self, state: None, owner: object) -> Self: ...
        @overload
        def __get__(self, state: object, owner: object) -> int: ...
        def __get__(self, state: object, owner: object) -> Any: ...
        def __set__(self, state: object, value: Never) -> None: ...

    class Cell(Generic[V]):
        """A field without an index: ``st.locked``."""

        @overload
        def __get__(self, state: None, owner: object) -> Self: ...
        @overload
        def __get__(self, state: object, owner: object) -> V: ...
        def __get__(self, state: object, owner: object) -> Any: ...
        def __set__(self, state: object, value: V) -> None: ...

    class Array(Generic[K, V]):
        """The cells of a field with indices: ``st.writing[worker]``, ``st.work[scheduler, message]``."""

        __iter__: None
        __contains__: None

        def __getitem__(self, key: K) -> V:
            raise NotImplementedError

        def __setitem__(self, key: K, value: V) -> None: ...

    class Cells(Generic[K, V]):
        """A field with indices. Its cells are written, never the whole."""

        @overload
        def __get__(self, state: None, owner: object) -> Self: ...
        @overload
        def __get__(self, state: object, owner: object) -> Array[K, V]: ...
        def __get__(self, state: object, owner: object) -> Any: ...
        def __set__(self, state: object, value: Never) -> None: ...

    class Mechanism:
        """A switch: on or off as the configuration says; no action changes it."""

        @overload
        def __get__(self, state: None, owner: object) -> Self: ...
        @overload
        def __get__(self, state: object, owner: object) -> bool: ...
        def __get__(self, state: object, owner: object) -> Any: ...
        def __set__(self, state: object, value: Never) -> None: ...

    Start: TypeAlias = bool | int | Enum | list[Any] | None

    class Options(TypedDict, Generic[Init], total=False):
        """What may be said of any field; ``declare.field`` says what it means."""

        init: Init
        ghost: bool
        network: bool
        constant: bool
        doc: str

    Options0: TypeAlias = Options[Start]
    Options1: TypeAlias = Options[Start | Callable[[int], Start]]
    Options2: TypeAlias = Options[Start | Callable[[int, int], Start]]
    Options3: TypeAlias = Options[Start | Callable[[int, int, int], Start]]
    Options4: TypeAlias = Options[Start | Callable[[int, int, int, int], Start]]
    Options5: TypeAlias = Options[Start | Callable[[int, int, int, int, int], Start]]
    Options6: TypeAlias = Options[Start | Callable[[int, int, int, int, int, int], Start]]

    @overload
    def field(kind: TypeForm[V], /, **options: Unpack[Options0]) -> Cell[V]: ...
    @overload
    def field(kind: Holding[V], /, **options: Unpack[Options0]) -> Cell[V]: ...
    @overload
    def field(a: Axis[A], kind: TypeForm[V], /, **options: Unpack[Options1]) -> Cells[A, V]: ...
    @overload
    def field(a: Axis[A], kind: Holding[V], /, **options: Unpack[Options1]) -> Cells[A, V]: ...
    @overload
    def field(a: Axis[A], b: Axis[B], kind: TypeForm[V], /, **options: Unpack[Options2]) -> Cells[tuple[A, B], V]: ...
    @overload
    def field(a: Axis[A], b: Axis[B], kind: Holding[V], /, **options: Unpack[Options2]) -> Cells[tuple[A, B], V]: ...
    @overload
    def field(
        a: Axis[A], b: Axis[B], c: Axis[C], kind: TypeForm[V], /, **options: Unpack[Options3]
    ) -> Cells[tuple[A, B, C], V]: ...
    @overload
    def field(
        a: Axis[A], b: Axis[B], c: Axis[C], kind: Holding[V], /, **options: Unpack[Options3]
    ) -> Cells[tuple[A, B, C], V]: ...
    @overload
    def field(
        a: Axis[A], b: Axis[B], c: Axis[C], d: Axis[D], kind: TypeForm[V], /, **options: Unpack[Options4]
    ) -> Cells[tuple[A, B, C, D], V]: ...
    @overload
    def field(
        a: Axis[A], b: Axis[B], c: Axis[C], d: Axis[D], kind: Holding[V], /, **options: Unpack[Options4]
    ) -> Cells[tuple[A, B, C, D], V]: ...
    @overload
    def field(
        a: Axis[A], b: Axis[B], c: Axis[C], d: Axis[D], e: Axis[E], kind: TypeForm[V], /, **options: Unpack[Options5]
    ) -> Cells[tuple[A, B, C, D, E], V]: ...
    @overload
    def field(
        a: Axis[A], b: Axis[B], c: Axis[C], d: Axis[D], e: Axis[E], kind: Holding[V], /, **options: Unpack[Options5]
    ) -> Cells[tuple[A, B, C, D, E], V]: ...
    @overload
    def field(
        a: Axis[A],
        b: Axis[B],
        c: Axis[C],
        d: Axis[D],
        e: Axis[E],
        f: Axis[F],
        kind: TypeForm[V],
        /,
        **options: Unpack[Options6],
    ) -> Cells[tuple[A, B, C, D, E, F], V]: ...
    @overload
    def field(
        a: Axis[A],
        b: Axis[B],
        c: Axis[C],
        d: Axis[D],
        e: Axis[E],
        f: Axis[F],
        kind: Holding[V],
        /,
        **options: Unpack[Options6],
    ) -> Cells[tuple[A, B, C, D, E, F], V]: ...
    def field(*shape: Any, **options: Any) -> Any:
        """Declares a field: index sorts first, what a cell holds last, ``field(Scheduler, Message, Work)``."""

    def parameter(*, default: int, least: int = ..., doc: str = ...) -> Setting:
        """Declares a parameter, a whole number that a spec sets: ``retries = parameter(default=2, least=0)``."""
        raise NotImplementedError

    def switch(*, on: str, off: str, default: bool = ...) -> Mechanism:
        """Declares a mechanism: what the system does with it ``on``, and with it ``off``."""
        raise NotImplementedError

    class Quantifier(Protocol):
        """``forall`` and ``exists``: up to six sorts or records, and a function of an element of each."""

        @overload
        def __call__(self, a: type[P], body: Callable[[P], bool], /) -> bool: ...
        @overload
        def __call__(self, a: type[P], b: type[Q], body: Callable[[P, Q], bool], /) -> bool: ...
        @overload
        def __call__(self, a: type[P], b: type[Q], c: type[R], body: Callable[[P, Q, R], bool], /) -> bool: ...
        @overload
        def __call__(
            self, a: type[P], b: type[Q], c: type[R], d: type[S], body: Callable[[P, Q, R, S], bool], /
        ) -> bool: ...
        @overload
        def __call__(
            self, a: type[P], b: type[Q], c: type[R], d: type[S], e: type[T], body: Callable[[P, Q, R, S, T], bool], /
        ) -> bool: ...
        @overload
        def __call__(
            self,
            a: type[P],
            b: type[Q],
            c: type[R],
            d: type[S],
            e: type[T],
            f: type[U],
            body: Callable[[P, Q, R, S, T, U], bool],
            /,
        ) -> bool: ...
        def __call__(self, *sorts_then_body: Any) -> bool: ...

    forall: Quantifier
    """``forall(Message, lambda m: ...)``: true of every message (of every pair, with two sorts, and so on)."""
    exists: Quantifier
    """``exists(Scheduler, Message, lambda s, m: ...)``: true of some scheduler and message."""

else:
    field, switch, forall, exists = declare.field, declare.switch, declare.forall, declare.exists
    parameter = parameters.parameter
