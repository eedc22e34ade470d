"""One process that runs one function, as its agent sees it: how it is started and ended, and what it has written."""

import asyncio
import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from onceproof.implementation.platform.config import PREFIX, PlatformConfig
from onceproof.implementation.platform.functions import cgroups
from onceproof.implementation.platform.functions.cgroups import Cgroup
from onceproof.implementation.platform.functions.descendants import descendants, end_descendants
from onceproof.implementation.platform.isolation import isolated
from onceproof.implementation.platform.wire.link import read_frame

START_SECONDS = 60.0
Stamp = tuple[int, int, int]


def function_file(folder: str, function: str) -> Path:
    """The file of a function; names were checked when the task was submitted."""
    return Path(folder) / f"{function}.py"


def mark_of(config: PlatformConfig) -> str:
    """What tells processes that functions of this platform have started from others: a line of their environment."""
    return f"_ONCEPROOF_FUNCTION_OF={os.path.abspath(config.data)}"


def without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for users' functions: the platform's own settings, keys and passwords among them, stay out."""
    return {name: value for name, value in environment.items() if not name.startswith(PREFIX)}


class Output:
    """The agent's end of a pipe that a function's process writes to: the last bytes are kept, the others counted."""

    def __init__(self, descriptor: int, size_max: int) -> None:
        self.descriptor = descriptor
        self.size_max = size_max
        self.written = 0
        self._kept = bytearray()
        self._pipe_size = fcntl.fcntl(descriptor, fcntl.F_GETPIPE_SZ)
        os.set_blocking(descriptor, False)
        asyncio.get_running_loop().add_reader(descriptor, self.take)

    def begin(self) -> None:
        """An attempt begins: what was written before is nobody's."""
        self.take()
        self.written = 0
        self._kept.clear()

    def end(self) -> bytes:
        """The last bytes of what was written since `begin`."""
        self.take()
        return bytes(self._kept[-self.size_max :]) if self.size_max else b""

    def take(self) -> None:
        """Take what is in the pipe: one read takes all that was written before."""
        if self.descriptor < 0:
            return
        try:
            data = os.read(self.descriptor, self._pipe_size)
        except BlockingIOError:
            return
        if not data:
            self.close()
            return
        self.written += len(data)
        self._kept += data
        if len(self._kept) > 2 * self.size_max:
            del self._kept[: len(self._kept) - self.size_max]

    def close(self) -> None:
        """Close the pipe."""
        if self.descriptor >= 0:
            asyncio.get_running_loop().remove_reader(self.descriptor)
            os.close(self.descriptor)
            self.descriptor = -1


@dataclass(slots=True)
class Runner:
    """One process with one function; stamps are the files that it has loaded, as they were then."""

    function: str
    process: "subprocess.Popen[bytes]"
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    output: Output
    cgroup: Cgroup | None
    stamps: dict[str, Stamp] = field(default_factory=dict)

    @property
    def is_fresh(self) -> bool:
        """Whether the files that it has loaded are still as they were."""
        return all(stamp_of(path) == stamp for path, stamp in self.stamps.items())

    def processes(self) -> int:
        """How many processes it has started that live."""
        return sum(1 for _ in descendants(self.process.pid))

    def end_descendants(self) -> None:
        """End all that the function has started, and nothing else."""
        end_descendants(self.process.pid)

    def kill(self) -> None:
        """End it with all that it has started: it is stopped first, so that nothing new comes while the others go."""
        if self.process.poll() is None:  # else its id may be another process's by now; what it left is the agent's
            self._signal(signal.SIGSTOP)
            self.end_descendants()
            self._signal(signal.SIGKILL)
            self.process.kill()
        if self.cgroup is not None:
            self.cgroup.kill()
        self.writer.close()
        self.output.close()

    def _signal(self, number: signal.Signals) -> None:
        """Signal its process group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)

    async def reaped(self) -> str:
        """Wait for it to be gone; how it ended, as text."""
        status = await asyncio.get_running_loop().run_in_executor(None, self.process.wait)
        if status < 0:
            return f"was killed by signal {signal.Signals(-status).name}"
        return f"exited with status {status}"


def stamp_of(path: str) -> Stamp | None:
    """What tells one content of a file from another; None if there is no such file."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


async def started(config: PlatformConfig, function: str, lock: int, known: set[int]) -> Runner:
    """A new process, ready for its first event; OSError if it cannot be. known: the pid is added at once."""
    ours, theirs = socket.socketpair()
    log_out, log_in = os.pipe()
    options = {
        "file": str(function_file(config.functions, function)),
        "folder": os.path.abspath(config.functions),
        "name": function,
        "result_bytes_max": config.result_bytes_max,
        **{name: config.limit(function, name) for name in ("memory_mb", "file_mb")},
    }
    arguments = (str(theirs.fileno()), str(os.getpid()), json.dumps(options))
    with theirs, open(log_in, "wb"):
        try:
            process = subprocess.Popen(
                isolated("onceproof.implementation.platform.functions.child", *arguments),
                pass_fds=(theirs.fileno(), lock),
                stdin=subprocess.DEVNULL,
                stdout=log_in,
                stderr=log_in,
                env=without_secrets(os.environ) | dict([mark_of(config).split("=", 1)]),
                start_new_session=True,
            )
        except OSError:
            os.close(log_out)
            ours.close()
            raise
    known.add(process.pid)
    group = cgroups.made(int(config.limit(function, "processes")) + 1)
    if group is not None:
        group.add(process.pid)
    reader, writer = await asyncio.open_connection(sock=ours, limit=1 << 20)
    runner = Runner(function, process, reader, writer, Output(log_out, config.log_bytes_max), group)
    # The time that an interpreter takes to start is not the function's.
    try:
        ready = await asyncio.wait_for(read_frame(reader), START_SECONDS)
    except TimeoutError:
        ready = None
    if ready is None:
        said = runner.output.end().decode(errors="replace").strip()[-500:]
        runner.kill()
        raise OSError(0, f"it {await runner.reaped()}{': ' if said else ''}{said}")
    return runner
