"""Scratch directories of driven systems: each disappears with its process, or at the next run if that was killed.

A scratch directory lies in memory where the machine has such a place. Its process removes it when it is done or ends;
what a killed process left behind is removed by the next run: a living process holds a lock in its own.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path

PREFIX = "onceproof-"
LOCK = "scratch.lock"
SHARED = Path("/dev/shm")


class ScratchDirectory:
    """A folder of this process's own; ``path`` is where. With many small commits, memory is much faster than a disk."""

    def __init__(self) -> None:
        place = SHARED if os.access(SHARED, os.W_OK) else Path(tempfile.gettempdir())
        sweep(place)
        # Removed by close(), or else when the interpreter ends.
        self._folder = tempfile.TemporaryDirectory(prefix=PREFIX, dir=place, ignore_cleanup_errors=True)
        self.path = Path(self._folder.name)
        self._lock = os.open(self.path / f"{LOCK}.new", os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        os.rename(self.path / f"{LOCK}.new", self.path / LOCK)  # a lock that can be seen is held

    def close(self) -> None:
        """Remove it."""
        self._folder.cleanup()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def sweep(place: Path) -> int:
    """Remove the scratch directories of processes that are dead; how many there were."""
    removed = 0
    for lock in place.glob(f"{PREFIX}*/{LOCK}"):
        with contextlib.suppress(OSError):
            held = os.open(lock, os.O_RDWR)
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(lock.parent, ignore_errors=True)
                removed += 1
            finally:
                os.close(held)
    return removed
