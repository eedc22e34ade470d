"""A consumer group of Redis Streams as a queue (Redis, Valkey). It is said to be fenced, and is not.

REDIS_URL names the server, whose key `jobs` is deleted. The workers are played by the driver.
"""

import os
from typing import Any

import redis

from onceproof.driver import OTHERS, Cells, Driver, Refused, Setting, run

LEASE = 3_600_000  # milliseconds after which a message that nobody acknowledged may be claimed


class RedisStreams(Driver):
    """A stream, its group, and workers that the driver plays."""

    mechanisms = {"invisibility": True, "renewal": False, "receipt_fencing": True}
    internal = OTHERS
    lenient = {"*": "a stream does not know what its workers do"}

    def reset(self, setting: Setting) -> None:
        self.redis: Any = redis.Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)
        self.redis.delete("jobs")
        self.redis.xgroup_create("jobs", "workers", mkstream=True)
        self.ids = dict[str, str]()

    def do_relay(self, task: str, submission: str, message: str) -> None:
        if message in self.ids:
            raise Refused("it is in the stream already")
        self.ids[message] = self.redis.xadd("jobs", {"task": task})

    def do_receive(self, scheduler: str, message: str) -> None:
        fresh = self.redis.xreadgroup("workers", scheduler, {"jobs": ">"}, count=1)
        if not fresh and not self.redis.xclaim("jobs", "workers", scheduler, LEASE, [self.ids[message]]):
            raise Refused("nothing to read, nothing to claim")

    def do_lapse(self, message: str) -> None:
        holder = self.pending()[self.ids[message]]["consumer"]
        self.redis.xclaim("jobs", "workers", holder, 0, [self.ids[message]], idle=2 * LEASE, justid=True)

    def do_delete(self, scheduler: str, message: str) -> None:
        if not self.redis.xack("jobs", "workers", self.ids[message]):
            raise Refused("it is not pending")
        self.redis.xdel("jobs", self.ids[message])

    def do_receipt_refused(self, scheduler: str, message: str) -> None:
        if self.ids[message] in self.pending():
            self.do_delete(scheduler, message)
            raise Refused("the old holder's acknowledgement was taken")

    def pending(self) -> dict[str, Any]:
        return {p["message_id"]: p for p in self.redis.xpending_range("jobs", "workers", "-", "+", 100)}

    def see_stage(self) -> Cells:
        """XPENDING: a message that is pending and not idle for longer than the lease is invisible; XRANGE"""
        pending, there = self.pending(), dict(self.redis.xrange("jobs"))
        hidden = {id for id, entry in pending.items() if entry["time_since_delivered"] < LEASE}
        return {m: "INVISIBLE" if i in hidden else "VISIBLE" if i in there else "DELETED" for m, i in self.ids.items()}

    def see_current(self) -> Cells:
        """XPENDING: the consumer"""
        holders = {i: e["consumer"] for i, e in self.pending().items() if e["time_since_delivered"] < LEASE}
        return {message: holders[i] for message, i in self.ids.items() if i in holders}


run(RedisStreams)
