"""Which database and which queue a platform uses, by its settings."""

import os

from onceproof.implementation.clock import Clock, RealClock
from onceproof.implementation.components.queue import Queue
from onceproof.implementation.errors import StoreUnavailable
from onceproof.implementation.platform.config import PlatformConfig
from onceproof.implementation.settings import Settings
from onceproof.implementation.stores.sqlite import Database


def open_database(config: PlatformConfig) -> Database:
    """A connection to the platform's database; StoreUnavailable says why there is none."""
    if config.store != "sqlite":
        from onceproof.implementation.stores.postgres import PostgresDatabase

        return PostgresDatabase(config.store, config.store_wait_seconds)
    path = os.path.join(config.data, "platform.db")
    return Database(path, "FULL", config.store_wait_seconds, turnstile=os.path.join(config.data, "turnstile.lock"))


def claim_database(config: PlatformConfig) -> Database:
    """Make the tables, and hold the database for this platform until the connection is closed or the process ends.

    StoreUnavailable if that cannot be, or another platform has it.
    """
    database = open_database(config)
    if config.store != "sqlite":
        from onceproof.implementation.stores.postgres import PostgresDatabase

        assert isinstance(database, PostgresDatabase)
        if not database.take_serve_lock():
            raise StoreUnavailable(f"{database.path}: another platform serves this database")
        database.make_tables()
    with database.transaction():
        database.run("DELETE FROM members")
    if config.queue != "store":
        from onceproof.implementation.stores.jetstream import JetStreamQueue

        queue = open_queue(config, database, RealClock(), config.core_settings())
        assert isinstance(queue, JetStreamQueue)
        try:
            queue.make_stream()
        finally:
            queue.close()
    return database


def open_queue(config: PlatformConfig, database: Database, clock: Clock, settings: Settings) -> Queue:
    """The platform's queue."""
    if config.queue != "store":
        from onceproof.implementation.stores.jetstream import JetStreamQueue

        return JetStreamQueue(database, clock, settings.mechanisms, settings.lease_ns, config.queue, config.replicas)
    return Queue(database, clock, settings.mechanisms, settings.lease_ns)
