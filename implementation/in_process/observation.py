"""What can be seen of a system from outside: the rows of its tables, as a driver compares them with the model."""

from typing import NamedTuple

from onceproof.implementation.clock import Clock
from onceproof.implementation.stores.database import Database

VISIBLE, INVISIBLE, DELETED = "VISIBLE", "INVISIBLE", "DELETED"


class MessageRow(NamedTuple):
    """A message in the queue. holder: the scheduler whose receipt counts now; None when it lapsed or was deleted.

    owner: the user whose queue it is in.
    """

    task: str
    submission: str
    stage: str
    holder: str | None
    owner: str


class RunRow(NamedTuple):
    """What became of a message that was received once at least; begun: how many of its attempts an agent has begun."""

    outcome: str
    attempt: int
    begun: int
    task: str
    result: bytes
    error: str


class TaskRow(NamedTuple):
    """What the store has of a task that a user wants done."""

    owner: str
    function: str
    payload: bytes
    attempts: int


class PlacementRow(NamedTuple):
    """Where a message was placed; superseded: the agent has another incarnation by now than the one placed on."""

    agent: str
    superseded: bool


class Observer:
    """Read-only queries; each returns everything of its kind, keyed as the model keys it."""

    TASKS = "SELECT task, owner, function, payload, attempts FROM tasks"
    OUTBOX = "SELECT task, submission, relayed FROM outbox"
    MESSAGES = """SELECT message, task, submission, visible_at_ns, leased_until_ns, receipt, holder, deleted_at_ns,
        owner
        FROM messages"""
    OWNERS = "SELECT owner, scheduler FROM owners"
    PLACEMENTS = """SELECT placements.message, placements.agent, placements.incarnation != agents.incarnation
        FROM placements JOIN agents ON agents.agent = placements.agent"""
    AGENTS = "SELECT agent, gone FROM agents"
    RUNS = "SELECT message, outcome, attempt, begun, task, result, error FROM runs"
    ATTEMPTS = "SELECT message, attempt, error FROM attempts"

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self.clock = clock

    def tasks(self) -> dict[str, TaskRow]:
        """The tasks that the store has."""
        return {row[0]: TaskRow(row[1], row[2], bytes(row[3] or b""), row[4]) for row in self.database.rows(self.TASKS)}

    def outbox(self) -> dict[tuple[str, str], bool]:
        """(task, submission) of every outbox row: whether it was marked as relayed."""
        return {(row[0], row[1]): bool(row[2]) for row in self.database.rows(self.OUTBOX)}

    def messages(self) -> dict[str, MessageRow]:
        """Every message that the queue knows, deleted ones too."""
        now = self.clock.now_ns()
        seen = {}
        for row in self.database.rows(self.MESSAGES):
            message, task, submission, visible_at, leased_until, receipt, holder, deleted_at, owner = row
            stage = DELETED if deleted_at is not None else INVISIBLE if visible_at > now else VISIBLE
            current = holder if receipt is not None and (stage == DELETED or leased_until > now) else None
            seen[message] = MessageRow(task, submission, stage, current, owner)
        return seen

    def owners(self) -> dict[str, str]:
        """Which scheduler owns each user's queue."""
        return {row[0]: row[1] for row in self.database.rows(self.OWNERS)}

    def placements(self) -> dict[str, PlacementRow]:
        """Where each message was placed."""
        return {row[0]: PlacementRow(row[1], bool(row[2])) for row in self.database.rows(self.PLACEMENTS)}

    def agents_gone(self) -> dict[str, bool]:
        """Whether the incarnation that last had each agent's slot is gone."""
        return {row[0]: bool(row[1]) for row in self.database.rows(self.AGENTS)}

    def runs(self) -> dict[str, RunRow]:
        """Outcome and current attempt by message; a message that was never received has none (open, attempt 1)."""
        return {
            message: RunRow(outcome, attempt, begun, task, bytes(result or b""), error or "")
            for message, outcome, attempt, begun, task, result, error in self.database.rows(self.RUNS)
        }

    def failed_attempts(self) -> dict[tuple[str, int], str]:
        """The errors of attempts that raised and were followed by another, by (message, attempt)."""
        return {(row[0], row[1]): row[2] for row in self.database.rows(self.ATTEMPTS)}
