"""A pipe that all processes of a system inherit: once nobody holds its other end, all of them are dead."""

from __future__ import annotations

import os
import select

SECONDS = 10.0


class Leash:
    """``held`` is the descriptor for the first process to inherit; it hands it on to all that it forks."""

    def __init__(self) -> None:
        self._ours, self.held = os.pipe()

    def hand_over(self) -> None:
        """The first process has it: let go of this end."""
        os.close(self.held)

    def await_end(self) -> bool:
        """Wait until all are dead, which they were told to be; whether they are, after a bounded time."""
        ended = bool(select.select([self._ours], [], [], SECONDS)[0])
        os.close(self._ours)
        return ended
