"""The levels of a partitioned search in a folder that all partitions see, so that a partition may be lost.

Each partition writes the states that it found in a level to a file of its own, ``LEVEL-PARTITION.states``; then the
search writes ``levels.json``, which says up to which level all is there. Files are written as a whole or not at all.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from onceproof.model.checker.compiled.checkpoint import CheckpointError, digest
from onceproof.model.checker.partitioned.plan import Plan

FORMAT = "onceproof partitions 1"


@dataclass(frozen=True)
class Saved:
    """What a folder has: the levels up to ``depth``, their sizes, in how many files each is, and what was counted."""

    depth: int
    sizes: list[int]
    files: list[int]
    fired: Any
    looked_up: int


def level_file(folder: Path, depth: int, partition: int) -> Path:
    """The file for what a partition found in a level."""
    return folder / f"{depth}-{partition}.states"


def write_rows(path: Path, rows: Any) -> None:
    """Writes states, with a digest before them. CheckpointError where that is not possible."""
    content = np.ascontiguousarray(rows).tobytes()
    _replace(path, hashlib.sha256(content).digest() + content)


def read_rows(path: Path, words: int) -> Any:
    """The states in a file. CheckpointError where it cannot be read, or is damaged."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror}") from None
    if hashlib.sha256(content[32:]).digest() != content[:32]:
        raise CheckpointError(f"{path}: the states in it are damaged")
    return np.frombuffer(content, np.int64, offset=32).reshape(-1, words)


class LevelFiles:
    """The folder of one search. CheckpointError where it has the files of another search."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.folder = folder.absolute()
        self.text = digest(plan.text)
        self._files: list[int] = []
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if any(self.folder.iterdir()):
                raise CheckpointError(f"{folder}: the folder is not empty; give one that is, or does not exist yet")
        except OSError as error:
            raise CheckpointError(f"{folder}: cannot be used for a checkpoint: {error.strerror}") from None

    def paths(self, depth: int) -> list[str]:
        """The files of a level that is complete."""
        return [str(level_file(self.folder, depth, number)) for number in range(self._files[depth])]

    def write(self, depth: int, sizes: list[int], fired: Any, looked_up: int, partitions: int) -> None:
        """Notes that all files of a level are there."""
        self._files = [*self._files[:depth], partitions]
        content = {
            "format": FORMAT,
            "digest": self.text,
            "sizes": sizes,
            "files": self._files,
            "fired": fired.tolist(),
            "looked_up": looked_up,
        }
        _replace(self.folder / "levels.json", json.dumps(content).encode())

    def read(self) -> Saved:
        """What the folder has."""
        content = json.loads((self.folder / "levels.json").read_text(encoding="utf-8"))
        fired = np.array(content["fired"], np.int64)
        return Saved(len(content["sizes"]) - 1, content["sizes"], content["files"], fired, content["looked_up"])


def _replace(path: Path, content: bytes) -> None:
    draft = path.with_name(path.name + ".new")
    try:
        with open(draft, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except OSError as error:
        raise CheckpointError(f"{path}: the checkpoint cannot be written: {error.strerror}") from None
