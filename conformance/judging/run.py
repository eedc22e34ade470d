"""Judging logs from start to end: open, recognise, read, judge; and following files that grow."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from onceproof.conformance.judging.errors import LogError, Problems
from onceproof.conformance.judging.formats.base import LogFormat, choose, recognise
from onceproof.conformance.judging.judge import Judgement, Options, judge
from onceproof.conformance.judging.sources import Source, open_source
from onceproof.conformance.judging.table import EventTable


@dataclass
class Reading:
    """What was read. formats: of each file, by its name; skipped: how many lines were, by reason.

    interrupted: Ctrl-C came before the end, so that the rest of the events is not there.
    """

    table: EventTable = field(default_factory=EventTable)
    formats: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, int] = field(default_factory=dict)
    interrupted: bool = False


def read_logs(
    paths: Sequence[str],
    format_name: str | None = None,
    *,
    lenient: bool = False,
    report: Callable[[str, int], None] | None = None,
) -> Reading:
    """Read logs into one table. format_name: None to recognise it in each file.

    lenient: skip lines that are wrong, and count them. report: is called with a file and its lines so far. Ctrl-C ends
    the reading; what was read until then is kept.
    LogError where a log cannot be read, or has no event.
    """
    reading, problems = Reading(), Problems(lenient=lenient)
    wanted = choose(format_name) if format_name is not None else None
    for path in paths:
        source = open_source(path)
        chosen = wanted or recognise(source)
        reading.formats[source.name] = chosen.name
        if report is not None:
            source.progress = functools.partial(report, source.name)
        try:
            chosen.read(source, reading.table, problems)
        except KeyboardInterrupt:
            reading.interrupted = True
            reading.table.cut()  # the last row may be half there
            break
        finally:
            source.stream.close()
    reading.skipped = dict(problems.skipped)
    if not len(reading.table):
        names = ", ".join(f"{name} (as {form})" for name, form in reading.formats.items())
        raise LogError(f"no event of any task in {names}; there is nothing to judge")
    return reading


@dataclass
class _Tail:
    """A file that grows: what of it was read, and in which format."""

    path: str
    form: LogFormat | None = None
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


def follow(
    paths: Sequence[str],
    format_name: str | None,
    options: Options,
    *,
    lenient: bool = False,
    poll_seconds: float = 0.5,
    wait: Callable[[float], None] = time.sleep,
) -> Iterator[tuple[Reading, Judgement]]:
    """Judge files that grow, again and again; a step each time that lines came. Ends only when it is closed.

    wait: how to let time pass between two looks.
    """
    reading, problems = Reading(), Problems(lenient=lenient)
    tails = [_Tail(path) for path in paths]
    while True:
        grown = False
        for tail in tails:
            lines = tail.rows()
            if not lines:
                continue
            source = _Lines(tail.path, lines, tail.lines)
            if tail.form is None:
                tail.form = choose(format_name) if format_name is not None else recognise(source)
                reading.formats[tail.path] = tail.form.name
            tail.form.read(source, reading.table, problems)
            tail.lines += len(lines)
            grown = True
        if grown and len(reading.table):
            reading.skipped = dict(problems.skipped)
            yield reading, judge(reading.table, options)
        else:
            wait(poll_seconds)


class _Lines(Source):
    """Lines that were read already, as a source; they are numbered on from those before."""

    def __init__(self, name: str, lines: list[bytes], before: int) -> None:
        import io

        super().__init__(name, io.BytesIO(), lines[:200], b"")
        self._lines, self._before = lines, before

    def blocks(self, problems: Problems) -> Iterator[tuple[int, list[bytes]]]:
        yield self._before + 1, self._lines
