"""The brokers that a storm starts: killed, they come back; where a port is taken, that is said."""

import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from onceproof.conformance.storms.brokers.base import accepts
from onceproof.conformance.storms.brokers.nats import Nats
from onceproof.conformance.storms.brokers.registry import broker
from onceproof.conformance.storms.brokers.valkey import Valkey
from onceproof.conformance.storms.errors import StormError
from onceproof.conformance.storms.processes import Processes
from tests.helpers.waiting import wait_until

pytestmark = pytest.mark.servers


@pytest.fixture
def processes() -> Iterator[Processes]:
    """What ends with the test, whatever it started."""
    with Processes() as made:
        yield made


def test_of_three_nats_nodes_one_is_killed_and_comes_back(tmp_path: Path, processes: Processes) -> None:
    nats = broker("nats-3", tmp_path / "broker", processes)
    assert isinstance(nats, Nats)
    nats.start()  # waits until the three have a leader
    assert [accepts(port) for port in nats.ports] == [True, True, True]
    assert not nats.relayed, "its nodes tell clients of each other"
    assert len(nats.kill()) == 1
    wait_until(lambda: [accepts(port) for port in nats.ports] == [False, True, True])
    nats.start()
    assert accepts(nats.ports[0])


def test_a_broker_at_a_url_is_used_as_it_is_and_never_killed(tmp_path: Path, processes: Processes) -> None:
    theirs = broker("valkey", tmp_path / "theirs", processes)
    theirs.start()
    ours = broker(theirs.url, tmp_path / "ours", processes)
    ours.start()
    assert (ours.url, ours.ours, ours.relayed) == (theirs.url, False, True)
    with pytest.raises(StormError, match="never killed"):
        ours.kill()
    theirs.kill()
    with pytest.raises(StormError, match="no broker answers at 127"):
        ours.start()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users may enter, unlike pytest's own: PostgreSQL does not run as root."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.parametrize("kind", ["valkey", "postgresql", "nats"])
def test_a_port_that_is_taken_is_said_with_the_log(kind: str, open_folder: Path, processes: Processes) -> None:
    """Whatever answers at the port of another server is not taken for the one that was started."""
    made = broker(kind, open_folder / "broker", processes)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        if isinstance(made, Nats):
            made.ports = [port]
        elif isinstance(made, Valkey):
            made.port = port
        else:
            made.port = port  # type: ignore[attr-defined]
        with pytest.raises(StormError, match=r"does not start: it ended with status 1") as raised:
            made.start()
    assert "address" in raised.value.log.lower()
