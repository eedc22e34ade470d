"""Users' settings of functions for asynchronous invocations, as they are kept in the store."""

import json
import re
from dataclasses import dataclass
from typing import Any

from onceproof.implementation.stores.database import Database

AGE_DEFAULT = 86400
GET_CONFIG = "SELECT body, created_ns, modified_ns FROM configs WHERE owner = ? AND function = ? AND qualifier = ?"
NAME = r"[A-Za-z_][A-Za-z0-9_-]{0,127}"
PLAIN = re.compile(rf"(?:(?P<service>{NAME})[$/])?(?P<function>{NAME})\Z")
ARN = re.compile(
    rf"acs:fc:[^:]*:[^:]*:(?:services/(?P<service>{NAME})(?:\.[A-Za-z0-9_-]+)?/)?"
    rf"functions/(?:(?P<prefix>{NAME})\$)?(?P<function>{NAME})(?:/[A-Za-z0-9_-]+)?\Z"
)


@dataclass(frozen=True, slots=True)
class AsyncConfig:
    """A function's settings for asynchronous invocations, as its user put them, and when (ns)."""

    body: dict[str, Any]
    created_ns: int
    modified_ns: int

    @property
    def attempts(self) -> int:
        """How often the function is tried at most; without a setting once."""
        return 1 + int(self.body.get("maxAsyncRetryAttempts") or 0)

    @property
    def age_seconds(self) -> int:
        """How old a task may be when it is started at last."""
        return int(self.body.get("maxAsyncEventAgeInSeconds") or AGE_DEFAULT)

    def destination(self, kind: str) -> str:
        """What is called after a task's end, as its user wrote it; kind: onSuccess or onFailure; "": nothing is."""
        destinations = self.body.get("destinationConfig") or {}
        return str((destinations.get(kind) or {}).get("destination") or "")


NO_CONFIG = AsyncConfig({}, 0, 0)


def read_config(database: Database, owner: str, function: str, qualifier: str) -> AsyncConfig | None:
    """A function's settings, or None."""
    row = database.row(GET_CONFIG, owner, function, qualifier)
    return None if row is None else AsyncConfig(json.loads(row[0]), row[1], row[2])


def destination_function(destination: str) -> str | None:
    """The function that a destination names, by its name or its ARN, in canonical form; None: it is no function."""
    found = ARN.match(destination) or PLAIN.match(destination)
    if found is None:
        return None
    parts = found.groupdict()
    service = parts.get("service") or parts.get("prefix")
    return f"{service}/{parts['function']}" if service else parts["function"]
