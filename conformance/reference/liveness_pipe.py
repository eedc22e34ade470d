"""A pipe that all processes of a system inherit: when no process holds its other end, all of them are dead."""

from __future__ import annotations

import os
import select

SECONDS = 10.0


class LivenessPipe:
    """``held`` is the descriptor for the first process to inherit; it hands it on to all that it forks."""

    def __init__(self) -> None:
        self._ours, self.held = os.pipe()

    def hand_over(self) -> None:
        """The first process has it: let go of this end."""
        os.close(self.held)

    def await_end(self) -> bool:
        """Wait until all are dead, for a bounded time; whether they are."""
        ended = bool(select.select([self._ours], [], [], SECONDS)[0])
        os.close(self._ours)
        return ended
