"""What a process has started, however far down: found by the kernel's own lists of children, and ended.

A process that is a subreaper (prctl) gets the orphans of its descendants as its own children, so that none gets away by
a double fork or a session of its own.
"""

import contextlib
import ctypes
import os
import signal
from collections.abc import Iterator
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
SWEEPS_MAX = 200  # a process that forks faster than it is killed is not worth more


def become_subreaper() -> None:
    """Orphans among this process's descendants become its own children from now on."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def children(pid: int) -> list[int]:
    """The children of a process that live; none if it is gone."""
    found = []
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError):
                found += [int(child) for child in Path(f"/proc/{pid}/task/{thread}/children").read_text().split()]
    return [child for child in found if is_alive(child)]


def is_alive(pid: int) -> bool:
    """Whether a process is there and has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except (OSError, IndexError):
        return False


def descendants(pid: int) -> Iterator[int]:
    """All that a process has started and that lives, the nearest first."""
    level = children(pid)
    while level:
        yield from level
        level = [below for child in level for below in children(child)]


def is_marked(pid: int, mark: str) -> bool:
    """Whether a process was started with this line (NAME=VALUE) in its environment."""
    try:
        return mark.encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False


def end_strangers(known: set[int], mark: str = "") -> list[int]:
    """Kill every child of this process that is not known, and what it has started: an orphan that came to it.

    mark: only those that have this line in their environment, where others may have come to this process, too. The
    result is their pids: each is to be waited for, which this does where they are gone already.
    """
    found = [pid for pid in children(os.getpid()) if pid not in known and (not mark or is_marked(pid, mark))]
    for pid in found:
        end_descendants(pid)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
    return found


def end_descendants(pid: int) -> None:
    """Kill all that a process has started, until nothing is left."""
    for _ in range(SWEEPS_MAX):
        found = list(descendants(pid))
        if not found:
            return
        for child in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(child, signal.SIGKILL)
