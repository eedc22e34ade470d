"""A search over partitions finds what one machine finds: counts, verdicts, counterexamples, bit for bit."""

import signal
from pathlib import Path
from typing import Any

import pytest

from onceproof.inputs.specs import Spec, load_specs
from onceproof.model.checker import compiled
from onceproof.model.checker.partitioned.plan import Plan
from onceproof.model.checker.partitioned.transport import Here, InProcess, PartitionLost, Transport
from onceproof.model.checker.results import Limits, StopReason, Verdict
from onceproof.model.language import build
from onceproof.model.protocol.system import PROTOCOL
from tests.helpers.comparison import comparable
from tests.helpers.random_models import random_system
from tests.paths import SPECS

FEW_STATES = 20_000
LIBRARY = load_specs([SPECS])


@pytest.mark.parametrize("start", range(0, 12, 6))
def test_partitions_and_one_machine_agree_on_random_models(start: int) -> None:
    violated = 0
    for seed in range(start, start + 6):
        system = random_system(seed)
        for symmetry in (False, True):
            whole = compiled.check(system, None, Limits(max_states=FEW_STATES), workers=1, symmetry=symmetry)
            if not whole.complete:
                continue
            violated += any(found.counterexample is not None for found in whole.properties)
            for where in (Here(1), Here(2, settling=False), Here(3, threads=2)):
                found = compiled.check(system, workers=1, symmetry=symmetry, partitions=where)
                assert comparable(found) == comparable(whole), (seed, symmetry, where)
    assert violated, "counterexamples are compared, too"


@pytest.mark.parametrize("spec", LIBRARY, ids=lambda spec: spec.name)
def test_partitions_and_one_machine_agree_on_spec(spec: Spec) -> None:
    asked = None if spec.chosen is None else spec.properties
    for symmetry in (False, True):
        costs: dict[str, Any] = {}
        limits = Limits(max_states=FEW_STATES)
        whole = compiled.check(spec.system, asked, limits, workers=1, symmetry=symmetry, report=costs)
        if not whole.complete:
            continue
        mine: dict[str, Any] = {}
        where = Here(3 if symmetry else 2)
        found = compiled.check(spec.system, asked, workers=1, symmetry=symmetry, partitions=where, report=mine)
        assert comparable(found) == comparable(whole)
        assert mine["looked_up"] <= costs["looked_up"] + len(spec.system.initials)


def protocol() -> Any:
    return build(
        PROTOCOL, PROTOCOL.configure({}, {"agent_dedup": False}, {"request_duplication": 1, "scheduler_crash": 1})
    )


@pytest.mark.parametrize("symmetry", [False, True])
def test_what_sleeps_is_left_out_across_partitions(symmetry: bool) -> None:
    """Without sleep sets many times as many successors travel; with them none is lost."""
    system = protocol()
    claims = [claim for claim in system.properties() if not claim.is_liveness]
    costs: list[dict[str, Any]] = [{}, {}, {}]
    whole = compiled.check(system, claims, workers=1, symmetry=symmetry, report=costs[0])
    for settling, cost in ((True, costs[1]), (False, costs[2])):
        where = Here(2, settling=settling)
        found = compiled.check(system, claims, workers=1, symmetry=symmetry, partitions=where, report=cost)
        assert (found.states, found.transitions) == (whole.states, whole.transitions)
    assert costs[1]["looked_up"] == costs[0]["looked_up"] + len(system.initials)
    assert costs[1]["on_the_wire"] * 2 < costs[2]["on_the_wire"]


class Dying(InProcess):
    """Partitions of which one is lost in the middle of a level."""

    def __init__(self, plan: Plan, partitions: int, lost_at: int) -> None:
        super().__init__(plan, partitions)
        self.lost_at = lost_at

    def exchange(self) -> Any:
        """Fails in the round given, when half of the states of the level were delivered."""
        self.lost_at -= 1
        if self.lost_at == 0:
            self.partitions[0].emit()
            raise PartitionLost("partition 1 is gone")
        return super().exchange()


class Losing(Here):
    """Where at each start but the last a partition is lost later; each start has one partition less."""

    starts = 0

    def start(self, plan: Plan) -> Transport:
        """As ``Here``."""
        self.starts += 1
        left = self.partitions - self.starts + 1
        return Dying(plan, left, lost_at=9 * self.starts if left > 1 else 0)


@pytest.mark.parametrize("symmetry", [False, True])
def test_a_level_in_which_a_partition_is_lost_is_found_again_by_those_that_are_left(
    tmp_path: Path, symmetry: bool
) -> None:
    system = protocol()
    where = Losing(3, checkpoint=tmp_path / "levels")
    costs: dict[str, Any] = {}
    found = compiled.check(system, workers=1, symmetry=symmetry, partitions=where, report=costs)
    assert comparable(found) == comparable(compiled.check(system, workers=1, symmetry=symmetry))
    assert where.starts == 3 and costs["losses"] == 2


class DyingWhileSaving(InProcess):
    """Partitions of which one is lost when a level was counted, and not all of it saved."""

    def ask(self, method: str, *arguments: Any) -> list[Any]:
        """Fails while level 9 is saved."""
        if method == "save_level" and arguments[0] == 9 and self.size > 2:
            self.partitions[0].save_level(*arguments)
            raise PartitionLost("partition 2 is gone")
        return super().ask(method, *arguments)


class LosingWhileSaving(Here):
    """Where a partition is lost while a level is saved; then there is one less."""

    def start(self, plan: Plan) -> Transport:
        """As ``Here``."""
        self.partitions -= 1
        return DyingWhileSaving(plan, self.partitions)


def test_a_level_that_was_counted_and_not_saved_is_found_again(tmp_path: Path) -> None:
    where = LosingWhileSaving(4, checkpoint=tmp_path / "levels")
    found = compiled.check(protocol(), workers=1, partitions=where)
    assert where.partitions == 2
    assert comparable(found) == comparable(compiled.check(protocol(), workers=1))


def test_without_a_checkpoint_a_lost_partition_ends_the_search_with_what_is_known() -> None:
    found = compiled.check(protocol(), workers=1, partitions=Losing(3))
    assert found.stopped is not None and found.stopped.reason is StopReason.PROCESS_LOST
    assert found.verdict is Verdict.UNKNOWN and found.states > 0 and found.bound == 6


class DyingAfterCtrlC(InProcess):
    """Partitions of which one is lost in the round in which Ctrl-C comes."""

    rounds = 0

    def exchange(self) -> Any:
        """Fails in the sixth level."""
        self.rounds += 1
        if self.rounds == 6:
            signal.raise_signal(signal.SIGINT)
            raise PartitionLost("partition 2 is gone")
        return super().exchange()


class LosingAfterCtrlC(Here):
    """Where partitions end with Ctrl-C."""

    starts = 0

    def start(self, plan: Plan) -> Transport:
        """As ``Here``."""
        self.starts += 1
        return DyingAfterCtrlC(plan, self.partitions)


def test_no_partition_is_started_again_after_ctrl_c(tmp_path: Path) -> None:
    where = LosingAfterCtrlC(2, checkpoint=tmp_path / "levels")
    found = compiled.check(protocol(), workers=1, partitions=where)
    assert found.stopped is not None and found.stopped.interrupted
    assert where.starts == 1 and found.verdict is Verdict.UNKNOWN and found.states > 0


def test_limits_end_a_search_over_partitions() -> None:
    system = protocol()
    shallow = compiled.check(system, None, Limits(max_depth=12), workers=1)
    found = compiled.check(system, None, Limits(max_depth=12), workers=1, partitions=Here(2))
    assert comparable(found) == comparable(shallow)
    few = compiled.check(system, None, Limits(max_states=100), workers=1, partitions=Here(2))
    assert few.stopped is not None and few.stopped.reason is StopReason.STATES and few.verdict is Verdict.UNKNOWN
    late = compiled.check(system, None, Limits(max_seconds=1e-9), workers=1, partitions=Here(2))
    assert late.stopped is not None and late.stopped.reason is StopReason.SECONDS


def test_a_partition_that_is_full_ends_the_search() -> None:
    system = build(PROTOCOL, PROTOCOL.configure({"tasks": 2}, {}, {"scheduler_crash": 1, "reply_loss": 1}))
    for threads in (1, 2):
        found = compiled.check(system, workers=1, partitions=Here(2, threads, max_memory=1 << 20))
        assert found.stopped is not None and found.stopped.reason is StopReason.MEMORY
        assert found.verdict is not Verdict.HOLDS
