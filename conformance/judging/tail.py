"""Files that grow: the complete lines that came since the last look."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from dataclasses import dataclass

from onceproof.conformance.judging.errors import LogError, Problems
from onceproof.conformance.judging.sources import Source


@dataclass
class Tail:
    """A file that grows, and how much of it was read."""

    path: str
    offset: int = 0
    lines: int = 0

    def rows(self) -> list[bytes]:
        """The complete lines that came since the last time. LogError if the file became shorter."""
        with open(self.path, "rb") as stream:
            if os.fstat(stream.fileno()).st_size < self.offset:
                raise LogError(f"{self.path}: became shorter while it was followed")
            stream.seek(self.offset)
            data = stream.read()
        whole = data[: data.rfind(b"\n") + 1]
        self.offset += len(whole)
        return whole.split(b"\n")[:-1] if whole else []


class Lines(Source):
    """Lines that were read already, as a source; they are numbered on from those before."""

    def __init__(self, name: str, lines: list[bytes], before: int) -> None:
        super().__init__(name, io.BytesIO(), lines[:200], b"")
        self._lines, self._before = lines, before

    def blocks(self, problems: Problems) -> Iterator[tuple[int, list[bytes]]]:
        yield self._before + 1, self._lines
