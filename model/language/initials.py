"""``@initial``: functions that say how a system may start. Each way to choose in them is an initial state."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from onceproof.model.language.arguments import parameters_of
from onceproof.model.language.declare import Action, Fairness
from onceproof.model.language.errors import ModelError, OutOfRange, located

INITIALLY = "initially"  # what the start is called where steps have the name of their action
Codes = tuple[int, ...]
MOST_INITIAL = 1_000_000  # initial states that a model may have


@dataclass(eq=False)
class Initial(Action):
    """The start of a model, or the part of it that one function says. It is no step, although it is read like one."""

    parts: tuple[Callable[..., None], ...] = ()

    @property
    def functions(self) -> tuple[Callable[..., Any], ...]:
        """The functions of its author that it is made of."""
        return self.parts

    @property
    def what(self) -> str:
        """How messages call it: "@initial `start`"."""
        return "@initial " + ", ".join(f"`{part.__name__}`" for part in self.parts)


def initial(function: Callable[..., None], /) -> Initial:
    """Marks a function that says how the system may start: ``st.big = choose_from(range(6))``.

    It begins where every cell has the value that its field is declared to start with, and each way to choose in it is
    an initial state; where a ``require`` is false there is none. Of several such functions each has fields of its own.
    """
    if parameters_of(function):
        raise ModelError(
            f"`{function.__name__}` is an @initial function, and takes the state alone: what differs from one initial "
            "state to the next is chosen in it, as in `node = choose(Node)`"
        )
    return Initial(function, (), fairness=Fairness.NONE, name=function.__name__, parts=(function,))


def together(found: Sequence[Initial]) -> Initial | None:
    """All @initial functions of a model as one, which runs them in turn; None where there is none."""
    if not found:
        return None
    parts = tuple(part for one in found for part in one.parts)

    def run(st: Any) -> None:
        for part in parts:
            part(st)

    return Initial(
        parts[0] if len(parts) == 1 else run,
        (),
        fairness=Fairness.NONE,
        name=INITIALLY,
        component=found[0].component,
        parts=parts,
    )


def listed(start: Action, ways: Iterator[tuple[Codes, Codes]]) -> dict[Codes, Codes]:
    """The initial states in the order of their choices, each with the first choices that lead to it.

    ways: every way through the start, in any order, as what is chosen and the state after it. ModelError where there is
    none, as of no state nothing could be said, where there are too many, and where one leaves the range of a field: a
    violation has a run, and here none has begun.
    """
    function = start.functions[0]
    try:
        found = sorted(itertools.islice(ways, MOST_INITIAL + 1))
    except OutOfRange as error:
        raise ModelError(error.message, error.place) from None
    if len(found) > MOST_INITIAL:
        text = f"it has more than {MOST_INITIAL:,} ways to choose: leave some of them to a first action"
        raise located(text, start.what, function)
    if not found:
        text = "there is no initial state: on every way through it a `require` is false, or nothing can be chosen"
        raise located(text, start.what, function)
    first = {state: choices for choices, state in reversed(found)}
    return dict(reversed(first.items()))
