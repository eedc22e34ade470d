"""What every process of the platform has: its settings, store, queue, probe, doorbell and log, and how it ends."""

import asyncio
import contextlib
import ctypes
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from onceproof.implementation.clock import Clock, RealClock
from onceproof.implementation.components.load_balancer import LoadBalancer
from onceproof.implementation.components.queue import Queue
from onceproof.implementation.components.task_store import TaskStore
from onceproof.implementation.errors import StoreUnavailable
from onceproof.implementation.platform.beat import Beat
from onceproof.implementation.platform.config import PlatformConfig
from onceproof.implementation.platform.stores import open_database, open_queue
from onceproof.implementation.platform.wire.bell import Bell
from onceproof.implementation.probe import Probe

PR_SET_PDEATHSIG = 1
IDLE_SECONDS = 0.25
EXIT_UNAVAILABLE = 75


class JsonLines(logging.Formatter):
    """One JSON object a line: time (seconds since 1970), level, process, event, and what else was said with it."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self.process = process

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        line = {
            "time": round(record.created, 6),
            "level": record.levelname.lower(),
            "process": self.process,
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


def log_to_stderr(process: str, level: int = logging.INFO) -> logging.Logger:
    """The process's logger: JSON lines on stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(process))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    return logging.getLogger("onceproof")


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent dies, however that happens; parent is the expected pid."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


class Process:
    """One process: name is its own (scheduler1), folder the runtime folder with sockets and bells."""

    def __init__(self, name: str, config: PlatformConfig, folder: str) -> None:
        self.name = name
        self.config = config
        self.folder = folder
        self.log = log_to_stderr(name)
        self.attach()
        self.settings = config.core_settings()
        self.database = open_database(config)
        self.store = TaskStore(self.database, self.settings.mechanisms.task_id_dedup)
        self.queue: Queue = open_queue(config, self.database, self.clock, self.settings)
        self.balancer = LoadBalancer(self.database, self.clock, self.settings.beat_ns, self.probe)
        self.bell = Bell(folder, name)
        self.beat = Beat(folder, name)
        self.database.on_wait = self.beat.waits
        self.ending = asyncio.Event()
        self._trouble_since: float | None = None

    def attach(self) -> None:
        """Set the clock and the probe, which all that follows is built on."""
        self.clock: Clock = RealClock()
        folder = self.config.probe_log
        self.probe = Probe(self.name, Path(folder) / f"{self.name}.{os.getpid()}.ndjson") if folder else None

    @contextlib.contextmanager
    def batch(self, durable: bool = True) -> Iterator[None]:
        """Several actions with one commit; their log lines are written when it is made.

        durable: it is on disk then; else whoever calls this has the database make it so, or nobody outside of the
        platform may learn of it before somebody has: commits of all processes append to one log, so that a function's
        start and an answer to a client, which wait for the disk, have all on disk that came before them.
        """
        if self.probe is not None:
            self.probe.hold()
        committed = False
        try:
            with self.database.transaction(durable):
                yield
            committed = True
        finally:
            if self.probe is not None:
                self.probe.release(committed)

    async def run(self) -> None:
        """Run turn after turn, whenever the bell rings or some time has passed, until SIGTERM or SIGINT."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end)
        await self.begin()
        self.say("up", pid=os.getpid())
        while not self.finished():
            busy = self._guarded_turn()
            self.beat.turned()
            await self.bell.wait(0 if busy else self.idle_seconds())
        await self.finish()

    async def begin(self) -> None:
        """What comes before the first turn."""

    def turn(self) -> bool:
        """Do what there is to do; True if there is more to do at once."""
        raise NotImplementedError

    async def finish(self) -> None:
        """What comes after the last turn."""

    def finished(self) -> bool:
        """Whether to stop: as soon as the process was asked to."""
        return self.ending.is_set()

    def idle_seconds(self) -> float:
        """How long to wait for the bell before the next turn."""
        return IDLE_SECONDS

    def failed(self) -> None:
        """A turn failed, its transaction was rolled back: bring memory in line with the store."""

    def choice(self, parameter: str, options: Any, best: str) -> str:
        """Where several of the options would do for this argument of an action: the best; a replay may want another."""
        return best

    def say(self, event: str, level: int = logging.INFO, **fields: Any) -> None:
        """Write a line to the log."""
        self.log.log(level, event, extra={"fields": fields})

    def _guarded_turn(self) -> bool:
        """A turn; what the store cannot do now is said once, and tried again for as long as it takes."""
        try:
            busy = self.turn()
        except StoreUnavailable as error:
            if self._trouble_since is None:
                self._trouble_since = time.monotonic()
                self.say("store unavailable; retrying", logging.ERROR, error=str(error))
            self.beat.trouble(str(error))
            self.failed()
            return False
        if self._trouble_since is not None:
            self.say("store available again", seconds=round(time.monotonic() - self._trouble_since, 3))
            self._trouble_since = None
            self.beat.trouble("")
        return busy

    def _end(self) -> None:
        self.ending.set()
        self.bell.ring_self()
