"""A TCP relay between one worker and the broker, which can cut, delay and swallow what passes."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

CHUNK = 65536
Result = TypeVar("Result")


class Relay:
    """Listens on a loopback port of its own and passes everything on. It runs in a thread of its own."""

    def __init__(self, host: str, port: int) -> None:
        self.target = host, port
        self.port = 0
        self.passed = 0  # bytes, both ways
        self._delay = 0.0
        self._swallows = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = self._call(self._listen())

    def cut(self) -> None:
        """Close every connection, both ends; new ones are taken."""
        self._call(self._close_all())

    def delay(self, seconds: float) -> None:
        """Whatever passes from now on takes so long each way; 0: no longer."""
        self._delay = seconds

    def swallow(self, on: bool) -> None:
        """A black hole: connections stay open and nothing passes. What was swallowed is gone, so its end is a cut."""
        was, self._swallows = self._swallows, on
        if was and not on:
            self.cut()

    def close(self) -> None:
        """Close all, and end the thread."""
        self._call(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def _call(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> asyncio.Server:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _close_all(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    async def _stop(self) -> None:
        self._server.close()
        await self._close_all()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(*self.target)
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, far_writer}
        self._writers |= ends
        try:
            with contextlib.suppress(asyncio.CancelledError):  # the relay is closed before those that it connects
                await asyncio.gather(self._pass(reader, far_writer), self._pass(far_reader, writer))
        finally:
            self._writers -= ends
            for each in ends:
                each.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK):
                if self._delay:
                    await asyncio.sleep(self._delay)
                if self._swallows:
                    continue
                self.passed += len(data)
                writer.write(data)
                await writer.drain()
            if not self._swallows and writer.can_write_eof():
                writer.write_eof()


def through(url: str, port: int) -> str:
    """The URL of a broker, with the port of a relay in place of its own."""
    parts = urlsplit(url)
    login = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
    return urlunsplit(parts._replace(netloc=f"{login}127.0.0.1:{port}"))
