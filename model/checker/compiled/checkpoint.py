"""A search kept on disk while it runs, so that it can go on after a crash, a reboot or a limit.

Beside the file that a user names lies ``FILE.states``, an image of all states: states are never changed, so each time
only the new ones are written. Then the file itself is replaced as a whole; what it says is always true of the image,
also after a power failure, since each file reaches the disk before anything refers to it. Both carry digests: a file
in which a byte was changed is refused, since it would give another count without a word.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from onceproof.model.checker.compiled.frontier import Ranges
from onceproof.model.checker.compiled.memory import WORD_BYTES

FORMAT = "onceproof checkpoint 2"


class CheckpointError(Exception):
    """A checkpoint cannot be written or used; the message names the file and says why."""


@dataclass
class Snapshot:
    """Where a search is: ``remaining`` of the last level is still to be expanded, ``found`` came of the rest.

    words: 64-bit words of a state; count: states found; next_block: the first number without a state. fired, best and
    pending: what the search counted, as in ``Search``.
    """

    words: int
    count: int
    next_block: int
    levels: list[Ranges]
    remaining: Ranges
    found: Ranges
    fired: list[int]
    best: list[int]
    pending: int

    @property
    def ranges(self) -> Ranges:
        """The numbers of all states."""
        return [part for level in [*self.levels, self.found] for part in level]


@dataclass
class Checkpoint:
    """Where and how often (in seconds) a search is kept. ``text``: the functions that it runs."""

    path: Path
    text: str
    interval: float = 60.0

    def __post_init__(self) -> None:
        self._saved_at = time.monotonic()
        self._image: dict[int, _Part] = {}  # of each range of states, by its start, what the image has of it

    @property
    def image(self) -> Path:
        """The file with the states."""
        return self.path.with_name(self.path.name + ".states")

    @property
    def due(self) -> bool:
        """Whether it is time to save again."""
        return time.monotonic() - self._saved_at > self.interval

    def save(self, snapshot: Snapshot, states: Any) -> None:
        """Writes all of it down; ``states`` has the words of all states. CheckpointError where that is not possible."""
        try:
            with open(self.image, "r+b" if self.image.exists() else "w+b") as image:
                for start, stop in snapshot.ranges:
                    part = self._image.setdefault(start, _Part(start))
                    part.extend(image, states, snapshot.words, stop)
                _to_disk(image)
            content = json.dumps(self._content(snapshot))
            draft = self.path.with_name(self.path.name + ".new")
            with open(draft, "w", encoding="utf-8") as file:
                file.write(f"{digest(content)}\n{content}\n")
                _to_disk(file)
            os.replace(draft, self.path)
            _folder_to_disk(self.path.parent)
        except OSError as error:
            raise CheckpointError(f"{self.path}: the checkpoint cannot be written: {error.strerror}") from None
        self._saved_at = time.monotonic()

    def _content(self, snapshot: Snapshot) -> dict[str, Any]:
        digests = [self._image[start].hash.hexdigest() for start, _ in snapshot.ranges]
        return {"format": FORMAT, "digest": digest(self.text), "image": digests, **vars(snapshot)}

    def load(self, states: Any, capacity: int) -> Snapshot:
        """Puts the saved states into their places in ``states``, which has room for ``capacity`` of them.

        CheckpointError where a file cannot be read, is damaged, belongs to another search, or needs more room.
        """
        content = self._read()
        digests = content.pop("image")
        snapshot = Snapshot(**content)
        if snapshot.next_block > capacity:
            raise CheckpointError(f"{self.path}: its {snapshot.count:,} states do not fit in --max-memory")
        try:
            with open(self.image, "rb") as image:
                for (start, stop), expected in zip(snapshot.ranges, digests, strict=True):
                    part = self._image[start] = _Part(start)
                    part.read(image, states, snapshot.words, stop)
                    if part.hash.hexdigest() != expected:
                        raise CheckpointError(f"{self.image}: states {start:,} to {stop:,} are damaged")
        except (OSError, ValueError):
            raise CheckpointError(f"{self.image}: states are missing; the checkpoint cannot be used") from None
        return snapshot

    def _read(self) -> dict[str, Any]:
        try:
            first, _, text = self.path.read_text(encoding="utf-8").partition("\n")
        except OSError as error:
            raise CheckpointError(f"{self.path}: cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            first, text = "", ""
        text = text.removesuffix("\n")
        try:
            content = json.loads(text)
        except ValueError:
            content = None
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise CheckpointError(f"{self.path}: this is not a checkpoint of this version")
        if digest(text) != first:
            raise CheckpointError(f"{self.path}: the checkpoint is damaged: its digest does not fit its content")
        if content.pop("digest") != digest(self.text):
            raise CheckpointError(
                f"{self.path}: this is the checkpoint of another model, configuration, choice of properties or symmetry"
            )
        del content["format"]
        for key in ("levels", "remaining", "found"):
            content[key] = _pairs(content[key])
        return content


class _Part:
    """What the image has of one range of states, and its digest."""

    def __init__(self, start: int) -> None:
        self.stop = start
        self.hash = hashlib.sha256()

    def extend(self, image: IO[bytes], states: Any, words: int, stop: int) -> None:
        """Appends the states up to ``stop``."""
        for numbers in self._pieces(states, words, stop):
            image.seek(self.stop * words * WORD_BYTES)
            image.write(numbers)
            self._take(numbers, words)

    def read(self, image: IO[bytes], states: Any, words: int, stop: int) -> None:
        """Reads the states up to ``stop`` into their places; ValueError where the image has fewer."""
        image.seek(self.stop * words * WORD_BYTES)
        for numbers in self._pieces(states, words, stop):
            if image.readinto(numbers) != numbers.nbytes:  # type: ignore[attr-defined]
                raise ValueError(f"the image ends before state {stop}")
            self._take(numbers, words)

    def _take(self, numbers: Any, words: int) -> None:
        self.hash.update(numbers)
        self.stop += len(numbers) // (words * WORD_BYTES)

    def _pieces(self, states: Any, words: int, stop: int) -> Iterator[Any]:
        """The bytes of the states that are still missing, a few MiB at a time."""
        while self.stop < stop:
            last = min(self.stop + (1 << 18), stop)
            yield memoryview(states[self.stop * words : last * words]).cast("B")


def digest(text: str) -> str:
    """What tells one text from another: of the functions of a model under one configuration, say."""
    return hashlib.sha256(text.encode()).hexdigest()


def _to_disk(file: IO[Any]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _folder_to_disk(folder: Path) -> None:
    """A renamed file is safe once its folder is on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _pairs(found: list[Any]) -> list[Any]:
    return [(one[0], one[1]) if len(one) == 2 and isinstance(one[0], int) else _pairs(one) for one in found]
