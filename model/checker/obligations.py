"""What liveness properties ask of runs without end, in terms that every engine can search by.

A run violates such a property in one of two ways. An obligation stays open for ever: it was incurred in some state, and
neither that state nor a later one fulfils it. Or (``stays``) states in which the property is false come again and
again. ``unmet`` says the same of one run that repeats: a stem, and then a loop for ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import assert_never

from onceproof.model.language.declare import Property
from onceproof.model.language.layout import State
from onceproof.model.language.system import Arguments, System


class Demand(Enum):
    """What a liveness property demands.

    ONCE: its condition at some time. RESPONSE: its condition, now or later, wherever its ``given`` was true.
    REPEATED: its condition again and again. LASTING: its condition from some time on for ever.
    """

    ONCE = "once"
    RESPONSE = "response"
    REPEATED = "repeated"
    LASTING = "lasting"


def demand_of(system: System, claim: Property) -> Demand:
    """What a liveness property demands in a system."""
    match claim.kind:
        case "eventually":
            return Demand.RESPONSE if system.presupposes(claim) else Demand.ONCE
        case "until":  # that its goal comes; what is true until then is another matter: see ``broken``
            return Demand.RESPONSE if system.presupposes(claim) else Demand.ONCE
        case "leads_to":
            return Demand.RESPONSE
        case "infinitely_often":
            return Demand.REPEATED
        case "stays":
            return Demand.LASTING
        case "always" | "step" | "sometimes" | "refines" | "deadlock" | "ending" | "axiom" | "within":
            raise ValueError(f"{claim.name}: a property of the kind {claim.kind!r} demands nothing of endless runs")
        case _:
            assert_never(claim.kind)


def broken(system: System, claim: Property, arguments: Arguments, states: Sequence[State]) -> int | None:
    """The first state of a run in which an ``until`` has neither come to its goal nor is true any more."""
    waits = demand_of(system, claim) is Demand.RESPONSE
    is_open = not waits
    for number, state in enumerate(states):
        is_open = is_open or system.holds(claim, state, arguments) is False
        if system.keeps(claim, state, arguments):
            if not waits:
                return None
            is_open = False
        elif is_open and not system.lasts(claim, state, arguments):
            return number
    return None


def unmet(system: System, claim: Property, arguments: Arguments, states: Sequence[State], loop: int | None) -> bool:
    """Whether a run that goes through these states, and repeats those from ``loop`` on, violates the property.

    loop: None for a run that ends, which only an ``until`` can be violated by.
    """
    if claim.kind == "until" and broken(system, claim, arguments, states) is not None:
        return True
    if loop is None or claim.weak:
        return False
    kept = [system.keeps(claim, state, arguments) for state in states]
    match demand_of(system, claim):
        case Demand.ONCE:
            return not any(kept)
        case Demand.RESPONSE:
            is_open = False
            for state, fulfilled in zip(states, kept, strict=True):
                is_open = not fulfilled and (is_open or system.holds(claim, state, arguments) is False)
            return is_open and not any(kept[loop:])
        case Demand.REPEATED:
            return not any(kept[loop:])
        case Demand.LASTING:
            return not all(kept[loop:])
