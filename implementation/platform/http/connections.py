"""HTTP connections within limits: on the size of headers and the time that they take, and on how many there are.

Where there are too many, the one that has been idle longest makes room for the next; where none is idle, the next is
answered 503. So no number of clients that only hold on keeps the others away, and the process never runs out of files.
"""

import asyncio
import json
import logging
import resource
import time
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from onceproof.implementation.platform.http.problems import problem_body
from onceproof.implementation.platform.http.service import new_request_id

REASONS = {
    400: "Bad Request",
    408: "Request Timeout",
    431: "Request Header Fields Too Large",
    503: "Service Unavailable",
}
ACCEPTED_AT_ONCE = 64  # connections that the event loop accepts before it looks at the others
LOG_SECONDS = 1.0
OWN_FILES = ACCEPTED_AT_ONCE + 128  # of the server itself, and what is accepted before anything is closed


def room_for(wanted: int) -> int:
    """How many connections there can be, wanted or fewer: the limit on open files is raised as far as it can be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + OWN_FILES
    if soft != resource.RLIM_INFINITY and soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return wanted if soft == resource.RLIM_INFINITY else max(1, min(wanted, soft - OWN_FILES))


class Connections:
    """All connections of one server; idle: those without a request, the longest idle first."""

    def __init__(self, most: int, log: logging.Logger) -> None:
        self.most = most
        self.log = log
        self.open: set[Any] = set()
        self.idle: dict[Any, None] = {}
        self._turned_out = 0
        self._logged_at = 0.0

    def opened(self, connection: Any) -> bool:
        """Take a new connection; False if there is no room, and nobody who could make some."""
        if len(self.open) >= self.most:
            self._note()
            if not self.idle:
                return False
            oldest = next(iter(self.idle))
            self.closed(oldest)
            oldest.transport.close()
        self.open.add(connection)
        self.idle[connection] = None
        return True

    def is_busy(self, connection: Any) -> None:
        """A request has come."""
        self.idle.pop(connection, None)

    def is_idle(self, connection: Any) -> None:
        """The request is answered."""
        if connection in self.open:
            self.idle[connection] = None

    def closed(self, connection: Any) -> None:
        """The connection is no more."""
        self.open.discard(connection)
        self.idle.pop(connection, None)

    def _note(self) -> None:
        """Say it, once a second at most."""
        self._turned_out += 1
        now = time.monotonic()
        if now - self._logged_at >= LOG_SECONDS:
            fields = {"open": len(self.open), "idle": len(self.idle), "closed_or_refused": self._turned_out}
            self.log.warning("too many connections", extra={"fields": fields})
            self._logged_at, self._turned_out = now, 0


def guarded(header_bytes_max: int, seconds: float, connections: Connections) -> type[HttpToolsProtocol]:
    """The server's HTTP protocol with those limits."""

    class Guarded(HttpToolsProtocol):
        """One connection. From its start, and from the end of each request, the clock runs for the next headers."""

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self.header_bytes = 0
            self.in_headers = True
            self.timer: asyncio.TimerHandle | None = self.loop.call_later(seconds, self.too_slow)
            if not connections.opened(self):
                self.refuse(503, "ServiceUnavailable", "too many connections; try again")

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
            connections.is_busy(self)
            super().on_headers_complete()

        def on_message_complete(self) -> None:
            self.in_headers = True
            super().on_message_complete()

        def on_response_complete(self) -> None:
            if not self.pipeline:
                connections.is_idle(self)
            super().on_response_complete()

        def connection_lost(self, exc: Exception | None) -> None:
            connections.closed(self)
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
