"""Which database and which queue a platform uses, by its settings."""

import os

from implementation.clock import Clock
from implementation.database import Database
from implementation.platform.config import PlatformConfig
from implementation.queue import Queue
from implementation.settings import Settings


def open_database(config: PlatformConfig, busy_seconds: float = 5.0) -> Database:
    """A connection to the platform's database; StoreUnavailable says why there is none."""
    path = os.path.join(config.data, "platform.db")
    return Database(path, "FULL", busy_seconds, turnstile=os.path.join(config.data, "turnstile.lock"))


def open_queue(config: PlatformConfig, database: Database, clock: Clock, settings: Settings) -> Queue:
    """The platform's queue."""
    return Queue(database, clock, settings.mechanisms, settings.lease_ns)
