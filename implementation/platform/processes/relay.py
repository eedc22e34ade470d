"""The relay's process: carries the outbox to the queue, many rows to a commit."""

import logging
import os
import time
from contextlib import suppress

from onceproof.implementation.components.api_server import ApiServer
from onceproof.implementation.components.relay import Relay
from onceproof.implementation.errors import NotEnabled, NotNow
from onceproof.implementation.platform.config import PlatformConfig
from onceproof.implementation.platform.destinations import Destinations
from onceproof.implementation.platform.http.admission import OpenConnections
from onceproof.implementation.platform.processes.base import Process

ROWS_MAX = 500


class RelayProcess(Process):
    """Relays rows as they come, performs stops that were asked for before there was a message, calls destinations."""

    def __init__(self, name: str, config: PlatformConfig, folder: str) -> None:
        super().__init__(name, config, folder)
        self.look_at = 0.0
        self.relay = Relay(self.store, self.queue, self.probe)
        connections = OpenConnections()
        self.api_server = ApiServer(
            self.store, self.queue, connections, self.clock, self.settings.mechanisms, self.probe
        )
        self.destinations = Destinations(
            self.database, self.store, self.api_server, connections, config.functions, config.destination_chain_max
        )

    def turn(self) -> bool:
        """Publish pending rows, mark them; ring the schedulers."""
        self._call_destinations()
        rows = self.store.pending(ROWS_MAX)
        self._look_for_lost()
        if not rows:
            return False
        with self.queue.publishing(), self.batch(durable=not self.queue.shares_store):
            for task, submission, _ in rows:
                with suppress(NotNow):
                    self._publish(task, submission)
            if self.queue.shares_store:
                self._mark_all(rows)
        if not self.queue.shares_store:
            with self.batch():
                self._mark_all(rows)
        for number in range(1, self.config.schedulers + 1):
            self.bell.ring(f"scheduler{number}")
        self.bell.ring("balancer")
        return len(rows) >= ROWS_MAX

    def _call_destinations(self) -> None:
        """Submit what is to be called after tasks that have ended; both are one transaction."""
        due = self.destinations.due()
        if not due:
            return
        with self.batch():
            not_called = self.destinations.call(due, self.clock)
        for task, why in not_called.items():
            self.say("destination not called", logging.WARNING, task=task, why=why)

    def _look_for_lost(self) -> None:
        """Once a lease: does a broker still have what the store says is on it?"""
        now = time.monotonic()
        if self.queue.shares_store or now < self.look_at:
            return
        self.look_at = now + self.config.lease_seconds
        for (user,) in self.database.rows("SELECT owner FROM users"):
            if count := self.queue.republish_lost(user):
                self.say("republished messages that the queue had lost", user=user, messages=count)

    def failed(self) -> None:
        """What was published but not committed is pending again."""
        self.relay.published.clear()

    def _publish(self, task: str, submission: str) -> None:
        if (task, submission) in self.relay.published:
            return
        message = f"{self.clock.now_ns():016x}{os.urandom(6).hex()}"
        try:
            self.relay.relay(task, submission, message)
        except NotEnabled:
            self.relay.relay_again(task, submission)
            message = self.queue.message_of(task) or message
        if self.store.stop_asked(task):
            self._stop(task, message)

    def _stop(self, task: str, message: str) -> None:
        try:
            self.api_server.stop(task, message)
        except NotEnabled:
            self.say("task ended before it could be stopped", task=task)

    def _mark_all(self, rows: list[tuple[str, str, str]]) -> None:
        for task, submission, _ in rows:
            with suppress(NotNow):
                self.relay.mark_relayed(task, submission)
