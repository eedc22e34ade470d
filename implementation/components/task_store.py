"""The task store: what the platform has promised, where it runs and what became of it. It has no actions of its own."""

from dataclasses import dataclass
from typing import Any

from onceproof.implementation.errors import AlreadyRecorded, NotEnabled, require
from onceproof.implementation.stores.database import Database

OPEN, COMPLETED, FAILED, STOPPED, EXPIRED = "OPEN", "COMPLETED", "FAILED", "STOPPED", "EXPIRED"


@dataclass(frozen=True, slots=True)
class Submission:
    """One POST of a task: the key of the task, the id of this POST, and what the platform must know to run it.

    owner is the user whose queue it goes to; attempts is how often the function is tried at most; expires_ns is the
    time after which it must not be started any more (None: never). on_success and on_failure: what is called after
    its end, if anything. chain: it is itself such a call, the so many-th of those that follow one another.
    """

    task: str
    submission: str
    owner: str
    function: str = ""
    task_id: str = ""
    payload: bytes = b""
    attempts: int = 1
    expires_ns: int | None = None
    qualifier: str = "LATEST"
    on_success: str = ""
    on_failure: str = ""
    chain: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """What the store knows of one message's execution."""

    message: str
    task: str
    outcome: str
    attempt: int
    attempts_max: int
    function: str
    task_id: str
    payload: bytes
    expires_ns: int | None
    stop_asked: bool
    request_id: str
    begun: int  # the attempt that an agent has begun last; 0: none

    @property
    def is_begun(self) -> bool:
        """Whether the attempt that counts was begun."""
        return self.begun == self.attempt


@dataclass(frozen=True, slots=True)
class Placement:
    """The agent incarnation that a message was given to, and whether that incarnation is gone."""

    agent: str
    incarnation: int
    gone: bool


class TaskStore:
    """Tasks, outbox, placements, runs. Each method is one transaction (or part of the caller's)."""

    RECORD = """INSERT INTO tasks (task, owner, function, task_id, payload, attempts, expires_ns, recorded_ns,
        request_id, qualifier, on_success, on_failure, chain, stop_asked)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)
        ON CONFLICT (task) DO NOTHING"""
    SUCCESS_DUE = """UPDATE tasks SET destination_status = 'Due'
        WHERE task = (SELECT task FROM runs WHERE message = ?) AND on_success <> ''"""
    FAILURE_DUE = """UPDATE tasks SET destination_status = 'Due'
        WHERE task = (SELECT task FROM runs WHERE message = ?) AND on_failure <> ''"""
    PUT_USER = "INSERT INTO users (owner) VALUES (?) ON CONFLICT (owner) DO NOTHING"
    ASK_STOP = "UPDATE tasks SET stop_asked = 1 WHERE task = ?"
    STOP_ASKED = "SELECT stop_asked FROM tasks WHERE task = ? FOR UPDATE"
    IS_RECORDED = "SELECT 1 FROM tasks WHERE task = ?"
    PUT_OUTBOX = "INSERT INTO outbox (task, submission, owner, relayed) VALUES (?, ?, ?, 0)"
    PENDING = "SELECT task, submission, owner FROM outbox WHERE relayed = 0 LIMIT ?"
    PENDING_OF = "SELECT task, submission, owner FROM outbox WHERE owner = ? AND relayed = 0 LIMIT ?"
    PENDING_OWNERS = """WITH RECURSIVE pending (owner) AS (
            SELECT MIN(owner) FROM outbox WHERE relayed = 0
            UNION ALL SELECT (SELECT MIN(outbox.owner) FROM outbox
                WHERE outbox.owner > pending.owner AND outbox.relayed = 0)
            FROM pending WHERE pending.owner IS NOT NULL)
        SELECT owner FROM pending WHERE owner IS NOT NULL"""
    PENDING_OWNER = "SELECT owner FROM outbox WHERE task = ? AND submission = ? AND relayed = 0"
    MARK_RELAYED = "UPDATE outbox SET relayed = 1 WHERE task = ? AND submission = ? AND relayed = 0"
    OPEN_RUN = """INSERT INTO runs (message, task, outcome, attempt) VALUES (?, ?, 'OPEN', 1)
        ON CONFLICT (message) DO NOTHING"""
    LOCK_RUN = (
        "SELECT outcome FROM runs WHERE message = ? FOR UPDATE"  # placing, unplacing and beginning exclude each other
    )
    BEGIN = """UPDATE runs SET started_ns = CASE WHEN begun = attempt THEN started_ns ELSE ? END, begun = attempt
        WHERE message = ? AND outcome = 'OPEN' AND attempt = ?"""
    IS_OPEN_IN = "SELECT 1 FROM runs WHERE message = ? AND outcome = 'OPEN' AND attempt = ?"
    IS_PLACED_ON = """SELECT 1 FROM placements JOIN agents ON agents.agent = placements.agent
        AND agents.incarnation = placements.incarnation AND agents.gone = 0
        WHERE placements.message = ? AND placements.agent = ? AND placements.incarnation = ?"""
    RUN = """SELECT runs.message, runs.task, runs.outcome, runs.attempt, tasks.attempts, tasks.function, tasks.task_id,
        tasks.payload, tasks.expires_ns, tasks.stop_asked, tasks.request_id, runs.begun
        FROM runs JOIN tasks ON tasks.task = runs.task WHERE runs.message = ?"""
    COMPLETE = """UPDATE runs SET outcome = 'COMPLETED', result = ?, ended_ns = ?,
        started_ns = COALESCE(NULLIF(?, 0), started_ns)
        WHERE message = ? AND outcome = 'OPEN' AND attempt = ?"""
    FAIL = """UPDATE runs SET outcome = 'FAILED', error = ?, ended_ns = ?,
        started_ns = COALESCE(NULLIF(?, 0), started_ns)
        WHERE message = ? AND outcome = 'OPEN' AND attempt = ?"""
    NEXT_ATTEMPT = "UPDATE runs SET attempt = ? WHERE message = ? AND outcome = 'OPEN' AND attempt = ?"
    PUT_FAILED_ATTEMPT = "INSERT INTO attempts (message, attempt, error, failed_ns) VALUES (?, ?, ?, ?)"
    STOP = """INSERT INTO runs (message, task, outcome, attempt, ended_ns) VALUES (?, ?, 'STOPPED', 1, ?)
        ON CONFLICT (message) DO UPDATE SET outcome = 'STOPPED',
        ended_ns = CASE WHEN runs.begun = runs.attempt THEN NULL ELSE excluded.ended_ns END
        WHERE runs.outcome = 'OPEN'"""
    STOPPED_HERE = """SELECT runs.message, runs.attempt FROM runs JOIN placements ON placements.message = runs.message
        WHERE runs.outcome = 'STOPPED' AND runs.ended_ns IS NULL
        AND placements.agent = ? AND placements.incarnation = ?"""
    STOPPED_ENDS = "UPDATE runs SET ended_ns = ? WHERE message = ? AND outcome = 'STOPPED' AND ended_ns IS NULL"
    STOPPED_LOST = """UPDATE runs SET ended_ns = ? WHERE outcome = 'STOPPED' AND ended_ns IS NULL
        AND NOT EXISTS (SELECT 1 FROM placements JOIN agents ON agents.agent = placements.agent
            AND agents.incarnation = placements.incarnation AND agents.gone = 0
            WHERE placements.message = runs.message)"""
    EXPIRE = """UPDATE runs SET outcome = 'EXPIRED', ended_ns = ?
        WHERE message = ? AND outcome = 'OPEN' AND begun = 0"""
    PLACE = """INSERT INTO placements (message, agent, incarnation)
        SELECT ?, agent, incarnation FROM agents WHERE agent = ? AND gone = 0
        AND EXISTS (SELECT 1 FROM runs WHERE message = ? AND outcome = 'OPEN') ON CONFLICT (message) DO NOTHING"""
    REPLACE = """UPDATE placements SET agent = ?, incarnation = (SELECT incarnation FROM agents WHERE agent = ?)
        WHERE message = ? AND EXISTS (SELECT 1 FROM agents WHERE agent = ? AND gone = 0)"""
    UNPLACE = "DELETE FROM placements WHERE message = ?"
    PLACEMENT = """SELECT placements.agent, placements.incarnation,
        agents.gone = 1 OR agents.incarnation != placements.incarnation
        FROM placements JOIN agents ON agents.agent = placements.agent WHERE placements.message = ?"""
    IS_NEEDED = """SELECT 1 FROM placements JOIN messages ON messages.message = placements.message
        JOIN agents ON agents.agent = placements.agent AND agents.incarnation = placements.incarnation
        WHERE placements.agent = ? AND messages.deleted_at_ns IS NULL"""
    AGENT_BOOTS = """INSERT INTO agents (agent, incarnation, gone, address) VALUES (?, 1, 0, ?)
        ON CONFLICT (agent) DO UPDATE SET incarnation = agents.incarnation + 1, gone = 0, address = excluded.address"""
    AGENT_GONE = "UPDATE agents SET gone = 1 WHERE agent = ? AND incarnation = ?"
    AGENT = "SELECT incarnation, gone FROM agents WHERE agent = ?"

    def __init__(self, database: Database, task_id_dedup: bool = True) -> None:
        self.database = database
        self.task_id_dedup = task_id_dedup

    def record(self, submission: Submission, now_ns: int) -> None:
        """Record the TaskID. A known one raises AlreadyRecorded (task_id_dedup off: it is a new task all the same)."""
        inserted = self.database.run(
            self.RECORD,
            submission.task,
            submission.owner,
            submission.function,
            submission.task_id,
            submission.payload,
            submission.attempts,
            submission.expires_ns,
            now_ns,
            submission.submission,
            submission.qualifier,
            submission.on_success,
            submission.on_failure,
            submission.chain,
        )
        if self.task_id_dedup and not inserted:
            raise AlreadyRecorded(f"the store has task {submission.task} already")

    def put_user(self, owner: str) -> None:
        """Note that there is such a user, whose queue needs an owner."""
        self.database.run(self.PUT_USER, owner)

    def ask_stop(self, task: str) -> bool:
        """Note that the user wants the task stopped; False if there is no such task."""
        return self.database.run(self.ASK_STOP, task) > 0

    def stop_asked(self, task: str) -> bool:
        """Whether the user wants the task stopped; in a transaction nobody can ask for it until that ends."""
        row = self.database.row(self.STOP_ASKED, task)
        return row is not None and bool(row[0])

    def is_recorded(self, task: str) -> bool:
        """Whether the store has this TaskID."""
        return self.database.row(self.IS_RECORDED, task) is not None

    def put_outbox(self, submission: Submission) -> None:
        """Note that this submission's message is to be relayed to the queue."""
        self.database.run(self.PUT_OUTBOX, submission.task, submission.submission, submission.owner)

    def pending(self, limit: int = 1000) -> list[tuple[str, str, str]]:
        """(task, submission, owner) of outbox rows that were not marked as relayed.

        Where there are more than the limit, the users that have some get equal shares of it, each one row at least, so
        that nobody waits for all that another has submitted.
        """
        rows = self.database.rows(self.PENDING, limit)
        if len(rows) >= limit:
            owners = [row[0] for row in self.database.rows(self.PENDING_OWNERS)]
            share = max(1, limit // max(1, len(owners)))
            shares = [row for owner in owners for row in self.database.rows(self.PENDING_OF, owner, share)]
            left = set(rows).difference(shares)
            rows = shares + [row for row in rows if row in left][: max(0, limit - len(shares))]
        return [(task, submission, owner) for task, submission, owner in rows]

    def pending_owner(self, task: str, submission: str) -> str | None:
        """The user whose queue a pending outbox row goes to; None if the row is not there or was marked."""
        row = self.database.row(self.PENDING_OWNER, task, submission)
        return None if row is None else str(row[0])

    def mark_relayed(self, task: str, submission: str) -> None:
        """Mark an outbox row as relayed; one that is not pending raises NotEnabled."""
        require(self.database.run(self.MARK_RELAYED, task, submission), f"no pending outbox row of {task} {submission}")

    def open_run(self, message: str, task: str) -> None:
        """Make the row of a message's execution, if it is not there."""
        self.database.run(self.OPEN_RUN, message, task)

    def begin(self, message: str, attempt: int, placed_on: tuple[str, int] | None, now_ns: int | None) -> None:
        """Note that an agent begins an attempt, before it starts the function.

        placed_on: agent and incarnation that begin it (None: whichever it is). now_ns: None leaves no note, and only
        looks. NotEnabled if the attempt does not count any more, or the task is not placed there, or that incarnation
        is known to be gone.
        """
        with self.database.transaction():
            self.database.row(self.LOCK_RUN, message)
            if placed_on is not None:
                placed = self.database.row(self.IS_PLACED_ON, message, *placed_on)
                require(placed, f"{message} is not placed on {placed_on[0]} (incarnation {placed_on[1]})")
            if now_ns is None:
                counts = self.database.row(self.IS_OPEN_IN, message, attempt) is not None
            else:
                counts = self.database.run(self.BEGIN, now_ns, message, attempt) > 0
            require(counts, f"message {message} is not open in attempt {attempt}")

    def run(self, message: str) -> Run:
        """The execution of a message that was received once at least; NotEnabled if there is none."""
        row = self.database.row(self.RUN, message)
        if row is None:
            raise NotEnabled(f"message {message} was never received")
        return Run(*row)

    def complete(self, message: str, attempt: int, result: bytes | None, ended_ns: int, started_ns: int = 0) -> None:
        """Record the result of the current attempt; NotEnabled if the task has ended or the attempt is over.

        started_ns: when its function started; 0: when that was noted.
        """
        with self.database.transaction():
            changed = self.database.run(self.COMPLETE, result, ended_ns, started_ns, message, attempt)
            require(changed, f"message {message} is not open in attempt {attempt}")
            self.database.run(self.SUCCESS_DUE, message)

    def fail(self, message: str, attempt: int, error: str, ended_ns: int, started_ns: int = 0) -> None:
        """Record that the task failed in its current attempt; NotEnabled as for complete."""
        with self.database.transaction():
            changed = self.database.run(self.FAIL, error, ended_ns, started_ns, message, attempt)
            require(changed, f"message {message} is not open in attempt {attempt}")
            self.database.run(self.FAILURE_DUE, message)

    def next_attempt(self, message: str, attempt: int, next_attempt: int, error: str, now_ns: int) -> None:
        """The attempt failed; the next one is current from now on."""
        with self.database.transaction():
            changed = self.database.run(self.NEXT_ATTEMPT, next_attempt, message, attempt)
            require(changed, f"message {message} is not open in attempt {attempt}")
            self.database.run(self.PUT_FAILED_ATTEMPT, message, attempt, error, now_ns)

    def stop(self, message: str, task: str, now_ns: int) -> None:
        """End an open task because its user says so; NotEnabled if it has ended.

        When a function that runs has ended, too, is for its agent to say: stopped_here, stopped_ends.
        """
        require(self.database.run(self.STOP, message, task, now_ns), f"message {message} is not open")

    def stopped_here(self, agent: str, incarnation: int) -> list[tuple[str, int]]:
        """(message, attempt) of stopped tasks that this agent had begun, and has not said of that they ended."""
        return [(message, attempt) for message, attempt in self.database.rows(self.STOPPED_HERE, agent, incarnation)]

    def stopped_ends(self, message: str, now_ns: int) -> None:
        """The function of a stopped task has ended."""
        self.database.run(self.STOPPED_ENDS, now_ns, message)

    def stopped_lost(self, now_ns: int) -> None:
        """Functions of stopped tasks have ended with their agents."""
        self.database.run(self.STOPPED_LOST, now_ns)

    def expire(self, message: str, now_ns: int) -> None:
        """End an open task that no agent has begun, because it is too old; NotEnabled otherwise."""
        with self.database.transaction():
            changed = self.database.run(self.EXPIRE, now_ns, message)
            require(changed, f"message {message} is not open, or was begun")
            self.database.run(self.FAILURE_DUE, message)

    def place(self, message: str, agent: str) -> None:
        """Give an open message that has no place to the agent's present incarnation; NotEnabled otherwise."""
        with self.database.transaction():
            self.database.row(self.LOCK_RUN, message)
            changed = self.database.run(self.PLACE, message, agent, message)
            require(changed, f"{message} has a place or has ended, or {agent} is gone")

    def replace(self, message: str, agent: str) -> None:
        """Move the message to another agent's present incarnation."""
        changed = self.database.run(self.REPLACE, agent, agent, message, agent)
        require(changed, f"{message} has no place, or {agent} is gone")

    def unplace(self, message: str) -> None:
        """Take back the place of a message whose current attempt was not begun; NotEnabled if it was, or has ended."""
        with self.database.transaction():
            self.database.row(self.LOCK_RUN, message)
            run = self.run(message)
            require(run.outcome == OPEN and not run.is_begun, f"message {message} is not open, or was begun")
            require(self.database.run(self.UNPLACE, message), f"{message} has no place")

    def placement(self, message: str) -> Placement | None:
        """Where the message was placed, or None."""
        row = self.database.row(self.PLACEMENT, message)
        return None if row is None else Placement(row[0], row[1], bool(row[2]))

    def is_needed(self, agent: str) -> bool:
        """Whether a message that is not deleted was placed on the agent's present incarnation."""
        return self.database.row(self.IS_NEEDED, agent) is not None

    def agent_boots(self, agent: str, address: str = "") -> int:
        """A fresh incarnation takes the agent's slot; its number."""
        with self.database.transaction():
            self.database.run(self.AGENT_BOOTS, agent, address)
            return self.incarnation(agent)

    def agent_gone(self, agent: str, incarnation: int) -> None:
        """This incarnation is dead for good."""
        self.database.run(self.AGENT_GONE, agent, incarnation)

    def incarnation(self, agent: str) -> int:
        """The number of the incarnation that has the slot; NotEnabled if there never was one."""
        row = self._agent(agent)
        return int(row[0])

    def is_gone(self, agent: str) -> bool:
        """Whether the incarnation that last had the slot is dead."""
        return bool(self._agent(agent)[1])

    def _agent(self, agent: str) -> tuple[Any, ...]:
        row = self.database.row(self.AGENT, agent)
        if row is None:
            raise NotEnabled(f"there is no agent {agent}")
        return row
