"""The load balancer: gives each user's queue to one scheduler, under an epoch that ends with the next owner."""

from onceproof.implementation.clock import Clock
from onceproof.implementation.errors import require
from onceproof.implementation.probe import Probe, action
from onceproof.implementation.stores.database import Database


class LoadBalancer:
    """Owners and heartbeats are rows in the store; a scheduler counts as up while its last heartbeat holds."""

    BEAT = """INSERT INTO members (scheduler, beat_until_ns) VALUES (?, ?)
        ON CONFLICT (scheduler) DO UPDATE SET beat_until_ns = excluded.beat_until_ns"""
    IS_UP = "SELECT 1 FROM members WHERE scheduler = ? AND beat_until_ns > ?"
    UP = "SELECT scheduler FROM members WHERE beat_until_ns > ? ORDER BY scheduler"
    OWNER = "SELECT scheduler, epoch FROM owners WHERE owner = ?"
    OWNERS = "SELECT owner, scheduler, epoch FROM owners"
    OWN = """INSERT INTO owners (owner, scheduler, epoch) VALUES (?, ?, 1)
        ON CONFLICT (owner) DO UPDATE SET scheduler = excluded.scheduler, epoch = owners.epoch + 1"""

    def __init__(self, database: Database, clock: Clock, beat_ns: int, probe: Probe | None = None) -> None:
        self.database = database
        self.clock = clock
        self.beat_ns = beat_ns
        self.probe = probe
        self.identity: dict[str, str] = {}

    @action
    def assign(self, scheduler: str, user: str) -> None:
        """Give a queue that has no owner, or whose owner is not up, to a scheduler that is."""
        with self.database.transaction():
            owner = self.owner(user)
            require(owner is None or not self.is_up(owner[0]), f"the owner of {user}'s queue is up")
            self._give(scheduler, user)

    @action
    def stale_owner(self, scheduler: str, user: str) -> None:
        """Give a queue to another scheduler although its owner is up (as a load balancer errs in a partition)."""
        with self.database.transaction():
            owner = self.owner(user)
            require(owner is not None and self.is_up(owner[0]), f"{user}'s queue has no owner that is up")
            require(owner is not None and owner[0] != scheduler, f"{scheduler} owns the queue of {user} already")
            self._give(scheduler, user)

    @action
    def hand_over(self, scheduler: str, user: str) -> None:
        """Give a queue to a scheduler with fewer. Its owner, which is up, is told, and takes no more of it."""
        with self.database.transaction():
            owner = self.owner(user)
            require(owner is not None and self.is_up(owner[0]), f"{user}'s queue has no owner that is up")
            require(owner is not None and owner[0] != scheduler, f"{scheduler} owns the queue of {user} already")
            self._give(scheduler, user)

    def owner(self, user: str) -> tuple[str, int] | None:
        """(scheduler, epoch) of a user's queue, or None."""
        row = self.database.row(self.OWNER, user)
        return None if row is None else (row[0], row[1])

    def epochs(self, scheduler: str) -> dict[str, int]:
        """The queues that the scheduler owns by the store, each with its epoch."""
        return {user: epoch for user, name, epoch in self.database.rows(self.OWNERS) if name == scheduler}

    def is_up(self, scheduler: str) -> bool:
        """Whether the scheduler's last heartbeat still holds."""
        return self.database.row(self.IS_UP, scheduler, self.clock.now_ns()) is not None

    def up(self) -> list[str]:
        """All schedulers whose heartbeat holds."""
        return [row[0] for row in self.database.rows(self.UP, self.clock.now_ns())]

    def beat(self, scheduler: str) -> None:
        """A heartbeat of a scheduler that takes queues."""
        self.database.run(self.BEAT, scheduler, self.clock.now_ns() + self.beat_ns)

    def withdraw(self, scheduler: str) -> None:
        """The scheduler counts as down from now on, until its next heartbeat."""
        self.database.run(self.BEAT, scheduler, self.clock.now_ns())

    def _give(self, scheduler: str, user: str) -> None:
        require(self.is_up(scheduler), f"{scheduler} is not up")
        self.database.run(self.OWN, user, scheduler)
