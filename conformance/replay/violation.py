"""Whether a system that runs violates a property: it took every step of a counterexample, time and again."""

from __future__ import annotations

from dataclasses import dataclass

from onceproof.conformance.driver import Driver
from onceproof.conformance.replay.confirm import CONFIRMATIONS
from onceproof.conformance.replay.lockstep import Replay, replay
from onceproof.model.checker.results import Counterexample
from onceproof.model.language import System
from onceproof.model.language.primes import unprimed
from onceproof.model.language.refinement import refinement_of
from onceproof.model.language.terms import Read
from onceproof.model.language.traversal import walk


@dataclass(frozen=True)
class SeenViolation:
    """A counterexample that a system followed to its end, where the property is false.

    claim: the name of the property. runs: how many of ``of`` replays ended there. unseen: the fields that the property
    reads and the driver does not observe: in the model their values make it false, in the system nobody looked.
    """

    claim: str
    runs: int
    of: int
    unseen: tuple[str, ...]

    @property
    def certain(self) -> bool:
        """Whether each run ended in the violation, and all that the property reads was observed."""
        return self.runs == self.of and not self.unseen


def seen_violation(found: Counterexample, first: Replay, driver: Driver) -> SeenViolation | None:
    """What becomes of a counterexample that the system has followed once: it is replayed some more times.

    None where its end shows nothing: the property is no claim about single states or steps, or the trace goes round for
    ever. DriverError passes through.
    """
    system = found.trace.system
    claim = system.model.properties.get(found.property)
    if claim is None or not claim.is_safety or found.trace.loop is not None:
        return None
    again = [replay(found.trace, driver) for _ in range(CONFIRMATIONS - 1)]
    agreed = [run for run in (first, *again) if run.disagreement is None and not run.not_performed]
    unseen = sorted(_fields_read(system, found.property) - first.abilities.observes)
    return SeenViolation(found.property, len(agreed), CONFIRMATIONS, tuple(unseen))


def _fields_read(system: System, name: str) -> set[str]:
    claim = system.model.properties[name]
    if claim.kind == "refines":
        return set(refinement_of(system, claim).fields_read)
    reading = system.property_reading(claim)
    terms = (term for part in (reading.antecedent, reading.body) for term in walk(part))
    return {unprimed(term.field) for term in terms if isinstance(term, Read)}
