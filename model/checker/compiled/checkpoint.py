"""A search kept on disk while it runs, so that it can go on after a crash, a reboot or a limit.

Beside the file that a user names lies ``FILE.states``, an image of all states: states are never changed, so each time
only the new ones are written. Then the file itself is replaced as a whole; what it says is always true of the image.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from onceproof.model.checker.compiled.kernels import batch
from onceproof.model.checker.compiled.memory import WORD_BYTES

if TYPE_CHECKING:
    from onceproof.model.checker.compiled.frontier import Ranges
    from onceproof.model.checker.compiled.search import Search

FORMAT = "onceproof checkpoint 1"


class CheckpointError(Exception):
    """A checkpoint cannot be written or gone on with; the message names the file and says why."""


@dataclass
class Checkpoint:
    """Where and how often (in seconds) a search is kept. ``text``: the functions that it runs."""

    path: Path
    text: str
    interval: float = 60.0

    def __post_init__(self) -> None:
        self._saved_at = time.monotonic()
        self._written: dict[int, int] = {}  # of each range of states, by its start, how far the image has it

    @property
    def image(self) -> Path:
        """The file with the states."""
        return self.path.with_name(self.path.name + ".states")

    @property
    def due(self) -> bool:
        """Whether it is time to save again."""
        return time.monotonic() - self._saved_at > self.interval

    def save(self, search: Search, remaining: Ranges, found: Ranges) -> None:
        """Writes down all: ``remaining`` of the last level is still to be expanded, ``found`` came of the rest."""
        content = {
            "format": FORMAT,
            "digest": digest(self.text),
            "words": search.words,
            "count": search.count,
            "next_block": int(search.shared[batch.NEXT_BLOCK]),
            "levels": [level.ranges for level in search.levels],
            "remaining": remaining,
            "found": found,
            "fired": search.fired.tolist(),
            "best": search.best.tolist(),
            "pending": search.pending,
        }
        try:
            with open(self.image, "r+b" if self.image.exists() else "w+b") as image:
                for start, stop in _all_ranges(content):
                    known = self._written.get(start, start)
                    if known < stop:
                        image.seek(known * search.words * WORD_BYTES)
                        search.states[known * search.words : stop * search.words].tofile(image)
                        self._written[start] = stop
            draft = self.path.with_name(self.path.name + ".new")
            draft.write_text(json.dumps(content))
            os.replace(draft, self.path)
        except OSError as error:
            raise CheckpointError(f"{self.path}: the checkpoint cannot be written: {error.strerror}") from None
        self._saved_at = time.monotonic()

    def load(self, search: Search) -> tuple[Ranges, Ranges]:
        """Puts a new search where the saved one was; returns what was ``remaining`` and ``found``."""
        content = self._read()
        ranges = _all_ranges(content)
        if content["next_block"] > search.capacity:
            raise CheckpointError(f"{self.path}: its {content['count']:,} states do not fit in --max-memory")
        try:
            with open(self.image, "rb") as image:
                for start, stop in ranges:
                    image.seek(start * search.words * WORD_BYTES)
                    numbers = np.fromfile(image, np.int64, (stop - start) * search.words)
                    search.states[start * search.words : stop * search.words] = numbers
        except (OSError, ValueError):
            raise CheckpointError(f"{self.image}: states are missing; the checkpoint cannot be used") from None
        search.restore(content, ranges)
        self._written = dict(ranges)
        return content["remaining"], content["found"]

    def _read(self) -> dict[str, Any]:
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
        except OSError as error:
            raise CheckpointError(f"{self.path}: cannot be read: {error.strerror}") from None
        except ValueError:
            content = None
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise CheckpointError(f"{self.path}: this is no checkpoint of this version")
        if content["digest"] != digest(self.text):
            raise CheckpointError(
                f"{self.path}: this is the checkpoint of another model, configuration, choice of properties or symmetry"
            )
        for key in ("levels", "remaining", "found"):
            content[key] = _pairs(content[key])
        return content


def digest(text: str) -> str:
    """What tells one model under one configuration from another: a hash of its functions."""
    return hashlib.sha256(text.encode()).hexdigest()


def _pairs(found: list[Any]) -> list[Any]:
    return [(one[0], one[1]) if len(one) == 2 and isinstance(one[0], int) else _pairs(one) for one in found]


def _all_ranges(content: dict[str, Any]) -> Ranges:
    return [part for level in [*content["levels"], content["found"]] for part in level]
