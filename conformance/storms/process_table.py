"""The processes of this machine, read from /proc: which belong to a storm, and how they are."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass

MARK = "STORM_ID"  # in the environment of every process of a storm: which storm it is
WORKER = "STORM_PROCESS"  # and of which of its workers or brokers
DEAD = "ZXx"
STOPPED = "Tt"


@dataclass(frozen=True)
class Entry:
    """One process: its parent, its session, and its state as /proc writes it (R, S, T, Z, ...)."""

    pid: int
    parent: int
    session: int
    state: str


def entry(pid: int) -> Entry | None:
    """A process by its id; None where there is none."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            text = file.read()
    except OSError:
        return None
    state, parent, _, session = text.rpartition(")")[2].split()[:4]  # a name may contain blanks and brackets
    return Entry(pid, int(parent), int(session), state)


def table() -> list[Entry]:
    """All processes that are there now."""
    found = (entry(int(name)) for name in os.listdir("/proc") if name.isdigit())
    return [each for each in found if each is not None]


def has_mark(pid: int, name: str, value: str) -> bool:
    """Whether a process was started with this variable in its environment."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return f"{name}={value}".encode() in file.read().split(b"\0")
    except OSError:
        return False


def members(storm: str, sessions: Iterable[int], worker: str | None = None) -> list[Entry]:
    """The live processes of a storm, or of one worker of it.

    A process belongs to it by its session, by the mark in its environment, or as a child of one that does: a program
    may begin a session of its own, and it may write its title over its environment, but hardly both.
    """
    entries, wanted = table(), set(sessions)
    chosen = {each.pid for each in entries if each.session in wanted or _is_marked(each.pid, storm, worker)}
    chosen = with_descendants(chosen)
    mine = os.getpid()
    return [each for each in entries if each.pid in chosen and each.state not in DEAD and each.pid != mine]


def _is_marked(pid: int, storm: str, worker: str | None) -> bool:
    return has_mark(pid, MARK, storm) and (worker is None or has_mark(pid, WORKER, worker))


def with_descendants(pids: Iterable[int]) -> set[int]:
    """These processes, and all that they started."""
    entries, chosen = table(), set(pids)
    while not (children := {each.pid for each in entries if each.parent in chosen}) <= chosen:
        chosen |= children
    return chosen


def ancestors(pid: int) -> set[int]:
    """A process, and whoever started it, up to the first of all."""
    found: set[int] = set()
    while pid > 1 and (known := entry(pid)) is not None and pid not in found:
        found.add(pid)
        pid = known.parent
    return found


def command_line(pid: int) -> str:
    """The command line of a process, its words separated by blanks; "" where it has none."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:
        return ""


def end_all(storm: str, sessions: Iterable[int], seconds: float = 10.0) -> list[int]:
    """Kill all processes of a storm until none is left; the ids of those that would not go."""
    deadline, wanted = time.monotonic() + seconds, list(sessions)
    while left := members(storm, wanted):
        for each in left:
            send(each.pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            return [each.pid for each in left]
        time.sleep(0.02)
    return []


def send(pid: int, number: signal.Signals) -> None:
    """A signal to a process that may have gone already."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
