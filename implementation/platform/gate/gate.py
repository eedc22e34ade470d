"""The gate of a process under replay: the dispatcher permits one action at a time, over a local socket.

Every action that the process's own turns propose passes the probe. The permitted one is performed, in a transaction of
its own; any other raises `NotNow`, which the turns treat like any action that is not enabled. Between two permits the
process is parked: nothing happens by wall-clock time. A process without a gate has none of this.
"""

import asyncio
import os
import time
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Protocol

from onceproof.implementation.clock import ManualClock
from onceproof.implementation.errors import NotEnabled, NotNow
from onceproof.implementation.platform.wire.frames import pack
from onceproof.implementation.platform.wire.link import read_frame
from onceproof.implementation.probe import Probe

LOOK = "look"  # not a permit: what does the process remember now?
ANY = "*"  # an argument that the process chooses: the id of a new message, of a request
TURNS = 3
ARRIVAL_SECONDS = 5.0
Permit = dict[str, Any]
Grant = tuple[str, dict[str, str]]


class Control(StrEnum):
    """What the dispatcher has a process do that is not an action of the model: what time or the network would do."""

    RESET = "reset"  # forget everything
    ASK = "ask"  # scheduler: ask the resource manager about all that is held
    REACH = "reach"  # scheduler: connect to the present incarnation of an agent
    LEARN = "learn"  # scheduler: a queue is yours
    UNLEARN = "unlearn"  # scheduler: a queue is another's
    SETTLED = "settled"  # scheduler: wait until you have heard that a task was ended
    TIMED_OUT = "timed_out"  # scheduler: the wait for a reply is over
    BROKEN = "broken"  # scheduler: wait until you have noticed that a connection broke


class Gated(Protocol):
    """What a process under a gate does with a permit; `Gate.serve` calls it."""

    def ready(self, permit: Permit) -> bool:
        """Whether what must have arrived for this permit is there."""
        ...

    async def act(self, permit: Permit) -> None:
        """One turn, in which actions are proposed."""
        ...

    async def control(self, control: Control, arguments: dict[str, Any]) -> None:
        """No action; ValueError for what this process cannot do."""
        ...

    def view(self) -> Any:
        """The process's memory, as JSON, after a permit."""
        ...


class Gate(Probe):
    """A probe that lets only the permitted action through. passed: what was performed since the last report."""

    def __init__(self, process: str, path: str, clock: ManualClock) -> None:
        super().__init__(process)
        self.path = path
        self.clock = clock
        self.permit: Permit = {}
        self.grants: list[Grant] = []
        self.together = False  # several actions are permitted, to be done in one commit
        self.refused = ""
        self.passed: list[tuple[str, dict[str, Any]]] = []

    @property
    def granted(self) -> Grant | None:
        """What is permitted still; of several the first."""
        return self.grants[0] if self.grants else None

    def around(self, name: str, arguments: dict[str, Any], call: Callable[[], Any]) -> Any:
        """Perform the call if it is permitted, else raise NotNow; one grant is good for one call."""
        grant = next((grant for grant in self.grants if _is_of(grant, name, arguments)), None)
        if grant is None:
            raise NotNow(f"{name} is not permitted now")
        self.grants.remove(grant)
        try:
            result = call()
        except NotEnabled as error:
            self.refused = str(error)
            raise
        self.passed.append((name, arguments))
        return result

    def wish(self, parameter: str) -> str | None:
        """An argument of the permitted action: what a free choice of the process is to be."""
        return self.granted[1].get(parameter) if self.granted is not None else None

    async def serve(self, process: Gated) -> None:
        """Act on each permit, and report; until the dispatcher is gone or a permit ends the process."""
        reader, writer = await asyncio.open_unix_connection(self.path)
        writer.write(pack({"process": self.process, "pid": os.getpid()}))
        while (frame := await read_frame(reader)) is not None:
            writer.write(pack(await self._perform(process, frame[0])))

    async def _perform(self, process: Gated, permit: Permit) -> dict[str, Any]:
        if permit["action"] == LOOK:
            return {"refused": "", "failed": None, "passed": [], "view": process.view()}
        self.permit = permit
        self.clock.move_to(permit["now"])
        also = [(action, arguments) for action, arguments in permit.get("also", ())]
        self.grants = [(permit["action"], permit["arguments"]), *also] if permit["probed"] else []
        self.together = bool(also)
        self.refused, failed = "", None
        deadline = time.monotonic() + ARRIVAL_SECONDS
        while not process.ready(permit) and time.monotonic() < deadline:
            await asyncio.sleep(0.0005)
        try:
            for _ in range(TURNS if permit["probed"] else 1):
                try:
                    if permit["probed"]:
                        await process.act(permit)
                    else:
                        await process.control(Control(permit["action"]), permit["arguments"])
                except NotEnabled as error:
                    self.refused = self.refused or str(error)
                if not self.grants or (self.together and self.passed):
                    break
                await asyncio.sleep(0)
        except Exception as error:
            failed = f"{type(error).__name__}: {error}"
        if self.grants:
            if not (self.together and self.passed):
                self.refused = f"{self.process} does not propose `{self.grants[0][0]}`"
            self.grants.clear()
        passed, self.passed = self.passed, []
        return {"refused": self.refused, "failed": failed, "passed": passed, "view": process.view()}


def _is_of(grant: Grant, name: str, arguments: dict[str, Any]) -> bool:
    """Whether it permits an action with these arguments."""
    return grant[0] == name and all(value in (ANY, arguments.get(key)) for key, value in grant[1].items())
