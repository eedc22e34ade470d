"""A real platform for tests: its processes, its functions, its data, and a client."""

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from onceproof.implementation.platform.http.client import Caller
from tests.helpers.waiting import PATIENCE_SECONDS, wait_until
from tests.paths import ROOT

SERVE = """
import sys
from onceproof.implementation.platform.config import load_config, ConfigError
from onceproof.implementation.platform.supervisor import CannotStart, run
import json
try:
    sys.exit(run(load_config(None, None, json.loads(sys.argv[1])), lambda text: print(text, flush=True)))
except (CannotStart, ConfigError) as error:
    print("refused:", error, flush=True)
    sys.exit(2)
"""
LEDGER = """
    import json, os, time
    def handler(event, context):
        order = json.loads(event)
        entry = f"{context.task_id} {context.attempt} {os.getpid()}\\n".encode()
        ledger = os.open(order["ledger"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(ledger, entry)
        os.close(ledger)
        time.sleep(order.get("seconds", 0))
        return context.task_id
"""


@dataclass
class Platform:
    """A platform in folder, with settings; start() starts it, and it ends with the test."""

    folder: Path
    settings: dict[str, Any] = field(default_factory=dict)
    process: "subprocess.Popen[str] | None" = None
    endpoint: str = ""

    @property
    def data(self) -> Path:
        """The data folder."""
        return Path(self.settings.get("data", self.folder / "data"))

    @property
    def ledger(self) -> Path:
        """Where the ledger function writes."""
        return self.folder / "ledger.txt"

    def function(self, name: str, text: str) -> None:
        """Write a function's file."""
        path = self.folder / "functions" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))

    def start(self) -> "Platform":
        """Start all processes and wait for the endpoint."""
        (self.folder / "functions").mkdir(parents=True, exist_ok=True)
        log = open(self.folder / "log.ndjson", "a")  # noqa: SIM115
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVE, json.dumps(self.all_settings())],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        log.close()
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("onceproof serves at "), line + (self.folder / "log.ndjson").read_text()
        self.endpoint = line.split()[-1]
        return self

    def refusal(self) -> str:
        """Start, expecting that it cannot: the line that says why."""
        command = [sys.executable, "-c", SERVE, json.dumps(self.all_settings())]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
        assert done.returncode == 2, done.stdout + done.stderr
        return done.stdout

    def all_settings(self) -> dict[str, Any]:
        """The settings of the process to be."""
        return {"port": 0, "data": str(self.data), "functions": str(self.folder / "functions"), **self.settings}

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it; the exit status."""
        assert self.process is not None
        self.process.send_signal(number)
        status = self.process.wait(PATIENCE_SECONDS)
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.process = None
        return status

    def kill(self) -> None:
        """End everything at once, stopped processes too: they die with the supervisor."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            if self.process.stdout is not None:
                self.process.stdout.close()
            self.process = None

    def end(self) -> None:
        """After a test: kill what runs, and leave no runtime folder."""
        self.kill()
        if (self.data / "state.json").exists():
            shutil.rmtree(self.state()["folder"], ignore_errors=True)

    def caller(self, **given: Any) -> Caller:
        """A client."""
        return Caller(self.endpoint, **given)

    def state(self) -> dict[str, Any]:
        """What the supervisor says of its processes."""
        return dict(json.loads((self.data / "state.json").read_text()))

    def pid(self, name: str) -> int:
        """The pid of a process; waits until it runs."""
        return int(wait_until(lambda: self.state()["processes"].get(name)))

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query on the platform's store, whichever it is."""
        if "store" in self.settings:
            with psycopg.connect(self.settings["store"]) as database:
                return database.execute(sql).fetchall()
        with sqlite3.connect(self.data / "platform.db") as database_file:
            return database_file.execute(sql).fetchall()

    def order(self, **given: Any) -> bytes:
        """An event for the ledger function."""
        return json.dumps({"ledger": str(self.ledger), **given}).encode()

    def starts(self) -> dict[tuple[str, str], int]:
        """How often the ledger function was started, by (TaskID, attempt)."""
        counts: dict[tuple[str, str], int] = {}
        for line in self.ledger.read_text().splitlines() if self.ledger.exists() else []:
            task_id, attempt, _ = line.split()
            counts[task_id, attempt] = counts.get((task_id, attempt), 0) + 1
        return counts

    def ended(self, function: str, task_id: str, **given: Any) -> dict[str, Any]:
        """A task's record when it has ended."""

        def look() -> dict[str, Any] | None:
            record = self.caller(**given).get(function, task_id)
            return record if record["endTime"] else None

        return wait_until(look)
