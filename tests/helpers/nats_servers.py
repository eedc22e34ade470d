"""NATS servers with JetStream for tests: one node, or three that form a cluster, on loopback ports picked free."""

import functools
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from onceproof.implementation.queues.jetstream import STREAM
from onceproof.implementation.queues.nats_link import NatsLink
from tests.helpers.waiting import wait_until

SERVER = Path(sys.executable).with_name("nats-server")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Nats:
    """Nodes that are started together; url names them all."""

    folder: Path
    nodes: int = 1
    ports: list[int] = field(default_factory=list)
    routes: list[int] = field(default_factory=list)
    processes: "list[subprocess.Popen[bytes]]" = field(default_factory=list)

    @property
    def url(self) -> str:
        return ",".join(f"nats://127.0.0.1:{port}" for port in self.ports)

    def start(self) -> "Nats":
        self.ports = [free_port() for _ in range(self.nodes)]
        self.routes = [free_port() for _ in range(self.nodes)]
        for number in range(self.nodes):
            self.processes.append(self.start_node(number))
        try:
            for port in self.ports:
                wait_until(functools.partial(answers, port), 15)
        except BaseException:
            self.stop()
            raise
        return self

    def start_node(self, number: int) -> "subprocess.Popen[bytes]":
        folder = self.folder / f"node{number}"
        folder.mkdir(parents=True, exist_ok=True)
        lines = [
            f"listen: 127.0.0.1:{self.ports[number]}",
            f"server_name: node{number}",
            f'jetstream {{ store_dir: "{folder}", sync_interval: always }}',
        ]
        if self.nodes > 1:
            routes = ", ".join(f'"nats://127.0.0.1:{port}"' for port in self.routes)
            lines.append(f"cluster {{ name: test, listen: 127.0.0.1:{self.routes[number]}, routes: [ {routes} ] }}")
        config = folder / "nats.conf"
        config.write_text("\n".join(lines))
        return subprocess.Popen([SERVER, "-c", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def leader(self) -> int:
        """The number of the node that leads the platform's stream."""
        link = NatsLink(self.url)
        try:
            info = link.call(lambda jetstream: jetstream.stream_info(STREAM))
            assert info.cluster is not None and info.cluster.leader is not None
            return int(info.cluster.leader.removeprefix("node"))
        finally:
            link.close()

    def stop(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


def answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            return connection.recv(4) == b"INFO"
    except OSError:
        return False
