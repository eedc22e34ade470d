"""Broken variants of the reference core: small faults as people make them, each of which a checker must find.

They keep the alarm honest: a replay or a test that does not find one of these says less than it seems to.
"""

from conformance.mutants.storage import QUEUE, STORE
from conformance.mutants.variant import Mutant
from conformance.mutants.wiring import WIRING
from conformance.mutants.workers import AGENT, SCHEDULER

MUTANTS: dict[str, Mutant] = {mutant.name: mutant for mutant in [*QUEUE, *STORE, *AGENT, *SCHEDULER, *WIRING]}

__all__ = ["MUTANTS", "Mutant"]
