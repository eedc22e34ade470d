"""Short storms of real queues: one that breaks, one that holds; and nothing that is left of them."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from onceproof.api.storm import StormFailed, StormReport, check_storm, storm
from onceproof.conformance.storms.outcomes import Claim, Shown
from onceproof.conformance.storms.process_table import has_mark, table
from onceproof.conformance.storms.processes import Processes
from onceproof.conformance.storms.schedule import parse
from onceproof.conformance.storms.storm import INTERRUPTED, Row, Standing, Storm, StormOptions, StormResult, Tried
from onceproof.conformance.storms.targets import FOLDER
from onceproof.conformance.storms.tries import Try
from onceproof.errors import InputError
from onceproof.model.checker.results import Verdict
from tests.helpers.storm_files import folder_queue
from tests.helpers.waiting import wait_until

HERE = Path(sys.executable)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A task is settled a second and a half after its lease: enough for queues that answer at once."""
    for module in ("tries", "outcomes"):
        monkeypatch.setattr(f"onceproof.conformance.storms.{module}.quiet", lambda lease: lease + 1.5)


def row(report: StormReport, fault: str, claim: Claim) -> Row:
    return next(each for each in report.rows if each.schedule.fault == fault and each.claim is claim)


@pytest.mark.servers
def test_jetstream_runs_a_task_twice_after_a_pause_and_once_when_it_is_submitted_again(
    tmp_path: Path, impatient: None
) -> None:
    """The pause is predicted to break it, and does; its deduplication is predicted to hold, and does."""
    schedules = ["pause", "resubmit@after-start"]
    file = FOLDER / "jetstream_pull.py"
    report = storm(file, folder=tmp_path, python=HERE, schedules=schedules, tries=1)
    paused = row(report, "pause", Claim.AT_MOST_ONCE)
    assert paused.standing is Standing.CONFIRMED, str(report)
    assert "finished_twice" in {each.anomaly.name for each in paused.findings}
    again = row(report, "resubmit", Claim.AT_MOST_ONCE)
    assert again.standing is Standing.KEPT, str(report)
    assert report.verdict is Verdict.HOLDS
    assert "predicted broken, observed" in str(report)
    assert report.to_json()["rows"][0]["again"].endswith("--seed 1")


@pytest.mark.servers
def test_the_platform_runs_a_task_once_when_its_scheduler_dies_and_when_it_is_submitted_again(
    tmp_path: Path, impatient: None
) -> None:
    schedules = ["kill:scheduler", "resubmit@queued"]
    report = storm("platform_sqlite", folder=tmp_path, python=HERE, schedules=schedules, tries=1)
    standings = {each.standing for each in report.rows if each.claim is not Claim.NOT_STUCK}
    assert standings == {Standing.KEPT}, str(report)
    assert report.result.lease.confirmed, "another scheduler took the task over"
    assert report.verdict is Verdict.HOLDS


def test_a_storm_whose_time_is_up_is_complete_once_each_schedule_was_tried() -> None:
    pause, kill = parse("pause"), parse("kill")
    options = StormOptions(tries=2, schedules=(pause, kill))
    assert Storm(Path("queue.py"), Path("folder"), options).plan() == [pause, kill, pause, kill]
    result = StormResult(Path("queue.py"), Path("folder"), options, [pause, kill], stopped="the time was up after 9 s")
    for schedule, complete in ((pause, False), (kill, True)):
        result.tried.append(Tried(Try("t", schedule, 1.0), Path("folder"), 1.0, finished=True))
        assert result.complete is complete
    result.stopped = INTERRUPTED
    assert not result.complete


def test_a_task_whose_only_worker_dies_is_lost_with_it(tmp_path: Path, impatient: None) -> None:
    report = storm(folder_queue(tmp_path), folder=tmp_path, python=HERE, schedules=["kill"], tries=1)
    assert row(report, "kill", Claim.AT_MOST_ONCE).shown is Shown.HELD
    lost = row(report, "kill", Claim.AT_LEAST_ONCE)
    assert {each.anomaly.name for each in lost.findings} == {"lost_with_worker"}
    assert report.verdict is Verdict.VIOLATED


def test_a_yaml_file_beside_is_taken_for_the_profile_and_the_message_says_so(tmp_path: Path) -> None:
    file = folder_queue(tmp_path)
    file.with_suffix(".yaml").write_text("services: {}\n")
    with pytest.raises(InputError, match=r"unknown key `services`.*was taken for the profile of folder_queue\.py"):
        check_storm(file, python=HERE)


def test_a_profile_names_a_storm_file_and_the_variables_that_it_is_run_with(tmp_path: Path) -> None:
    folder_queue(tmp_path, ("lease=0", 'lease=float(os.environ["LEASE"])'))
    profile = tmp_path / "mine.yaml"
    profile.write_text(
        "system: mine\ntopology: embedded\nmechanisms: {}\nfile: folder_queue.py\nvariables: {LEASE: 7}\n"
    )
    found = check_storm(profile, python=HERE)
    assert found[-2:] == ["lease: 7 s, stated", f"profile: {profile} (mine)"]
    profile.write_text(profile.read_text().replace("folder_queue", "nothing"))
    with pytest.raises(InputError, match=r"there is no storm file .*nothing\.py"):
        check_storm(profile, python=HERE)


def test_what_is_prepared_is_there_before_the_first_worker_starts(tmp_path: Path) -> None:
    prepared = (
        "queue.submit(submit)\n",
        "@queue.prepare\nasync def make():\n    box.mkdir()\n\nqueue.submit(submit)\n",
    )
    needing = ("    while True:\n", "    assert box.is_dir()\n    while True:\n")
    found = check_storm(folder_queue(tmp_path, prepared, needing, ("    box.mkdir(exist_ok=True)\n", "")), python=HERE)
    assert "a first task was submitted, started and finished" in found[2]


def test_check_says_what_it_found(tmp_path: Path) -> None:
    found = check_storm(folder_queue(tmp_path), python=HERE)
    assert found[:2] == ["broker: none", "workers: worker1, worker2"]


FIRST_SECONDS = "onceproof.conformance.storms.site.FIRST_TASK_SECONDS"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('broker="none"', 'broker="valky"', "unknown broker `valky`; did you mean `valkey`?"),
        ('broker="none"', 'broker="redis://127.0.0.1:1/0"', "no broker answers at 127.0.0.1:1"),
        ('"python -m folder_queue"', '"pyton -m folder_queue"', "the worker's command `pyton` is not found"),
        (
            "consume()\n",
            "raise SystemExit('port 1 is taken')\n",
            "ends before a first task is done, 3 times, with status 1",
        ),
        ("work(file.stem", "print(file.stem", "was accepted, and its function never ran"),
        ("os.replace", "os.replaced", "submit raises AttributeError"),
        ("queue.submit(submit)", "", "nothing says how to submit a task"),
        ("lease=0", "lease=-1", "the lease is -1.0 seconds"),
        ("import os", "import oz", "ModuleNotFoundError: No module named 'oz'"),
    ],
)
def test_what_is_wrong_with_a_storm_file_is_said_at_once(
    old: str, new: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FIRST_SECONDS, 5.0 if "never ran" in said else 60.0)
    file = folder_queue(tmp_path, (old, new))
    with pytest.raises(StormFailed) as raised:
        storm(file, folder=tmp_path / "storm", python=HERE, schedules=["kill"])
    if "ends before" in said:
        assert "port 1 is taken" in raised.value.log
    assert said in str(raised.value)
    assert str(raised.value).startswith(str(file))


def test_a_ledger_on_a_full_disk_is_said(tmp_path: Path) -> None:
    (tmp_path / "storm" / "site1").mkdir(parents=True)
    (tmp_path / "storm" / "site1" / "ledger.ndjson").symlink_to("/dev/full")
    with pytest.raises(StormFailed, match="the ledger cannot be written: no space left on device"):
        storm(folder_queue(tmp_path), folder=tmp_path / "storm", python=HERE, schedules=["kill"])


def test_processes_that_begin_a_session_of_their_own_are_ended_too(tmp_path: Path) -> None:
    escape = "import os, time; os.fork() or (os.setsid(), os.fork()); time.sleep(600)"
    with Processes() as processes:
        environment = {"PATH": "/usr/bin:/bin"}
        group = processes.start(
            "worker1", [sys.executable, "-c", escape], tmp_path / "log", environment=environment, folder=tmp_path
        )
        wait_until(lambda: len(group.members) == 3)
        assert len(group.pause()) == 3
        storm_id = processes.storm
    assert marked(storm_id) == []


def marked(storm_id: str) -> list[int]:
    return [each.pid for each in table() if has_mark(each.pid, "STORM_ID", storm_id)]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_is_left_running_whatever_ends_a_storm(number: signal.Signals, tmp_path: Path) -> None:
    file, folder = folder_queue(tmp_path), tmp_path / "storm"
    command = [sys.executable, "-m", "onceproof", "storm", str(file), "--python", str(HERE), "--folder", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    ledger = folder / "site1" / "ledger.ndjson"
    wait_until(lambda: ledger.exists() and "none-after-start" in ledger.read_text())
    mine = [each.pid for each in table() if runs_below(each.pid, folder)]
    assert len(mine) >= 3
    process.send_signal(number)
    process.send_signal(number)  # as `timeout` does: the process, and then its group
    printed, _ = process.communicate(timeout=60)
    if number is signal.SIGTERM:
        assert process.returncode == 3
        assert "interrupted" in printed
    wait_until(lambda: not [each.pid for each in table() if runs_below(each.pid, folder)])


def runs_below(pid: int, folder: Path) -> bool:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return f"STORM_LEDGER={folder}".encode() in file.read()
    except OSError:
        return False
