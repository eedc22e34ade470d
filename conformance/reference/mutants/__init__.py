"""Broken variants of the reference core: small faults as people make them, each of which a checker must find.

They keep the alarm honest: a replay or a test that does not find one of these says less than it seems to.
"""

from onceproof.conformance.reference.mutants.contents import CONTENTS
from onceproof.conformance.reference.mutants.halves import HALVES
from onceproof.conformance.reference.mutants.placing import PLACING
from onceproof.conformance.reference.mutants.storage import QUEUE, STORE
from onceproof.conformance.reference.mutants.variant import Mutant
from onceproof.conformance.reference.mutants.wiring import WIRING
from onceproof.conformance.reference.mutants.workers import AGENT, SCHEDULER

MUTANTS: dict[str, Mutant] = {
    mutant.name: mutant for mutant in [*QUEUE, *STORE, *AGENT, *SCHEDULER, *WIRING, *PLACING, *CONTENTS, *HALVES]
}

__all__ = ["MUTANTS", "Mutant"]
