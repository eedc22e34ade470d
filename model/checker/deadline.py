"""The time that a check may take, kept in every phase: what may run for long asks whether it is up."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

GRACE = 0.5  # seconds that may be spent after the end on the run to a violation that was found

_end: ContextVar[float | None] = ContextVar("end", default=None)


class OutOfTime(Exception):
    """The time is up."""


@contextmanager
def deadline(seconds: float | None) -> Iterator[None]:
    """Within this, the time is up after so many seconds (None: no limit but that of a deadline around this one)."""
    outer = _end.get()
    end = None if seconds is None else time.monotonic() + seconds
    token = _end.set(min((one for one in (outer, end) if one is not None), default=None))
    try:
        yield
    finally:
        _end.reset(token)


@contextmanager
def grace(seconds: float = GRACE) -> Iterator[None]:
    """Within this, there are so many seconds left at least; to end what was begun, and no more."""
    outer = _end.get()
    token = _end.set(None if outer is None else max(outer, time.monotonic() + seconds))
    try:
        yield
    finally:
        _end.reset(token)


def time_left() -> float | None:
    """Seconds until the time is up (0: it is); None where there is no limit."""
    end = _end.get()
    return None if end is None else max(end - time.monotonic(), 0.0)


def check_time() -> None:
    """OutOfTime where the time is up."""
    end = _end.get()
    if end is not None and time.monotonic() > end:
        raise OutOfTime


def timer() -> Callable[[], bool]:
    """Whether the time is up, as a function that other threads may call, too."""
    end = _end.get()
    return lambda: end is not None and time.monotonic() > end


def in_time(make: Callable[[], bytes]) -> bytes:
    """What ``make`` makes; OutOfTime as soon as the time is up, although ``make`` itself never looks at a clock.

    With a limit it runs in a process of its own, which is killed then: no thread can be stopped inside of a compiler.
    """
    left = time_left()
    if left is None:
        return make()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _answer(make, writer)
    os.close(writer)
    try:
        answer = _until_closed(reader, time.monotonic() + left)
    except BaseException:
        os.kill(child, signal.SIGKILL)
        raise
    finally:
        os.close(reader)
        _, status = os.waitpid(child, 0)
    return make() if status else answer  # what fails in a child fails here, with its message


def _answer(make: Callable[[], bytes], writer: int) -> None:
    """The child: writes what was made, and ends without any of the parent's clean-up."""
    status = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        view = memoryview(make())
        while view:
            view = view[os.write(writer, view) :]
        status = 0
    finally:
        os._exit(status)


def _until_closed(reader: int, end: float) -> bytes:
    parts: list[bytes] = []
    while True:
        ready, _, _ = select.select([reader], [], [], max(end - time.monotonic(), 0.0))
        if not ready:
            raise OutOfTime
        part = os.read(reader, 1 << 20)
        if not part:
            return b"".join(parts)
        parts.append(part)
