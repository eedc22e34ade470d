"""The kit for drivers in Python: a driver as a process of its own, spoken to as replays speak to it."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from onceproof.conformance.command_driver import VERSION, ProcessDriver
from onceproof.conformance.coverage.run import cover
from onceproof.conformance.driver import DriverError, Interruption, StepRefused, StepUncertain, WrongData, setting_of
from onceproof.driver import protocol
from tests.helpers.systems import small
from tests.helpers.waiting import wait_until
from tests.models.starts import JUGS
from tests.paths import ROOT

COUNTER = '''
import subprocess, sys
from enum import Enum
from onceproof.driver import Driver, Refused, Uncertain, run, todo

class Color(Enum):
    RED = 1

class Counter(Driver):
    """A counter."""
    mechanisms = {"receipt_fencing": False, "renewal": True}
    settle = 0.5

    def reset(self, setting):
        self.calls = {}
        print("a line that is no answer")

    def do_submit(self, task, submission):
        if (task, submission) in self.calls:
            raise Refused("sent already")
        self.calls[task, submission] = "WAITING"

    def do_admit(self, task, submission):
        raise ConnectionError("the line broke")

    def do_refuse(self, task):
        pass

    def do_relay(self, task, submission, message):
        undefined_name

    @todo
    def do_receive(self, scheduler, message):
        raise NotImplementedError

    def do_start(self, agent):
        self.child = self.start([sys.executable, "-uc", NESTED, sys.argv[1]], ready="up")

    def do_join(self, agent):
        getattr(self.child, agent)()

    def see_call(self):
        """the table of calls"""
        return self.calls

    def see_mode(self):
        return {"color": Color.RED, ("a", "b"): None, "n": 3}

    def see_owner(self):
        return self.calls and {"x": object()}

NESTED = """
import subprocess, sys, time
sleeping = [sys.executable, "-c", "import time; time.sleep(1000)", sys.argv[1]]
child = subprocess.Popen(sleeping, start_new_session=True)
print("up", flush=True)
time.sleep(1000)
"""
'''


def setting(**mechanisms: bool) -> dict[str, Any]:
    whole = setting_of(small())
    return {**whole, "mechanisms": {**whole["mechanisms"], "receipt_fencing": False, **mechanisms}}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "counter.py"
    path.write_text(COUNTER + "\nrun(Counter)\n")
    return path


@pytest.fixture
def driver(file: Path) -> Iterator[ProcessDriver]:
    opened = ProcessDriver(f"{sys.executable} {file} {file}", answer_seconds=60)
    yield opened
    opened.close()


def test_kit_and_the_other_end_speak_one_version() -> None:
    assert protocol.VERSION == VERSION


@pytest.mark.parametrize("path", sorted((ROOT / "onceproof" / "driver").glob("*.py")), ids=lambda path: path.name)
def test_kit_imports_the_standard_library_alone(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            assert name.startswith("onceproof.driver") or name.partition(".")[0] in sys.stdlib_module_names


def test_reset_says_what_is_written(driver: ProcessDriver) -> None:
    abilities = driver.reset(setting())
    assert abilities.performs == {"submit", "admit", "refuse", "relay", "start", "join"}
    assert abilities.observes == {"call", "mode", "owner"}
    assert (abilities.sources, abilities.settle) == ({"call": "the table of calls"}, 0.5)
    assert (abilities.name, abilities.claims) == ("Counter", frozenset({"renewal"}))


@pytest.mark.parametrize(
    ("mechanisms", "message"),
    [
        ({"receipt_fencing": True}, "lacks `receipt_fencing`; a spec for it says mechanisms: {receipt_fencing: off}"),
        ({"renewal": False}, "has `renewal`; a spec for it says mechanisms: {renewal: on}"),
    ],
)
def test_configuration_that_the_system_cannot_have_is_turned_down(
    driver: ProcessDriver, mechanisms: dict[str, bool], message: str
) -> None:
    with pytest.raises(DriverError, match=message):
        driver.reset(setting(**mechanisms))


JUGS_DRIVER = """
from onceproof.driver import Driver, run

class Jugs(Driver):
    begins_anywhere = ANYWHERE

    def reset(self, setting):
        assert setting.chosen["big"] == str(setting.initial["big"])
        self.level = dict(setting.initial)

    def do_fill_big(self):
        self.level["big"] = 5

    def see_big(self):
        return self.level["big"]

    def see_small(self):
        return self.level["small"]

run(Jugs)
"""


@pytest.mark.parametrize("anywhere", [True, False])
def test_driver_begins_where_it_is_told_or_says_that_it_cannot(anywhere: bool, tmp_path: Path) -> None:
    path = tmp_path / "jugs.py"
    path.write_text(JUGS_DRIVER.replace("ANYWHERE", str(anywhere)))
    opened = ProcessDriver(f"{sys.executable} {path}", answer_seconds=60)
    try:
        if anywhere:
            found = cover(JUGS.system, opened)
            assert found.disagreement is None and found.covered == found.performable > 0
        else:
            with pytest.raises(DriverError, match=r"several initial states, .* write begins_anywhere = True"):
                cover(JUGS.system, opened)
    finally:
        opened.close()


def test_steps_are_taken_refused_or_uncertain(driver: ProcessDriver) -> None:
    driver.reset(setting())
    arguments = {"task": "task1", "submission": "submission1"}
    driver.step("submit", arguments)
    with pytest.raises(StepRefused, match="sent already"):
        driver.step("submit", arguments)
    with pytest.raises(StepUncertain, match="the line broke"):
        driver.step("admit", arguments)
    with pytest.raises(StepRefused, match="does not perform `receive`"):
        driver.step("receive", {"scheduler": "scheduler1", "message": "message1"})


def test_values_and_keys_are_written_as_the_protocol_wants_them(driver: ProcessDriver) -> None:
    driver.reset(setting())
    assert driver.observe() == {"call": {}, "mode": {"color": "RED", "a,b": None, "n": 3}, "owner": {}}


@pytest.mark.parametrize(
    ("action", "arguments", "message"),
    [
        ("refuse", {"task": "task1", "submission": "submission1"}, r"`do_refuse` takes \(task\).* has \(task, subm"),
        ("relay", {"task": "task1", "submission": "s", "message": "m"}, "NameError: name 'undefined_name'"),
    ],
)
def test_mistake_in_a_driver_ends_it_and_is_quoted(
    driver: ProcessDriver, action: str, arguments: dict[str, str], message: str
) -> None:
    driver.reset(setting())
    with pytest.raises(DriverError, match=message):
        driver.step(action, arguments)


def test_value_that_no_cell_can_hold_is_named(driver: ProcessDriver) -> None:
    driver.reset(setting())
    driver.step("submit", {"task": "task1", "submission": "submission1"})
    with pytest.raises(DriverError, match="`see_owner` returned <object"):
        driver.observe()


def children(file: Path) -> dict[int, str]:
    """The processes that the counter has started, with their states."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            line, state = (entry / "cmdline").read_bytes(), (entry / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if b"time.sleep(1000)" in line and str(file).encode() in line and state != "Z":
            found[int(entry.name)] = state
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")
@pytest.mark.parametrize("end", ["quit", "kill_alone", "killed"])
def test_no_process_outlives_the_driver(driver: ProcessDriver, file: Path, end: str) -> None:
    driver.reset(setting())
    driver.step("start", {"agent": "agent1"})
    wait_until(lambda: len(children(file)) == 2)
    if end == "kill_alone":
        driver.step("join", {"agent": "kill_alone"})
        wait_until(lambda: len(children(file)) == 1)
    if end == "killed":
        driver.kill()
    else:
        assert driver.quit() == 0
    wait_until(lambda: not children(file))


@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")
def test_stop_and_resume_reach_the_whole_tree(driver: ProcessDriver, file: Path) -> None:
    driver.reset(setting())
    driver.step("start", {"agent": "agent1"})
    driver.step("join", {"agent": "stop"})
    wait_until(lambda: list(children(file).values()) == ["T", "T"])
    driver.step("join", {"agent": "resume"})
    wait_until(lambda: list(children(file).values()) == ["S", "S"])


INTERRUPTED = '''
from onceproof.driver import Driver, Refused, run

class Store(Driver):
    """A store of two rows, written one after the other."""
    deaths = {"submit": ""}
    refusals = ("submit",)
    halves = {"submit": ["call"]}
    forgets = {"submit": "relay_crash"}

    def reset(self, setting):
        self.rows, self.sent, self.died = [], [], []

    def do_submit(self, task, submission):
        if task == "task9":
            raise Refused("unknown")
        for row in (1, 2):
            self.point()
            self.rows.append(row)
        self.point(store=False)
        self.sent.append(task)

    def die(self, action, arguments):
        self.died.append((action, arguments["task"]))

    def see_call(self):
        return {str(place): str(row) for place, row in enumerate([*self.rows, *self.sent, *self.died])}

    def data(self):
        return {"rows": ("1", str(self.rows))} if self.rows else {}

run(Store)
'''


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ProcessDriver]:
    (tmp_path / "store.py").write_text(INTERRUPTED)
    driver = ProcessDriver(f"{sys.executable} {tmp_path / 'store.py'}")
    driver.reset(setting_of(small()))
    yield driver
    driver.close()


def rows(driver: ProcessDriver) -> list[str]:
    return list(driver.observe()["call"].values())


def test_driver_says_what_it_can_interrupt(store: ProcessDriver) -> None:
    can = store.interruptions
    assert dict(can.deaths) == {"submit": ""} and dict(can.forgets) == {"submit": "relay_crash"}
    assert can.refusals == {"submit"} and can.halves["submit"] == {"call"}


@pytest.mark.parametrize(("point", "left"), [(1, []), (2, ["1"]), (3, ["1", "2"])])
def test_death_comes_at_each_point_and_what_follows_it_is_done(
    store: ProcessDriver, point: int, left: list[str]
) -> None:
    assert store.interrupt("submit", {"task": "task1", "submission": "submission1"}, Interruption.DEATH, point)
    assert rows(store) == [*left, "('submit', 'task1')"]


def test_store_refuses_at_statements_and_not_at_sends(store: ProcessDriver) -> None:
    arguments = {"task": "task1", "submission": "submission1"}
    assert store.interrupt("submit", arguments, Interruption.REFUSAL, 2)
    assert rows(store) == ["1"]
    assert not store.interrupt("submit", arguments, Interruption.REFUSAL, 3)
    assert rows(store) == ["1", "1", "2", "task1"]


def test_action_with_fewer_points_is_done_and_later_ones_are_not_interrupted(store: ProcessDriver) -> None:
    arguments = {"task": "task1", "submission": "submission1"}
    assert not store.interrupt("submit", arguments, Interruption.DEATH, 4)
    store.step("submit", arguments)
    assert rows(store) == ["1", "2", "1", "2", "task1", "task1"]
    with pytest.raises(StepRefused, match="unknown"):
        store.interrupt("submit", {"task": "task9", "submission": "submission1"}, Interruption.DEATH, 1)


def test_data_that_is_not_where_it_belongs_is_told(tmp_path: Path) -> None:
    (tmp_path / "store.py").write_text(INTERRUPTED.replace('("1", ', '("another", '))
    driver = ProcessDriver(f"{sys.executable} {tmp_path / 'store.py'}")
    driver.reset(setting_of(small()))
    assert driver.observe() == {"call": {}}
    driver.step("submit", {"task": "task1", "submission": "submission1"})
    with pytest.raises(WrongData) as wrong:
        driver.observe()
    assert wrong.value.places == {"rows": ("another", "[1, 2]")}
    driver.close()
