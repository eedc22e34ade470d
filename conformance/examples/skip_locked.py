"""A table in PostgreSQL as a queue: SKIP LOCKED, a lease, and (but for `--unfenced`) a look at the receipt.

DATABASE_URL names the database, whose table `jobs` is dropped. The workers are played by the driver.
"""

import os
import sys

import psycopg

from onceproof.driver import OTHERS, Cells, Driver, Refused, Setting, run

TABLE = """DROP TABLE IF EXISTS jobs; CREATE TABLE jobs (task text, submission text, message text UNIQUE,
    receipt text, hidden_until timestamptz DEFAULT '-infinity', PRIMARY KEY (task, submission))"""
TAKE = """UPDATE jobs SET receipt = %s, hidden_until = now() + '1 hour' WHERE message =
    (SELECT message FROM jobs WHERE message = %s AND hidden_until <= now() FOR UPDATE SKIP LOCKED)"""
FENCE = "" if "--unfenced" in sys.argv else " AND receipt = %(receipt)s AND hidden_until > now()"


class SkipLocked(Driver):
    """A table, and workers that the driver plays."""

    mechanisms = {"invisibility": True, "renewal": False, "receipt_fencing": True}
    internal = OTHERS
    lenient = {"*": "a table does not know what its workers do"}

    def reset(self, setting: Setting) -> None:
        self.sql = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)
        self.sql.execute(TABLE)
        self.put = set[str]()

    def change(self, statement: str, values: object) -> None:
        if not self.sql.execute(statement, values).rowcount:  # type: ignore[call-overload]
            raise Refused("no row is changed")

    def do_relay(self, task: str, submission: str, message: str) -> None:
        self.change("INSERT INTO jobs VALUES (%s, %s, %s) ON CONFLICT DO NOTHING", (task, submission, message))
        self.put.add(message)

    def do_receive(self, scheduler: str, message: str) -> None:
        self.change(TAKE, (scheduler, message))

    def do_lapse(self, message: str) -> None:
        self.change("UPDATE jobs SET hidden_until = now() WHERE message = %s", (message,))

    def do_delete(self, scheduler: str, message: str) -> None:
        self.change(f"DELETE FROM jobs WHERE message = %(message)s{FENCE}", {"message": message, "receipt": scheduler})

    def do_receipt_refused(self, scheduler: str, message: str) -> None:
        try:
            self.do_delete(scheduler, message)
        except Refused:
            return
        raise Refused("the old receipt was taken, and the message deleted")

    def rows(self) -> dict[str, tuple[str, bool]]:
        rows = self.sql.execute("SELECT message, receipt, hidden_until > now() FROM jobs").fetchall()
        return {message: (receipt, hidden) for message, receipt, hidden in rows}

    def see_stage(self) -> Cells:
        """jobs.hidden_until; a message that was put and has no row is deleted"""
        rows = self.rows()
        return {m: ("INVISIBLE" if rows[m][1] else "VISIBLE") if m in rows else "DELETED" for m in self.put}

    def see_current(self) -> Cells:
        """jobs.receipt, where the message is hidden"""
        return {message: receipt for message, (receipt, hidden) in self.rows().items() if hidden}


run(SkipLocked)
