"""Where lines come from: files, gzip, standard input; in blocks, with a bound on the length of a line."""

from __future__ import annotations

import codecs
import gzip
import io
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from onceproof.conformance.judging.errors import LogError, Problems

BLOCK = 1 << 20
LINE_MAX = 1 << 20
HEAD_LINES = 200


@dataclass
class Source:
    """One log. name: what the user called it; head: its first lines, for recognising the format.

    progress: called with the number of lines read so far, once a block.
    """

    name: str
    stream: IO[bytes]
    head: list[bytes]
    first_block: bytes
    progress: Callable[[int], None] | None = None

    def blocks(self, problems: Problems) -> Iterator[tuple[int, list[bytes]]]:
        """The lines in batches, each with the number of its first line. LogError for what is not text."""
        number, rest, block = 1, b"", self.first_block
        skipping = False
        while block:
            if b"\0" in block:
                raise LogError(f"{self.name}: not text: it has a NUL byte near line {number}")
            lines = (rest + block).split(b"\n")
            rest = lines.pop()
            if skipping and lines:
                lines[0], skipping = b"", False
            if len(rest) > LINE_MAX:
                problems.report(self.name, number + len(lines), f"a line of more than {LINE_MAX:,} bytes")
                rest, skipping = b"", True
            if lines:
                yield number, lines
                number += len(lines)
            if self.progress is not None:
                self.progress(number - 1)
            block = self.stream.read(BLOCK)
        if rest and not skipping:
            yield number, [rest]


def open_source(path: str) -> Source:
    """Open a log: a path, gzip or not, or ``-`` for standard input. LogError where it cannot be read."""
    name = "<stdin>" if path == "-" else path
    try:
        raw: IO[bytes] = sys.stdin.buffer if path == "-" else open(path, "rb")  # noqa: SIM115
    except IsADirectoryError:
        raise LogError(f"{path}: is a folder; name the log files in it") from None
    except OSError as error:
        raise LogError(f"{path}: {(error.strerror or 'cannot be read').lower()}{_near(path)}") from None
    # BufferedReader of a pipe can be peeked at; standard input cannot be wound back.
    stream = raw if isinstance(raw, io.BufferedReader) else io.BufferedReader(cast(io.RawIOBase, raw))
    packed = stream.peek(2)[:2] == b"\x1f\x8b"
    unpacked: IO[bytes] = cast(IO[bytes], gzip.GzipFile(fileobj=stream)) if packed else stream
    try:
        block = unpacked.read(BLOCK).removeprefix(codecs.BOM_UTF8)  # as some editors and shells write it
    except (OSError, EOFError) as error:
        raise LogError(f"{name}: cannot be unpacked: {error}") from None
    return Source(name, unpacked, block.split(b"\n")[:HEAD_LINES], block)


def _near(path: str) -> str:
    from onceproof.model.language.errors import nearest

    folder = Path(path).parent
    return nearest(Path(path).name, [each.name for each in folder.iterdir()]) if folder.is_dir() else ""
