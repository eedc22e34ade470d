"""What a storm has to judge by: what clients were told, what functions were given, and what processes logged."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from onceproof.conformance.reference.storm.clients import Submitted
from onceproof.conformance.reference.storm.orders import FUNCTIONS, Order
from onceproof.conformance.reference.storm.strikes import Strike
from onceproof.implementation.platform.http.client import Caller, CallFailed

LOG_NAME = re.compile(r"(?P<process>.+)\.(?P<pid>\d+)\.ndjson\Z")
PAGE = 100


@dataclass(frozen=True)
class Entry:
    """A line of a function: what it did in which attempt.

    task: which one, by the id of the request that the platform told it; "": nobody knows that request. told: function
    and TaskID that it was told beside it.
    """

    time: int
    what: str
    task: str
    told: str
    attempt: int
    pid: int
    payload: str


@dataclass(frozen=True)
class Logged:
    """A line of a process: an action that took effect at a time."""

    time: int
    process: str
    pid: int
    action: str
    arguments: dict[str, str]

    @property
    def message(self) -> str:
        """The message that it was about; "": none."""
        return self.arguments.get("message", "")


@dataclass
class Evidence:
    """All of it. records: what the API says of each task, None where it has none. Some are missing: nobody could ask.

    listed: the tasks in each user's lists, with their payloads. strangers: how many tasks somebody else was shown.
    died: processes that ended by themselves, each with how. lease_ns: of a received message.
    """

    submitted: list[Submitted]
    records: dict[str, dict[str, Any] | None]
    listed: dict[tuple[str, str], list[tuple[str, str]]] = field(default_factory=dict)
    strangers: list[str] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    logged: list[Logged] = field(default_factory=list)
    strikes: list[Strike] = field(default_factory=list)
    stalls: list[tuple[int, int]] = field(default_factory=list)
    died: list[str] = field(default_factory=list)
    lease_ns: int = 0

    @property
    def orders(self) -> dict[str, Order]:
        """All tasks, by name."""
        return {one.order.name: one.order for one in self.submitted}

    def messages_of(self, task: str) -> set[str]:
        """The messages that the relay made of a task."""
        return {line.message for line in self.logged if line.action == "relay" and line.arguments.get("task") == task}


def record_of(caller: Caller, order: Order) -> dict[str, Any] | None:
    """What the API says of a task to its user; None: there is none. CallFailed where it does not answer."""
    try:
        return caller.get(order.function, order.task)
    except CallFailed as error:
        if error.status == 404:
            return None
        raise


def listed(caller: Caller, function: str) -> list[tuple[str, str]]:
    """TaskID and payload of every task of a function that a user is shown."""
    found: list[tuple[str, str]] = []
    token = ""
    while True:
        page = caller.listed(function, limit=PAGE, includePayload="true", nextToken=token)
        found += [(task["taskId"], task["taskPayload"]) for task in page["tasks"]]
        token = page.get("nextToken", "")
        if not token:
            return found


def shown_to(caller: Caller) -> list[str]:
    """The tasks that somebody is shown who has submitted none."""
    return [f"{function}/{task}" for function in FUNCTIONS for task, _ in listed(caller, function)]


def read_entries(ledger: Path, records: Mapping[str, Mapping[str, Any] | None]) -> list[Entry]:
    """What functions wrote down; records: of the tasks by name, which have the ids of the requests."""
    tasks = {record["requestId"]: name for name, record in records.items() if record is not None}
    return [
        Entry(
            line["t"],
            line["what"],
            tasks.get(line["request"], ""),
            f"{line['function']}/{line['task']}",
            line["attempt"],
            line["pid"],
            line["payload"],
        )
        for line in _lines(ledger)
    ]


def read_logged(folder: Path) -> list[Logged]:
    """What processes logged, by time."""
    found = []
    for path in folder.iterdir():
        name = LOG_NAME.match(path.name)
        if name is not None:
            process, pid = name["process"], int(name["pid"])
            found += [Logged(line["time"], process, pid, line["action"], line["arguments"]) for line in _lines(path)]
    return sorted(found, key=lambda line: line.time)


def deaths(log: Path, strikes: Sequence[Strike], refused: int) -> list[str]:
    """Processes that ended though nobody had killed them. refused: the status of one that finds no store."""
    ended = [line for line in _lines(log) if line.get("event") in ("died", "hangs; it is killed and started again")]
    killed = [strike.target for strike in strikes]
    found = []
    for line in ended:
        name, status = str(line["name"]), line.get("status")
        if status == refused:
            continue
        if name in killed:
            killed.remove(name)
            continue
        found.append(f"{name} {f'ended with status {status}' if status is not None else 'hung'}")
    return found


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of a file that are JSON objects; whoever writes it may be killed in the middle of one."""
    if not path.exists():
        return
    for text in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict):
            yield line
