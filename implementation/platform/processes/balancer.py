"""The load balancer's process: sees to it that every user's queue has an owner that is up."""

import time
from collections import Counter

from onceproof.implementation.components.retention import BATCH, Retention
from onceproof.implementation.errors import NotEnabled
from onceproof.implementation.platform.processes.base import Process
from onceproof.implementation.settings import SECOND_NS

REMOVE_SECONDS = 10.0
USERS = "SELECT owner FROM users"


class BalancerProcess(Process):
    """Looks at users, owners and heartbeats, and assigns what has no owner that is up; removes what is too old."""

    remove_at = 0.0

    def turn(self) -> bool:
        """Give each queue without a living owner to the scheduler that owns the fewest."""
        self._remove_old()
        up = self.balancer.up()
        if not up:
            return False
        owners = {row[0]: row[1] for row in self.database.rows(self.balancer.OWNERS)}
        load = Counter(dict.fromkeys(up, 0))
        load.update(name for name in owners.values() if name in load)
        for (user,) in self.database.rows(USERS):
            if owners.get(user) not in load:
                least = min(load, key=lambda name: (load[name], name))
                scheduler = self.choice("scheduler", load, least)
                load[scheduler] += 1
                self._assign(scheduler, user)
        return False

    def _remove_old(self) -> None:
        """Every so often, a batch of tasks that are past their retention."""
        now = time.monotonic()
        if self.config.retention_hours <= 0 or now < self.remove_at:
            return
        before = self.clock.now_ns() - int(self.config.retention_hours * 3600 * SECOND_NS)
        removed = Retention(self.database).remove(before)
        self.remove_at = now + (REMOVE_SECONDS if removed < BATCH else 0)

    def _assign(self, scheduler: str, user: str) -> None:
        try:
            self.balancer.assign(scheduler, user)
        except NotEnabled:
            return
        self.say("assigned", scheduler=scheduler, user=user)
        self.bell.ring(scheduler)
