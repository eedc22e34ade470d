"""Systems that must begin in any of a model's initial states: they are told which, and compared there."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import Phase, settings

import onceproof
from onceproof.conformance.coverage.graph import explore
from onceproof.conformance.coverage.plan import plan
from onceproof.conformance.coverage.run import Budget, cover
from onceproof.conformance.driver import Abilities, Observation, StepRefused, setting_of
from onceproof.conformance.replay.lockstep import Disagreement, random_traces, replay
from onceproof.conformance.testing.coverage_guided import Effort, drive
from onceproof.model.language import System
from tests.models.starts import JUGS, LAMPS

SYSTEM: System = JUGS.system


class JugDriver:
    """The jugs by hand. spoiled: what a pour from the big jug loses where one gallon was in that first."""

    def __init__(self, deaf: bool = False, spoiled: int = 0) -> None:
        self.deaf, self.spoiled = deaf, spoiled
        self.began: set[tuple[int, int]] = set()
        self.big = self.small = self.first = 0

    def reset(self, setting: Mapping[str, Any]) -> Abilities:
        state = setting["initial"]["state"]
        self.big, self.small = (0, 0) if self.deaf else (state["big"], state["small"])
        self.first = self.big
        self.began.add((self.big, self.small))
        return Abilities("jugs", frozenset(SYSTEM.actions), frozenset({"big", "small"}))

    def step(self, action: str, arguments: Mapping[str, str]) -> None:
        big, small = self.big, self.small
        into_big, into_small = min(small, 5 - big), min(big, 3 - small)
        after = {
            "fill_big": (5, small),
            "fill_small": (big, 3),
            "empty_big": (0, small),
            "empty_small": (big, 0),
            "small_to_big": (big + into_big, small - into_big),
            "big_to_small": (big - into_small, small + into_small),
        }
        if action not in after:
            raise StepRefused(f"no `{action}`")
        self.big, self.small = after[action]
        if action == "big_to_small" and self.first == 1 and into_small:
            self.small -= self.spoiled

    def observe(self) -> Observation:
        return {"big": self.big, "small": self.small}

    def close(self) -> None:
        pass


def test_a_driver_is_told_what_was_chosen_and_the_state_that_it_gives() -> None:
    state = SYSTEM.initials[-1]
    assert setting_of(SYSTEM, state)["initial"] == {
        "chosen": SYSTEM.named_arguments(SYSTEM.starts[state]),
        "state": SYSTEM.layout.show(state),
    }
    assert "initial" not in setting_of(onceproof.build(onceproof.load_model()))


def test_a_replay_begins_where_its_trace_does() -> None:
    driver = JugDriver()
    for trace in random_traces(SYSTEM, 40, 10, seed=1):
        assert replay(trace, driver).disagreement is None
    assert driver.began == JUGS.initials


def test_a_system_that_begins_elsewhere_differs_at_once_and_the_report_says_why() -> None:
    trace = next(one for one in random_traces(SYSTEM, 40, 10, seed=1) if SYSTEM.layout.show(one.states[0])["big"] == 2)
    found = replay(trace, JugDriver(deaf=True))
    assert found.disagreement is not None and found.steps == 0
    assert "reset was to begin with big=2, small=" in str(found.disagreement)
    assert "big is 0, in the model 2" in str(found.disagreement)


def test_a_cover_walks_every_transition_from_the_nearest_start() -> None:
    driver = JugDriver()
    found = cover(SYSTEM, driver)
    assert found.disagreement is None and found.complete
    assert (found.covered, found.transitions) == (JUGS.counts[1], JUGS.counts[1])
    assert driver.began == JUGS.initials
    assert found.steps >= found.plan.bound


def test_a_cover_observes_initial_states_from_which_no_path_begins() -> None:
    class Deaf(JugDriver):
        def reset(self, setting: Mapping[str, Any]) -> Abilities:
            abilities = super().reset(setting)
            return Abilities(abilities.name, frozenset({"fill_big"}), abilities.observes)

    driver = Deaf()
    assert cover(SYSTEM, driver, Budget(refusals=0)).disagreement is None
    assert driver.began == JUGS.initials


def test_a_plan_from_several_starts_is_as_short_as_its_bound_and_covers_all() -> None:
    for system in (SYSTEM, LAMPS.system):
        graph = explore(system)
        made = plan(graph)
        assert {edge for path in made.paths for edge in path} == set(range(len(graph.edges)))
        assert all(made.start(path) < graph.roots for path in made.paths)
        for path in made.paths:
            places = [graph.edges[edge] for edge in path]
            assert all(one.target == other.source for one, other in pairwise(places))
        assert made.steps >= made.bound


def test_what_goes_wrong_after_one_start_only_is_found_and_shrunk_with_that_start() -> None:
    for found in (
        cover(SYSTEM, JugDriver(spoiled=1)),
        drive(SYSTEM, JugDriver(spoiled=1), Effort(examples=60, steps=4, refusals=0)),
    ):
        assert found.disagreement is not None and found.trace is not None
        assert SYSTEM.layout.show(found.trace.states[0])["big"] == 1
        assert [step.action for step in found.trace.steps][-1] == "big_to_small"


def test_a_state_machine_chooses_the_start() -> None:
    driver = JugDriver()
    machine = onceproof.state_machine(SYSTEM.model, driver)
    case: Any = machine.TestCase
    case.settings = settings(max_examples=40, stateful_step_count=3, database=None, deadline=None)
    case("runTest").runTest()
    assert driver.began == JUGS.initials


def test_a_failing_state_machine_shows_the_start() -> None:
    machine = onceproof.state_machine(SYSTEM.model, JugDriver(spoiled=1))
    case: Any = machine.TestCase
    case.settings = settings(
        max_examples=60,
        stateful_step_count=4,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        derandomize=True,
    )
    with pytest.raises(Disagreement) as found:
        case("runTest").runTest()
    assert any("initially(big=1, small=" in note for note in getattr(found.value, "__notes__", []))
