"""Judging logs from start to end: open, recognise, read, judge; and following files that grow."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from onceproof.conformance.judging.errors import LogError, Problems
from onceproof.conformance.judging.formats.base import LogFormat, choose, formats, recognise
from onceproof.conformance.judging.judge import Judgement, Options, judge
from onceproof.conformance.judging.sources import open_source
from onceproof.conformance.judging.table import EventTable
from onceproof.conformance.judging.tail import Lines, Tail

EMPTY = "nothing: it is empty"  # instead of a format
MOST_SECONDS = 60.0
DATED = 100_000_000 * 1_000_000_000  # 1973, in nanoseconds: smaller times count from midnight or from some start


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
        if len(paths) > 1 and not any(line.strip() for line in source.head):
            reading.formats[source.name] = EMPTY
            source.stream.close()
            continue
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
        except OverflowError:
            raise LogError(f"{source.name}: a time or a number is too large; times reach to the year 2262") from None
        finally:
            source.stream.close()
    reading.skipped = dict(problems.skipped)
    reading.table.complete = not (reading.interrupted or reading.skipped)
    if not len(reading.table):
        names = ", ".join(f"{name} (as {form})" for name, form in reading.formats.items())
        known = dict.fromkeys(form for form in reading.formats.values() if form in formats())
        needed = "".join(f"; {form} is read from: {formats()[form].about}" for form in known)
        raise LogError(f"no event of any task in {names}; there is nothing to judge{needed}")
    _require_one_zero(reading.table)
    return reading


def _require_one_zero(table: EventTable) -> None:
    """LogError where the times of one file are dates, and those of another count from midnight or from a start."""
    import numpy as np

    time, file = np.frombuffer(table.time, np.int64), np.frombuffer(table.file, np.uint16)
    dated = {
        name: bool(time[file == number].min() >= DATED)
        for number, name in enumerate(table.files)
        if (file == number).any()
    }
    for name, is_dated in dated.items():
        if not is_dated and any(dated.values()):
            other = next(each for each in dated if dated[each])
            raise LogError(
                f"{name}: its times have no date, and those of {other} have one: they cannot be compared; "
                f"judge the files one by one, or log dates in both"
            )


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
    tails = [Tail(path) for path in paths]
    forms: dict[str, LogFormat] = {}
    while True:
        grown = False
        for tail in tails:
            lines = tail.rows()
            if not lines:
                continue
            source = Lines(tail.path, lines, tail.lines)
            if tail.path not in forms:
                forms[tail.path] = choose(format_name) if format_name is not None else recognise(source)
                reading.formats[tail.path] = forms[tail.path].name
            forms[tail.path].read(source, reading.table, problems)
            tail.lines += len(lines)
            grown = True
        if grown and len(reading.table):
            reading.skipped = dict(problems.skipped)
            reading.table.complete = not reading.skipped
            began = time.monotonic()
            judgement = judge(reading.table, options)
            pause = 4 * (time.monotonic() - began)  # a long log is judged less often: a fifth of the time at most
            yield reading, judgement
            wait(min(pause, MOST_SECONDS))
        else:
            wait(poll_seconds)
