"""The load balancer's process: sees to it that every user's queue has an owner that is up."""

from collections import Counter

from implementation.errors import NotEnabled
from implementation.platform.process import Process

USERS = "SELECT owner FROM users"


class BalancerProcess(Process):
    """Looks at users, owners and heartbeats, and assigns what has no owner that is up."""

    def turn(self) -> bool:
        """Give each queue without a living owner to the scheduler that owns the fewest."""
        up = self.balancer.up()
        if not up:
            return False
        owners = {row[0]: row[1] for row in self.database.rows(self.balancer.OWNERS)}
        load = Counter(dict.fromkeys(up, 0))
        load.update(name for name in owners.values() if name in load)
        for (user,) in self.database.rows(USERS):
            if owners.get(user) not in load:
                scheduler = min(load, key=lambda name: (load[name], name))
                load[scheduler] += 1
                self._assign(scheduler, user)
        return False

    def _assign(self, scheduler: str, user: str) -> None:
        try:
            self.balancer.assign(scheduler, user)
        except NotEnabled:
            return
        self.say("assigned", scheduler=scheduler, user=user)
        self.bell.ring(scheduler)
