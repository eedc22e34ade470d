"""Progress on stderr: one line that is redrawn on a terminal, a line every ten seconds elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

from onceproof.model.checker.results import Progress

LOG_EVERY_SECONDS = 10.0  # where stderr is not a terminal
WIDEST = 160  # columns; what is longer would leave parts behind when the line is redrawn


class StatusLine:
    """A line that is replaced by the next one; a context manager, so that it is cleared when the work ends.

    quiet: nothing is shown. log: lines are shown where stderr is not a terminal, too; the first of them at_once.
    """

    def __init__(self, quiet: bool = False, log: bool = True, at_once: bool = False) -> None:
        self.terminal = sys.stderr.isatty()
        self.on = not quiet and (self.terminal or log)
        self._shown = False
        self._logged = time.monotonic() - (LOG_EVERY_SECONDS if at_once else 0.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.wipe()

    def show(self, text: str) -> None:
        """Take the newest text."""
        if not self.on:
            return
        if self.terminal:
            # "\x1b[K" wipes what a longer line left behind
            print(f"\r{text[:WIDEST]}\x1b[K", end="", file=sys.stderr, flush=True)
            self._shown = True
        elif time.monotonic() - self._logged >= LOG_EVERY_SECONDS:
            self._logged = time.monotonic()
            print(text, file=sys.stderr, flush=True)

    def wipe(self) -> None:
        """Clear the line, so that results are printed on a clean one."""
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._shown = False


class ProgressLine(StatusLine):
    """Shows the progress reports of an engine."""

    def __init__(self, quiet: bool = False) -> None:
        super().__init__(quiet)
        self.title = ""
        self._last: Progress | None = None

    def begin(self, title: str) -> None:
        """A new search starts."""
        self.title, self._last, self._logged = title, None, time.monotonic()

    def report(self, progress: Progress) -> None:
        """Take a report of an engine, about once a second."""
        self.show(f"{self.title}: {describe(progress, self._last)}")
        self._last = progress


class StepProgress(StatusLine):
    """Shows how many of the planned steps of a cover are taken."""

    def __init__(self, title: str, quiet: bool) -> None:
        super().__init__(quiet)
        self.title = title

    def report(self, taken: int, planned: int, seconds: float) -> None:
        """Take a report: steps taken and planned, seconds so far."""
        rate = taken / seconds if seconds else 0.0
        left = f", {(planned - taken) / rate:,.0f} s left" if rate else ""
        self.show(f"{self.title}: {taken:,} of {planned:,} steps, {rate:,.0f} a second{left}")


class QueryProgress(StatusLine):
    """Shows how many queries of a proof are answered; on a terminal alone, as a proof takes seconds."""

    def __init__(self, quiet: bool) -> None:
        super().__init__(quiet, log=False)

    def report(self, done: int, total: int) -> None:
        """Take how many of how many are done."""
        if done % 16 == 0 or done == total:
            self.show(f"{done} of {total} queries")


def describe(progress: Progress, last: Progress | None) -> str:
    """``1,200,000 states, 410,000 per second, 90,000 in the frontier, depth 21, 3.1 s, 96 MB``."""
    if last and (last.seconds > progress.seconds or last.states > progress.states):
        last = None  # a new search
    since = progress.seconds - (last.seconds if last else 0.0)
    rate = (progress.states - (last.states if last else 0)) / since if since > 0 else 0.0
    if progress.doing:
        return f"{progress.states:,} states, {progress.doing}"
    parts = [
        f"{progress.states:,} states",
        f"{rate:,.0f} per second",
        f"{progress.queued:,} in the frontier",
        f"depth {progress.depth}",
        f"{progress.seconds:.1f} s",
    ]
    if progress.bytes_used:
        parts.append(f"{progress.bytes_used / 1e6:,.0f} MB")
    if progress.nodes:
        least, most = min(progress.nodes) / 1e6, max(progress.nodes) / 1e6
        parts.append(f"{len(progress.nodes)} partitions of {least:,.0f} to {most:,.0f} MB")
        parts.append(f"{progress.network / 1e6:,.0f} MB exchanged")
    return ", ".join(parts)
