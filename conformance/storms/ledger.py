"""The ledger while it is written: the storm adds submissions and faults, the tasks their starts and ends."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onceproof.conformance.storms.errors import StormError
from onceproof.conformance.storms.processes import POLL_SECONDS

SECOND = 1_000_000_000


@dataclass(frozen=True)
class Line:
    """One line. time: nanoseconds; pid: of the process that wrote it, or that a fault was done to."""

    time: int
    what: str
    task: str | None
    pid: int | None
    value: str | None = None


class StormLedger:
    """One file for all. Written as events happen, so that nothing is lost with the storm."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: list[Line] = []
        self._lock = threading.RLock()
        self._rest = b""
        try:
            self._out = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
            self._in = path.open("rb")
        except OSError as error:
            raise StormError(f"{path}: the ledger cannot be opened: {(error.strerror or str(error)).lower()}") from None

    def close(self) -> None:
        """No line follows."""
        os.close(self._out)
        self._in.close()

    def write(self, what: str, task: str | None = None, **more: Any) -> None:
        """Add a line now; StormError where that is impossible."""
        with self._lock:
            line: dict[str, Any] = {"t": time.time_ns(), "what": what, **({} if task is None else {"task": task})}
            text = (json.dumps({**line, **more}) + "\n").encode()
            try:
                if os.write(self._out, text) != len(text):
                    raise OSError(0, "a line was written only in part; is the disk full?")
            except OSError as error:
                reason = (error.strerror or str(error)).lower()
                raise StormError(f"{self.path}: the ledger cannot be written: {reason}") from None

    def fault(self, value: str, pids: list[int]) -> None:
        """What was done to processes: a line for each."""
        for pid in pids:
            self.write("fault", pid=pid, value=value)

    def read(self) -> list[Line]:
        """All lines so far."""
        with self._lock:
            text = self._rest + self._in.read()
            *whole, self._rest = text.split(b"\n")
            for each in whole:
                found = json.loads(each)
                pid = found.get("pid")
                self.lines.append(Line(found["t"], found["what"], found.get("task"), pid, found.get("value")))
            return self.lines

    def of(self, task: str, *kinds: str) -> list[Line]:
        """The lines of a task, of these kinds (none: of all)."""
        return [line for line in self.read() if line.task == task and (not kinds or line.what in kinds)]

    def wait(self, seen: Callable[[], bool], seconds: float, look: Callable[[], None] = lambda: None) -> bool:
        """Whether something was seen in time. look: called now and then, to raise what ends the wait early."""
        deadline = time.monotonic() + seconds
        while not seen():
            if time.monotonic() > deadline:
                return False
            look()
            time.sleep(POLL_SECONDS)
        return True
