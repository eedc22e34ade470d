"""The load balancer's process: every queue has an owner that is up, and each owner about as many as the others."""

import time

from onceproof.implementation.components.census import BATCH as CENSUS_BATCH
from onceproof.implementation.components.census import Census
from onceproof.implementation.components.retention import BATCH, Retention
from onceproof.implementation.errors import NotEnabled
from onceproof.implementation.platform.functions.logs import TaskLogs
from onceproof.implementation.platform.processes.base import Process
from onceproof.implementation.settings import SECOND_NS

REMOVE_SECONDS = 10.0
ORPHANS = """SELECT users.owner FROM users LEFT JOIN owners ON owners.owner = users.owner
    LEFT JOIN members ON members.scheduler = owners.scheduler AND members.beat_until_ns > ?
    WHERE members.scheduler IS NULL ORDER BY users.owner"""
LOAD = "SELECT scheduler, COUNT(*) FROM owners GROUP BY scheduler"
OWNED = "SELECT owner FROM owners WHERE scheduler = ? ORDER BY owner LIMIT ?"
COUNT_SECONDS = 1.0


def fewest(load: dict[str, int]) -> str:
    """The scheduler with the fewest queues."""
    return min(load, key=lambda name: (load[name], name))


class BalancerProcess(Process):
    """Looks at users, owners and heartbeats, and assigns what has no owner that is up; removes what is too old."""

    remove_at = count_at = even_at = 0.0

    def turn(self) -> bool:
        """Give each queue without a living owner to the scheduler that owns the fewest."""
        self._count_ended()
        self._remove_old()
        orphans = self.database.rows(ORPHANS, self.clock.now_ns())
        now = time.monotonic()
        if not orphans and now < self.even_at:
            return False
        self.even_at = now + self.config.beat_seconds / 3
        load = dict.fromkeys(self.balancer.up(), 0)
        if not load:
            return False
        load.update((name, number) for name, number in self.database.rows(LOAD) if name in load)
        for (user,) in orphans:
            scheduler = self.choice("scheduler", load, fewest(load))
            load[scheduler] += 1
            self._assign(scheduler, user)
        self._even_out(load)
        return False

    def _even_out(self, load: dict[str, int]) -> None:
        """Hand queues over from the scheduler with the most to the one with the fewest."""
        least, most = fewest(load), max(load, key=lambda name: (load[name], name))
        surplus = (load[most] - load[least]) // 2
        for (user,) in self.database.rows(OWNED, most, surplus) if surplus > 0 else []:
            try:
                self.balancer.hand_over(least, user)
            except NotEnabled:
                return
            self.say("handed over", scheduler=least, of=most, user=user)
        if surplus > 0:
            self.bell.ring(least)

    def _remove_old(self) -> None:
        """Every so often, a batch of tasks that are past their retention."""
        now = time.monotonic()
        if self.config.retention_hours <= 0 or now < self.remove_at:
            return
        before = self.clock.now_ns() - int(self.config.retention_hours * 3600 * SECOND_NS)
        removed = Retention(self.database).remove(before)
        TaskLogs(self.config.data).remove(before)
        if removed:
            self.database.shrink()
        self.remove_at = now + (REMOVE_SECONDS if removed < BATCH else 0)

    def _count_ended(self) -> None:
        """Once a second, or at once where there is more: count tasks that have ended."""
        now = time.monotonic()
        if now >= self.count_at:
            full = Census(self.database).count() >= CENSUS_BATCH
            self.count_at = now + (0.0 if full else COUNT_SECONDS)

    def _assign(self, scheduler: str, user: str) -> None:
        try:
            self.balancer.assign(scheduler, user)
        except NotEnabled:
            return
        self.say("assigned", scheduler=scheduler, user=user)
        self.bell.ring(scheduler)
