"""What can be set on a system: its mechanisms, its sizes and its times."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Mechanisms:
    """Every mechanism of the design, on unless switched off. Field names are the names of the design."""

    task_id_dedup: bool = True
    atomic_admission: bool = True
    idempotent_relay: bool = True
    invisibility: bool = True
    renewal: bool = True
    receipt_fencing: bool = True
    delete_after_result: bool = True
    owner_epoch: bool = True
    sticky_placement: bool = True
    agent_dedup: bool = True
    join_running: bool = True
    note_before_start: bool = True
    retain_until_delete: bool = True
    fail_on_agent_loss: bool = True
    graceful_drain: bool = True

    @classmethod
    def switched(cls, switches: Mapping[str, bool]) -> "Mechanisms":
        """All on, except as the switches say. A name that is not a mechanism raises ValueError with the known names."""
        known = {item.name for item in fields(cls)}
        unknown = sorted(set(switches) - known)
        if unknown:
            raise ValueError(f"no mechanism is called {unknown[0]!r}; there are: {', '.join(sorted(known))}")
        return replace(cls(), **switches)


@dataclass(frozen=True, slots=True)
class Settings:
    """Sizes and times of a system. Times are nanoseconds.

    lease_ns: how long a received message stays invisible without renewal.
    beat_ns: how long a scheduler counts as up after its last heartbeat.
    attempts: how often the user's function is tried at most (1: no retry).
    synchronous: SQLite's setting; FULL makes every commit durable, OFF is for replays in process.
    """

    schedulers: int = 2
    agents: int = 2
    users: int = 1
    attempts: int = 1
    lease_ns: int = 30 * SECOND_NS
    beat_ns: int = 5 * SECOND_NS
    synchronous: str = "FULL"
    mechanisms: Mechanisms = field(default_factory=Mechanisms)
