"""The budget of a fault as properties see it: how much of it was used."""

from __future__ import annotations

from typing import Any

from onceproof.model.language.declare import Action
from onceproof.model.language.errors import ModelError

UNCOUNTED = (
    "`used` asks how often `{name}` has happened, and its budget is `any`, which is not counted: give it a number, or "
    "say with `when` that the property is asked only then"
)


def used(st: Any, action: Action) -> int:
    """How much of the budget of a fault (or of another action with a budget) was used so far, ``used(st, crash) <= 1``.

    In properties and bounds only: what a model does must not depend on what it is still allowed. Actions that share a
    budget count together. ModelError where the budget is ``any``, and for an action without one.
    """
    if not isinstance(action, Action) or action.budget is None:
        raise ModelError(not_counted(action))
    found: int = st._used(action.name, action.budget, action.fault)
    return found


def not_counted(action: Any) -> str:
    """Why ``used`` takes no such thing."""
    name = action.name if isinstance(action, Action) else repr(action)
    return f"`used` takes the state and a fault, or another action with a budget: used(st, crash), not `{name}`"
