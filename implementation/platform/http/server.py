"""The API server's process: the application, behind its limits, on the socket that the supervisor holds."""

import asyncio
import logging
import os
import socket
from pathlib import Path
from typing import Any

import uvicorn

from onceproof.implementation.clock import ManualClock
from onceproof.implementation.platform.beat import Beat
from onceproof.implementation.platform.config import PlatformConfig
from onceproof.implementation.platform.gate.gate import Control, Gate, Permit
from onceproof.implementation.platform.http.admission import Admission
from onceproof.implementation.platform.http.app import make_app
from onceproof.implementation.platform.http.browsers import OwnNames
from onceproof.implementation.platform.http.connections import ACCEPTED_AT_ONCE, Connections, guarded, room_for
from onceproof.implementation.platform.http.metrics import Metrics
from onceproof.implementation.platform.http.service import Service
from onceproof.implementation.platform.processes.base import IDLE_SECONDS, log_to_stderr
from onceproof.implementation.platform.wire.bell import Bell
from onceproof.implementation.probe import Probe

BACKLOG = 512
NOT_HTTP = "Invalid HTTP request received."  # whoever sent it is told; the log need not grow by it
COUNT_SECONDS = 2.0


class GatedApiServer:
    """The API server under a gate: requests cause what it does; it waits for the permitted one."""

    def __init__(self, gate: Gate, admission: Admission) -> None:
        self.gate, self.admission = gate, admission

    def ready(self, permit: Permit) -> bool:
        """Whether the request has come to the permitted action."""
        if permit["action"] in ("enqueue", "reset"):
            return True
        number = 1 + len(permit.get("also", ()))
        self.admission.least = number
        done = len(self.gate.passed) >= number or self.gate.refused
        return bool(done) and not self.admission.busy

    async def act(self, permit: Permit) -> None:
        """Nothing: the request itself passes the gate; only a recorded submission waits for its permit."""
        if permit["action"] == "enqueue":
            await self.admission.enqueue(permit["arguments"]["task"], permit["arguments"]["submission"])

    async def control(self, control: Control, arguments: dict[str, Any]) -> None:
        """Reset; what was recorded and not enqueued is forgotten with the process."""
        if control is not Control.RESET:
            raise ValueError(f"the API server has no control `{control}`")
        self.gate.clock.rewind()

    def view(self) -> list[tuple[str, str]] | None:
        """What it has recorded and not enqueued; None: nothing, as always with an outbox."""
        return sorted(self.admission.api_server.admitting) or None


async def lengthen_backlog(server: uvicorn.Server, listener: socket.socket) -> None:
    """The server has the kernel keep as many waiting clients as it accepts at once: let it keep more."""
    while not server.started:
        await asyncio.sleep(0.01)
    listener.listen(BACKLOG)


async def keep_counting(service: Service, metrics: Metrics) -> None:
    """Every few seconds, add what was counted to the store's numbers."""
    while True:
        await asyncio.sleep(COUNT_SECONDS)
        await service.keep_counts(metrics)


async def keep_beating(beat: Beat) -> None:
    """Give a sign of life as often as the other processes do."""
    while True:
        beat.turned()
        await asyncio.sleep(IDLE_SECONDS)


async def serve(name: str, config: PlatformConfig, folder: str, descriptor: int) -> None:
    """Serve on the inherited socket until SIGTERM."""
    log = log_to_stderr(name)
    probe = Probe(name, Path(config.probe_log) / f"{name}.{os.getpid()}.ndjson") if config.probe_log else None
    bell = Bell(folder, name)
    gate = Gate(name, config.gate, ManualClock()) if config.gate else None
    logging.getLogger("uvicorn.error").addFilter(lambda record: record.getMessage() != NOT_HTTP)
    metrics = Metrics()
    service = Service(config, bell, gate or probe)
    connections = Connections(room_for(config.connections_max), log)
    server = uvicorn.Server(
        uvicorn.Config(
            OwnNames(make_app(service, metrics), config),
            http=guarded(config.header_bytes_max, config.read_timeout_seconds, connections),
            loop="asyncio",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=5,
            backlog=ACCEPTED_AT_ONCE,
        )
    )
    Path(folder, "api.up").touch()
    log.info("up", extra={"fields": {"pid": os.getpid()}})
    serving = asyncio.ensure_future(gate.serve(GatedApiServer(gate, service.admission))) if gate else None
    doing = [keep_counting(service, metrics), keep_beating(Beat(folder, name))] if gate is None else []
    beside = [asyncio.ensure_future(one) for one in doing]
    with socket.socket(fileno=descriptor) as listener:
        waiting = asyncio.ensure_future(lengthen_backlog(server, listener))
        await server.serve(sockets=[listener])
    waiting.cancel()
    for one in beside:
        one.cancel()
    if gate is None:
        await service.keep_counts(metrics)
    if serving is not None:
        serving.cancel()
    service.close()
