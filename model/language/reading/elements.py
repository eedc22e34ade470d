"""The elements of sorts, where there are so many."""

from __future__ import annotations

from onceproof.model.language.errors import ModelError
from onceproof.model.language.reading.interpreter import Interpreter
from onceproof.model.language.reading.values import Item, Symbol, Value, value_of
from onceproof.model.language.sorts import Index, Int, Kind, Sort
from onceproof.model.language.terms import TRUE, Const, Term, number, plus


def elements_of(interpreter: Interpreter, sort: type[Sort]) -> tuple[Item, ...]:
    """The elements of a sort, in their order; ModelError where there may be any number."""
    if interpreter.any_size:
        raise ModelError(any_number(sort))
    if sort.__name__ not in interpreter.sizes:
        raise ModelError(f"the model has no field, action or property over {sort.__name__}: it has no size")
    interpreter.ordered.add(sort.__name__)
    kind = Index(sort)
    return tuple((TRUE, Symbol(Const(kind, number), kind)) for number in range(interpreter.sizes[sort.__name__]))


def any_number(sort: type[Sort], reason: str = "its elements are gone through one after the other") -> str:
    """Why a loop over a sort cannot be read for any size."""
    return f"{reason}, and here {sort.__name__} has any number of elements: say it with `forall` or `exists`"


def value_at(kind: Kind, variable: Term) -> Value:
    """The value that a variable over the values of a kind stands for (see ``index_sets.domain``)."""
    return value_of(plus(variable, number(kind.low))) if isinstance(kind, Int) else Symbol(variable, kind)
