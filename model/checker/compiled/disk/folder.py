"""The folder of a search on disk: its levels, and what it goes on from after a kill.

A level is a file of states, and is never changed. ``search.json`` says which files there are; it is replaced as a
whole, and only when all that it speaks of is on the disk, so that it is true at every moment, also after a power
failure. All else in the folder has no name, and is gone with the process. Each file has a digest: one in which a byte
was changed is refused, since it would give another count without a word.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from onceproof.model.checker.compiled.checkpoint import CheckpointError, digest
from onceproof.model.checker.compiled.disk.numbers import Draft, Pieces, Rows, reopened

FORMAT = "onceproof search on disk 1"
MANIFEST, LOCK = "search.json", "lock"
WITHOUT_SYMMETRY = "without-symmetry"  # the folder of the same search without it, where symmetry does not tell enough
OURS = (MANIFEST, f"{MANIFEST}.new", LOCK, WITHOUT_SYMMETRY)
IN_MEMORY = 1 << 20  # bytes of rows that are not worth a file


@dataclass
class Tallies:
    """What a search counted by the end of a level, as in ``Search``."""

    fired: list[int]
    best: list[int]
    pending: int
    looked_up: int


class Folder:
    """The folder of one search. text: the functions that it runs; words, sleep_words: of a state and its sleep set."""

    def __init__(self, path: Path, text: str, words: int, sleep_words: int) -> None:
        self.path, self.text, self.words, self.sleep_words = path, text, words, sleep_words
        self.levels: list[Rows] = []
        self.sleeping: Rows | None = None  # of the last level
        self.tallies: Tallies | None = None  # as they were kept last
        self._kept = 0  # levels that ``search.json`` knows
        self._lock = -1
        try:
            with self._told():
                self._enter()
        except BaseException:
            self.close()
            raise

    def _enter(self) -> None:
        """Makes the folder, or reads what there is; CheckpointError where it cannot be used."""
        path = self.path
        path.mkdir(exist_ok=True)
        others = [each.name for each in path.iterdir() if each.name not in OURS]
        ours = all(name.startswith("level-") for name in others) and (path / LOCK).exists()
        if others and not ours:
            raise CheckpointError(f"{path}: this folder has other files in it, such as {min(others)}")
        self._lock = os.open(path / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CheckpointError(f"{path}: another search is at work in this folder") from None
        if (path / MANIFEST).exists():
            self._load()
        known = {self._name(number, kind) for number in range(self._kept) for kind in ("states", "sleeping")}
        for stale in path.glob("level-*"):
            if stale.name not in known:
                stale.unlink()

    # -- while it is searched

    def draft(self, kind: str, width: int) -> Draft:
        """A file of the level that is found now."""
        return Draft(self.path / self._name(len(self.levels), kind), width, named=True)

    def aside(self, rows: int, width: int) -> Draft | Pieces:
        """Room for so many rows that nobody needs after a kill: in memory where they are few, else without a name."""
        if rows * width * 8 <= IN_MEMORY:
            return Pieces(width)
        return Draft(self.path / "level-aside", width, named=False)

    def add(self, states: Rows, sleeping: Rows) -> None:
        """A level was found."""
        self.levels.append(states)
        before, self.sleeping = self.sleeping, sleeping
        if before is not None:
            before.close()

    def keep(self, tallies: Tallies) -> None:
        """Writes down that the levels so far were found; what is older goes on to be true until that is on the disk."""
        with self._told():
            for rows in (*self.levels[self._kept :], self.sleeping):
                if rows is not None:
                    rows.sync()
            content = json.dumps(self._content(tallies))
            draft = self.path / f"{MANIFEST}.new"
            with open(draft, "w", encoding="utf-8") as file:
                file.write(f"{digest(content)}\n{content}\n")
                file.flush()
                os.fsync(file.fileno())
            os.replace(draft, self.path / MANIFEST)
            handle = os.open(self.path, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        self._kept, self.tallies = len(self.levels), tallies
        for number in range(self._kept - 1):
            (self.path / self._name(number, "sleeping")).unlink(missing_ok=True)

    def close(self) -> None:
        """Gives the files back."""
        for rows in (*self.levels, self.sleeping):
            if rows is not None:
                rows.close()
        self.levels, self.sleeping = [], None
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    # -- what is written down

    def _content(self, tallies: Tallies) -> dict[str, Any]:
        assert self.sleeping is not None
        return {
            "format": FORMAT,
            "search": digest(self.text),
            "levels": [{"states": len(rows), "digest": rows.digest} for rows in self.levels],
            "sleeping": self.sleeping.digest,
            "tallies": asdict(tallies),
        }

    def _load(self) -> None:
        content = self._read()
        if content["search"] != digest(self.text):
            raise CheckpointError(
                f"{self.path}: this is the search of another model, configuration, choice of properties or symmetry"
            )
        try:
            for number, level in enumerate(content["levels"]):
                path = self.path / self._name(number, "states")
                self.levels.append(reopened(path, level["states"], self.words, level["digest"]))
            last = self.path / self._name(len(self.levels) - 1, "sleeping")
            self.sleeping = reopened(last, len(self.levels[-1]), self.sleep_words, content["sleeping"])
        except ValueError as error:
            raise CheckpointError(str(error)) from None
        self.tallies = Tallies(**content["tallies"])
        self._kept = len(self.levels)

    def _read(self) -> Any:
        path = self.path / MANIFEST
        first, _, text = path.read_text(encoding="utf-8", errors="replace").partition("\n")
        text = text.removesuffix("\n")
        if digest(text) != first:
            raise CheckpointError(f"{path}: the file is damaged, or none of a search on disk")
        content = json.loads(text)
        if content.get("format") != FORMAT:
            raise CheckpointError(f"{path}: this is not a search of this version")
        return content

    @staticmethod
    def _name(level: int, kind: str) -> str:
        return f"level-{level:06}.{kind}"

    @contextmanager
    def _told(self) -> Iterator[None]:
        """CheckpointError, which names the folder, for what the system refuses; but a full disk is left as it is."""
        try:
            yield
        except OSError as error:
            if is_full(error):
                raise
            raise CheckpointError(f"{self.path}: {(error.strerror or str(error)).lower()}") from None


def is_full(error: OSError) -> bool:
    """Whether there is no more room on a disk."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
