"""The API server's process: the application on the socket that the supervisor holds, behind limits on headers."""

import asyncio
import json
import os
import socket
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from onceproof.implementation.clock import ManualClock
from onceproof.implementation.platform.config import PlatformConfig
from onceproof.implementation.platform.gate.gate import Control, Gate, Permit
from onceproof.implementation.platform.http.admission import Admission
from onceproof.implementation.platform.http.app import make_app
from onceproof.implementation.platform.http.browsers import OwnNames
from onceproof.implementation.platform.http.metrics import Metrics
from onceproof.implementation.platform.http.problems import problem_body
from onceproof.implementation.platform.http.service import Service, new_request_id
from onceproof.implementation.platform.processes.base import log_to_stderr
from onceproof.implementation.platform.wire.bell import Bell
from onceproof.implementation.probe import Probe

REASONS = {400: "Bad Request", 408: "Request Timeout", 431: "Request Header Fields Too Large"}


def guarded(header_bytes_max: int, seconds: float) -> type[HttpToolsProtocol]:
    """The server's HTTP protocol, with a limit on the size of headers and on the time that they take to come."""

    class Guarded(HttpToolsProtocol):
        """One connection. From its start, and from the end of each request, the clock runs for the next headers."""

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self.header_bytes = 0
            self.in_headers = True
            self.timer: asyncio.TimerHandle | None = self.loop.call_later(seconds, self.too_slow)

        def data_received(self, data: bytes) -> None:
            if self.in_headers:
                self.timer = self.timer or self.loop.call_later(seconds, self.too_slow)
                self.header_bytes += len(data) if b"\r\n\r\n" not in data else data.index(b"\r\n\r\n")
                if self.header_bytes > header_bytes_max:
                    return self.refuse(431, "RequestHeaderFieldsTooLarge", "the headers are too large")
            super().data_received(data)
            return None

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self.in_headers = True

        def on_headers_complete(self) -> None:
            self.in_headers = False
            self.header_bytes = 0
            self.stop_timer()
            super().on_headers_complete()

        def on_message_complete(self) -> None:
            self.in_headers = True
            super().on_message_complete()

        def connection_lost(self, exc: Exception | None) -> None:
            self.stop_timer()
            super().connection_lost(exc)

        def send_400_response(self, msg: str) -> None:
            self.refuse(400, "InvalidArgument", msg)

        def too_slow(self) -> None:
            """The headers did not come in time; a connection that has sent nothing gets no answer."""
            if self.in_headers and self.header_bytes:
                self.refuse(408, "RequestTimeout", "the headers came too slowly")
            elif self.in_headers:
                self.transport.close()

        def stop_timer(self) -> None:
            """The headers are there, or never will be."""
            if self.timer is not None:
                self.timer.cancel()
                self.timer = None

        def refuse(self, status: int, code: str, message: str) -> None:
            """Answer without the application, and close."""
            if self.transport.is_closing():
                return
            body = json.dumps(problem_body(code, message, new_request_id())).encode()
            head = (
                f"HTTP/1.1 {status} {REASONS[status]}\r\ncontent-type: application/json\r\n"
                f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
            )
            self.transport.write(head.encode() + body)
            self.transport.close()

    return Guarded


class GatedApiServer:
    """The API server under a gate: requests cause what it does; it waits for the permitted one."""

    def __init__(self, gate: Gate, admission: Admission) -> None:
        self.gate, self.admission = gate, admission

    def ready(self, permit: Permit) -> bool:
        """Whether the request has come to the permitted action."""
        if permit["action"] in ("enqueue", "reset"):
            return True
        return bool(self.gate.passed or self.gate.refused) and not self.admission.busy

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


async def serve(name: str, config: PlatformConfig, folder: str, descriptor: int) -> None:
    """Serve on the inherited socket until SIGTERM."""
    log = log_to_stderr(name)
    probe = Probe(name, Path(config.probe_log) / f"{name}.{os.getpid()}.ndjson") if config.probe_log else None
    bell = Bell(folder, name)
    gate = Gate(name, config.gate, ManualClock()) if config.gate else None
    service = Service(config, bell, gate or probe)
    server = uvicorn.Server(
        uvicorn.Config(
            OwnNames(make_app(service, Metrics()), config),
            http=guarded(config.header_bytes_max, config.read_timeout_seconds),
            loop="asyncio",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=5,
            backlog=512,
        )
    )
    Path(folder, "api.up").touch()
    log.info("up", extra={"fields": {"pid": os.getpid()}})
    serving = asyncio.ensure_future(gate.serve(GatedApiServer(gate, service.admission))) if gate else None
    with socket.socket(fileno=descriptor) as listener:
        await server.serve(sockets=[listener])
    if serving is not None:
        serving.cancel()
    service.close()
