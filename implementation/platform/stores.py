"""The database and the queue of a platform, as its settings name them."""

from onceproof.implementation.backends import QUEUES, STORES
from onceproof.implementation.clock import Clock, RealClock
from onceproof.implementation.components.queue import Queue
from onceproof.implementation.platform.config import PlatformConfig
from onceproof.implementation.settings import Settings
from onceproof.implementation.stores.database import Database


def open_database(config: PlatformConfig) -> Database:
    """A connection to the platform's database; StoreUnavailable says why there is none."""
    module = STORES.find(config.store).load()
    database: Database = module.open_database(config.store, config.data, config.store_wait_seconds)
    return database


def claim_database(config: PlatformConfig) -> Database:
    """Make the tables, and hold the database for this platform until the connection is closed or the process ends.

    StoreUnavailable if that cannot be, or another platform has it.
    """
    database = open_database(config)
    database.claim()
    with database.transaction():
        database.run("DELETE FROM members")
    queue = open_queue(config, database, RealClock(), config.core_settings())
    try:
        queue.prepare()
    finally:
        queue.close()
    return database


def open_queue(config: PlatformConfig, database: Database, clock: Clock, settings: Settings) -> Queue:
    """The platform's queue."""
    module = QUEUES.find(config.queue).load()
    queue: Queue = module.open_queue(config.queue, database, clock, settings, config.replicas)
    return queue
