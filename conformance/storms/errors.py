"""What keeps a storm from running: one line, and the last lines of the log that say why."""

from __future__ import annotations


class StormError(Exception):
    """The storm cannot go on, through a fault of its input. log: the last lines of the log of whatever failed."""

    def __init__(self, text: str, log: str = "") -> None:
        super().__init__(text)
        self.log = log
