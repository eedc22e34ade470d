"""A broker that the storm did not start: at a URL of the user's own, or none at all."""

from __future__ import annotations

from onceproof.conformance.storms.brokers.base import accepts, host_and_port
from onceproof.conformance.storms.errors import StormError


class Foreign:
    """It is used as it is, and never killed. url: "" where there is no broker."""

    settings = ""
    ours = False

    @property
    def relayed(self) -> bool:
        """Whether its URL says where it is."""
        return "," not in self.url and host_and_port(self.url) is not None

    def __init__(self, url: str) -> None:
        self.url = url

    @property
    def version(self) -> str:
        """Nobody asks it."""
        return ""

    def start(self) -> None:
        """StormError where nothing listens there."""
        where = host_and_port(self.url) if self.url else None
        if where is not None and not accepts(where[1], where[0]):
            raise StormError(f"no broker answers at {where[0]}:{where[1]} ({self.url})")

    def kill(self) -> list[int]:
        """It is not the storm's to kill."""
        raise StormError("a broker that the storm did not start is never killed")
