"""A function's code: what it may import, that an edited file is used by the next call, what ends with an attempt."""

import os
import signal
import subprocess
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from onceproof.implementation.platform.functions import cgroups, descendants
from tests.helpers.platforms import Platform
from tests.helpers.waiting import is_alive, wait_until

FUNCTIONS = {
    "helped": """
        import json
        from helper import WORD
        def handler(event, context):
            import lazy
            return f"{WORD} {lazy.WORD} {json.loads('1')}"
    """,
    "helper": "WORD = 'one'",
    "lazy": "WORD = 'uno'",
    "attrs": "WORD = 'the folder comes before what is installed'",
    "usesattrs": "import attrs\ndef handler(event, context): return attrs.WORD",
    "shop/priced": "from prices import PRICE\ndef handler(event, context): return str(PRICE)",
    "shop/prices": "PRICE = 3",
    "classes": """
        from __future__ import annotations
        import dataclasses, pickle
        @dataclasses.dataclass
        class Order:
            number: int
        def handler(event, context):
            return str(pickle.loads(pickle.dumps(Order(7))).number)
    """,
    "email": """
        def handler(event, context):
            import email
            return email.message_from_string("Subject: found")["Subject"]
    """,
    "orphans": """
        import json, os, subprocess, sys
        SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
        def handler(event, context):
            how = event.decode()
            own = subprocess.Popen(SLEEP).pid
            away = subprocess.Popen(SLEEP, start_new_session=True).pid
            shell = subprocess.run(["sh", "-c", "setsid sleep 600 >/dev/null 2>&1 & echo $!"], capture_output=True)
            print(json.dumps([own, away, int(shell.stdout)]), flush=True)
            if how == "hang":
                while True: pass
            if how == "crash":
                os._exit(1)
            if how == "raise":
                raise ValueError("no")
    """,
    "lingers": """
        import pathlib, subprocess, time
        def handler(event, context):
            process = subprocess.Popen(["setsid", "sleep", "600"])
            time.sleep(0.2)
            (pathlib.Path(__file__).parents[1] / "pid.txt").write_text(str(process.pid))
            time.sleep(60)
    """,
    "breeds": """
        import subprocess, sys
        def handler(event, context):
            started = []
            for _ in range(20):
                started.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]))
            import time
            time.sleep(60)
    """,
}


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    limits = {"orphans": {"timeout_seconds": 3}, "breeds": {"processes": 5}}
    made = Platform(tmp_path_factory.mktemp("code"), {"schedulers": 1, "agents": 1, "slots": 4, "limits": limits})
    for name, text in FUNCTIONS.items():
        made.function(name, text)
    yield made.start()
    made.end()


def called(platform: Platform, function: str, event: bytes = b"") -> str:
    """The result of one call."""
    task_id, _ = platform.caller().submit(function.replace("/", "$"), event)
    record = platform.ended(function.replace("/", "$"), task_id)
    assert record["status"] == "Succeeded", record["taskErrorMessage"]
    return str(record["returnPayload"])


def edit(platform: Platform, name: str, text: str) -> None:
    """Edit a file; at another time than its last change, by the file system's clock."""
    path = platform.folder / "functions" / f"{name}.py"
    before = path.stat().st_mtime_ns
    path.write_text(textwrap.dedent(text))
    while path.stat().st_mtime_ns == before:
        path.touch()


def test_function_imports_from_its_folder(platform: Platform) -> None:
    assert called(platform, "helped") == "one uno 1"
    assert called(platform, "shop/priced") == "3"
    assert called(platform, "usesattrs") == "the folder comes before what is installed"


def test_module_of_a_function_is_there_by_name_as_everywhere(platform: Platform) -> None:
    assert called(platform, "classes") == "7"
    assert called(platform, "email") == "found", "no function hides a module of the standard library"


@pytest.mark.parametrize(("name", "was", "becomes"), [("helper", "one", "two"), ("lazy", "uno", "due")])
def test_edited_module_is_used_by_the_next_call(platform: Platform, name: str, was: str, becomes: str) -> None:
    assert was in called(platform, "helped")
    edit(platform, name, f"WORD = '{becomes}'")
    assert becomes in called(platform, "helped")


def test_edited_function_is_used_by_the_next_call(platform: Platform) -> None:
    for number in range(6):
        text = f"def handler(event, context): return '{number}'"
        (platform.folder / "functions" / "edited.py").write_text(text)
        assert called(platform, "edited") == str(number), "of the same size, and edited within the same second"
    edit(platform, "edited", "def handler(event, context")
    task_id, _ = platform.caller().submit("edited", b"")
    assert "SyntaxError" in platform.ended("edited", task_id)["taskErrorMessage"]
    edit(platform, "edited", "def handler(event, context): return 'mended'")
    assert called(platform, "edited") == "mended"


def test_function_that_is_not_edited_keeps_its_process(platform: Platform) -> None:
    platform.function("pid", "import os\ndef handler(event, context): return str(os.getpid())")
    old = time.time() - 100
    os.utime(platform.folder / "functions" / "pid.py", (old, old))
    assert len({called(platform, "pid") for _ in range(3)}) == 1


@pytest.mark.parametrize("how", ["return", "raise", "crash", "hang"])
def test_what_an_attempt_has_started_ends_with_it(platform: Platform, how: str) -> None:
    task_id, _ = platform.caller().submit("orphans", how.encode())
    record = platform.ended("orphans", task_id)
    assert record["status"] == ("Succeeded" if how == "return" else "Failed")
    pids = [int(word) for word in platform.caller().log("orphans", task_id)[0]["output"].split("]")[0][1:].split(",")]
    assert len(pids) == 3
    wait_until(lambda: not any(is_alive(pid) for pid in pids), 5)


def test_what_functions_have_started_ends_with_their_agent_and_nothing_else_does(platform: Platform) -> None:
    task_id, _ = platform.caller().submit("lingers", b"")
    wait_until(lambda: (platform.folder / "pid.txt").exists() and (platform.folder / "pid.txt").read_text())
    pid = int((platform.folder / "pid.txt").read_text())
    assert is_alive(pid)
    os.kill(platform.pid("agent1"), signal.SIGKILL)
    wait_until(lambda: not is_alive(pid))
    assert platform.ended("lingers", task_id)["status"] == "Failed"


def test_orphans_that_are_not_of_functions_are_left_alone() -> None:
    process = subprocess.Popen(["sleep", "600"], env={"MARK": "other"})
    try:
        wait_until(lambda: descendants.is_marked(process.pid, "MARK=other"))  # the kernel shows it soon after the start
        assert descendants.end_strangers(set(), "MARK=mine") == []
        assert is_alive(process.pid)
        assert process.pid in descendants.end_strangers(set(), "MARK=other")
        wait_until(lambda: not is_alive(process.pid))
    finally:
        process.kill()
        process.wait()


def test_function_with_too_many_processes_fails_and_leaves_none(platform: Platform) -> None:
    task_id, _ = platform.caller().submit("breeds", b"")
    record = platform.ended("breeds", task_id)
    assert record["status"] == "Failed"
    refused = ("more than 5 processes", "Resource temporarily unavailable", "BlockingIOError")
    assert any(text in record["taskErrorMessage"] for text in refused), record["taskErrorMessage"]


def test_control_group_ends_all_that_is_in_it(tmp_path: Path) -> None:
    group = cgroups.made(3)
    if group is None:
        pytest.skip("this machine gives no control group to this user")
    process = subprocess.Popen(["sh", "-c", "read line; setsid sleep 600 & setsid sleep 600"], stdin=subprocess.PIPE)
    group.add(process.pid)
    assert process.stdin is not None
    process.stdin.write(b"go\n")
    process.stdin.flush()
    wait_until(lambda: len((group.folder / "cgroup.procs").read_text().split()) == 3)
    group.kill()
    process.wait()
    wait_until(lambda: not (group.folder / "cgroup.procs").read_text())
    group.remove()
    assert not group.folder.exists()
