"""What is foreseen of a search from its first levels is true, or it is too early to say."""

from collections.abc import Iterator

import pytest

from onceproof.inputs.specs import load_specs
from onceproof.model.checker import compiled
from onceproof.model.checker.explicit.engine import check
from onceproof.model.checker.plan import FEWEST_LEVELS, MOST_GROWTH, Forecast, forecast, plan
from onceproof.model.checker.results import Limits, StopReason
from onceproof.model.language import build
from onceproof.model.protocol.system import PROTOCOL
from tests.paths import SPECS

NAMES = ("bad-day", "two-tasks-failover", "two-users-one-agent-lost", "lease-lapses-under-live-holder", "two-users")


def levels() -> Iterator[list[int]]:
    for name in NAMES:
        (spec,) = load_specs([SPECS / f"{name}.yaml"])
        for symmetry in (False, True):
            yield compiled.check(spec.system, [], symmetry=symmetry).levels


def test_what_is_foreseen_brackets_the_truth() -> None:
    foreseen = 0
    for sizes in levels():
        for known in range(2, len(sizes)):
            found = forecast(sizes[:known])
            assert found.least <= sum(sizes)
            if found.most is not None:
                assert sum(sizes) <= found.most, (sizes, known)
                foreseen += 1
    assert foreseen > 150


def test_it_is_too_early_where_levels_still_grow_or_are_few() -> None:
    assert forecast([1, 2, 4, 8, 16, 32, 64, 128, 256]) == Forecast(511, None, 2.0)
    assert forecast([5, 5, 5]).most is None and FEWEST_LEVELS > 3
    assert forecast([1]).most is None
    assert MOST_GROWTH < 2


def test_engines_tell_the_same_levels() -> None:
    system = build(PROTOCOL, PROTOCOL.configure({}, {}, {"scheduler_crash": 1}))
    plain, fast = check(system, []), compiled.check(system, [])
    assert plain.levels == fast.levels and sum(plain.levels) == plain.states == 2120


@pytest.mark.parametrize("symmetry", [True, False])
def test_plan_of_a_search_that_a_limit_ends(symmetry: bool) -> None:
    system = build(PROTOCOL, PROTOCOL.configure({"tasks": 2}, {}, {"scheduler_crash": 1}))
    claims = [claim for claim in system.properties() if not claim.is_liveness]
    most = 60_000 if symmetry else 700_000
    found = plan(system, claims, Limits(max_states=most), symmetry=symmetry)
    truth = 80_654 if symmetry else 1_260_480
    assert found.explored.stopped is not None and found.explored.stopped.reason is StopReason.STATES
    assert found.forecast is not None and found.forecast.most is not None
    assert found.forecast.least <= truth <= found.forecast.most < 30 * truth
    assert found.state_bytes == 16 and found.memory_bytes >= 24 and found.rate > 1000
    assert (found.symmetry_saves > 5) == symmetry and 0 < found.looked_up < 0.6
