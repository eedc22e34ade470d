"""Every small spec of the library is covered in full: whatever the model can do there, the reference core does."""

from pathlib import Path

import pytest

from onceproof.conformance.coverage.graph import explore
from onceproof.conformance.coverage.run import Budget, cover
from onceproof.conformance.reference.core_driver import CoreDriver
from onceproof.inputs.specs import load_spec
from tests.paths import SPECS

FILES = sorted(SPECS.glob("*.yaml"))
SMALL_STATES = 300  # larger ones: onceproof replay --cover, in seconds to a minute each


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_reference_core_conforms_to_spec(core: CoreDriver, path: Path) -> None:
    system = load_spec(path).system
    if not explore(system, max_states=SMALL_STATES).complete:
        # The larger ones as far as a few hundred steps lead, the most telling first.
        found = cover(system, core, Budget(max_states=SMALL_STATES, max_steps=300, refusals=5))
        assert found.disagreement is None and found.covered > 50
        return
    found = cover(system, core, Budget(refusals=10))
    assert found.disagreement is None and found.complete and not found.skipped
    assert found.covered == found.performable == found.transitions > 0
    assert found.steps == found.plan.bound
