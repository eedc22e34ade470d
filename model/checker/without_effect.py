"""Mechanisms that are off and make no difference: with them on, every reachable state has the same steps.

A second submission is what deduplication by TaskID is about: where there is none, it does not matter that it is off,
and a spec that means to show what its absence breaks shows nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from onceproof.model.checker.deadline import check_time
from onceproof.model.checker.ground.python_code import generated
from onceproof.model.checker.matrix.probes import difference
from onceproof.model.language.errors import ModelError
from onceproof.model.language.evaluate import meaning
from onceproof.model.language.layout import Layout, State
from onceproof.model.language.reading.reader import Reader
from onceproof.model.language.system import System
from onceproof.model.language.terms import FALSE, Term

MOST_STATES = 10_000  # that are looked at: a tenth of a second, and only as long as no difference was found

Matters = Callable[[State], Any]


def without_effect(system: System) -> list[str]:
    """The mechanisms that are off and make no difference in any reachable state, in the order of the model.

    One that may make a difference in a state that was not looked at is left out. OutOfTime passes through.
    """
    off = [name for name, on in system.config.switches.items() if not on]
    questions = {name: _question(system, name) for name in off}
    open_questions = {
        name: meaning(term, system.layout) for name, term in questions.items() if term not in (None, FALSE)
    }
    idle = {name for name, term in questions.items() if term is FALSE}
    if open_questions:
        idle |= _never_answered(system, open_questions)
    return [name for name in off if name in idle]


def _question(system: System, mechanism: str) -> Term | None:
    """The condition under which some step would be another one with the mechanism on; None where all may be."""
    if mechanism in system.start_asks:
        return None
    config = system.config.with_switches(**{mechanism: True})
    try:
        if _shape(Layout(system.model, config)) != _shape(system.layout):
            return None
        reader = Reader(system.model, config)
        asking = [name for name, asked in system.switches_asked.items() if mechanism in asked]
        there = {name: reader.action(system.model.actions[name]) for name in asking}
    except ModelError:
        return None
    return difference({name: system.all_readings[name] for name in asking}, there)


def _shape(layout: Layout) -> Any:
    return layout.initial, [(p.name, p.shape, p.cardinality, p.offset) for p in layout.places.values()]


def _never_answered(system: System, questions: dict[str, Any]) -> set[str]:
    """The questions that no reachable state answers with yes; none where there are too many states."""
    steps = generated(system)
    seen, waiting = set(system.initials), list(system.initials)
    while waiting:
        check_time()
        state = waiting.pop()
        questions = {name: asked for name, asked in questions.items() if not asked(state, {})}
        if not questions or len(seen) > MOST_STATES:
            return set()
        for _, after in steps.successors(state):
            if after not in seen:
                seen.add(after)
                waiting.append(after)
    return set(questions)
