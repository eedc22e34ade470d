"""Tries what a driver claims: for each mechanism, the trace that tells a system with it from one without it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from onceproof.conformance.driver import Abilities, Driver, DriverError
from onceproof.conformance.replay.confirm import Confirmation, confirm
from onceproof.conformance.replay.lockstep import Lockstep, Replay, replay
from onceproof.conformance.replay.telling import NotTold, TellingTrace, telling_trace
from onceproof.model.checker.results import Trace
from onceproof.model.language import System
from onceproof.model.language.errors import nearest


@dataclass(frozen=True)
class TriedClaim:
    """What became of one claim. not_told: why nothing was tried; else the trace, and how it went.

    confirmation: how the trace ended when it was repeated, where model and system disagreed.
    """

    mechanism: str
    not_told: NotTold | None = None
    told: TellingTrace | None = None
    result: Replay | None = None
    confirmation: Confirmation | None = None

    @property
    def refuted(self) -> bool:
        """Whether the system did not do what the mechanism makes a system do."""
        return self.result is not None and self.result.disagreement is not None

    @property
    def failing(self) -> Trace:
        """The trace up to where model and system come apart."""
        assert self.told is not None and self.result is not None
        trace, taken = self.told.trace, self.result.steps
        return Trace(trace.system, trace.states[: taken + 2], trace.steps[: taken + 1])


def claims_of(system: System, abilities: Abilities) -> list[str]:
    """The mechanisms that a driver claims under a configuration, in the order of the model.

    DriverError where it claims one that the model lacks.
    """
    switches = system.config.switches
    for name in sorted(abilities.claims or ()):
        if name not in switches:
            raise DriverError(f"the driver claims a mechanism `{name}`, which the model lacks{nearest(name, switches)}")
    return [name for name, on in switches.items() if on and (abilities.claims is None or name in abilities.claims)]


def try_claims(system: System, driver: Driver) -> Iterator[TriedClaim]:
    """Try each claim of a driver in turn. DriverError, OutOfTime, and Disagreement in the initial state."""
    lockstep = Lockstep(system, driver)
    lockstep.begin()
    for mechanism in claims_of(system, lockstep.abilities):
        yield try_claim(system, mechanism, driver, lockstep.abilities)


def try_claim(system: System, mechanism: str, driver: Driver, abilities: Abilities) -> TriedClaim:
    """Try one claim of a driver. abilities: what it said at its reset. DriverError, OutOfTime."""
    told = telling_trace(system, mechanism, abilities)
    if isinstance(told, NotTold):
        return TriedClaim(mechanism, not_told=told)
    forbidden = [] if told.forbidden is None else [told.forbidden]
    result = replay(told.trace, driver, forbidden)
    tried = TriedClaim(mechanism, told=told, result=result)
    if result.disagreement is None:
        return tried
    return replace(tried, confirmation=confirm(tried.failing, result.disagreement, driver))
