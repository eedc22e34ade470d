"""``forall`` and ``exists``."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType

from onceproof.model.language.declare import is_sort
from onceproof.model.language.errors import ModelError
from onceproof.model.language.reading.comprehensions import quantify
from onceproof.model.language.reading.interpreter import Interpreter
from onceproof.model.language.reading.operators import condition
from onceproof.model.language.reading.values import Closure, Symbol, Value, value_of
from onceproof.model.language.sorts import Index
from onceproof.model.language.terms import Var


def quantifier(universal: bool) -> Callable[[Interpreter, list[Value], dict[str, Value]], Value]:
    """``forall`` (or ``exists``) of sorts and a function of their elements."""
    name = "forall" if universal else "exists"

    def read(interpreter: Interpreter, arguments: list[Value], keywords: dict[str, Value]) -> Value:
        *sorts, body = arguments or (None,)
        if keywords or not sorts or not all(map(is_sort, sorts)) or not isinstance(body, FunctionType | Closure):
            raise ModelError(f"expected {name}(Sort, ..., lambda element, ...: condition)")

        def once(variables: tuple[Var, ...]) -> Value:
            elements = [Symbol(variable, Index(variable.sort)) for variable in variables]
            return value_of(condition(interpreter, interpreter.call(body, elements)))

        return value_of(quantify(interpreter, universal, sorts, once))

    return read
