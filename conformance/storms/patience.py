"""How long a storm waits for a first sign of life: for as long as processes work, and not long once they are idle."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable

from onceproof.conformance.storms.process_table import Entry

LOOK_SECONDS = 0.25
IDLE_SECONDS = 20.0  # longer than most libraries sleep between two looks at their queue
BUSY_SHARE = 0.2  # of the looks at which some process runs or waits for a processor: less is no work
BUSY = "RD"


class Patience:
    """Ends when the time is up, or when the processes have hardly run for a while: what they wait for never comes.

    On a busy machine a process that imports its libraries waits for a processor; it counts as working then.
    """

    def __init__(self, processes: Callable[[], Iterable[Entry]], seconds: float) -> None:
        self._processes = processes
        self.began = time.monotonic()
        self._deadline = self.began + seconds
        self._looks: deque[tuple[float, bool]] = deque()

    def is_over(self) -> bool:
        """Whether waiting longer is in vain."""
        now = time.monotonic()
        if not self._looks or now - self._looks[-1][0] >= LOOK_SECONDS:
            self._look(now)
        return now > self._deadline or self._is_idle(now)

    def _look(self, now: float) -> None:
        self._looks.append((now, any(each.state in BUSY for each in self._processes())))
        while now - self._looks[0][0] > IDLE_SECONDS:
            self._looks.popleft()

    def _is_idle(self, now: float) -> bool:
        if now - self.began < IDLE_SECONDS:
            return False
        return sum(busy for _, busy in self._looks) < BUSY_SHARE * len(self._looks)
