"""Several brokers that a queue needs together, started and killed as one: a database and a message broker."""

from __future__ import annotations

from collections.abc import Sequence

from onceproof.conformance.storms.brokers.base import Broker


class Together:
    """Their URLs stand one after the other, with blanks between them."""

    ours = True
    relayed = False

    def __init__(self, brokers: Sequence[Broker]) -> None:
        self.brokers = brokers
        self.url = " ".join(each.url for each in brokers)
        self.settings = "; ".join(each.settings for each in brokers)

    @property
    def version(self) -> str:
        """Of all."""
        return ", ".join(each.version for each in self.brokers)

    def start(self) -> None:
        """Start all, and wait until each answers."""
        for each in self.brokers:
            each.start()

    def kill(self) -> list[int]:
        """SIGKILL to all."""
        return [pid for each in self.brokers for pid in each.kill()]
