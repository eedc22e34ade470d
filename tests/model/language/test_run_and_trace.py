"""The two readings of a model agree: running a function on values, and evaluating its trace."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as draw

from onceproof.model.checker import compiled
from onceproof.model.checker.explicit import engine as explicit
from onceproof.model.checker.results import Verdict
from onceproof.model.language import Count, Model, System, action, always, build, field
from onceproof.model.language.evaluate import value_of
from onceproof.model.language.layout import LEFT
from onceproof.model.protocol.system import PROTOCOL
from tests.helpers.readings import read_step
from tests.models.jugs import JUGS
from tests.models.philosophers import PHILOSOPHERS

MECHANISMS = sorted(PROTOCOL.switches)
FAULTS = sorted(PROTOCOL.faults)


def assert_same_step(system: System, state: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Every action with all arguments does the same to a state when run and when reading; returns what follows."""
    following = []
    for name, taken in system.actions.items():
        left = f"{LEFT}{taken.budget}"
        spent = left in system.layout.places and state[system.layout.places[left].offset] == 0
        for group in system._candidates[name]:
            for arguments in group:
                ran = system._run(name, state, arguments)
                reading = None if spent else read_step(system.readings[name], system.layout, state, arguments)
                if reading is not None and left in system.layout.places:
                    cell = system.layout.places[left].offset
                    reading = (*reading[:cell], reading[cell] - 1, *reading[cell + 1 :])
                assert ran == reading, (name, arguments)
                if ran is not None:
                    following.append(ran)
    return following


def assert_same_truths(system: System, state: tuple[int, ...]) -> None:
    """Every property says the same of a state when run and when reading."""
    for claim in (one for one in system.model.properties.values() if one.kind != "refines"):
        reading = system.property_reading(claim)
        for arguments in system.instances(claim):
            environment = dict(zip(reading.variables, arguments, strict=True))
            applies = value_of(reading.antecedent, system.layout, state, environment)
            body = bool(value_of(reading.body, system.layout, state, environment))
            truth = system.holds(claim, state, arguments)
            assert (truth is not None) == bool(applies), claim.name
            if claim.kind == "eventually":
                assert system.keeps(claim, state, arguments) == body, claim.name
            assert truth is None or truth == body, claim.name


def walk(system: System, choices: list[int]) -> None:
    """Takes a random walk, comparing everything that could be done in each state on the way."""
    state = system.initial
    for choice in choices:
        following = assert_same_step(system, state)
        assert_same_truths(system, state)
        if not following:
            break
        state = following[choice % len(following)]


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    off=draw.sets(draw.sampled_from(MECHANISMS), max_size=3),
    faults=draw.dictionaries(draw.sampled_from(FAULTS), draw.sampled_from([1, 2, None]), max_size=4),
    choices=draw.lists(draw.integers(0, 10**6), min_size=5, max_size=18),
    attempts=draw.integers(1, 2),
)
def test_running_and_reading_agree_on_the_protocol(
    off: set[str], faults: dict[str, int | None], choices: list[int], attempts: int
) -> None:
    sizes = {"tasks": 2, "submissions": 2, "users": 2, "attempts": attempts, "messages": 3, "stops": 1, "expiries": 1}
    config = PROTOCOL.configure(sizes, dict.fromkeys(off, False), faults)
    walk(build(PROTOCOL, config), choices)


@pytest.mark.parametrize("model", [JUGS, PHILOSOPHERS], ids=lambda model: model.name)
@settings(max_examples=20, deadline=None, derandomize=True)
@given(choices=draw.lists(draw.integers(0, 10**6), min_size=5, max_size=15))
def test_running_and_reading_agree_on_jugs_and_philosophers(model: Model, choices: list[int]) -> None:
    walk(build(model), choices)


def test_every_action_of_the_protocol_has_a_way_through_it() -> None:
    """With some mechanisms on or off and all faults allowed, no action is impossible by construction."""
    budgets = dict.fromkeys(PROTOCOL.faults, 1)
    sizes = {"submissions": 2, "attempts": 2, "stops": 1, "expiries": 1, "hand_overs": 1}
    possible = set(build(PROTOCOL, PROTOCOL.configure(sizes, {}, budgets)).actions)
    off = {"atomic_admission": False, "fail_on_agent_loss": False}
    possible |= set(build(PROTOCOL, PROTOCOL.configure(sizes, off, budgets)).actions)
    assert possible == set(PROTOCOL.actions)


def test_ways_through_an_action_are_disjoint() -> None:
    system = build(PROTOCOL, PROTOCOL.configure({}, {}, {"scheduler_crash": 1}))
    state = system.initial
    for _ in range(12):
        for name, reading in system.readings.items():
            for group in system._candidates[name]:
                for arguments in group:
                    environment = dict(zip(reading.variables, arguments, strict=True))
                    open_ways = [
                        way
                        for way in reading.paths
                        if all(value_of(term, system.layout, state, environment) for term in way.guard)
                    ]
                    assert len(open_ways) <= 1
                    assert (read_step(reading, system.layout, state, arguments) is None) == (not open_ways)
        state = next(after for _, after in system.successors(state))


NAMES = [
    "load",
    "taken",
    "put_back",
    "items",
    "keys",
    "update",
    "written",
    "place",
    "decide",
    "term",
    "read",
    "write",
    "min",
    "max",
]


@pytest.mark.parametrize("name", NAMES)
def test_field_may_be_named_like_a_method_of_the_state(name: str) -> None:
    """Whatever a state has for itself is out of the way of the model's names."""

    def change(st: Any) -> None:
        setattr(st, name, getattr(st, name) + 1)
        st.left = st.left - getattr(st, name)

    fields = {
        name: field(Count(3, saturate=True)),
        "left": field(Count(2, saturate=True), init=2),
        "change": action(change),
    }
    system = build(Model("names", {**fields, "claim": always(lambda st: getattr(st, name) < 3)}))
    for found in (explicit.check(system), explicit.check(system, engine="direct"), compiled.check(system)):
        assert (found.states, found.transitions, found.verdict) == (4, 4, Verdict.VIOLATED)
