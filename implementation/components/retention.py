"""Old tasks are removed after a time of the operator's choice, and their TaskIDs with them: then they are new again."""

from onceproof.implementation.stores.database import Database

BATCH = 500


class Retention:
    """Removes tasks whose message was deleted long ago, with all that belongs to them."""

    OLD = "SELECT message, task FROM messages WHERE deleted_at_ns < ? ORDER BY deleted_at_ns LIMIT ?"
    OF_MESSAGE = tuple(
        f"DELETE FROM {table} WHERE message = ?" for table in ("receipts", "placements", "attempts", "runs", "messages")
    )
    OF_TASK = tuple(f"DELETE FROM {table} WHERE task = ?" for table in ("outbox", "tasks"))

    def __init__(self, database: Database) -> None:
        self.database = database

    def remove(self, before_ns: int, limit: int = BATCH) -> int:
        """Remove tasks whose message was deleted before this time, at most so many; how many they were."""
        old = self.database.rows(self.OLD, before_ns, limit)
        if not old:
            return 0
        with self.database.transaction():
            for message, task in old:
                for statement in self.OF_MESSAGE:
                    self.database.run(statement, message)
                for statement in self.OF_TASK:
                    self.database.run(statement, task)
        return len(old)
