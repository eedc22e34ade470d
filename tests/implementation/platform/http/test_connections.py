"""Connections that only hold on keep nobody away: the one that is idle longest makes room."""

import logging
import os
import resource
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from onceproof.implementation.platform.http import connections
from onceproof.implementation.platform.http.connections import Connections
from tests.helpers.platforms import Platform
from tests.helpers.waiting import wait_until


class Connection:
    """What `Connections` needs of one."""

    def __init__(self) -> None:
        self.transport = self
        self.is_closed = False

    def close(self) -> None:
        self.is_closed = True


def test_longest_idle_connection_makes_room_and_a_busy_one_never_does(caplog: pytest.LogCaptureFixture) -> None:
    held = Connections(3, logging.getLogger("test"))
    made: list[Any] = [Connection() for _ in range(6)]
    assert all(held.opened(one) for one in made[:3])
    held.is_busy(made[0])
    assert held.opened(made[3])
    assert [one.is_closed for one in made] == [False, True, False, False, False, False]
    held.is_busy(made[2])
    held.is_busy(made[3])
    assert not held.opened(made[4]), "all are busy"
    held.is_idle(made[0])
    assert held.opened(made[5]) and made[0].is_closed
    held.closed(made[5])
    held.is_idle(made[5])
    assert held.opened(made[4]) and len(held.open) == 3
    assert len(caplog.records) == 1, "one line a second"


def test_there_is_room_for_as_many_connections_as_the_limit_on_files_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = [(1024, 4096)]
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda _, pair: limits.append(pair))
    assert (connections.room_for(512), len(limits)) == (512, 1)
    assert (connections.room_for(2000), limits[-1]) == (2000, (2000 + connections.OWN_FILES, 4096))
    assert (connections.room_for(100_000), limits[-1]) == (4096 - connections.OWN_FILES, (4096, 4096))


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    made = Platform(tmp_path, {"schedulers": 1, "agents": 1, "connections_max": 100})
    made.function("echo", "def handler(event, context): return event")
    yield made.start()
    made.end()


def test_many_idle_connections_do_not_stop_the_api(platform: Platform) -> None:
    address = urlsplit(platform.endpoint)
    held = []
    try:
        for _ in range(1100):
            held.append(socket.create_connection((address.hostname or "", address.port or 0), timeout=20))
            if len(held) == 300:
                held[-1].sendall(b"GET /healthz HTTP/1.1\r\nHost: local")
        answer = httpx.post(f"{platform.endpoint}/2023-03-30/functions/echo/invocations", content=b"hi", timeout=30)
        assert (answer.status_code, answer.content) == (200, b"hi")
        pid = platform.pid("api")
        wait_until(lambda: len(os.listdir(f"/proc/{pid}/fd")) < 180)
    finally:
        for one in held:
            one.close()
    log = (platform.folder / "log.ndjson").read_text()
    assert 1 <= log.count("too many connections") < 100
    assert platform.state()["restarts"]["api"] == 0
