"""The proof of the full design, made once."""

import pytest

from onceproof.model.checker.prover.induction import Proof, prove, unbounded
from onceproof.model.protocol.system import PROTOCOL


@pytest.fixture(scope="session")
def full() -> Proof:
    """The proof that the protocol is safe in any size under every fault."""
    return prove(PROTOCOL, unbounded(PROTOCOL))
