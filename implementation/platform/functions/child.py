"""A process of an agent that runs one user's function, one event after another, until its socket is closed.

Its arguments are FD PARENT OPTIONS. FD is a socket to the agent: this process says in a frame that it is ready; then
the agent sends frames with a context and an event, and gets one back for each: the result, which files it was loaded
from, and whether the function has left processes behind. OPTIONS is JSON: the function's file, folder and name, and its
limits. Its stdout and stderr are a pipe to the agent. Whatever the function does to this process (exit, crash, use up
its memory) harms the attempt that runs, and no other.
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
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onceproof.implementation.platform.functions.descendants import become_subreaper
from onceproof.implementation.platform.wire.frames import pack, receive_frame

PR_SET_PDEATHSIG = 1
CLOCK_TICK_NS = 20_000_000  # a file system may write times that are so much behind the clock
NEVER = (-1, -1, -1)
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


class Loader:
    """Loads the handler of a user's file, and knows which files below the folder of functions came with it.

    A stamp is what the file was like when it was loaded: (time of change in ns, size, inode). One that was changed
    while it was loaded has a stamp that no file has, so that it is loaded again for the next event.
    """

    def __init__(self, path: str, folder: str) -> None:
        self.path = path
        self.folder = os.path.realpath(folder) + os.sep
        self.handler: Handler | None = None
        self.stamps: dict[str, tuple[int, int, int]] = {}
        self._modules = 0
        self._looked_ns = 0
        self._told: set[str] = set()

    def load(self) -> Handler:
        """The `handler`; FunctionError if there is none, and whatever the file raises."""
        if self.handler is None:
            name = Path(self.path).stem
            if not os.path.exists(self.path):
                raise FunctionError(f"there is no file {self.path}")
            self._looked_ns = time.time_ns()
            self._stamp(self.path)
            if name in sys.modules or name in sys.stdlib_module_names:
                name = f"function_{name}"
            spec = importlib.util.spec_from_file_location(name, self.path)
            if spec is None or spec.loader is None:
                raise FunctionError(f"{self.path} is not a file of Python")
            module = sys.modules[name] = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            handler = getattr(module, "handler", None)
            if not callable(handler):
                raise FunctionError(f"{self.path} has no function handler(event, context)")
            self.handler = handler
        return self.handler

    def new_stamps(self) -> dict[str, tuple[int, int, int]]:
        """Stamps of the files that were loaded since this was last asked."""
        if self.handler is None or len(sys.modules) != self._modules:
            self._modules = len(sys.modules)
            for module in list(sys.modules.values()):
                path = getattr(module, "__file__", None)
                if isinstance(path, str) and os.path.realpath(path).startswith(self.folder):
                    self._stamp(path)
        new = {path: stamp for path, stamp in self.stamps.items() if path not in self._told}
        self._told.update(new)
        self._looked_ns = time.time_ns()
        return new

    def _stamp(self, path: str) -> None:
        if path in self.stamps:
            return
        try:
            found = os.stat(path)
        except OSError:
            self.stamps[path] = NEVER
            return
        changing = self._looked_ns - CLOCK_TICK_NS <= found.st_mtime_ns <= time.time_ns() + CLOCK_TICK_NS
        self.stamps[path] = NEVER if changing else (found.st_mtime_ns, found.st_size, found.st_ino)


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


def has_children() -> bool:
    """Reap what has ended; whether something that was started here, or below, still lives."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
        return True
    return False


def main(arguments: list[str]) -> None:
    """Serve events until the socket is closed; the arguments are those that the module describes."""
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        serve(*arguments)


def limit(options: dict[str, Any]) -> None:
    """Have the kernel keep this process, and what it starts, within the function's limits."""
    memory, size = (int(float(options[name]) * (1 << 20)) for name in ("memory_mb", "file_mb"))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def serve(descriptor: str, parent: str, text: str) -> None:
    """Serve events from the socket until it is closed."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(parent):
        os._exit(1)
    become_subreaper()
    options = json.loads(text)
    connection = socket.socket(fileno=int(descriptor))
    limit(options)
    # Between the standard library and what is installed: a function can import what lies beside it.
    installed = next((at for at, entry in enumerate(sys.path) if entry.endswith("-packages")), len(sys.path))
    sys.path.insert(installed, str(Path(options["file"]).parent.absolute()))
    sys.dont_write_bytecode = True  # which is told from its source by whole seconds only
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    with contextlib.suppress(Exception):
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # a crash must not take the log along
    loader = Loader(options["file"], options["folder"])
    logger = logging.getLogger(f"function.{options['name']}")
    connection.sendall(pack({"ready": True}))
    while (frame := receive_frame(connection)) is not None:
        header, event = frame
        context = Context(header["request_id"], header["task_id"], header["attempt"], options["name"], logger)
        answer: dict[str, Any] = {"succeeded": True, "error": ""}
        body = b""
        try:
            body = as_bytes(loader.load()(event, context), int(options["result_bytes_max"]))
        except Exception as error:
            answer = {"succeeded": False, "error": described(error)}
            with contextlib.suppress(Exception):
                os.write(2, traceback.format_exc().encode(errors="replace"))
        flush()
        answer |= {
            "loaded": loader.handler is not None,
            "files": loader.new_stamps(),
            "children": has_children(),
        }
        connection.sendall(pack(answer, body))
