"""Logs of attempts: kept, bounded, removed; and that trouble with their file harms nothing else."""

import asyncio
import os
import sqlite3
import time
from pathlib import Path

from onceproof.implementation.platform.functions.logs import AttemptLog, TaskLogs, tail_of
from onceproof.implementation.platform.functions.runner import Output


def test_logs_of_a_task_are_kept_by_attempt_and_removed_by_age(tmp_path: Path) -> None:
    logs = TaskLogs(str(tmp_path))
    assert logs.of("t") == []
    assert (
        logs.put("t", AttemptLog(2, b"two", 7))
        and logs.put("t", AttemptLog(1, b"\xff"))
        and logs.put("u", AttemptLog(1, b"u"))
    )
    other = TaskLogs(str(tmp_path))
    assert other.of("t") == [AttemptLog(1, b"\xff"), AttemptLog(2, b"two", 7)]
    assert other.remove(0) == 0
    assert (other.remove(time.time_ns() + 1, 2), other.remove(time.time_ns() + 1)) == (2, 1)
    assert logs.of("t") == []
    logs.close()
    other.close()


def test_damaged_file_of_logs_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "logs.db").write_bytes(b"no database" * 1000)
    logs = TaskLogs(str(tmp_path))
    assert not logs.put("t", AttemptLog(1, b"x"))
    assert logs.put("t", AttemptLog(1, b"x"))
    assert logs.of("t") == [AttemptLog(1, b"x")]
    logs.close()


def test_logs_that_cannot_be_kept_are_no_error(tmp_path: Path) -> None:
    logs = TaskLogs(str(tmp_path / "none"))
    assert not logs.put("t", AttemptLog(1, b"x"))
    assert (logs.of("t"), logs.remove(1)) == ([], 0)
    (tmp_path / "ok").mkdir()
    busy = TaskLogs(str(tmp_path / "ok"))
    assert busy.put("t", AttemptLog(1, b"x"))
    with sqlite3.connect(tmp_path / "ok" / "logs.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        assert not busy.put("u", AttemptLog(1, b"x"))
    other.close()
    busy.close()


def test_tail_is_the_end_of_the_last_attempt_between_two_lines() -> None:
    logs = [AttemptLog(1, b"first"), AttemptLog(2, b"0123456789")]
    assert tail_of(logs, "r", 4) == b"FC Invoke Start RequestId: r\n6789\nFC Invoke End RequestId: r\n"
    assert tail_of([], "r", 4) == b"FC Invoke Start RequestId: r\nFC Invoke End RequestId: r\n"


def test_output_keeps_the_end_and_counts_the_rest() -> None:
    async def written(size_max: int) -> tuple[bytes, int]:
        read, write = os.pipe()
        output = Output(read, size_max)
        os.write(write, b"of nobody")
        output.begin()
        for number in range(100):
            os.write(write, b"%03d" % number)
            output.take()
        os.close(write)
        kept = output.end()
        output.close()
        return kept, output.written

    assert asyncio.run(written(6)) == (b"098099", 300)
    assert asyncio.run(written(1000)) == (b"".join(b"%03d" % number for number in range(100)), 300)
    assert asyncio.run(written(0)) == (b"", 300)
