"""Broken variants of the platform: the core's mutants that are classes, switched on in its processes, and canaries.

The canaries are faults of a process at its gate; they show that a replay ends in time with the right word for each.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import signal
import time
import types
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

from onceproof.conformance.reference.mutants import MUTANTS
from onceproof.implementation.components.agent import Agent
from onceproof.implementation.components.messages import SAYS_202
from onceproof.implementation.components.scheduler import Scheduler
from onceproof.implementation.components.task_store import Submission, TaskStore
from onceproof.implementation.platform.gate.gate import Gate
from onceproof.implementation.platform.http.admission import Admission
from onceproof.implementation.platform.http.records import Record, Records
from onceproof.implementation.platform.processes.scheduler import SchedulerProcess
from onceproof.implementation.platform.wire.bell import Bell
from onceproof.implementation.probe import action
from onceproof.implementation.queues.table import TableQueue
from onceproof.implementation.stores.database import Database

BASES: dict[str, type] = {"store": TaskStore, "queue": TableQueue, "scheduler": Scheduler, "agent": Agent}
GATED = Gate.around
RECORD = Scheduler.record
BEAT = SchedulerProcess._beat
GET = Records.get
ANSWER_SECONDS = 0.1  # enough for an answer to leave
BETWEEN_SECONDS = 0.1  # enough for a storm to come in between
DEAF_SECONDS = 2.0


def _at_receive(number: signal.Signals) -> Callable[..., Any]:
    def around(self: Gate, name: str, arguments: dict[str, Any], call: Callable[[], Any]) -> Any:
        if name == "receive" and self.granted is not None and self.granted[0] == name:
            os.kill(os.getpid(), number)
        return GATED(self, name, arguments, call)

    return around


def _without_permit(self: Gate, name: str, arguments: dict[str, Any], call: Callable[[], Any]) -> Any:
    """Delete passes the probe, and does not wait for a permit."""
    if name in ("record", "delete"):
        self.grants.clear()
        result = call()
        self.passed.append((name, arguments))
        return result
    return GATED(self, name, arguments, call)


def _answers_at_once(self: Admission, submission: Submission) -> Awaitable[str]:
    """202 leaves before the transaction begins."""
    loop = asyncio.get_running_loop()

    def begin() -> None:
        self._waiting.append((submission, loop.create_future()))
        self._wake.set()

    loop.call_later(ANSWER_SECONDS, begin)
    answered: asyncio.Future[str] = loop.create_future()
    answered.set_result(SAYS_202)
    return answered


def _deletes_first(self: Scheduler, message: str) -> None:
    """The message is deleted in a commit of its own, and the result recorded a moment later."""
    self.queue.delete(message, self.works[message].received.receipt)
    time.sleep(BETWEEN_SECONDS)
    RECORD(self, message)


def _delete_before_recording() -> None:
    patch_class(Database, "transaction", lambda self, durable=True: nullcontext())
    patch_class(Scheduler, "record", _deletes_first)


def _never_renews(self: SchedulerProcess, now: float) -> None:
    self.renew_at = now + self.config.lease_seconds


def _beats_late(self: SchedulerProcess, now: float) -> None:
    """One scheduler beats too seldom: each heartbeat lapses before the next one."""
    BEAT(self, now)
    if self.name == "scheduler1":
        self.beat_at = now + 4 * self.config.beat_seconds


async def _hears_no_bell(self: Bell, seconds: float) -> bool:
    await asyncio.sleep(DEAF_SECONDS)
    return False


def _without_result(self: Records, task: str) -> Record | None:
    record = GET(self, task)
    return None if record is None else replace(record, result=b"")


CANARIES: dict[str, Callable[[], None]] = {
    "dies-at-the-gate": lambda: patch_class(Gate, "around", _at_receive(signal.SIGKILL)),
    "sleeps-at-the-gate": lambda: patch_class(Gate, "around", _at_receive(signal.SIGSTOP)),
    "never-dispatches": lambda: patch_class(Scheduler, "dispatch", lambda self, message, agent: None),
    "acts-without-a-permit": lambda: patch_class(Gate, "around", _without_permit),
    "bypasses-the-gate": lambda: patch_class(Scheduler, "record", inspect.unwrap(Scheduler.record)),
    "commits-each-statement": lambda: patch_class(Database, "transaction", lambda self, durable=True: nullcontext()),
    "deletes-and-then-records": _delete_before_recording,
    "never-renews": lambda: patch_class(SchedulerProcess, "_renew_all", _never_renews),
    "beats-late": lambda: patch_class(SchedulerProcess, "_beat", _beats_late),
    "hears-no-bell": lambda: patch_class(Bell, "wait", _hears_no_bell),
    "tells-no-result": lambda: patch_class(Records, "get", _without_result),
    "answers-before-the-commit": lambda: patch_class(Admission, "submit", _answers_at_once),
}
PLATFORM_MUTANTS = [name for name, mutant in MUTANTS.items() if mutant.parts and mutant.patch is None]


def spoil(name: str) -> None:
    """Break this process: put what a mutant has in the place of what the classes have."""
    if name in CANARIES:
        CANARIES[name]()
        return
    for part, broken in MUTANTS[name].parts.items():
        _replace(BASES[part], broken)


def _replace(base: type, broken: type) -> None:
    """Whatever is made as a base becomes the broken one, whose actions pass the probe as the base's do."""
    probed = {
        name: action(_called(value, name))
        for name, value in vars(broken).items()
        if hasattr(getattr(base, name, None), "__wrapped__")
    }
    made = type(broken.__name__, (broken,), probed)
    begin: Callable[..., None] = vars(base)["__init__"]

    def init(self: Any, *values: Any, **named: Any) -> None:
        begin(self, *values, **named)
        if type(self) is base:
            self.__class__ = made

    patch_class(base, "__init__", init)


def patch_class(changed: type, method: str, function: Callable[..., Any]) -> None:
    """From now on the method of a class is this function."""
    setattr(changed, method, function)


def _called(function: Any, name: str) -> Any:
    """A function under another name, which its probe shows."""
    return types.FunctionType(
        function.__code__, function.__globals__, name, function.__defaults__, function.__closure__
    )
