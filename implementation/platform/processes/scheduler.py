"""A scheduler's process: turns what arrives into actions of the scheduler, many to a commit."""

import asyncio
import os
import time
from collections import Counter
from typing import Any, assert_never

from onceproof.implementation.components.queue import Offer
from onceproof.implementation.components.scheduler import (
    DISPATCHED,
    DRAINING,
    HELD,
    RAISED,
    RECORDED,
    SUCCEEDED,
    UP,
    Scheduler,
)
from onceproof.implementation.components.task_store import OPEN
from onceproof.implementation.errors import NotEnabled, NotNow, StoreUnavailable
from onceproof.implementation.platform.config import PlatformConfig
from onceproof.implementation.platform.processes.base import Process
from onceproof.implementation.platform.processes.resources import ADDRESSES
from onceproof.implementation.platform.wire.frames import PlacementAnswer
from onceproof.implementation.platform.wire.link import Link
from onceproof.implementation.platform.wire.scheduler_wire import SchedulerWire

BATCH_MAX = 100
LATER_SECONDS = 0.1


class SchedulerProcess(Process):
    """dirty are the messages in hand that something may be done for; later those to look at again at a time."""

    def __init__(self, name: str, config: PlatformConfig, folder: str) -> None:
        super().__init__(name, config, folder)
        self.wire = SchedulerWire(name, self.bell.ring_self, self._broken, self._turned_away)
        self.scheduler = Scheduler(
            name, self.store, self.queue, self.balancer, self.wire, self.clock, self.settings.mechanisms, self.probe
        )
        self.dirty: dict[str, None] = {}
        self.later: dict[str, float] = {}
        self.asking: set[str] = set()
        self.to_ask: list[str] = []
        self.ended = 0
        self.share = config.in_hand_max
        self.resources: Link | None = None
        self.renew_at = self.beat_at = 0.0
        self.drain_until: float | None = None

    async def begin(self) -> None:
        """Register, and connect to the resource manager."""
        self.resources = Link(
            os.path.join(self.folder, "resources.sock"), {"scheduler": self.name}, self._placed, self._resources_changed
        )
        self.scheduler.mode = "DOWN"
        if not self.queue.shares_store:
            loop = asyncio.get_running_loop()
            self.queue.on_arrival = lambda: loop.call_soon_threadsafe(self.bell.ring_self)

    def turn(self) -> bool:
        """One look at everything: heartbeat, renewals, replies, messages in hand, messages to receive."""
        now = time.monotonic()
        if self.scheduler.mode == "DOWN":
            self.scheduler.scheduler_restart()
        if now >= self.beat_at:
            self._beat(now)
        self._hear_replies()
        for message in [message for message, when in self.later.items() if when <= now]:
            del self.later[message]
            self._time_out(message)
            self.dirty[message] = None
        waiting = self._waiting()
        renewals = now >= self.renew_at and self.scheduler.works
        if not (self.dirty or waiting or renewals):
            return False
        with self.batch(durable=not self.queue.shares_store):
            if renewals:
                self._renew_all(now)
            for message in waiting:
                self._receive(message)
            for message in list(self.dirty)[:BATCH_MAX]:
                del self.dirty[message]
                self._advance(message)
        self._after_commit()
        if self.queue.shares_store:
            self.database.make_durable()  # others go on already; what comes meanwhile is one batch
        return bool(self.dirty or self.wire.replies or len(waiting) >= BATCH_MAX)

    def failed(self) -> None:
        """Memory may be ahead of the store: forget everything, as after a crash; leases lapse, nothing is lost."""
        self.wire.discard()
        self.queue.rolled_back()
        for memory in (self.dirty, self.later, self.asking, self.to_ask, self.wire.replies):
            memory.clear()
        if self.scheduler.mode != "DOWN":
            self.scheduler.scheduler_crash()
        self.beat_at = 0.0

    def finished(self) -> bool:
        """Asked to end, a scheduler drains: it receives no more and finishes what it has in hand, for a while."""
        if not self.ending.is_set():
            return False
        if self.drain_until is None:
            self.drain_until = time.monotonic() + self.config.drain_seconds
            self.dirty.update(dict.fromkeys(self.scheduler.works))
            try:
                self.scheduler.scheduler_upgrade()
            except (NotEnabled, StoreUnavailable):
                return True
        return not self.scheduler.works or time.monotonic() > self.drain_until

    async def finish(self) -> None:
        """The end of a drain."""
        if self.scheduler.mode == "DRAINING" and not self.scheduler.works:
            self.scheduler.upgrade_finish()

    def idle_seconds(self) -> float:
        """Until the next renewal, or the next message to look at again."""
        soonest = min([self.renew_at, *self.later.values()], default=0.0) - time.monotonic()
        return min(super().idle_seconds(), max(0.001, soonest)) if self.later else super().idle_seconds()

    def learn(self, offers: list[Offer]) -> None:
        """What the store says of the owners of queues that have messages."""
        for offer in offers:
            if offer.scheduler == self.name and offer.epoch is not None:
                self.scheduler.epochs[offer.user] = offer.epoch
            else:
                self.scheduler.epochs.pop(offer.user, None)

    def _beat(self, now: float) -> None:
        if self.scheduler.mode == UP:
            self.balancer.beat(self.name)
            self._look_for_lost()
        self.beat_at = now + self.config.beat_seconds / 3

    def _look_for_lost(self) -> None:
        """What is held of queues that are another's now is to be given back."""
        if self.settings.mechanisms.owner_epoch:
            self.scheduler.learn_owned()
        for message, work in self.scheduler.works.items():
            if work.stage == HELD and work.received.owner not in self.scheduler.epochs:
                self.dirty[message] = None

    def _waiting(self) -> list[str]:
        """Messages to receive now, of owned queues. Users who have work have equal shares of what may be in hand."""
        if self.scheduler.mode != UP:
            return []
        self.wire.follow(dict(self.database.rows(ADDRESSES)))
        offers = self.queue.offered(self.share, self.name, self.scheduler.epochs)
        self.learn(offers)
        offers = [offer for offer in offers if offer.user in self.scheduler.epochs]
        in_hand = Counter(work.received.owner for work in self.scheduler.works.values())
        self.share = max(1, self.config.in_hand_max // max(1, len(in_hand.keys() | {offer.user for offer in offers})))
        found: list[str] = []
        for offer in offers:
            if in_hand[offer.user] < self.share:
                in_hand[offer.user] += 1
                found.append(offer.message)
        return found

    def _receive(self, message: str) -> None:
        try:
            self.scheduler.receive(message)
        except NotEnabled:
            return
        self.dirty[message] = None

    def _renew_all(self, now: float) -> None:
        self.renew_at = now + self.config.lease_seconds / 3
        for message in list(self.scheduler.works):
            try:
                self.scheduler.renew(message)
            except NotEnabled:
                self._refused(message)

    def _refused(self, message: str) -> None:
        """The receipt is no longer valid; the message, if it is still to be done, is somebody else's."""
        try:
            self.scheduler.receipt_refused(message)
        except NotNow:
            return
        self.asking.discard(message)
        self.later.pop(message, None)

    def _time_out(self, message: str) -> None:
        """The wait for a reply is over: the request is sent again, and joins what runs already."""
        work = self.scheduler.works.get(message)
        if work is not None and work.stage == DISPATCHED:
            self.scheduler.timed_out(message, work.attempt)

    def _hear_replies(self) -> None:
        for _, agent, message, attempt in list(self.wire.replies):
            self.scheduler.hear(agent, message, attempt)
            if message in self.scheduler.works:
                self.dirty[message] = None

    def _advance(self, message: str) -> None:
        """All that can be done for a message in hand now."""
        work = self.scheduler.works.get(message)
        try:
            if work is not None and work.stage in (SUCCEEDED, RAISED):
                self._settle_attempt(message, work.attempt, work.stage)
            if work is not None and work.stage == HELD:
                self._advance_held(message)
            if work is not None and work.stage == DISPATCHED:
                self.later[message] = time.monotonic() + self.config.request_timeout_seconds
            if work is not None and work.stage == RECORDED:
                self._delete(message)
        except NotEnabled as error:
            self.say("message will be tried again", message=message, why=str(error))
            self.later[message] = time.monotonic() + LATER_SECONDS

    def _advance_held(self, message: str) -> None:
        run = self.store.run(message)
        placement = self.store.placement(message)
        if run.outcome != OPEN:
            self.scheduler.skip(message)
        elif run.begun == 0 and run.expires_ns is not None and run.expires_ns <= self.clock.now_ns():
            self.scheduler.expire(message)
        elif self._takes_no_more(message) and self._is_released(message):
            pass
        elif placement is None or placement.gone:
            self.to_ask.append(message)
        elif self._can_reach(placement.agent):
            self.scheduler.dispatch(message, placement.agent)
        else:
            self.later[message] = time.monotonic() + LATER_SECONDS

    def _takes_no_more(self, message: str) -> bool:
        """Whether what is held is to be given back, not sent to an agent."""
        user = self.scheduler.works[message].received.owner
        return self.scheduler.mode == DRAINING or user not in self.scheduler.epochs

    def _is_released(self, message: str) -> bool:
        """Give a message back; False if it is to be dealt with otherwise."""
        try:
            self.scheduler.release(message)
        except NotEnabled:
            return False
        return True

    def _settle_attempt(self, message: str, attempt: int, stage: str) -> None:
        """Record what an attempt came to, or find that it does not count any more."""
        run = self.store.run(message)
        if run.outcome != OPEN or run.attempt != attempt:
            self.scheduler.overtaken(message)
        elif stage == SUCCEEDED:
            self.scheduler.record(message)
        elif attempt < run.attempts_max:
            self.scheduler.retry(message, attempt + 1)
        else:
            self.scheduler.record_failure(message)

    def _delete(self, message: str) -> None:
        self.ended += 1
        try:
            self.scheduler.delete(message)
        except NotEnabled:
            self._refused(message)
        self.later.pop(message, None)

    def _after_commit(self) -> None:
        """What other processes may know now; a broker elsewhere is told only what is on disk."""
        self.queue.committed()
        self.wire.flush()
        to_ask, self.to_ask = self.to_ask, []
        for message in to_ask:
            if message in self.asking:
                continue
            if self.resources is not None and self.resources.send({"message": message}):
                self.asking.add(message)
            else:
                self.later[message] = time.monotonic() + LATER_SECONDS
        if self.ended:
            self.ended = 0
            self.bell.ring("api")

    def _placed(self, frame: tuple[dict[str, Any], bytes]) -> None:
        """The resource manager's answer."""
        message, answer = frame[0]["message"], PlacementAnswer(frame[0]["answer"])
        self.asking.discard(message)
        work = self.scheduler.works.get(message)
        if work is None:
            return
        match answer:
            case PlacementAnswer.PLACED:
                self.dirty[message] = None
            case PlacementAnswer.FAILED:
                if work.stage == HELD:
                    self.scheduler.settled(message)
                self.dirty[message] = None
            case PlacementAnswer.LATER:
                self.later[message] = time.monotonic() + LATER_SECONDS
            case _:
                assert_never(answer)
        self.bell.ring_self()

    def _resources_changed(self, connected: bool) -> None:
        """A new connection: what was asked on the old one is asked again."""
        self.dirty.update(dict.fromkeys(self.asking))
        self.asking.clear()
        self.bell.ring_self()

    def _can_reach(self, agent: str) -> bool:
        link = self.wire.links.get(agent)
        return link is not None and link.connected

    def _turned_away(self, message: str, attempt: int) -> None:
        """The agent did not take the request, since the task has ended meanwhile or the agent is to end: look again."""
        work = self.scheduler.works.get(message)
        if work is not None and work.attempt == attempt:
            self.scheduler.timed_out(message, attempt)
            self.later[message] = time.monotonic() + (0.0 if self.scheduler.mode == DRAINING else LATER_SECONDS)

    def _broken(self, agent: str) -> None:
        """The connection to an agent broke: what waits for its replies is held again."""
        for message, work in self.scheduler.works.items():
            if work.agent == agent and work.stage == DISPATCHED:
                self.scheduler.timed_out(message, work.attempt)
                self.later[message] = time.monotonic() + LATER_SECONDS
        self.bell.ring_self()
