"""A disk that is full, and one that cannot be written: clear messages, and nothing accepted is lost."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from onceproof.implementation.platform.http.client import CallFailed
from tests.helpers.platforms import LEDGER, Platform


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system of its own, where the machine lets tests mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting a file system needs rights that this machine does not give")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def platform(disk: Path, tmp_path: Path) -> Iterator[Platform]:
    made = Platform(tmp_path / "platform", {"data": str(disk / "data"), "schedulers": 1, "agents": 1})
    made.function("ledger", LEDGER)
    yield made
    made.end()


def remount(disk: Path, option: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{option}", str(disk)], check=True, capture_output=True)


def test_full_disk_is_reported_and_loses_no_accepted_task(platform: Platform, disk: Path) -> None:
    platform.start()
    caller = platform.caller()
    accepted = []
    with pytest.raises(CallFailed) as refused:
        for number in range(2000):
            task_id = f"t{number}"
            caller.submit("ledger", platform.order(padding="x" * 3000), task_id, tries=1)
            accepted.append(task_id)
    assert refused.value.status == 503
    assert "full" in str(refused.value) or "disk I/O error" in str(refused.value)
    remount(disk, "size=100m")
    assert caller.submit("ledger", platform.order(), "after") == ("after", True)
    for task_id in [*accepted, "after"]:
        assert platform.ended("ledger", task_id)["status"] == "Succeeded", task_id
    assert set(platform.starts().values()) == {1}
    assert len(platform.starts()) >= len(accepted) + 1 > 10


def test_disk_that_cannot_be_written_is_reported(platform: Platform, disk: Path) -> None:
    (disk / "data").mkdir()
    remount(disk, "ro")
    assert "the data folder" in (line := platform.refusal()) and "Read-only file system" in line
