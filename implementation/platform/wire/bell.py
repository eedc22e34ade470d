"""Doorbells: a process rings another to say "look at the store". Lost rings cost time only; everybody looks anyway."""

import asyncio
import contextlib
import os
import socket


class Bell:
    """The bell of one process: a datagram socket in the runtime folder. Use inside a running event loop."""

    def __init__(self, folder: str, name: str) -> None:
        self.folder = folder
        self._rung = asyncio.Event()
        self._listening: set[asyncio.Future[None]] = set()
        self._own = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._own.setblocking(False)
        path = self._path(name)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        self._own.bind(path)
        asyncio.get_running_loop().add_reader(self._own.fileno(), self._hear)

    def ring(self, name: str) -> None:
        """Ring another process's bell; nothing happens if it is not there."""
        with contextlib.suppress(OSError):
            self._own.sendto(b"!", self._path(name))

    def ring_self(self) -> None:
        """Make the process look again soon."""
        self._rung.set()

    async def wait(self, seconds: float) -> bool:
        """Wait until somebody rings, or for that long; whether it was rung."""
        try:
            if seconds <= 0:
                await asyncio.sleep(0)
                return self._rung.is_set()
            await asyncio.wait_for(self._rung.wait(), seconds)
        except TimeoutError:
            return False
        finally:
            self._rung.clear()
        return True

    async def heard(self, seconds: float) -> None:
        """For several that wait at once: until the next ring, or for that long."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._listening.add(future)
        try:
            await asyncio.wait_for(future, seconds)
        except TimeoutError:
            pass
        finally:
            self._listening.discard(future)

    def _path(self, name: str) -> str:
        return os.path.join(self.folder, f"{name}.bell")

    def _hear(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._own.recv(16):
                pass
        self._rung.set()
        for future in self._listening:
            if not future.done():
                future.set_result(None)
