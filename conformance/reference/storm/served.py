"""The platform of a storm: started as `onceproof serve` starts it, with everything that it keeps in one folder."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from onceproof.conformance.reference.storm.orders import ATTEMPTS, FUNCTION, FUNCTION_SECONDS, FUNCTIONS, USERS
from onceproof.conformance.reference.storm.spoiled import HERE
from onceproof.conformance.storms.brokers.base import Broker, host_and_port
from onceproof.conformance.storms.brokers.registry import broker
from onceproof.conformance.storms.errors import StormError
from onceproof.conformance.storms.processes import Group, Processes, wait_until
from onceproof.conformance.storms.relay import Relay, through
from onceproof.implementation.platform.config import PlatformConfig
from onceproof.implementation.platform.http.client import Caller, CallFailed
from onceproof.implementation.platform.isolation import isolated
from onceproof.implementation.platform.supervisor import roster

START_SECONDS = 60.0
LEASE_SECONDS = 3.0
SETTINGS: dict[str, Any] = {
    "port": 0,
    "lease_seconds": LEASE_SECONDS,
    "beat_seconds": 1.5,
    "request_timeout_seconds": 2.0,
    "function_timeout_seconds": FUNCTION_SECONDS,
    "stop_grace_seconds": 0.5,
    "store_wait_seconds": 2.0,
}
SERVERS = ("store", "queue")  # what each of the brokers is for
BROKERS = {"sqlite": "", "postgresql": "postgresql", "postgresql+nats": "postgresql+nats"}


def targets(on: str) -> list[str]:
    """What can be struck on a platform that keeps its tasks and messages so: processes, and servers."""
    processes = [name for _, name in roster(PlatformConfig())]
    return [*processes, *(what for what, _ in zip(SERVERS, filter(None, BROKERS[on].split("+")), strict=False))]


@dataclass
class Served:
    """A platform that runs. relays: what stands between it and its servers, by what each server is for."""

    folder: Path
    group: Group
    endpoint: str = ""
    relays: dict[str, Relay] = field(default_factory=dict)

    @property
    def ledger(self) -> Path:
        """Where functions write down what they were given."""
        return self.folder / "ledger.ndjson"

    @property
    def probes(self) -> Path:
        """Where its processes log their actions: a file for each."""
        return self.folder / "probes"

    def processes(self) -> dict[str, int]:
        """The ids of its processes, by name; those that are just being started anew are left out."""
        try:
            return dict(json.loads((self.folder / "data" / "state.json").read_text())["processes"])
        except (OSError, ValueError, KeyError):
            return {}

    def caller(self, user: str) -> Caller:
        """A client."""
        return Caller(self.endpoint, user=user, timeout_seconds=3.0)


@contextmanager
def served(
    folder: Path, on: str = "sqlite", mutant: str = "", settings: Mapping[str, Any] | None = None
) -> Iterator[Served]:
    """A platform that has come up; at the end it is gone, with all that it and its servers have started.

    on: what keeps its tasks and messages, of ``BROKERS``. StormError where it does not come up.
    """
    folder = folder.absolute()
    for name in ("functions", "probes"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    with ExitStack() as ending:
        processes = ending.enter_context(Processes())
        given: dict[str, Any] = {**SETTINGS, **(settings or {})}
        given |= {"data": str(folder / "data"), "functions": str(folder / "functions")}
        given["probe_log"] = str(folder / "probes")
        relays: dict[str, Relay] = {}
        for what, server in _servers(on, folder, processes).items():
            server.start()
            given[what], relays[what] = _relayed(server, ending)
        command = isolated(HERE, "serve", mutant, json.dumps(given))
        if not mutant:
            (folder / "settings.yaml").write_text(json.dumps(given))
            command = [sys.executable, "-P", "-m", "onceproof", "serve", "--config", str(folder / "settings.yaml")]
        platform = Served(
            folder,
            processes.start("platform", command, folder / "platform.log", environment=os.environ, folder=folder),
            relays=relays,
        )
        for name in FUNCTIONS:
            (folder / "functions" / f"{name}.py").write_text(FUNCTION.format(ledger=str(platform.ledger)))
        _come_up(platform)
        yield platform


def _servers(on: str, folder: Path, processes: Processes) -> dict[str, Broker]:
    kinds = dict(zip(SERVERS, filter(None, BROKERS[on].split("+")), strict=False))
    return {what: broker(kind, folder / kind, processes) for what, kind in kinds.items()}


def _relayed(server: Broker, ending: ExitStack) -> tuple[str, Relay]:
    where = host_and_port(server.url)
    assert where is not None
    relay = Relay(*where)
    ending.callback(relay.close)
    return through(server.url, relay.port), relay


def _come_up(platform: Served) -> None:
    """Wait for the endpoint, and put the settings of users' functions."""
    state = platform.folder / "data" / "state.json"
    log = platform.group.log
    up = wait_until(lambda: not platform.group.alive or b"serves at" in _read(log), START_SECONDS)
    if not up or not platform.group.alive:
        raise StormError("the platform does not come up", platform.group.tail())
    platform.endpoint = json.loads(state.read_text())["endpoint"]
    try:
        for user in USERS:
            for function in FUNCTIONS:
                platform.caller(user).put_config(function, {"maxAsyncRetryAttempts": ATTEMPTS - 1})
    except CallFailed as error:
        raise StormError(f"the platform takes no settings: {error}", platform.group.tail()) from None


def _read(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""
