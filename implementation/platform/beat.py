"""Signs of life: each process notes in a small shared file that its loop goes round; the supervisor and /healthz look.

A process that waits for the store says so: then not it, but whoever holds the store up, is the one that hangs.
"""

import mmap
import os
import struct
import time
import zlib
from dataclasses import dataclass
from pathlib import Path

SUFFIX = ".beat"
LAYOUT = struct.Struct("<qdd200s")  # pid, time of the last turn, since when it waits for the store (0: it does not)
SUM = struct.Struct("<I")  # of the bytes above: a reader that comes while they are written sees some old, some new
LOOKS = 8  # until a sign is read as it was written
TROUBLE_MAX = 200


@dataclass(frozen=True, slots=True)
class Sign:
    """What a process last said. Times are the machine's monotonic clock's; trouble: why the store does not answer."""

    pid: int
    turned_at: float
    waits_since: float
    trouble: str

    def silent_seconds(self, now: float) -> float:
        """For how long its loop has not gone round, though nothing keeps it waiting."""
        return 0.0 if self.waits_since else max(0.0, now - self.turned_at)


class Beat:
    """The file of one process, which writes it: a few bytes in memory, no system call."""

    def __init__(self, folder: str, name: str) -> None:
        path = Path(folder) / f"{name}{SUFFIX}"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.ftruncate(descriptor, LAYOUT.size + SUM.size)
            self._memory = mmap.mmap(descriptor, LAYOUT.size + SUM.size)
        finally:
            os.close(descriptor)
        self._trouble = b""
        self._waits_since = 0.0
        self.turned()

    def turned(self) -> None:
        """The loop has gone round."""
        self._turned_at = time.monotonic()
        self._write()

    def waits(self, waiting: bool) -> None:
        """The process begins, or ends, to wait for the store."""
        self._waits_since = time.monotonic() if waiting else 0.0
        self._write()

    def trouble(self, text: str) -> None:
        """Why the store does not answer; empty: it does."""
        self._trouble = text.encode(errors="replace")[:TROUBLE_MAX]
        self._write()

    def _write(self) -> None:
        sign = LAYOUT.pack(os.getpid(), self._turned_at, self._waits_since, self._trouble)
        self._memory[:] = sign + SUM.pack(zlib.crc32(sign))


def sign_of(folder: str, name: str) -> Sign | None:
    """What a process last said; None if it never has, or if it is not to be had."""
    for _ in range(LOOKS):
        try:
            found = (Path(folder) / f"{name}{SUFFIX}").read_bytes()
        except OSError:
            return None
        sign = found[: LAYOUT.size]
        if len(found) == LAYOUT.size + SUM.size and SUM.unpack(found[LAYOUT.size :]) == (zlib.crc32(sign),):
            pid, turned_at, waits_since, trouble = LAYOUT.unpack(sign)
            return Sign(pid, turned_at, waits_since, trouble.rstrip(b"\0").decode(errors="replace"))
    return None
