"""Progress of a search on stderr: one line that is redrawn on a terminal, a line every ten seconds elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from onceproof.model.checker.results import Progress

LOG_EVERY_SECONDS = 10.0  # where stderr is not a terminal


class ProgressLine:
    """Shows the progress reports of an engine; a context manager, so that the line is cleared when the search ends."""

    def __init__(self, quiet: bool = False) -> None:
        self.quiet, self.title = quiet, ""
        self.terminal = sys.stderr.isatty()
        self._last: Progress | None = None
        self._logged = time.monotonic()
        self._width = 0

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.wipe()

    def begin(self, title: str) -> None:
        """A new search starts."""
        self.title, self._last, self._logged = title, None, time.monotonic()

    def report(self, progress: Progress) -> None:
        """Take a report of an engine, about once a second."""
        if self.quiet:
            return
        text = f"{self.title}: {describe(progress, self._last)}"
        self._last = progress
        self.say(text)

    def say(self, text: str) -> None:
        """Show a text in the place of the one before."""
        if self.quiet:
            return
        if self.terminal:
            # "\x1b[K" wipes what a longer line left behind
            print(f"\r{text}\x1b[K", end="", file=sys.stderr, flush=True)
            self._width = len(text)
        elif time.monotonic() - self._logged >= LOG_EVERY_SECONDS:
            self._logged = time.monotonic()
            print(text, file=sys.stderr, flush=True)

    def wipe(self) -> None:
        """Clear the line, so that results are printed on a clean one."""
        if self.terminal and self._width:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._width = 0


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
    return ", ".join(parts)
