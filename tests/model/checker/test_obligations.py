"""What liveness properties demand of endless runs, and what is refused of them."""

from collections.abc import Callable
from typing import Any

import pytest

from onceproof.model.checker.obligations import Demand, demand_of, unmet
from onceproof.model.checker.tla.export import export
from onceproof.model.language import (
    Count,
    Model,
    ModelError,
    System,
    action,
    build,
    eventually,
    field,
    given,
    infinitely_often,
    leads_to,
    require,
    stays,
)


def tick(st: Any) -> None:
    require(st.n < 3)
    st.n += 1


def is_two(st: Any) -> bool:
    return bool(st.n == 2)


def two_after_one(st: Any) -> bool:
    ask_for_one(st)
    return bool(st.n == 2)


def ask_for_one(st: Any) -> None:
    given(st.n == 1)


def system_with(mark: Callable[..., Any], claim: Callable[..., bool]) -> System:
    return build(
        Model("ticks", {"__name__": "ticks", "n": field(Count(3)), "tick": action(tick), "claim": mark(claim)})
    )


@pytest.mark.parametrize(
    ("mark", "claim", "demand", "formula"),
    [
        (eventually, is_two, Demand.ONCE, "<>(n = 2)"),
        (eventually, two_after_one, Demand.RESPONSE, "(n = 1) ~> (n = 2)"),
        (leads_to, two_after_one, Demand.RESPONSE, "(n = 1) ~> (n = 2)"),
        (infinitely_often, is_two, Demand.REPEATED, "[]<>(n = 2)"),
        (stays, is_two, Demand.LASTING, "<>[](n = 2)"),
    ],
)
def test_demand_and_its_formula(
    mark: Callable[..., Any], claim: Callable[..., bool], demand: Demand, formula: str
) -> None:
    """``given`` counts wherever it is said, in a helper too."""
    system = system_with(mark, claim)
    declared = system.model.properties["claim"]
    assert demand_of(system, declared) is demand
    assert f"  {formula}" in export(system, "ticks", [declared]).module.splitlines()


@pytest.mark.parametrize(
    ("mark", "claim", "states", "loop", "wrong"),
    [
        (eventually, is_two, (0, 1, 2, 3), 3, False),
        (eventually, is_two, (0, 1), 1, True),
        (eventually, two_after_one, (0, 1), 1, True),
        (eventually, two_after_one, (0,), 0, False),
        (eventually, two_after_one, (0, 1, 2), 2, False),
        (infinitely_often, is_two, (0, 1, 2, 3), 3, True),
        (infinitely_often, is_two, (0, 1, 2, 1), 1, False),
        (stays, is_two, (0, 1, 2, 1), 1, True),
        (stays, is_two, (0, 1, 2), 2, False),
    ],
)
def test_run_that_repeats_meets_a_demand_or_does_not(
    mark: Callable[..., Any], claim: Callable[..., bool], states: tuple[int, ...], loop: int, wrong: bool
) -> None:
    system = system_with(mark, claim)
    run = [(number,) for number in states]
    assert unmet(system, system.model.properties["claim"], (), run, loop) is wrong


@pytest.mark.parametrize(
    ("mark", "claim", "message"),
    [
        (leads_to, is_two, "needs `given\\(...\\)` for the first part; without one write @eventually"),
        (infinitely_often, two_after_one, "has no `given`: where it is to come after something, write @leads_to"),
        (stays, two_after_one, "has no `given`: return `not \\(...\\) or \\(...\\)`"),
    ],
)
def test_parts_that_are_missing_or_have_no_place_are_refused(
    mark: Callable[..., Any], claim: Callable[..., bool], message: str
) -> None:
    system = system_with(mark, claim)
    with pytest.raises(ModelError, match=rf"property `claim`, test_obligations.py:\d+: .*{message}"):
        system.property_reading(system.model.properties["claim"])
