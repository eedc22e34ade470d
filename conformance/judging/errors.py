"""What is wrong with a log: one line with file, line and reason."""

from __future__ import annotations

from collections import Counter


class LogError(Exception):
    """A log cannot be judged as it is. Its text names file, line, what was found and what was expected."""


class Problems:
    """What to do with lines that are wrong: refuse the log, or (lenient) skip and count them by reason."""

    def __init__(self, *, lenient: bool = False) -> None:
        self.lenient = lenient
        self.skipped: Counter[str] = Counter()

    def report(self, file: str, line: int, reason: str, found: str = "") -> None:
        """A line that is wrong. reason: without what was found, so that equal reasons can be counted.

        LogError unless lines that are wrong are to be skipped.
        """
        if not self.lenient:
            raise LogError(f"{file}:{line}: {reason}{found} (--lenient skips such lines and counts them)")
        self.skipped[reason] += 1
