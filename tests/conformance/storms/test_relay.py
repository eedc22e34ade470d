"""The relay between a worker and its broker: passes everything on, cuts, swallows."""

import socket
import threading
from collections.abc import Iterator

import pytest

from onceproof.conformance.storms.relay import Relay, through


@pytest.fixture
def relay() -> Iterator[Relay]:
    """A relay before a server that answers each message by the same bytes."""
    server = socket.create_server(("127.0.0.1", 0))

    def echo() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    def answer(connection: socket.socket) -> None:
        with connection:
            while data := connection.recv(100):
                connection.sendall(data)

    threading.Thread(target=echo, daemon=True).start()
    made = Relay("127.0.0.1", server.getsockname()[1])
    yield made
    made.close()
    server.close()


def connected(relay: Relay) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", relay.port), timeout=10)
    connection.sendall(b"first")
    assert connection.recv(100) == b"first"
    return connection


def is_closed(connection: socket.socket) -> bool:
    try:
        return connection.recv(100) == b""
    except ConnectionError:
        return True


def test_everything_passes_both_ways(relay: Relay) -> None:
    connected(relay).close()
    assert relay.passed == 10


def test_a_cut_closes_connections_and_takes_new_ones(relay: Relay) -> None:
    connection = connected(relay)
    relay.cut()
    assert is_closed(connection)
    connected(relay).close()


def test_a_black_hole_swallows_and_its_end_is_a_cut(relay: Relay) -> None:
    connection = connected(relay)
    relay.swallow(True)
    connection.sendall(b"second")
    connection.settimeout(0.1)
    with pytest.raises(TimeoutError):
        connection.recv(100)
    connection.settimeout(10)
    relay.swallow(False)
    assert is_closed(connection)
    connected(relay).close()


def test_a_url_leads_through_the_relay() -> None:
    assert through("redis://127.0.0.1:6379/0", 7) == "redis://127.0.0.1:7/0"
    assert through("postgresql://me:pw@db.example/x?y=1", 7) == "postgresql://me:pw@127.0.0.1:7/x?y=1"
