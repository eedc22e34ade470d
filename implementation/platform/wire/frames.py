"""What processes of the platform say to each other: frames of a JSON header and a body of bytes, over a socket."""

import json
import socket
import struct
from enum import StrEnum
from typing import Any


class PlacementAnswer(StrEnum):
    """What the resource manager answers a scheduler that asks where a message is to run."""

    PLACED = "placed"
    FAILED = "failed"  # the task was ended, since its agent is gone
    LATER = "later"  # not possible now: ask again


HEAD = struct.Struct("!II")
Frame = tuple[dict[str, Any], bytes]


def pack(header: dict[str, Any], body: bytes = b"") -> bytes:
    """A frame as bytes."""
    text = json.dumps(header, separators=(",", ":")).encode()
    return HEAD.pack(len(text), len(body)) + text + body


def receive_frame(connection: socket.socket) -> Frame | None:
    """The next frame of a blocking socket; None when the other side is gone."""
    head = _receive(connection, HEAD.size)
    if head is None:
        return None
    length, size = HEAD.unpack(head)
    data = _receive(connection, length + size)
    return None if data is None else (json.loads(data[:length]), data[length:])


def _receive(connection: socket.socket, size: int) -> bytes | None:
    parts = []
    while size > 0:
        try:
            part = connection.recv(min(size, 1 << 20))
        except OSError:
            return None
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
