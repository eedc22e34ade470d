"""Which brokers there are, by the names that storm files use."""

from __future__ import annotations

from pathlib import Path

from onceproof.conformance.storms.brokers.base import Broker
from onceproof.conformance.storms.brokers.foreign import Foreign
from onceproof.conformance.storms.brokers.nats import Nats
from onceproof.conformance.storms.brokers.postgresql import PostgreSQL
from onceproof.conformance.storms.brokers.together import Together
from onceproof.conformance.storms.brokers.valkey import Valkey
from onceproof.conformance.storms.errors import StormError
from onceproof.conformance.storms.processes import Processes
from onceproof.model.language.errors import nearest

NAMES = ("valkey", "postgresql", "nats", "nats-3", "none")


def broker(kind: str, folder: Path, processes: Processes) -> Broker:
    """The broker of this kind, or at this URL, not started yet; StormError where there is none.

    ``postgresql+nats`` is two, which are started and killed together.
    """
    if "://" in kind:
        return Foreign(kind)
    if "+" in kind:
        return Together([broker(each, folder / each, processes) for each in kind.split("+")])
    folder.mkdir(parents=True, exist_ok=True)
    match kind:
        case "valkey":
            return Valkey(folder, processes)
        case "postgresql":
            return PostgreSQL(folder, processes)
        case "nats" | "nats-3":
            return Nats(folder, processes, nodes=3 if kind == "nats-3" else 1)
        case "none":
            return Foreign("")
        case _:
            known = f"; expected one of {', '.join(NAMES)}, or a URL"
            raise StormError(f"unknown broker `{kind}`{nearest(kind, NAMES) or known}")
