"""`onceproof task` as a client, and what `onceproof serve` says when it cannot."""

import functools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.platforms import Platform
from tests.helpers.waiting import PATIENCE_SECONDS, wait_until
from tests.paths import ROOT

FUNCTIONS = {
    "hello": "def handler(event, context): return b'hello ' + event",
    "fails": "def handler(event, context): raise ValueError('no')",
    "talks": "def handler(event, context):\n    print('one')\n    print('two ' + event.decode())",
}


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    made = Platform(tmp_path_factory.mktemp("commands"), {"schedulers": 1, "agents": 1})
    for name, text in FUNCTIONS.items():
        made.function(name, text)
    yield made.start()
    made.end()


def onceproof(*arguments: str, endpoint: str = "", text: str = "") -> tuple[int, str, str]:
    """Run a command: exit status, stdout, stderr."""
    environment = {**os.environ, "ONCEPROOF_ENDPOINT": endpoint} if endpoint else dict(os.environ)
    command = [sys.executable, "-m", "onceproof", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, input=text, capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout, done.stderr


def test_task_command_follows_a_task_from_submission_to_result(platform: Platform) -> None:
    def task(*arguments: str, text: str = "") -> tuple[int, str, str]:
        return onceproof("task", *arguments, endpoint=platform.endpoint, text=text)

    assert task("submit", "hello", "--id", "t1", "--data", "joe") == (0, "t1 accepted\n", "")
    assert task("submit", "hello", "--id", "t1") == (0, "t1 known already\n", "")
    status, out, _ = task("submit", "hello", "--id", "t2", "--file", "-", "--wait", "--json", text="ann")
    assert (status, json.loads(out)["returnPayload"]) == (0, "hello ann")
    status, out, _ = task("submit", "fails", "--id", "t3", "--wait")
    assert status == 1 and out.startswith("t3  Failed\n") and "ValueError" in out
    status, out, _ = task("list", "hello", "--json")
    assert (status, [one["taskId"] for one in json.loads(out)["tasks"]]) == (0, ["t2", "t1"])
    assert task("list", "hello", "--prefix", "t1")[1].split()[2:] == ["Succeeded", "t1"]
    assert task("get", "hello", "t1")[1].startswith("t1  Succeeded\n")
    assert task("submit", "talks", "--id", "t4", "--data", "x", "--wait")[0] == 0
    assert task("get", "talks", "t4", "--log")[1].endswith("  output of attempt 1:\n    one\n    two x\n")
    assert task("get", "hello", "t1", "--log")[1].endswith("  the function wrote nothing\n")
    log = json.loads(task("get", "talks", "t4", "--log", "--json")[1])["log"]
    assert log == [{"attempt": 1, "output": "one\ntwo x\n", "droppedBytes": 0}]
    assert task("stop", "hello", "t1") == (0, "t1 is stopped, or has ended\n", "")


def test_task_and_serve_report_wrong_input_in_one_line(platform: Platform, tmp_path: Path) -> None:
    for arguments, line in (
        (("task", "get", "hello", "nobody"), "there is no task nobody of this function (404 "),
        (("task", "submit", "hallo"), "there is no function 'hallo' (404 FunctionNotFound)"),
        (("task", "submit", "hello", "--id", "1x"), "a TaskID starts with a letter or _"),
        (("task", "--endpoint", "ftp://x", "list", "hello"), "--endpoint: found 'ftp://x', expected a URL"),
        (("task", "--endpoint", "http://127.0.0.1:1", "list", "hello"), "no answer from http://127.0.0.1:1"),
        (("task", "submit", "hello", "--file", str(tmp_path / "none")), "no such file"),
        (
            ("serve", "--functions", str(tmp_path / "none"), "--data", str(tmp_path / "d"), "--port", "0"),
            "no such folder",
        ),
        (("serve", "--port", "65536"), "--port: found 65536, expected a whole number from 0 to 65535"),
        (("serve", "--config", str(tmp_path / "none.yaml")), "none.yaml: No such file"),
        (
            ("serve", "--check-config", "--lease-seconds", "nan"),
            "--lease-seconds: found nan, expected a number above 0",
        ),
    ):
        status, out, error = onceproof(*arguments, endpoint=platform.endpoint)
        assert (status, out, error.count("\n")) == (2, "", 1), (arguments, error)
        assert line in error


def test_config_is_checked_without_starting_anything(tmp_path: Path) -> None:
    path = tmp_path / "platform.yaml"
    path.write_text("port: 0\nlimits:\n  hello:\n    timeout_secnds: 3\n")
    data = str(tmp_path / "data")
    status, out, error = onceproof("serve", "--check-config", "--config", str(path), "--data", data)
    assert (status, out) == (2, "")
    assert f"{path}:4: limits.hello.timeout_secnds: no limit is called 'timeout_secnds'; did you mean" in error
    path.write_text("port: 0\nlimits:\n  hello:\n    timeout_seconds: 3\n")
    assert onceproof("serve", "--check-config", "--config", str(path), "--data", data) == (
        0,
        f"the settings are valid: {path}\n",
        "",
    )
    assert not Path(data).exists()


def served(folder: Path) -> "subprocess.Popen[str]":
    """A platform that has said where it serves."""
    (folder / "functions").mkdir(exist_ok=True)
    folders = ("--data", str(folder / "data"), "--functions", str(folder / "functions"))
    command = [
        sys.executable,
        "-m",
        "onceproof",
        "serve",
        "--port",
        "0",
        "--agents",
        "1",
        "--schedulers",
        "1",
        *folders,
    ]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None and process.stdout.readline().startswith("onceproof serves at ")
    return process


def has_ended_by(process: "subprocess.Popen[str]", number: signal.Signals) -> bool:
    """Send one more signal; whether the process has ended."""
    process.send_signal(number)
    return process.poll() is not None


def test_serve_ends_in_order_when_nobody_reads_what_it_says(tmp_path: Path) -> None:
    process = served(tmp_path)
    assert process.stdout is not None
    process.stdout.close()  # as `serve | head -1` does
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE_SECONDS) == 0


def test_serve_exits_with_0_however_many_signals_come(tmp_path: Path) -> None:
    process = served(tmp_path)
    wait_until(functools.partial(has_ended_by, process, signal.SIGTERM))
    assert process.stdout is not None and process.stdout.read().endswith("ended\n")
    process.stdout.close()
    assert process.returncode == 0
