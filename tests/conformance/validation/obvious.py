"""The slower, obvious search for an explanation: all states after each prefix of a log."""

from collections.abc import Sequence

from onceproof.conformance.validation.logs import LoggedEvent
from onceproof.conformance.validation.mapping import LogMapping
from onceproof.model.language import System
from onceproof.model.language.layout import State


def obvious(system: System, events: Sequence[LoggedEvent], mapping: LogMapping) -> bool:
    """Whether a run explains events in this very order: all states after each prefix, with all unlogged steps."""
    states = closed(system, {system.initial}, mapping)
    for event in events:
        after = {
            following
            for state in states
            for step, following in system.successors(state)
            if step.action == mapping.rules[event.name].action
            and all(system.named_arguments(step).get(name) == value for name, value in event.arguments.items())
        }
        states = closed(system, after, mapping)
    return bool(states)


def closed(system: System, states: set[State], mapping: LogMapping) -> set[State]:
    """The states, and all that unlogged steps lead to from them."""
    seen, waiting = set(states), list(states)
    while waiting:
        for step, after in system.successors(waiting.pop()):
            if step.action in mapping.unlogged and after not in seen:
                seen.add(after)
                waiting.append(after)
    return seen
