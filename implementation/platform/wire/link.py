"""A connection from one process to another that is made anew whenever it breaks."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from onceproof.implementation.platform.wire.frames import HEAD, Frame, pack

RETRY_SECONDS = 0.05


async def read_frame(reader: asyncio.StreamReader) -> Frame | None:
    """The next frame; None when the other side is gone, at whatever point of a frame."""
    try:
        length, size = HEAD.unpack(await reader.readexactly(HEAD.size))
        data = await reader.readexactly(length + size)
    except (asyncio.IncompleteReadError, ConnectionError, OSError):
        return None
    return json.loads(data[:length]), data[length:]


class Link:
    """Keeps a connection to a Unix socket; frames sent while there is none are dropped, as a network would.

    hello: the first frame on each connection. on_frame gets each frame that arrives; on_change gets True when a
    connection was made and False when it broke.
    """

    def __init__(
        self,
        address: str,
        hello: dict[str, Any],
        on_frame: Callable[[Frame], None],
        on_change: Callable[[bool], None],
    ) -> None:
        self.address = address
        self.hello = hello
        self.on_frame = on_frame
        self.on_change = on_change
        self._writer: asyncio.StreamWriter | None = None
        self._task = asyncio.ensure_future(self._keep())

    @property
    def connected(self) -> bool:
        """Whether there is a connection now."""
        return self._writer is not None

    def send(self, header: dict[str, Any], body: bytes = b"") -> bool:
        """Send a frame; False if there is no connection to send it on."""
        if self._writer is None:
            return False
        self._writer.write(pack(header, body))
        return True

    def close(self) -> None:
        """Close for good."""
        self._task.cancel()
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    async def _keep(self) -> None:
        while True:
            try:
                reader, self._writer = await asyncio.open_unix_connection(self.address)
            except OSError:
                await asyncio.sleep(RETRY_SECONDS)
                continue
            self._writer.write(pack(self.hello))
            self.on_change(True)
            while (frame := await read_frame(reader)) is not None:
                self.on_frame(frame)
            self._writer.close()
            self._writer = None
            self.on_change(False)
