"""The processes that a storm starts: each in a session of its own, with a log, and none that outlives the storm."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from onceproof.conformance.storms.errors import StormError
from onceproof.conformance.storms.process_table import (
    MARK,
    STOPPED,
    WORKER,
    Entry,
    end_all,
    entry,
    members,
    send,
)

POLL_SECONDS = 0.02
END_SECONDS = 10.0
TAIL_LINES = 15


class Processes:
    """All processes of one storm. Used as a context manager: at its end nothing that was started is left."""

    def __init__(self) -> None:
        self.storm = f"storm-{os.getpid()}-{secrets.token_hex(4)}"
        self.sessions: list[int] = []
        self.started: list[subprocess.Popen[bytes]] = []
        # -P: a file of the user's in the working directory is never imported in place of ours
        command = [sys.executable, "-P", "-m", "onceproof.conformance.storms.sweeper", self.storm]
        self.sweeper = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.end()

    def start(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        *,
        environment: Mapping[str, str],
        folder: Path,
        user: tuple[int, int] | None = None,
        pipes: bool = False,
    ) -> Group:
        """Start a command as a group of its own; StormError where there is no such command.

        user: the ids of another user and group to run it as. pipes: its standard input and output are left to the
        caller, and only its standard error goes to the log.
        """
        marked = {**environment, MARK: self.storm, WORKER: name}
        with log.open("ab") as out:
            try:
                process = subprocess.Popen(
                    list(command),
                    cwd=folder,
                    env=marked,
                    stdin=subprocess.PIPE if pipes else subprocess.DEVNULL,
                    stdout=subprocess.PIPE if pipes else out,
                    stderr=out,
                    start_new_session=True,
                    **login(user),
                )
            except OSError as error:
                reason = (error.strerror or str(error)).lower()
                raise StormError(f"{name}: `{command[0]}` cannot be started: {reason}") from None
        self.started.append(process)
        self.sessions.append(process.pid)
        self._tell(process.pid)
        return Group(self, name, process, log)

    def end(self) -> None:
        """End everything, and be sure of it."""
        end_all(self.storm, self.sessions, END_SECONDS)
        if self.sweeper.stdin is not None:
            with contextlib.suppress(OSError):
                self.sweeper.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.sweeper.wait(END_SECONDS + 5)
        for process in self.started:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(1)

    def _tell(self, session: int) -> None:
        if self.sweeper.stdin is not None:
            with contextlib.suppress(OSError):  # the sweeper is gone; the storm itself still ends all
                self.sweeper.stdin.write(f"{session}\n".encode())
                self.sweeper.stdin.flush()


@dataclass
class Group:
    """One command with all the processes that it started."""

    processes: Processes
    name: str
    root: subprocess.Popen[bytes]
    log: Path
    began: float = field(default_factory=time.monotonic)

    @property
    def members(self) -> list[Entry]:
        """The live processes of the group, also those whose parent has gone."""
        return members(self.processes.storm, [self.root.pid], self.name)

    @property
    def alive(self) -> bool:
        """Whether the process that was started is there."""
        return self.root.poll() is None

    def kill(self) -> list[int]:
        """SIGKILL to the whole group, until nothing is left of it; the ids of those that were killed."""
        killed: list[int] = []
        deadline = time.monotonic() + END_SECONDS
        while left := self.members:
            for each in left:
                send(each.pid, signal.SIGKILL)
                killed.append(each.pid)
            if time.monotonic() > deadline:
                raise StormError(f"{self.name}: its processes would not die: {[each.pid for each in left]}")
            time.sleep(POLL_SECONDS)
        self.root.poll()
        return sorted(set(killed))

    def kill_root(self) -> list[int]:
        """SIGKILL to the process that was started alone: its children live on."""
        send(self.root.pid, signal.SIGKILL)
        self.root.wait(END_SECONDS)
        return [self.root.pid]

    def pause(self) -> list[int]:
        """SIGSTOP to the whole group, until every process of it has stopped; their ids."""
        deadline = time.monotonic() + END_SECONDS
        while running := [each for each in self.members if each.state not in STOPPED]:
            for each in running:
                send(each.pid, signal.SIGSTOP)
            if time.monotonic() > deadline:
                raise StormError(f"{self.name}: its processes would not stop: {[each.pid for each in running]}")
            time.sleep(POLL_SECONDS / 2)
        return sorted(each.pid for each in self.members)

    def resume(self) -> list[int]:
        """SIGCONT to the whole group; the ids of those that were stopped."""
        stopped = sorted(each.pid for each in self.members if each.state in STOPPED)
        for pid in stopped:
            send(pid, signal.SIGCONT)
        return stopped

    def owns(self, pid: int) -> bool:
        """Whether a process belongs to the group."""
        found = entry(pid)
        return found is not None and any(each.pid == pid for each in self.members)

    def tail(self, lines: int = TAIL_LINES) -> str:
        """The last lines of its log."""
        return tail(self.log, lines)


def login(user: tuple[int, int] | None) -> dict[str, Any]:
    """What makes ``subprocess`` run a command as another user; nothing where it is to be the same one."""
    return {} if user is None else {"user": user[0], "group": user[1], "extra_groups": []}


def tail(log: Path, lines: int = TAIL_LINES) -> str:
    """The last lines of a log; "" where there is none."""
    try:
        text = log.read_bytes()[-20_000:].decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(line.rstrip() for line in text.splitlines()[-lines:])


def wait_until(condition: Callable[[], bool], seconds: float, *, poll: float = POLL_SECONDS) -> bool:
    """Whether a condition came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(poll)
    return True
