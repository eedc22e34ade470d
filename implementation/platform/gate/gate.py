"""The gate of a process under replay: whoever drives it gives leave for one action at a time, over a local socket.

Every action that the process's own turns propose passes the probe. The one that there is leave for is performed, in a
transaction of its own; any other is told `NotNow`, which the turns treat like any action that is not enabled. Between
two leaves the process is parked: nothing happens by the clock on the wall. A process without a gate has none of this.
"""

import asyncio
import os
import time
from collections.abc import Callable
from typing import Any, Protocol

from onceproof.implementation.clock import ManualClock
from onceproof.implementation.errors import NotEnabled, NotNow
from onceproof.implementation.platform.wire.frames import pack
from onceproof.implementation.platform.wire.link import read_frame
from onceproof.implementation.probe import Probe

LOOK = "look"  # no leave: what does the process remember now?
ANY = "*"  # an argument that the process chooses: the id of a new message, of a request
TURNS = 3
ARRIVAL_SECONDS = 5.0
Leave = dict[str, Any]


class Gated(Protocol):
    """What a process under a gate does for a leave; `Gate.serve` calls it."""

    def ready(self, leave: Leave) -> bool:
        """Whether what must have arrived for this leave is there."""
        ...

    async def act(self, leave: Leave) -> None:
        """One turn, in which actions are proposed."""
        ...

    def view(self) -> Any:
        """The process's memory, as JSON, after a leave."""
        ...


class Gate(Probe):
    """A probe that lets through what there is leave for. passed: what was performed since the last report."""

    def __init__(self, process: str, path: str, clock: ManualClock) -> None:
        super().__init__(process)
        self.path = path
        self.clock = clock
        self.leave: Leave = {}
        self.granted: tuple[str, dict[str, str]] | None = None
        self.refused = ""
        self.passed: list[tuple[str, dict[str, Any]]] = []

    def around(self, name: str, arguments: dict[str, Any], call: Callable[[], Any]) -> Any:
        """Perform the call if there is leave for it, NotNow otherwise; one leave is good for one call."""
        if self.granted is None or not self._is_granted(name, arguments):
            raise NotNow(f"no leave for {name}")
        self.granted = None
        try:
            result = call()
        except NotEnabled as error:
            self.refused = str(error)
            raise
        self.passed.append((name, arguments))
        return result

    def wish(self, parameter: str) -> str | None:
        """The argument of the action that there is leave for: what a free choice of the process is to be."""
        return self.granted[1].get(parameter) if self.granted is not None else None

    async def serve(self, process: Gated) -> None:
        """Act on each leave, and report; until the other side is gone or the leave says that the process ends."""
        reader, writer = await asyncio.open_unix_connection(self.path)
        writer.write(pack({"process": self.process, "pid": os.getpid()}))
        while (frame := await read_frame(reader)) is not None:
            writer.write(pack(await self._perform(process, frame[0])))

    async def _perform(self, process: Gated, leave: Leave) -> dict[str, Any]:
        if leave["action"] == LOOK:
            return {"refused": "", "failed": None, "passed": [], "view": process.view()}
        self.leave = leave
        self.clock.move_to(leave["now"])
        self.granted = (leave["action"], leave["arguments"]) if leave["probed"] else None
        self.refused, failed = "", None
        deadline = time.monotonic() + ARRIVAL_SECONDS
        while not process.ready(leave) and time.monotonic() < deadline:
            await asyncio.sleep(0.0005)
        try:
            for _ in range(TURNS if leave["probed"] else 1):
                try:
                    await process.act(leave)
                except NotEnabled as error:
                    self.refused = self.refused or str(error)
                if self.granted is None:
                    break
                await asyncio.sleep(0)
        except Exception as error:
            failed = f"{type(error).__name__}: {error}"
        if self.granted is not None:
            self.refused, self.granted = f"{self.process} does not propose `{leave['action']}`", None
        passed, self.passed = self.passed, []
        return {"refused": self.refused, "failed": failed, "passed": passed, "view": process.view()}

    def _is_granted(self, name: str, arguments: dict[str, Any]) -> bool:
        if self.granted is None or self.granted[0] != name:
            return False
        return all(value in (ANY, arguments.get(key)) for key, value in self.granted[1].items())
