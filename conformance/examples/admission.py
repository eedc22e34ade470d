"""An API server that takes tasks into SQLite: what it promises must be in the file, with its payload, whenever it dies.

`--two-commits` takes the row of the outbox in a commit of its own; `--drop-payloads` loses what the client has sent.
"""

import sqlite3
import sys
import tempfile
from collections.abc import Mapping

from onceproof.driver import Cells, Driver, Refused, Setting, payload_of, run

TABLES = """DROP TABLE IF EXISTS tasks; CREATE TABLE tasks (task text PRIMARY KEY, payload text);
    DROP TABLE IF EXISTS outbox; CREATE TABLE outbox (task text, submission text, PRIMARY KEY (task, submission))"""
FOLDER = tempfile.TemporaryDirectory()
PAYLOAD = payload_of if "--drop-payloads" not in sys.argv else (lambda task: "")


class Admission(Driver):
    """Clients and their connections are played by the driver; the process dies with the connection to its file."""

    deaths, refusals = {"admit": "api_crash"}, ("admit",)

    def reset(self, setting: Setting) -> None:
        self.sql = sqlite3.connect(f"{FOLDER.name}/tasks.db", isolation_level=None)
        self.sql.executescript(TABLES)
        self.posts, self.calls = dict[tuple[str, str], str](), dict[tuple[str, str], str]()

    def run(self, statement: str, *values: str) -> None:
        self.point()  # here the process may die, or its store refuse
        self.sql.execute(statement, values)

    def do_submit(self, task: str, submission: str) -> None:
        if any(call != "TIMED_OUT" for (other, _), call in self.calls.items() if other == task):
            raise Refused("an earlier try has not timed out")
        self.calls[task, submission], self.posts[task, submission] = "WAITING", "REQUEST"

    def do_admit(self, task: str, submission: str) -> None:
        if self.posts.get((task, submission)) != "REQUEST" or task in self.see_recorded():
            raise Refused("there is no request, or the task is known")
        try:
            self.run("BEGIN IMMEDIATE")
            self.run("INSERT INTO tasks VALUES (?, ?)", task, PAYLOAD(task))
            if "--two-commits" in sys.argv:
                self.run("COMMIT")
            self.run("INSERT INTO outbox VALUES (?, ?)", task, submission)
            if self.sql.in_transaction:
                self.run("COMMIT")
        finally:
            self.sql.rollback()
        self.posts[task, submission] = "SAYS_202"

    def die(self, action: str, arguments: Mapping[str, str]) -> None:
        self.sql.close()  # as the kernel does it: what is not committed is rolled back
        self.sql = sqlite3.connect(f"{FOLDER.name}/tasks.db", isolation_level=None)
        self.posts.clear()
        self.calls = {call: "TIMED_OUT" if told == "WAITING" else told for call, told in self.calls.items()}

    def see_recorded(self) -> Cells:
        """table tasks"""
        return {task: True for (task,) in self.sql.execute("SELECT task FROM tasks")}

    def see_outbox(self) -> Cells:
        """table outbox"""
        return dict.fromkeys(self.sql.execute("SELECT task, submission FROM outbox"), "PENDING")

    def see_post(self) -> Cells:
        """posts: what is on clients' connections"""
        return self.posts

    def data(self) -> Mapping[str, tuple[str, str]]:
        rows = self.sql.execute("SELECT task, payload FROM tasks").fetchall()
        return {f"tasks.payload[{task}]": (payload_of(task), payload) for task, payload in rows}


run(Admission)
