"""Rows of 64-bit numbers, in memory or in a file, written from first to last and never changed."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np

from onceproof.model.checker.compiled.memory import WORD_BYTES


class Rows:
    """Rows of ``width`` numbers of 64 bits each. digest: of the file, where it was asked for."""

    def __init__(self, kept: Any, count: int, width: int, digest: str = "") -> None:
        self._kept, self.count, self.width, self.digest = kept, count, width, digest

    def __len__(self) -> int:
        return self.count

    def read(self, start: int, stop: int) -> Any:
        """The rows from ``start`` up to ``stop``, as an array of two dimensions."""
        if isinstance(self._kept, np.ndarray):
            return self._kept[start:stop]
        found: Any = np.empty((stop - start, self.width), np.int64)
        view = memoryview(found).cast("B") if found.size else memoryview(b"")
        at = start * self.width * WORD_BYTES
        while view:
            got = os.preadv(self._kept, [view], at)
            if not got:
                raise OSError(0, "the file is shorter than it was")
            view, at = view[got:], at + got
        return found

    def take(self, places: Any) -> Any:
        """The rows at these places."""
        if isinstance(self._kept, np.ndarray):
            return self._kept[places]
        return np.memmap(f"/proc/self/fd/{self._kept}", np.int64, "r", shape=(self.count, self.width))[places]

    def place_of(self, value: int) -> int:
        """The first place whose number, taken as unsigned, is not less; the rows are sorted and of one number each."""
        low, high = 0, self.count
        while low < high:
            middle = (low + high) // 2
            if int(self.read(middle, middle + 1).view(np.uint64)[0, 0]) < value:
                low = middle + 1
            else:
                high = middle
        return low

    def sync(self) -> None:
        """Waits until they are on the disk."""
        if not isinstance(self._kept, np.ndarray):
            os.fsync(self._kept)

    def close(self) -> None:
        """Gives the file back; what has no name any more is gone then."""
        if not isinstance(self._kept, np.ndarray):
            os.close(self._kept)
            self._kept = np.empty((0, self.width), np.int64)
            self.count = 0


def in_memory(rows: Any) -> Rows:
    """Rows that are in memory already."""
    return Rows(rows, len(rows), rows.shape[1])


class Pieces:
    """Rows while they come, which stay in memory."""

    def __init__(self, width: int) -> None:
        self.width = width
        self._pieces: list[Any] = [np.empty((0, width), np.int64)]

    def add(self, rows: Any) -> None:
        """Adds more rows."""
        self._pieces.append(rows)

    def done(self) -> Rows:
        """The rows, to be read."""
        return in_memory(np.concatenate(self._pieces))

    def drop(self) -> None:
        """Gives up what was written."""
        self._pieces = []


class Draft:
    """A file of rows while it is written. named: whether it keeps its name; else it is gone when it is closed."""

    def __init__(self, path: Path, width: int, *, named: bool) -> None:
        self.path, self.width, self.count = path, width, 0
        self._hash = hashlib.sha256() if named else None
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        if not named:
            os.unlink(path)

    def add(self, rows: Any) -> None:
        """Writes more rows."""
        together: Any = np.ascontiguousarray(rows)
        view = memoryview(together).cast("B") if rows.size else memoryview(b"")
        if self._hash is not None:
            self._hash.update(view)
        while view:
            view = view[os.write(self._file, view) :]
        self.count += len(rows)

    def done(self) -> Rows:
        """The rows, to be read."""
        return Rows(self._file, self.count, self.width, self._hash.hexdigest() if self._hash is not None else "")

    def drop(self) -> None:
        """Gives up what was written."""
        os.close(self._file)
        self.path.unlink(missing_ok=True)


def reopened(path: Path, count: int, width: int, digest: str) -> Rows:
    """The rows in a file that was written before; ValueError where it is not what it was."""
    file = os.open(path, os.O_RDONLY)
    found = Rows(file, count, width, digest)
    seen = hashlib.sha256()
    piece = max((1 << 20) // max(width, 1), 1)
    try:
        for start in range(0, count, piece):
            seen.update(np.ascontiguousarray(found.read(start, min(start + piece, count))).tobytes())
    except OSError:
        seen = hashlib.sha256(b"short")
    if seen.hexdigest() != digest:
        os.close(file)
        raise ValueError(f"{path}: the file is damaged")
    return found
