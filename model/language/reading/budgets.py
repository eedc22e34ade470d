"""``used(st, crash)``: how much of a budget was used, as a term."""

from __future__ import annotations

import ast
from types import FunctionType, ModuleType
from typing import Any

from onceproof.model.language.budgets import UNCOUNTED, not_counted
from onceproof.model.language.declare import Action
from onceproof.model.language.errors import ModelError
from onceproof.model.language.layout import LEFT, budget_of
from onceproof.model.language.primes import primed
from onceproof.model.language.reading.interpreter import Interpreter
from onceproof.model.language.reading.values import Scope, StateValue, Value, value_of
from onceproof.model.language.sorts import Count
from onceproof.model.language.terms import Read, minus, number

IN_ACTION = "`used` is for properties: what a model does must not depend on what it is still allowed"
FOR_ANY_SIZE = (
    "`used` counts what a budget allows, and a proof allows each fault any number of times: name the properties to "
    "prove, without this one"
)


def used(interpreter: Interpreter, node: ast.Call) -> Value:
    """How much of the budget of an action was used."""
    if interpreter.guard_word == "require":
        raise ModelError(IN_ACTION)
    if interpreter.unbounded:
        raise ModelError(FOR_ANY_SIZE)
    state = interpreter.evaluate(node.args[0]) if len(node.args) == 2 and not node.keywords else None
    action = _meant(interpreter.scope, node.args[1]) if isinstance(state, StateValue) and not state.of else None
    if not isinstance(state, StateValue) or not isinstance(action, Action) or action.budget is None:
        raise ModelError(not_counted(action if isinstance(action, Action) else ast.unparse(node)))
    left = budget_of(action, interpreter.config)
    if left is None:
        raise ModelError(UNCOUNTED.format(name=action.name))
    if left == 0:
        return 0
    name = LEFT + action.budget
    return value_of(minus(number(left), Read(primed(name) if state.after else name, (), Count(left))))


def _meant(scope: Scope, node: ast.expr) -> Any:
    """The object that a name outside the function means; None for what is not such a name."""
    if isinstance(node, ast.Attribute):
        owner = _meant(scope, node.value)
        return vars(owner).get(node.attr) if isinstance(owner, ModuleType) else None
    if not isinstance(node, ast.Name):
        return None
    here: Scope | None = scope
    while here is not None and node.id not in here.names:
        if isinstance(here.function, FunctionType):
            closure = zip(here.function.__code__.co_freevars, here.function.__closure__ or (), strict=True)
            held = {name: cell.cell_contents for name, cell in closure}
            return held.get(node.id, here.function.__globals__.get(node.id))
        here = here.parent
    return None
