"""A process of an agent that runs one user's function, one event after another, until its socket is closed.

Its arguments are FD LOG PARENT FILE NAME MEMORY_MB RESULT_MAX. FD is a socket to the agent: this process says in a
frame that it is ready; then the agent sends frames with a context and an event, and gets one back for each with the
result. LOG is a pipe to the agent: what the function writes goes there when a frame says that its log was asked for,
and otherwise straight to the agent's stderr. Whatever the function does to this process (exit, crash, use up its
memory) harms the attempt that runs, and no other.
"""

import contextlib
import ctypes
import importlib.util
import json
import logging
import os
import resource
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onceproof.implementation.platform.wire.frames import pack, receive_frame

PR_SET_PDEATHSIG = 1
Handler = Callable[[bytes, "Context"], Any]


@dataclass(frozen=True)
class Context:
    """What a function gets beside its event. It holds no credentials."""

    request_id: str
    task_id: str
    attempt: int
    function_name: str
    logger: logging.Logger


class FunctionError(Exception):
    """The function cannot be run, or its result cannot be taken; the text says why."""


def load_handler(path: str) -> Handler:
    """The `handler` of a user's file; FunctionError if there is none."""
    spec = importlib.util.spec_from_file_location(Path(path).stem, path)
    if spec is None or spec.loader is None or not os.path.exists(path):
        raise FunctionError(f"there is no file {path}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    handler = getattr(module, "handler", None)
    if not callable(handler):
        raise FunctionError(f"{path} has no function handler(event, context)")
    return handler  # type: ignore[no-any-return]


def as_bytes(value: Any, size_max: int) -> bytes:
    """A function's result as bytes: bytes as they are, text as UTF-8, nothing as empty, all else as JSON."""
    if value is None:
        result = b""
    elif isinstance(value, bytes | bytearray):
        result = bytes(value)
    elif isinstance(value, str):
        result = value.encode()
    else:
        result = json.dumps(value).encode()
    if len(result) > size_max:
        raise FunctionError(f"the result has {len(result)} bytes; at most {size_max} are allowed")
    return result


def described(error: BaseException) -> str:
    """An exception as the text of the public API: JSON with its message, type and stack."""
    stack = [line.rstrip() for line in traceback.format_tb(error.__traceback__)[-8:]]
    return json.dumps({"errorMessage": str(error)[:4000], "errorType": type(error).__name__, "stackTrace": stack})


def flush() -> None:
    """Write what was printed and is still in this process's buffers."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):  # whatever the function has put in their place
            stream.flush()


def write_to(descriptor: int) -> None:
    """Have stdout and stderr go to a descriptor from now on; what was written before goes where they went before."""
    flush()
    with contextlib.suppress(Exception):
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # a crash must not take the log along
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)


def main(arguments: list[str]) -> None:
    """Serve events until the socket is closed; the arguments are those that the module describes."""
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        serve(*arguments)


def serve(descriptor: str, log: str, parent: str, path: str, name: str, memory_mb: str, result_max: str) -> None:
    """Serve events from the socket until it is closed."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(parent):
        os._exit(1)
    os.setsid()
    os.dup2(2, 1)
    usual = os.dup(2)
    os.set_inheritable(int(log), False)
    connection = socket.socket(fileno=int(descriptor))
    limit = int(float(memory_mb) * (1 << 20))
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    sys.path.append(str(Path(path).parent))  # a function can import what lies beside it
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    handler: Handler | None = None
    connection.sendall(pack({"ready": True}))
    while (frame := receive_frame(connection)) is not None:
        header, event = frame
        context = Context(
            header["request_id"], header["task_id"], header["attempt"], name, logging.getLogger(f"function.{name}")
        )
        answer, body = {"succeeded": True, "error": ""}, b""
        if header["log"]:
            write_to(int(log))
        try:
            handler = handler or load_handler(path)
            body = as_bytes(handler(event, context), int(result_max))
        except Exception as error:
            answer = {"succeeded": False, "error": described(error)}
            if header["log"]:
                write_to(int(log))
                os.write(2, traceback.format_exc().encode(errors="replace"))
        if header["log"]:
            write_to(usual)
        else:
            flush()
        connection.sendall(pack(answer, body))
