"""The program that runs a storm file, or speaks for a queue in another language: it declares, and submits when asked.

Newline-delimited JSON on its standard input and output. It begins with ``{"queue": {"broker": …, "lease": …}}``, and is
answered ``{"url": …}``. It says ``{"ready": {"workers": [{"command": …, "copies": …}]}}``, and then answers each
``{"id": 1, "task": …, "seconds": …}`` by ``{"id": 1, "ok": true}``, or by ``"ok": false`` with ``"refused"`` and
``"error"``. At any time ``{"error": …}`` says that it cannot go on.
"""

from __future__ import annotations

import json
import os
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from onceproof.conformance.storms.environment import Environment
from onceproof.conformance.storms.errors import StormError
from onceproof.conformance.storms.processes import Group, Processes

DECLARE_SECONDS = 60.0


class WorkerCommand(msgspec.Struct):
    """One kind of worker."""

    command: str | list[str]
    copies: int = 1


class Wanted(msgspec.Struct):
    """What the queue needs."""

    broker: str
    lease: float | None = None


class Ready(msgspec.Struct):
    """What the file declared."""

    workers: list[WorkerCommand]
    submits: bool = True


class Answer(msgspec.Struct):
    """What became of a submission."""

    id: int
    ok: bool
    refused: bool = False
    error: str = ""


class Message(msgspec.Struct):
    """Any line of the program: just one of these is there."""

    queue: Wanted | None = None
    ready: Ready | None = None
    error: str | None = None
    id: int | None = None


@dataclass
class Program:
    """The program while it runs. answered: called with each answer, by the thread that reads."""

    group: Group
    answered: Callable[[Answer], None] = lambda answer: None
    wanted: Wanted = field(default_factory=lambda: Wanted("none"))
    ready: Ready = field(default_factory=lambda: Ready([]))
    _lines: queue.Queue[bytes] = field(default_factory=queue.Queue)
    _number: int = 0

    def declare(self) -> Wanted:
        """The queue that it declares. StormError where it ends, fails, or says something else."""
        message = self._hear()
        if message.queue is None:
            raise self._failure("it does not begin with its queue: Queue(broker=..., lease=...)")
        self.wanted = message.queue
        if self.wanted.lease is not None and self.wanted.lease < 0:
            raise self._failure(f"the lease is {self.wanted.lease} seconds; it cannot be below 0")
        return self.wanted

    def connect(self, url: str) -> Ready:
        """Give it the URL of its broker; its workers. StormError as for ``declare``."""
        self._say({"url": url})
        message = self._hear()
        if message.ready is None:
            raise self._failure("it does not say which workers it has")
        self.ready = message.ready
        if not self.ready.workers:
            raise self._failure('no worker is declared: queue.worker("COMMAND")')
        if not self.ready.submits:
            raise self._failure("nothing says how to submit a task: queue.submit(function)")
        for worker in self.ready.workers:
            if worker.copies < 1:
                raise self._failure(f"a worker has {worker.copies} copies; at least 1 is started")
        threading.Thread(target=self._read_answers, daemon=True).start()
        return self.ready

    def submit(self, task: str, seconds: float) -> int:
        """Ask it to submit; the number that its answer will have. StormError where the program has gone."""
        self._number += 1
        self._say({"id": self._number, "task": task, "seconds": seconds})
        return self._number

    def _say(self, message: dict[str, Any]) -> None:
        stream = self.group.root.stdin
        assert stream is not None
        try:
            stream.write(json.dumps(message).encode() + b"\n")
            stream.flush()
        except OSError:
            raise self._failure("it has ended") from None

    def _hear(self) -> Message:
        line = self._line()
        try:
            message = msgspec.json.decode(line, type=Message)
        except msgspec.MsgspecError as error:
            raise self._failure(f"it writes `{line[:80].decode('utf-8', 'replace').strip()}`: {error}") from None
        if message.error is not None:
            raise self._failure(message.error)
        return message

    def _line(self) -> bytes:
        stream = self.group.root.stdout
        assert stream is not None
        answer: queue.Queue[bytes] = queue.Queue()
        threading.Thread(target=lambda: answer.put(stream.readline()), daemon=True).start()
        try:
            line = answer.get(timeout=DECLARE_SECONDS)
        except queue.Empty:
            raise self._failure(f"it says nothing for {DECLARE_SECONDS:.0f} s") from None
        if not line:
            self.group.root.wait(5)
            raise self._failure(f"it ended with status {self.group.root.returncode}")
        return line

    def _read_answers(self) -> None:
        stream = self.group.root.stdout
        assert stream is not None
        for line in stream:
            try:
                self.answered(msgspec.json.decode(line, type=Answer))
            except msgspec.MsgspecError:
                continue  # a program that says more than it must

    def _failure(self, text: str) -> StormError:
        return StormError(text, self.group.tail())


def start(file: Path, environment: Environment, variables: dict[str, str], processes: Processes, log: Path) -> Program:
    """Start the program of a storm file, or the file itself where it is a program that speaks the protocol.

    StormError where it cannot be started.
    """
    if file.suffix == ".py":
        command = [str(environment.python), "-P", "-m", "onceproof.storm", str(file.absolute())]
    elif os.access(file, os.X_OK):
        command = [str(file.absolute())]
    else:
        raise StormError(f"{file}: neither a Python file nor a program that can be started")
    group = processes.start("program", command, log, environment=variables, folder=environment.folder, pipes=True)
    return Program(group)
