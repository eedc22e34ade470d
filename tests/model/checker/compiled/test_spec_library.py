"""On every spec of the library: plain and compiled exploration agree, and symmetry changes no verdict."""

import pytest

from onceproof.inputs.specs import Spec, load_specs
from onceproof.model.checker import compiled
from onceproof.model.checker.explicit.engine import check
from tests.helpers.comparison import comparable
from tests.paths import SPECS

PLAIN_STATES = 10_000  # all but five specs are as small; plain exploration of those takes too long
LIBRARY = load_specs([SPECS])


@pytest.mark.parametrize("spec", LIBRARY, ids=lambda spec: spec.name)
def test_compiled_and_plain_engines_agree_on_spec(spec: Spec) -> None:
    asked = None if spec.chosen is None else spec.properties
    whole = compiled.check(spec.system, asked)
    assert whole.complete
    if whole.states <= PLAIN_STATES:
        assert comparable(whole) == comparable(check(spec.system, asked))
    safety = [claim for claim in spec.properties if not claim.is_liveness]
    reduced = compiled.check(spec.system, safety, symmetry=True)
    assert reduced.complete and reduced.depth == whole.depth and reduced.states <= whole.states
    for result in reduced.properties:
        same = whole.property(result.name)
        assert same is not None and same.verdict is result.verdict
        if result.counterexample and same.counterexample:
            assert len(result.counterexample.trace) == len(same.counterexample.trace)
