"""TLC counts the same states and transitions of models with lists, records, sets, bags and choices, as they are."""

from __future__ import annotations

import pytest

from onceproof.api.sources import spec_of
from onceproof.inputs.specs import Spec
from tests import test_gallery as gallery
from tests.model.checker.tla import tlc
from tests.model.checker.tla.tlc_comparison import MOST, counting, differences, explored, exported
from tests.paths import ROOT

MODELS = ROOT / "tests" / "models"
BIT = {"lose": "any", "lose_ack": "any"}

pytestmark = pytest.mark.skipif(bool(tlc.why_not()), reason=tlc.why_not())


def specs_of_the_gallery() -> list[Spec]:
    found = []
    for name, options, *_ in gallery.rows():
        faults, mechanisms = gallery.settings(options)
        found.append(spec_of(ROOT / "docs" / "models" / f"{name}.py", faults=faults, mechanisms=mechanisms))
    return found


def compare(specs: list[Spec], most: int = MOST, *, liveness: bool) -> int:
    """Holds TLC against our own count and verdicts; returns how many of the specs are small enough."""
    results = [(spec, explored(spec, most)) for spec in specs]
    small = [(spec, result) for spec, result in results if result.complete and result.states <= most]
    modules = [exported(spec, liveness=liveness) for spec, _ in small]
    judged = list(tlc.checked(("counted", one.module, one.configuration) for one in modules))
    counted = list(tlc.checked(("counted", one.module, counting(one)) for one in modules))
    for (spec, result), one, other in zip(small, judged, counted, strict=True):
        found = differences(result, one, other)
        assert found == "" or (not liveness and found == "violated: nothing, expected temporal"), spec.name
    return len(small)


def test_tlc_counts_the_states_of_the_gallery() -> None:
    specs = specs_of_the_gallery()
    assert compare(specs, liveness=False) == len(specs)
