"""Proxies on the connections of a platform: what is sent waits here until a step delivers it.

Between schedulers and agents requests and replies; between callers and the API server POSTs and their answers; and
each user's function asks here how it is to end.
"""

from __future__ import annotations

import itertools
import json
import select
import socket
import time
from collections.abc import Callable
from pathlib import Path

from onceproof.conformance.driver import DriverError, StepRefused
from onceproof.implementation.components.messages import Exchange, Order, Result
from onceproof.implementation.errors import NotEnabled
from onceproof.implementation.in_process.contents import ERROR, RESULT
from onceproof.implementation.platform.wire.frames import HEAD, Frame, pack
from onceproof.implementation.platform.wire.scheduler_wire import reply_header, result_of

SECONDS = 10.0
Asked = tuple[str, str, int]
"""(agent, message, attempt): what a function was started for."""
FUNCTION = f"""import json, socket
def handler(event, context):
    given = json.loads(event)
    payload, attempt = given["payload"], context.attempt
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(given["connect"])
        connection.sendall(json.dumps([context.task_id, attempt, payload]).encode() + b"\\n")
        if connection.recv(16) == b"raise":
            raise RuntimeError({ERROR!r}.format(payload=payload, attempt=attempt))
    return {RESULT!r}.format(payload=payload, attempt=attempt)
"""


class Line:
    """One connection, read without waiting."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.connection.setblocking(False)
        self.broken = False
        self.scheduler = ""
        self._data = b""

    def frames(self) -> list[Frame]:
        """The frames that have come in full."""
        self._read()
        found = []
        while len(self._data) >= HEAD.size:
            length, size = HEAD.unpack_from(self._data)
            end = HEAD.size + length + size
            if len(self._data) < end:
                break
            body = self._data[HEAD.size : end]
            found.append((json.loads(body[:length]), body[length:]))
            self._data = self._data[end:]
        return found

    def text(self) -> bytes:
        """All that has come, as it is."""
        self._read()
        return self._data

    def send(self, data: bytes) -> None:
        """Send all of it; a line that is broken takes nothing."""
        try:
            self.connection.setblocking(True)
            self.connection.sendall(data)
            self.connection.setblocking(False)
        except OSError:
            self.broken = True

    def close(self) -> None:
        """Break it."""
        self.broken = True
        self.connection.close()

    def _read(self) -> None:
        while not self.broken:
            try:
                part = self.connection.recv(1 << 16)
            except BlockingIOError:
                return
            except OSError:
                part = b""
            self.broken = not part
            self._data += part


def listening(path: str) -> socket.socket:
    """A socket that listens at a path; connections wait until they are accepted."""
    listener = socket.socket(socket.AF_UNIX)
    Path(path).unlink(missing_ok=True)
    listener.bind(path)
    listener.listen(128)
    listener.setblocking(False)
    return listener


def accepted(listener: socket.socket) -> list[Line]:
    """Those that have connected since the last look."""
    lines = []
    while True:
        try:
            lines.append(Line(listener.accept()[0]))
        except BlockingIOError:
            return lines


class AgentProxy:
    """Stands between the schedulers and one agent. requested and replied are called with what either has sent."""

    def __init__(
        self,
        agent: str,
        folder: str,
        schedulers: list[str],
        requested: Callable[[Exchange, Order], None],
        replied: Callable[[Exchange, Result], None],
    ) -> None:
        self.agent, self.folder, self.schedulers = agent, folder, schedulers
        self.requested, self.replied = requested, replied
        self.listener = listening(f"{folder}/{agent}.wire")
        self.from_schedulers: list[Line] = []
        self.to_agent: dict[str, Line] = {}

    def connect(self) -> None:
        """Connect to the agent's process, as each of the schedulers."""
        for scheduler in self.schedulers:
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(f"{self.folder}/{self.agent}.sock")
            line = self.to_agent[scheduler] = Line(connection)
            line.send(pack({"scheduler": scheduler}))

    def break_all(self) -> None:
        """The agent is gone: every connection breaks, with what is on it."""
        for line in [*self.from_schedulers, *self.to_agent.values()]:
            line.close()
        self.from_schedulers.clear()
        self.to_agent.clear()

    def drain(self) -> None:
        """Take what either side has sent; nothing of it is forwarded."""
        self.from_schedulers += accepted(self.listener)
        for line in self.from_schedulers:
            for header, body in line.frames():
                if "scheduler" in header or "watcher" in header:
                    line.scheduler = header.get("scheduler", "")
                    continue
                order = Order(header["task"], header["function"], body, header["task_id"], header["request_id"])
                self.requested((line.scheduler, self.agent, header["message"], header["attempt"]), order)
        self.from_schedulers = [line for line in self.from_schedulers if not line.broken]
        for scheduler, line in self.to_agent.items():
            for header, body in line.frames():
                if not header.get("turned_away"):
                    result = result_of((header, body))
                    self.replied((scheduler, self.agent, header["message"], header["attempt"]), result)

    def deliver_request(self, exchange: Exchange, order: Order) -> None:
        """A request arrives at the agent."""
        scheduler, _, message, attempt = exchange
        header = {"message": message, "attempt": attempt, "task": order.task, "function": order.function}
        line = self.to_agent[scheduler]
        line.send(pack({**header, "task_id": order.task_id, "request_id": order.request_id}, order.payload))

    def has(self, scheduler: str) -> bool:
        """Whether the scheduler is connected now."""
        self.drain()
        return any(line.scheduler == scheduler for line in self.from_schedulers)

    def deliver_reply(self, exchange: Exchange, result: Result) -> None:
        """A reply arrives at its scheduler."""
        scheduler, _, message, attempt = exchange
        header = {"message": message, "attempt": attempt, **reply_header(result)}
        self.drain()
        for line in reversed(self.from_schedulers):
            if line.scheduler == scheduler:
                line.send(pack(header, result.value))
                return
        raise NotEnabled(f"{scheduler} has no connection to {self.agent}")

    def close(self) -> None:
        """Close everything."""
        self.break_all()
        self.listener.close()


class Functions:
    """Users' functions that run, and wait to hear how to end; started(task id, attempt, payload) is called for each.

    Those that have started since the last start was asked for belong to that one: (agent, message, attempt).
    """

    def __init__(self, path: str, started: Callable[[str, int, str], None]) -> None:
        self.path, self.started = path, started
        self.listener = listening(path)
        self._new: list[Line] = []
        self._unclaimed: list[Line] = []
        self._running: dict[Asked, list[Line]] = {}

    def drain(self) -> None:
        """Note the functions that have started."""
        self._new += accepted(self.listener)
        for line in list(self._new):
            text = line.text()
            if b"\n" in text:
                task_id, attempt, payload = json.loads(text)
                self._new.remove(line)
                self._unclaimed.append(line)
                self.started(task_id, attempt, payload)

    def await_start(self, asked: Asked) -> None:
        """Wait until one has started, and book it under what it was asked for; StepRefused if none starts."""
        deadline = time.monotonic() + SECONDS
        self.drain()
        while not self._unclaimed:
            select.select([self.listener, *(line.connection for line in self._new)], [], [], 0.5)
            self.drain()
            if time.monotonic() > deadline:
                raise StepRefused(f"the function did not start in {SECONDS:g} s")
        self._running.setdefault(asked, []).extend(self._unclaimed)
        self._unclaimed.clear()

    def end(self, asked: Asked, word: bytes) -> int:
        """Have functions return or raise; how many. NotEnabled if none runs."""
        lines = self._running.pop(asked, [])
        if not lines:
            raise NotEnabled(f"no function of {asked} runs")
        for line in lines:
            line.send(word)
            line.close()
        return len(lines)

    def end_agent(self, agent: str) -> None:
        """The functions of an agent have died with it."""
        for asked in [asked for asked in self._running if asked[0] == agent]:
            for line in self._running.pop(asked):
                line.close()

    def end_all(self) -> None:
        """Have all that run return."""
        for line in [*itertools.chain(*self._running.values()), *self._unclaimed, *self._new]:
            line.close()
        for memory in (self._running, self._unclaimed, self._new):
            memory.clear()

    def close(self) -> None:
        """Close everything."""
        self.end_all()
        self.listener.close()


class Post:
    """One POST to the API server: sent when a step lets it arrive, its answer read when the server has sent it."""

    def __init__(self, port: int, method: str, path: str, user: str, body: bytes, headers: str = "") -> None:
        self._connection = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nX-Fc-Account-Id: {user}\r\nContent-Length: {len(body)}\r\n"
        )
        self._connection.sendall(f"{head}{headers}Connection: close\r\n\r\n".encode() + body)

    def hang_up(self) -> None:
        """Listen no more."""
        self._connection.close()

    def answer(self) -> tuple[int, str]:
        """The status and the headers; DriverError if the server says nothing."""
        status, head, _ = self._read()
        return status, head

    def text(self) -> tuple[int, str]:
        """The status and the body; DriverError if the server says nothing."""
        status, _, body = self._read()
        return status, body

    def _read(self) -> tuple[int, str, str]:
        data = b""
        try:
            while part := self._connection.recv(1 << 16):
                data += part
        except OSError as error:
            raise DriverError(f"the API server does not answer: {error}") from None
        finally:
            self._connection.close()
        if not data:
            raise DriverError("the API server closed the connection")
        head, _, body = data.partition(b"\r\n\r\n")
        return int(data.split(b" ", 2)[1]), head.decode(), body.decode(errors="replace")
