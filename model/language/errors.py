"""What can go wrong while a model is declared, built, run or read; each message names the place and the remedy."""

from __future__ import annotations

import difflib
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

LANGUAGE_FOLDER = str(Path(__file__).parent)


class ModelError(Exception):
    """The model is wrong (not the system modelled): an undeclared field, a value of the wrong kind.

    ``place`` is "action `receive`, queue.py:41" once it is known.
    """

    def __init__(self, message: str, place: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.place = place

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message


class OutOfRange(ModelError):
    """A step writes a value of the right kind that its cell cannot hold: a count beyond its end, a sequence too long.

    Where that happens in a run it is a violation, with its trace. field: the name of the field, "" until it is known;
    cell: as a person writes it; value: as Python prints it.
    """

    def __init__(
        self, message: str, place: str | None = None, *, field: str = "", cell: str = "", value: str = ""
    ) -> None:
        super().__init__(message, place)
        self.field, self.cell, self.value = field, cell, value


class AxiomError(ModelError):
    """An axiom of the model is false in the instance that was to be built."""


class ConfigError(Exception):
    """A configuration asks for something that the model does not have: an unknown name, a wrong size or budget.

    ``key`` is the offending key, so that a reader of files can name the line.
    """

    def __init__(self, message: str, key: str | None = None) -> None:
        super().__init__(message)
        self.key = key


class InternalContradiction(Exception):
    """Two parts of onceproof contradict each other: a fault of onceproof, reported as one and never as a verdict."""


class Disabled(Exception):
    """Raised by ``require`` when a guard is false: the action cannot happen in this state."""


class Vacuous(Exception):
    """Raised by ``given`` when the antecedent of a property is false: nothing is claimed of this state."""


MISPLACED = {
    "require": "`require` is the guard of an action; what a property presupposes it says with `given`",
    "choose": "a choice is part of an action: a property says what is true whatever is chosen",
    "mapping": "a mapping gives every state one abstract state: it has no guards and no choices; use `if`",
    "given": "`given` is what a property presupposes; the guard of an action is `require`",
}


def misplaced(word: str, where: str) -> str:
    """Why ``word`` cannot stand in a function of which ``where`` is the word that may."""
    return MISPLACED["mapping" if where == "mapping" else word]


def nearest(name: str, known: Iterable[str]) -> str:
    """The tail of an error message that offers the nearest of the ``known`` names ("" where none is near)."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean `{close[0]}`?" if close else ""


def locate(error: BaseException, what: str, function: Callable[..., Any]) -> ModelError:
    """``error`` as a ModelError that names ``what`` (say "action `receive`") and the model author's line.

    The line is the innermost frame outside the language itself; without one, where ``function`` starts.
    """
    if isinstance(error, ModelError) and error.place is not None:
        return error
    line = _first_line(function)
    for frame in traceback.extract_tb(error.__traceback__):
        generated = frame.filename.startswith("<") and frame.filename != function.__code__.co_filename
        if not frame.filename.startswith(LANGUAGE_FOLDER) and not generated:
            line = f"{Path(frame.filename).name}:{frame.lineno}"
    text = error.message if isinstance(error, ModelError) else f"{type(error).__name__}: {error}"
    if isinstance(error, OutOfRange):
        return OutOfRange(text, f"{what}, {line}", field=error.field, cell=error.cell, value=error.value)
    return ModelError(text, f"{what}, {line}")


def located(message: str, what: str, function: Callable[..., Any]) -> ModelError:
    """A ModelError about a function as a whole, with the line where it starts."""
    return ModelError(message, f"{what}, {_first_line(function)}")


def _first_line(function: Callable[..., Any]) -> str:
    return f"{Path(function.__code__.co_filename).name}:{function.__code__.co_firstlineno}"
