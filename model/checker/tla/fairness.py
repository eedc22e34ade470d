"""Fairness as TLA+: of actions, and of what several of them do together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from onceproof.model.checker.tla.scope import Scope
from onceproof.model.checker.tla.text import OR, TlaText
from onceproof.model.language.declare import Fairness
from onceproof.model.language.reading.result import ActionReading


def fairness(text: TlaText, actions: Mapping[str, ActionReading]) -> Iterator[str]:
    """A formula for each action that is fair, or for all that are fair together."""
    together: dict[str, list[str]] = {}
    for name, reading in actions.items():
        if reading.action.fairness is not Fairness.NONE:
            shared = reading.action.fair_with
            together.setdefault(name if shared is None else f"with {shared}", []).append(name)
    for names in together.values():
        yield _fair(text, [(name, actions[name]) for name in names])


def _fair(text: TlaText, named: Sequence[tuple[str, ActionReading]]) -> str:
    """That one of these actions happens, for each value of what fairness tells apart."""
    apart, calls = "", []
    for name, reading in named:
        scope = Scope(text, reading.all_variables)
        pairs = zip(scope.parameters, reading.all_variables, strict=True)
        bounds = [f"{one} \\in {text.domain(variable.sort)}" for one, variable in pairs]
        places = reading.action.fair_places
        apart = ", ".join(bounds[place] for place in places)
        some = ", ".join(one for place, one in enumerate(bounds) if place not in places)
        call = f"{name}({', '.join(scope.parameters)})" if scope.parameters else name
        calls.append(f"\\E {some} : {call}" if some else call)
    joined = calls[0] if len(calls) == 1 else OR.join(f"({call})" for call in calls)
    strong = named[0][1].action.fairness is Fairness.STRONG
    fair = f"{'SF' if strong else 'WF'}_vars({joined})"
    return f"\\A {apart} : {fair}" if apart else fair
