"""The declaration of a queue: which broker it needs, what starts its workers, and how a task is submitted."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any

URL = "STORM_URL"
DEFAULTS = {
    "valkey": "redis://127.0.0.1:6379/0",
    "postgresql": "postgresql://postgres@127.0.0.1:5432/postgres",
    "nats": "nats://127.0.0.1:4222",
    "nats-3": "nats://127.0.0.1:4222",
}
Submit = Callable[[str, float], Any]
Prepare = Callable[[], Any]


class Refused(Exception):
    """Raised by a submit function: the task was definitely not taken, because its ID is known already."""


class Queue:
    """What a storm needs to know of a task queue.

    broker: ``valkey``, ``postgresql``, ``nats``, ``nats-3`` (three nodes) is started for you; ``none``; or the URL of
    a broker of your own. lease: after how many seconds a message that nobody renews is given to another worker; 0 if
    it never is; None to have it measured.
    """

    # The program that a storm started sets this: it tells the storm what the file declares, and gets the broker's URL.
    connect: Callable[[dict[str, Any]], str] | None = None
    declared: list[Queue] = []

    def __init__(self, broker: str = "none", lease: float | None = None) -> None:
        self.broker = broker
        self.lease = lease
        self.workers: list[dict[str, Any]] = []
        self.function: Submit | None = None
        self.preparation: Prepare | None = None
        Queue.declared.append(self)
        asked = Queue.connect
        if asked is not None:
            self.url = asked({"broker": broker, "lease": lease})
        else:
            self.url = os.environ.get(URL) or DEFAULTS.get(broker, broker)

    @property
    def urls(self) -> list[str]:
        """The addresses in ``url``, one by one: of the nodes of a cluster, or of two brokers."""
        return re.split(r"\s+|,(?=\w+://)", self.url)

    def worker(self, command: str | list[str], copies: int = 2) -> None:
        """A command that starts a worker; the storm starts it ``copies`` times. It may be called several times.

        ``{worker}`` in it stands for the name of each copy, which is another one for each.
        """
        self.workers.append({"command": command, "copies": copies})

    def prepare(self, function: Prepare) -> Prepare:
        """What is done once, before any worker is started: tables, streams. Also as a decorator, also a coroutine.

        It is called in the process that submits, when the broker runs; workers, which import the file too, do not.
        """
        self.preparation = function
        return function

    def submit(self, function: Submit) -> Submit:
        """How a task is submitted: ``function(task, seconds)``, also as a decorator, also a coroutine function.

        It returns once the task is in. Returning False, or raising ``Refused``, says that the ID is known and the
        task was not taken again; any other exception says that nobody knows.
        """
        self.function = function
        return function
