"""The order of counterexamples, on graphs made by hand: fewest faults, then fewest steps, then fewest turns."""

from collections.abc import Mapping
from typing import Any

import pytest

from onceproof.model.checker.explicit.engine import check
from onceproof.model.language import Count, Model, Sort, action, always, build, fault, field, require
from onceproof.model.language.declare import Action
from tests.helpers.results import violation


class Spot(Sort):
    """Unused."""


def road_map(edges: Mapping[str, tuple[int, int, str]], bad: int, size: int) -> Model:
    """A model whose states are spots on a map; each edge is (from, to, component), a fault if its name says so."""
    components: dict[str, dict[str, Any]] = {"map": {"__name__": "map", "at": field(Count(size))}}

    def edge(name: str, source: int, target: int) -> Action:
        def move(st: Any) -> None:
            require(st.at == source)
            st.at = target

        move.__name__ = name
        return (fault if name.startswith("fault") else action)(move)

    for name, (source, target, component) in edges.items():
        components.setdefault(component, {"__name__": component})[name] = edge(name, source, target)

    @always
    def never_there(st: Any) -> bool:
        return st.at != bad

    components["map"]["never_there"] = never_there
    return Model("map", *components.values())


def names(model: Model, **budgets: int | None) -> list[str]:
    result = check(build(model, model.configure({}, {}, budgets)))
    broken = violation(result, "never_there")
    assert broken.minimal == "faults, then steps, then changes of actor"
    return [step.action for step in broken.trace.steps]


@pytest.mark.parametrize("budget", [1, 2, None])
def test_longer_counterexample_without_a_fault_is_preferred(budget: int | None) -> None:
    model = road_map(
        {"fault_cut": (0, 9, "a"), "one": (0, 1, "a"), "two": (1, 2, "b"), "three": (2, 9, "a")}, bad=9, size=9
    )
    assert names(model, fault_cut=budget) == ["one", "two", "three"]


@pytest.mark.parametrize("budget", [1, None])
def test_counterexample_with_one_fault_is_preferred_to_two(budget: int | None) -> None:
    model = road_map(
        {
            "fault_a": (0, 1, "a"),
            "fault_b": (1, 9, "a"),
            "fault_c": (0, 2, "a"),
            "walk": (2, 3, "a"),
            "run": (3, 9, "a"),
        },
        bad=9,
        size=9,
    )
    assert names(model, fault_a=budget, fault_b=budget, fault_c=budget) == ["fault_c", "walk", "run"]


def test_fewer_steps_are_preferred_to_fewer_changes_of_actor() -> None:
    model = road_map(
        {"a1": (0, 1, "a"), "b1": (1, 9, "b"), "a2": (0, 2, "a"), "a3": (2, 3, "a"), "a4": (3, 9, "a")}, bad=9, size=9
    )
    assert names(model) == ["a1", "b1"]


def test_fewer_changes_of_actor_decide_between_runs_of_one_length() -> None:
    model = road_map(
        {
            "a1": (0, 1, "a"),
            "b1": (1, 2, "b"),
            "a2": (2, 9, "a"),
            "b2": (0, 3, "b"),
            "b3": (3, 4, "b"),
            "a3": (4, 9, "a"),
        },
        bad=9,
        size=9,
    )
    assert names(model) == ["b2", "b3", "a3"]


def test_changes_of_actor_are_counted_along_the_whole_run() -> None:
    """The middle can be walked by a or b; which is better depends on what comes before and after."""
    model = road_map(
        {
            "a1": (0, 1, "a"),
            "b1": (0, 1, "b"),
            "a2": (1, 2, "a"),
            "b2": (1, 2, "b"),
            "b3": (2, 9, "b"),
        },
        bad=9,
        size=9,
    )
    assert names(model) == ["b1", "b2", "b3"]


def test_violation_in_the_initial_state_has_no_steps() -> None:
    model = road_map({"go": (0, 1, "a")}, bad=0, size=2)
    assert names(model) == []
