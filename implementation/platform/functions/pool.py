"""The processes in which an agent runs users' functions: kept for the next event, killed when they misbehave."""

import asyncio
import contextlib
import fcntl
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from onceproof.implementation.components.messages import Order, Result
from onceproof.implementation.platform.config import PREFIX, PlatformConfig
from onceproof.implementation.platform.isolation import isolated
from onceproof.implementation.platform.wire.frames import pack
from onceproof.implementation.platform.wire.link import read_frame

START_SECONDS = 60.0
EXIT_SECONDS = 2.0  # between a function's process closing its socket and its exit
LOG_BYTES_MAX = 4096
Ended = Callable[[str, int, Result], None]


def function_file(folder: str, function: str) -> Path:
    """The file of a function; names were checked when the task was submitted."""
    return Path(folder) / f"{function}.py"


def without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for users' functions: the platform's own settings, keys and passwords among them, stay out."""
    return {name: value for name, value in environment.items() if not name.startswith(PREFIX)}


class Logs:
    """What attempts wrote, for callers who asked for it: a file for each such request, in the runtime folder.

    The API server makes it empty before it takes the task, and removes it; the agent that runs the task fills it. A
    log is a courtesy: where the file cannot be made or written there is none, and the task goes its way.
    """

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder) / "logs"

    def clear(self) -> None:
        """Remove what an API server that died has left; nobody waits for it any more."""
        with contextlib.suppress(OSError):
            self.folder.mkdir(exist_ok=True)
            for path in self.folder.iterdir():
                path.unlink()

    @contextlib.contextmanager
    def asked(self, request_id: str, wanted: bool) -> Iterator[Callable[[], bytes]]:
        """Ask for the log of a request that is about to be made, if wanted; inside, the log so far (empty: none)."""
        path = self.folder / request_id

        def read() -> bytes:
            with contextlib.suppress(OSError):
                return path.read_bytes() if wanted else b""
            return b""

        try:
            if wanted:
                with contextlib.suppress(OSError):
                    path.touch()
            yield read
        finally:
            if wanted:
                with contextlib.suppress(OSError):
                    path.unlink()

    def is_asked(self, request_id: str) -> bool:
        """Whether somebody waits for the log of this request."""
        return os.access(f"{self.folder}/{request_id}", os.W_OK)  # asked before every attempt: no Path is made for it

    def write(self, request_id: str, output: bytes) -> None:
        """Put the log of an attempt in the place of an earlier one's, unless nobody waits for it any more."""
        end = b"" if not output or output.endswith(b"\n") else b"\n"
        first, last = (f"FC Invoke {word} RequestId: {request_id}\n".encode() for word in ("Start", "End"))
        with contextlib.suppress(OSError):
            descriptor = os.open(self.folder / request_id, os.O_WRONLY | os.O_TRUNC)  # never made anew
            with open(descriptor, "wb") as file:
                file.write(first + output + end + last)


class Output:
    """The agent's end of a child's log pipe: all of it goes on to the agent's stderr, and its last bytes are kept."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.kept = b""
        self.size = fcntl.fcntl(descriptor, fcntl.F_GETPIPE_SZ)
        os.set_blocking(descriptor, False)
        asyncio.get_running_loop().add_reader(descriptor, self.take)

    def take(self) -> None:
        """Take what is in the pipe: one read takes all that was written before."""
        if self.descriptor < 0:
            return
        try:
            data = os.read(self.descriptor, self.size)
        except BlockingIOError:
            return
        if not data:
            self._end()
            return
        self.kept = (self.kept + data)[-LOG_BYTES_MAX:]
        with contextlib.suppress(OSError):
            os.write(2, data)

    def close(self) -> None:
        """Take what is in the pipe still, and close it."""
        self.take()
        self._end()

    def _end(self) -> None:
        if self.descriptor >= 0:
            asyncio.get_running_loop().remove_reader(self.descriptor)
            os.close(self.descriptor)
            self.descriptor = -1


@dataclass(slots=True)
class Child:
    """One process with one function loaded."""

    function: str
    process: "subprocess.Popen[bytes]"
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    output: Output

    def kill(self) -> None:
        """End it, with everything that it started in its process group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.writer.close()
        self.output.close()


@dataclass(slots=True)
class FunctionPool:
    """At most config.slots functions at a time. ended(message, attempt, result) is called when one has ended.

    lock: a descriptor that children inherit, so that a lock on it ends only when they are gone too. logs: where to put
    what an attempt wrote, if somebody asked for it.
    """

    config: PlatformConfig
    ended: Ended
    lock: int
    logs: Logs
    running: dict[tuple[str, int], str] = field(default_factory=dict)
    idle: list[Child] = field(default_factory=list)
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    def start(self, agent: str, message: str, attempt: int, order: Order) -> None:
        """Start a function; returns at once."""
        self.running[message, attempt] = order.task
        task = asyncio.ensure_future(self._execute(message, attempt, order))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        """Kill every process that waits for an event."""
        for child in self.idle:
            child.kill()
        self.idle.clear()

    async def _execute(self, message: str, attempt: int, order: Order) -> None:
        try:
            result = await self._run(attempt, order)
        except OSError as error:
            result = Result(False, error=f"the function's process could not be started: {error.strerror}")
        self.running.pop((message, attempt), None)  # with agent_dedup off it may have been started twice
        self.ended(message, attempt, result)

    async def _run(self, attempt: int, order: Order) -> Result:
        child = self._idle_child(order.function) or await self._spawn(order.function)
        if not self.logs.is_asked(order.request_id):
            return await self._result(child, attempt, order, False)
        child.output.take()
        child.output.kept = b""
        result = await self._result(child, attempt, order, True)
        child.output.take()
        self.logs.write(order.request_id, child.output.kept)
        child.output.kept = b""
        return result

    async def _result(self, child: Child, attempt: int, order: Order, log: bool) -> Result:
        header = {"request_id": order.request_id, "task_id": order.task_id, "attempt": attempt, "log": log}
        seconds = self.config.limit(order.function, "timeout_seconds")
        child.writer.write(pack(header, order.payload))
        try:
            frame = await asyncio.wait_for(read_frame(child.reader), seconds)
        except TimeoutError:
            child.kill()
            await self._reap(child)
            return Result(False, error=f"the function did not end within {seconds:g} s")
        if frame is None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._reap(child), EXIT_SECONDS)
            child.kill()
            return Result(False, error=f"the function's process {await self._reap(child)}")
        self._keep(child)
        return Result(bool(frame[0]["succeeded"]), frame[1], str(frame[0]["error"]))

    def _idle_child(self, function: str) -> Child | None:
        for child in self.idle:
            if child.function == function:
                self.idle.remove(child)
                return child
        return None

    def _keep(self, child: Child) -> None:
        """Keep the process for the next event; the oldest idle one makes room."""
        self.idle.append(child)
        if len(self.idle) + len(self.running) > self.config.slots + 1:
            oldest = self.idle.pop(0)
            oldest.kill()
            task = asyncio.ensure_future(self._forget(oldest))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _forget(self, child: Child) -> None:
        await self._reap(child)

    async def _reap(self, child: Child) -> str:
        """Wait for a killed process; how it ended, as text."""
        status = await asyncio.get_running_loop().run_in_executor(None, child.process.wait)
        if status < 0:
            return f"was killed by signal {signal.Signals(-status).name}"
        return f"exited with status {status}"

    async def _spawn(self, function: str) -> Child:
        ours, theirs = socket.socketpair()
        log_out, log_in = os.pipe()
        with theirs, open(log_in, "wb"):
            command = isolated(
                "onceproof.implementation.platform.functions.child",
                str(theirs.fileno()),
                str(log_in),
                str(os.getpid()),
                str(function_file(self.config.functions, function)),
                function,
                str(self.config.limit(function, "memory_mb")),
                str(self.config.result_bytes_max),
            )
            try:
                process = subprocess.Popen(
                    command,
                    pass_fds=(theirs.fileno(), log_in, self.lock),
                    stdin=subprocess.DEVNULL,
                    env=without_secrets(os.environ),
                    stdout=2,
                )
            except OSError:
                os.close(log_out)
                raise
        reader, writer = await asyncio.open_connection(sock=ours, limit=1 << 20)
        child = Child(function, process, reader, writer, Output(log_out))
        # The time that an interpreter takes to start is not the function's.
        try:
            ready = await asyncio.wait_for(read_frame(reader), START_SECONDS)
        except TimeoutError:
            ready = None
        if ready is None:
            child.kill()
            raise OSError(0, f"it {await self._reap(child)}")
        return child
