"""Times in logs, as nanoseconds: numbers of any unit, ISO dates, and times of day."""

from __future__ import annotations

import re
from datetime import UTC, datetime

SECOND = 1_000_000_000
DAY = 24 * 3600 * SECOND
# In a line: an ISO date and time with an optional fraction and zone, or a time of day.
STAMP = re.compile(
    r"(?P<date>\d{4}[-/]\d\d[-/]\d\d)[T ](?P<clock>\d\d:\d\d:\d\d)(?:[.,](?P<fraction>\d{1,9}))?"
    r"\s?(?P<zone>Z|[+-]\d\d:?\d\d)?"
    r"|(?<!\d)(?P<day>\d\d:\d\d:\d\d)(?:[.,](?P<part>\d{1,9}))?"
)
NUMBER = re.compile(r"\d+(?:\.\d+)?")


def from_number(value: int | float) -> int:
    """A number of seconds, or of milli-, micro- or nanoseconds where it is too large to be an earlier unit."""
    size = abs(value)
    if size < 1e11:
        whole = int(value)  # apart, since a float holds no nanoseconds of this century
        return whole * SECOND + round((value - whole) * SECOND)
    if size < 1e14:
        return int(value) * 1_000_000
    return int(value) * 1_000 if size < 1e17 else int(value)


class Clock:
    """Reads the times of one log; a time of day that falls back by hours is the next day."""

    def __init__(self) -> None:
        self._seconds: dict[str, int] = {}
        self._last, self._days = 0, 0
        self.local = False  # a date without a zone was read

    def stamp(self, text: str) -> int | None:
        """A time that stands alone: a number of any unit, or what ``read`` reads; None if it is neither."""
        if not NUMBER.fullmatch(text):
            return self.read(text)
        return from_number(float(text) if "." in text else int(text))

    def read(self, text: str) -> int | None:
        """The first time in a text; None if there is none."""
        found = STAMP.search(text)
        if found is None:
            return None
        if found["date"] is not None:
            whole = self._date(found["date"], found["clock"], found["zone"])
            return None if whole is None else whole + fraction(found["fraction"])
        hours, minutes, seconds = map(int, found["day"].split(":"))
        time = (hours * 3600 + minutes * 60 + seconds) * SECOND + fraction(found["part"]) + self._days * DAY
        if time < self._last - DAY // 2:
            self._days += 1
            time += DAY
        self._last = time
        return time

    def _date(self, date: str, clock: str, zone: str | None) -> int | None:
        key = f"{date.replace('/', '-')}T{clock}{zone or ''}"
        known = self._seconds.get(key)
        if known is None:
            try:
                moment = datetime.fromisoformat(key)
            except ValueError:
                return None  # looks like a date, and there is no such day or hour
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=UTC)
                self.local = True
            known = int(moment.timestamp()) * SECOND
            if len(self._seconds) > 10_000:
                self._seconds.clear()
            self._seconds[key] = known
        return known


def fraction(digits: str | None) -> int:
    """The digits behind a second's point, in nanoseconds."""
    return int(digits.ljust(9, "0")) if digits else 0
