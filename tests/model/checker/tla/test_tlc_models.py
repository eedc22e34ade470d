"""TLC counts the same states and transitions of models with lists, records, sets, bags and choices, as they are."""

from __future__ import annotations

import pytest

from onceproof.api.sources import spec_of
from onceproof.inputs.specs import Spec
from onceproof.model.checker.explicit import engine as explicit
from onceproof.model.checker.tla.export import export
from onceproof.model.language import build
from tests import test_gallery as gallery
from tests.helpers.soundness.comparison import system_of
from tests.helpers.soundness.writer import write
from tests.model.checker.tla import tlc
from tests.model.checker.tla.tlc_comparison import MOST, counting, differences, explored, exported
from tests.models.gossip import GOSSIP
from tests.paths import ROOT

SEEDS = (5001, 5007, 5013, 5028, 5040, 5043)  # of random models that together use all kinds and have few states

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


def test_tlc_counts_random_models_with_lists_records_sets_and_bags() -> None:
    systems = [system_of(write(seed)) for seed in SEEDS]
    results = [explicit.check(system) for system in systems]
    modules = [export(system, "counted", [system.deadlock]) for system in systems]
    counted = tlc.checked(("counted", one.module, counting(one)) for one in modules)
    for result, found in zip(results, counted, strict=True):
        assert (found.states, found.transitions, found.error) == (result.states, result.transitions, "")


def test_tlc_counts_sets_and_bags_that_are_given_and_compared() -> None:
    system = build(GOSSIP, GOSSIP.configure())
    result, module = explicit.check(system), export(system, "counted", [system.deadlock])
    (found,) = tlc.checked([("counted", module.module, counting(module))])
    assert (found.states, found.transitions, found.error) == (result.states, result.transitions, "")
