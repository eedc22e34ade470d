"""What a storm has the platform do: tasks of several users and functions, each with the one result that is right."""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import dataclass
from enum import StrEnum

USERS = ("alice", "bob")
FUNCTIONS = ("alpha", "beta")
ATTEMPTS = 2
FUNCTION_SECONDS = 3.0  # the time limit of every function
LONG_SECONDS = 5.0


class Kind(StrEnum):
    """How the function of a task behaves."""

    RETURNS = "returns"
    RAISES_ONCE = "raises once"
    RAISES = "raises each time"
    HANGS_ONCE = "runs into its time-out once"
    STOPPED = "is stopped by its user"


SHARES = {Kind.RETURNS: 12, Kind.RAISES_ONCE: 3, Kind.RAISES: 2, Kind.HANGS_ONCE: 1, Kind.STOPPED: 2}
# The handler of both functions. It knows its user from the payload alone, and writes down what it was given.
FUNCTION = """
import hashlib, json, os, time

LEDGER = {ledger!r}

def note(what, event, context):
    line = dict(t=time.monotonic_ns(), what=what, function=context.function_name, task=context.task_id,
                attempt=context.attempt, request=context.request_id, pid=os.getpid(), payload=event.decode())
    ledger = os.open(LEDGER, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(ledger, (json.dumps(line) + "\\n").encode())
    os.close(ledger)

def handler(event, context):
    note("start", event, context)
    order = json.loads(event)
    time.sleep(order["seconds"][min(context.attempt, len(order["seconds"])) - 1])
    parts = [order["user"], context.function_name, context.task_id, str(context.attempt)]
    value = "|".join([*parts, hashlib.sha256(event).hexdigest()[:16]])
    if context.attempt <= order["raises"]:
        note("raise", event, context)
        raise RuntimeError(value)
    note("finish", event, context)
    return value
"""


@dataclass(frozen=True)
class Order:
    """One task. Users and functions have TaskIDs in common, so that whoever mixes them up shows it."""

    user: str
    function: str
    task: str
    kind: Kind
    seconds: tuple[float, ...] = (0.0,)

    @property
    def name(self) -> str:
        """What the storm calls it, and the platform too."""
        return f"{self.user}/{self.function}/{self.task}"

    @property
    def raises(self) -> int:
        """In how many attempts its function raises."""
        return {Kind.RAISES_ONCE: 1, Kind.RAISES: ATTEMPTS}.get(self.kind, 0)

    @property
    def payload(self) -> bytes:
        """What its function is given."""
        return json.dumps(
            {"user": self.user, "function": self.function, "task": self.task, "kind": self.kind.value}
            | {"seconds": self.seconds, "raises": self.raises}
        ).encode()

    def hangs(self, attempt: int) -> bool:
        """Whether its function runs into the time limit in an attempt."""
        return self.seconds[min(attempt, len(self.seconds)) - 1] >= FUNCTION_SECONDS

    def value(self, attempt: int) -> str:
        """What its function returns, or raises, in an attempt."""
        digest = hashlib.sha256(self.payload).hexdigest()[:16]
        return "|".join([self.user, self.function, self.task, str(attempt), digest])


def ordered(chance: random.Random, user: str, function: str, task: str) -> Order:
    """A task, whose kind is drawn."""
    kind = chance.choices(list(SHARES), list(SHARES.values()))[0]
    short = chance.choice((0.0, 0.0, 0.05, 0.3))
    match kind:
        case Kind.HANGS_ONCE:
            return Order(user, function, task, kind, (FUNCTION_SECONDS * 10, short))
        case Kind.STOPPED:
            return Order(user, function, task, kind, (chance.choice((0.0, LONG_SECONDS)),))
        case _:
            return Order(user, function, task, kind, (short,))
