"""Signs of life in shared memory: who hangs, and who only waits for the store."""

import os
import subprocess
import sys
import time
from pathlib import Path

from onceproof.implementation.platform.beat import Beat, Sign, sign_of


def test_sign_of_a_process_is_what_it_last_said(tmp_path: Path) -> None:
    assert sign_of(str(tmp_path), "relay") is None
    beat = Beat(str(tmp_path), "relay")
    now = time.monotonic()
    sign = sign_of(str(tmp_path), "relay")
    assert sign is not None
    assert (sign.pid, sign.waits_since, sign.trouble) == (os.getpid(), 0.0, "")
    assert 0 <= now - sign.turned_at < 5
    beat.trouble("full \u00e9" * 100)
    beat.waits(True)
    sign = sign_of(str(tmp_path), "relay")
    assert sign is not None and sign.trouble.startswith("full") and sign.waits_since > 0
    beat.waits(False)
    beat.trouble("")
    sign = sign_of(str(tmp_path), "relay")
    assert sign is not None and (sign.waits_since, sign.trouble) == (0.0, "")


def test_process_that_waits_for_the_store_is_not_silent() -> None:
    assert Sign(1, 100.0, 0.0, "").silent_seconds(130.0) == 30.0
    assert Sign(1, 100.0, 101.0, "").silent_seconds(130.0) == 0.0


def test_torn_file_is_no_sign(tmp_path: Path) -> None:
    (tmp_path / "relay.beat").write_bytes(b"short")
    assert sign_of(str(tmp_path), "relay") is None


WRITES = """
import sys
from onceproof.implementation.platform.beat import Beat

beat = Beat(sys.argv[1], "agent1")
print("ready", flush=True)
while True:
    beat.turned()
"""


def test_sign_that_is_read_while_it_is_written_is_whole(tmp_path: Path) -> None:
    """Half a sign says that the process was silent since the machine was started, and a healthy agent is killed."""
    writer = subprocess.Popen([sys.executable, "-c", WRITES, str(tmp_path)], stdout=subprocess.PIPE)
    try:
        assert writer.stdout is not None and writer.stdout.readline() == b"ready\n"
        signs = [sign_of(str(tmp_path), "agent1") for _ in range(20_000)]
    finally:
        writer.kill()
        writer.communicate()
    read = [sign for sign in signs if sign is not None]
    assert len(read) > 19_000
    now = time.monotonic()
    assert max(sign.silent_seconds(now) for sign in read) < 60 and {sign.pid for sign in read} == {writer.pid}
