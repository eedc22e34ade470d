"""What loops, quantifiers and guards mean while a model function runs. The only global of the language."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeAlias

from onceproof.model.language.errors import ModelError

# A subclass of ``Sort``. That class asks this module for its elements, so this module does not import it.
SortClass: TypeAlias = type[Any]


class Mode(Protocol):
    """What ``for``, ``forall``, ``exists`` and ``require`` mean while a model function runs.

    skips_given: only what a property claims is asked, whether or not its ``given`` is true.
    """

    skips_given: bool

    def iterate(self, sort: SortClass) -> Iterator[Any]:
        """The elements of a sort, for a ``for`` loop."""

    def size(self, sort: SortClass) -> int:
        """How many elements a sort has."""

    def choose(self, options: Any, allowed: Callable[[Any], bool] | None) -> Any:
        """One of the options for which ``allowed`` is true."""

    def records(self, kind: Any, allowed: Callable[[Any], bool] | None) -> list[Any]:
        """All records of a kind for which ``allowed`` is true."""

    def element(self, sort: SortClass, place: int) -> Any:
        """An element of an ordered sort by its place: 0 is the first one, -1 the last."""

    def quantify(self, universal: bool, sorts: tuple[SortClass, ...], body: Callable[..., Any]) -> Any:
        """Whether ``body`` is true of all (or some) elements."""

    def guard(self, condition: Any, what: str) -> bool:
        """The truth of the condition of a ``require`` (of an action) or a ``given`` (of a property)."""


_stack: list[Mode] = []


def current() -> Mode:
    """The mode that is active; ModelError outside an action or a property."""
    if not _stack:
        raise ModelError("a sort has elements only inside an action or a property of a built model")
    return _stack[-1]


@contextmanager
def active(mode: Mode) -> Iterator[None]:
    """Makes ``mode`` the active one for the duration of a ``with`` block."""
    _stack.append(mode)
    try:
        yield
    finally:
        _stack.pop()


def enter(mode: Mode) -> None:
    """As ``active`` but without the cost of a ``with``, for loops that run actions millions of times."""
    _stack.append(mode)


def leave() -> None:
    """Ends what ``enter`` began."""
    _stack.pop()
