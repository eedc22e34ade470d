"""Events: what a log says of a task, whichever format it is in."""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import NamedTuple

NOTHING = -1  # in place of a worker, an attempt, a value or a task that the log does not give


class What(IntEnum):
    """What happened. The names in ``LEDGER_NAMES`` are those that a ledger uses."""

    SUBMITTED = 0  # a client asks; what became of it is not known yet
    ACCEPTED = 1
    REFUSED = 2  # definitely not taken, as its TaskID was known
    UNANSWERED = 3  # the answer was lost: it may have been accepted
    RECEIVED = 4  # a consumer got the message from the queue
    RENEWED = 5
    RELEASED = 6  # a consumer gave the message back
    STARTED = 7
    FINISHED = 8
    FAILED = 9  # the function raised
    RETRIED = 10  # the log declares that the task will run again
    STOPPED = 11  # ended visibly without a result: cancelled, expired, given up
    DELETED = 12  # the message was acknowledged, and the queue took that
    RESULT = 13  # the result that a caller saw
    STATUS = 14  # the state that a caller saw
    FAULT = 15  # something was done to a worker: killed, paused, resumed
    END = 16  # nothing happened, but the log was being written until now


class Certainty(Enum):
    """Proven: the log shows it. Possible: the log allows it, since something is not known."""

    PROVEN = "proven"
    POSSIBLE = "possible"


class Event(NamedTuple):
    """One event of one task. Texts are None where the log does not give them; time is in nanoseconds."""

    time: int
    what: What
    worker: str | None
    attempt: int | None
    value: str | None
    file: str
    line: int

    @property
    def place(self) -> str:
        """Where the log says it."""
        return f"{self.file}:{self.line}"


LEDGER_NAMES: dict[str, What] = {
    "submit": What.SUBMITTED,
    "accepted": What.ACCEPTED,
    "refused": What.REFUSED,
    "unanswered": What.UNANSWERED,
    "receive": What.RECEIVED,
    "renew": What.RENEWED,
    "release": What.RELEASED,
    "start": What.STARTED,
    "finish": What.FINISHED,
    "fail": What.FAILED,
    "retry": What.RETRIED,
    "stop": What.STOPPED,
    "ack": What.DELETED,
    "result": What.RESULT,
    "status": What.STATUS,
    "fault": What.FAULT,
    "end": What.END,
}
# Other words that people write for the same; all are accepted in ledgers, histories and formats of one's own.
SYNONYMS: dict[str, What] = {
    "submitted": What.SUBMITTED,
    "enqueue": What.SUBMITTED,
    "accept": What.ACCEPTED,
    "enqueued": What.ACCEPTED,
    "refuse": What.REFUSED,
    "rejected": What.REFUSED,
    "unknown": What.UNANSWERED,
    "timeout": What.UNANSWERED,
    "received": What.RECEIVED,
    "dequeue": What.RECEIVED,
    "renewed": What.RENEWED,
    "released": What.RELEASED,
    "nack": What.RELEASED,
    "started": What.STARTED,
    "finished": What.FINISHED,
    "done": What.FINISHED,
    "succeeded": What.FINISHED,
    "failed": What.FAILED,
    "retried": What.RETRIED,
    "stopped": What.STOPPED,
    "cancelled": What.STOPPED,
    "expired": What.STOPPED,
    "acked": What.DELETED,
    "acknowledged": What.DELETED,
    "delete": What.DELETED,
    "deleted": What.DELETED,
}
WORDS: dict[str, What] = {**LEDGER_NAMES, **SYNONYMS}
DEATHS = frozenset({"kill", "killed", "crash", "crashed", "died", "dead", "exit", "sigkill"})
