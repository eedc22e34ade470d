"""Processes of the system under test: started, stopped, resumed and killed, alone or with all that they started."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shlex
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

LAST_LINES = 20  # of what it printed, that are kept
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36  # linux/prctl.h


class Process:
    """A process of the system, with its descendants. What it prints is read, and its last lines are kept."""

    def __init__(
        self,
        command: str | Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | str | None = None,
    ) -> None:
        words = shlex.split(command) if isinstance(command, str) else list(command)
        self.command = shlex.join(words)
        self.lines: deque[str] = deque(maxlen=LAST_LINES)
        self._changed = threading.Condition()
        self._found: set[str] = set()
        self._wanted: set[str] = set()
        self._ended = False
        try:
            self._popen = subprocess.Popen(
                words,
                env={**os.environ, **(env or {})},
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                preexec_fn=_die_with_parent(),
            )
        except OSError as error:
            raise RuntimeError(f"`{self.command}` cannot be started: {error.strerror}") from None
        self.pid = self._popen.pid
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def alive(self) -> bool:
        """Whether the process itself runs, or is stopped."""
        return self._popen.poll() is None

    def kill(self) -> None:
        """SIGKILL to the process and to all that it has started."""
        signal_tree(self.pid, signal.SIGKILL, alive=self.alive)
        self._popen.wait()

    def kill_alone(self) -> None:
        """SIGKILL to the process alone: what it has started lives on."""
        self._popen.kill()
        self._popen.wait()

    def terminate(self, seconds: float = 10.0) -> None:
        """SIGTERM to the process, as a service manager does; SIGKILL to all of it where that takes too long."""
        self._popen.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(seconds)
        self.kill()

    def stop(self) -> None:
        """SIGSTOP to the process and to all that it has started: it hangs, and does not know."""
        signal_tree(self.pid, signal.SIGSTOP, alive=self.alive)

    def resume(self) -> None:
        """SIGCONT: it goes on where it was."""
        signal_tree(self.pid, signal.SIGCONT, alive=self.alive)

    def wait_for(self, text: str, seconds: float = 30.0) -> None:
        """Wait until it has printed a text. RuntimeError, with what it printed last, where it ends or takes longer."""
        with self._changed:
            self._wanted.add(text)
            self._found |= {text for line in self.lines if text in line}
            self._changed.wait_for(lambda: text in self._found or self._ended, seconds)
            if text not in self._found:
                how = f"ended with status {self._popen.wait()}" if self._ended else f"took longer than {seconds:g} s"
                said = "".join(["; it printed:", *(f"\n    {line}" for line in self.lines)]) if self.lines else ""
                raise RuntimeError(f"`{self.command}` {how} before it printed {text!r}{said}")

    def _read(self) -> None:
        assert self._popen.stdout is not None
        with contextlib.suppress(OSError, ValueError):
            for line in self._popen.stdout:
                with self._changed:
                    self.lines.append(line.decode(errors="replace").rstrip("\n"))
                    self._found |= {text for text in self._wanted if text in self.lines[-1]}
                    self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()


def descendants(pid: int) -> list[int]:
    """The processes that a process has started, and those that they have started, as far as /proc shows them."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            after_name = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
            children.setdefault(int(after_name[1]), []).append(int(entry.name))
    found, waiting = list[int](), [pid]
    while waiting:
        mine = children.get(waiting.pop(), [])
        found += mine
        waiting += mine
    return found


def signal_tree(pid: int, number: int, *, alive: bool) -> None:
    """Send a signal to a process, if it is alive, and to all that it has started, whatever sessions they have made."""
    if alive and number != signal.SIGCONT:
        signal_all([pid], signal.SIGSTOP)  # it starts nothing more while its descendants are looked for
    signal_all([*descendants(pid), *([pid] if alive else [])], number)


def signal_all(pids: Iterable[int], number: int) -> None:
    """Send a signal to each of these processes that still exists."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def adopt_orphans() -> None:
    """From now on, processes whose parent dies become children of this one, so that they are found when it ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)


def _die_with_parent() -> Callable[[], None] | None:
    """What makes the kernel end a process when the driver dies, however that dies; None where there is no such call."""
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None)
    parent = os.getpid()

    def ask() -> None:
        library.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the call
            os._exit(1)

    return ask
