"""The ledger: what a task itself says of its run, one line of JSON for its start and one for its end, each on disk."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import threading
import time
from collections.abc import Iterator
from typing import Any

# Where a storm keeps what it needs; a storm sets these for every process that it starts.
LEDGER = "STORM_LEDGER"
HOLDS = "STORM_HOLDS"
# The moments at which a storm can hold a task: before its first line, after it, and before its function returns.
ENTERED, STARTED, FINISHED = "entered", "started", "finished"
POLL_SECONDS = 0.01

_lock = threading.Lock()


def _unlocked() -> None:
    """A forked child begins with a lock that no thread of its own holds."""
    global _lock
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_unlocked)


def record(what: str, task: str, **more: Any) -> None:
    """Add one line to the ledger, and wait until it is on disk; without a storm nothing is recorded.

    OSError where the ledger cannot be written.
    """
    path = os.environ.get(LEDGER)
    if path is None:
        return
    try:
        with _lock:  # the lines of one process are in the order of their times
            descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
            try:
                line = {"t": time.time_ns(), "what": what, "task": task, "pid": os.getpid(), **more}
                text = (json.dumps(line) + "\n").encode()
                if os.write(descriptor, text) != len(text):
                    raise OSError("a line was written only in part; is the disk full?")
                with contextlib.suppress(OSError):  # a pipe or a device cannot be synchronised
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)
    except OSError as error:
        raise OSError(error.errno, "the ledger cannot be written: " + (error.strerror or str(error)), path) from None


def work(task: str, seconds: float) -> None:
    """The body of a task in a storm: record the start, take ``seconds``, record the end."""
    for _ in _held(task, ENTERED):
        time.sleep(POLL_SECONDS)
    record("start", task)
    try:
        for _ in _held(task, STARTED):
            time.sleep(POLL_SECONDS)
        time.sleep(seconds)
    except BaseException:
        record("fail", task)  # a time limit of the library, say
        raise
    record("finish", task)
    for _ in _held(task, FINISHED):
        time.sleep(POLL_SECONDS)


async def work_async(task: str, seconds: float) -> None:
    """``work`` for a task that is a coroutine: others run on the same loop meanwhile."""
    for _ in _held(task, ENTERED):
        await asyncio.sleep(POLL_SECONDS)
    record("start", task)
    try:
        for _ in _held(task, STARTED):
            await asyncio.sleep(POLL_SECONDS)
        await asyncio.sleep(seconds)
    except BaseException:
        record("fail", task)
        raise
    record("finish", task)
    for _ in _held(task, FINISHED):
        await asyncio.sleep(POLL_SECONDS)


def _held(task: str, moment: str) -> Iterator[None]:
    """Goes on for as long as the storm holds this task at this moment; only the first to arrive is held.

    The storm makes the file ``TASK.MOMENT``. Whoever renames it says so with its pid, and waits until it is gone.
    """
    folder = os.environ.get(HOLDS)
    if folder is None:
        return
    file = os.path.join(folder, f"{task}.{moment}")
    reached = f"{file}.{os.getpid()}"
    try:
        os.rename(file, reached)
    except OSError:
        return
    while os.path.exists(reached):
        yield
