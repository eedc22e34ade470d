"""Time is passed in: components ask a Clock, so that tests and replays decide when a lease lapses."""

import time
from typing import Protocol


class Clock(Protocol):
    """Wall time in nanoseconds since 1970, the one that lease ends in the database are written in."""

    def now_ns(self) -> int:
        """The time now, in nanoseconds."""
        ...


class RealClock:
    """The machine's clock."""

    def now_ns(self) -> int:
        """Wall time now, in nanoseconds."""
        return time.time_ns()


class ManualClock:
    """A clock that moves only when it is moved."""

    def __init__(self, start_ns: int = 1_000_000_000) -> None:
        self.start_ns = start_ns
        self._now_ns = start_ns

    def now_ns(self) -> int:
        """The time that was last set, in nanoseconds."""
        return self._now_ns

    def move_to(self, time_ns: int) -> None:
        """Move forward to time_ns; a time in the past is ignored, since clocks here never go back."""
        self._now_ns = max(self._now_ns, time_ns)

    def rewind(self) -> None:
        """Back to the start, for a system that is reset."""
        self._now_ns = self.start_ns
