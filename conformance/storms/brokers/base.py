"""What every broker offers, and what it takes to start one."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from onceproof.conformance.storms.errors import StormError
from onceproof.conformance.storms.processes import Group, wait_until

START_SECONDS = 30.0
INSTALL = "`pip install 'onceproof[storm]'` installs the brokers that a storm starts"


class Broker(Protocol):
    """A broker that the storm can start, kill and start again on the same port and data.

    url: for its clients; settings: what matters for durability.
    """

    url: str
    settings: str

    @property
    def version(self) -> str:
        """The program and its version."""
        ...

    def start(self) -> None:
        """Start it and wait until it answers; StormError where it does not."""
        ...

    def kill(self) -> list[int]:
        """SIGKILL; the ids of those that were killed. StormError where the broker is not the storm's to kill."""
        ...

    @property
    def relayed(self) -> bool:
        """Whether a relay can stand between it and a worker: it has one port, and clients find no way around."""
        ...

    @property
    def ours(self) -> bool:
        """Whether the storm started it, and so may kill it."""
        ...


def program(name: str, packaged: Callable[[], Path | None]) -> Path:
    """A server program: the one of a Python package, beside this interpreter, or on PATH; StormError if none is."""
    found = packaged()
    if found is not None and found.is_file():
        return found
    beside = Path(sys.executable).with_name(name)
    if beside.is_file():
        return beside
    on_path = shutil.which(name)
    if on_path is None:
        raise StormError(f"the broker needs the program `{name}`, which is not installed; {INSTALL}")
    return Path(on_path)


def free_port() -> int:
    """A port of the loopback interface that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def accepts(port: int, host: str = "127.0.0.1") -> bool:
    """Whether something listens there."""
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def await_answer(group: Group, answers: Callable[[], bool], what: str) -> None:
    """Wait until a server answers; StormError with the last lines of its log where it ends or stays silent."""
    wait_until(lambda: answers() or not group.alive, START_SECONDS)
    if group.alive and answers():
        return
    how = "does not answer" if group.alive else f"ended with status {group.root.returncode}"
    raise StormError(f"{what} does not start: it {how}", group.tail())


def base_environment() -> dict[str, str]:
    """The environment of a server: that of the storm, in a fixed language."""
    return {**os.environ, "LC_ALL": "C.UTF-8"}


def host_and_port(url: str) -> tuple[str, int] | None:
    """Where the server of a URL listens; None where the URL does not say."""
    defaults = {"redis": 6379, "valkey": 6379, "postgresql": 5432, "postgres": 5432, "nats": 4222, "amqp": 5672}
    parts = urlsplit(url.split(",")[0])
    try:
        port = parts.port or defaults.get(parts.scheme)
    except ValueError:
        return None
    return (parts.hostname, port) if parts.hostname and port else None
