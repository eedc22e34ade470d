"""The protocol refines its promise, and does not where the matrix says that a task is started twice."""

import pytest

from onceproof.inputs.specs import Spec, load_specs
from onceproof.model.checker.explicit import engine
from onceproof.model.checker.explicit.graph import DirectStepper, explore
from onceproof.model.checker.results import Verdict
from onceproof.model.language import Model, build
from onceproof.model.language.refinement import refinement_of
from onceproof.model.protocol import promise
from tests.paths import SPECS

LIBRARY = load_specs([SPECS])
NAME = "keeps_its_promise"
BROKEN = [spec for spec in LIBRARY if spec.expect.violated == ("at_most_once",)]
KEPT = ("scheduler-failover", "request-twice-started-once", "zombie-is-fenced", "api-dies-after-recording")


def shortest(spec: Spec) -> int | None:
    """The steps of the shortest run that breaks the promise; None where it is kept."""
    (found,) = engine.check(spec.system, spec.system.properties([NAME])).properties
    assert found.verdict is not Verdict.UNKNOWN and not found.vacuous
    return None if found.counterexample is None else len(found.counterexample.trace)


@pytest.mark.parametrize("spec", BROKEN, ids=lambda spec: spec.name)
def test_promise_is_broken_where_a_task_is_started_twice(spec: Spec) -> None:
    assert spec.switched_off
    assert shortest(spec) == spec.expect.length


@pytest.mark.parametrize("spec", [spec for spec in LIBRARY if spec.name in KEPT], ids=lambda spec: spec.name)
def test_promise_is_kept_whatever_fails_over(spec: Spec) -> None:
    assert shortest(spec) is None


def test_every_step_of_the_promise_is_seen() -> None:
    """What is promised is not more than what happens: each abstract action is some step of a plain day."""
    (spec,) = (spec for spec in LIBRARY if spec.name == "plain-day")
    refinement = refinement_of(spec.system, spec.system.model.properties[NAME])
    states = explore(spec.system, DirectStepper(spec.system)).states
    images = [refinement.mapping.image(state) for state in states]
    after = {image: list(refinement.abstract.successors(image)) for image in images}
    taken = {step.action for steps in after.values() for step, end in steps if end in after}
    assert taken == {"accept", "start", "end"}


def test_promise_by_itself_ends_where_all_is_done() -> None:
    found = engine.check(build(Model("promise", promise)), [])
    assert (found.states, found.transitions, found.complete) == (5, 4, True)
