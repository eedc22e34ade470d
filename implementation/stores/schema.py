"""The tables, in SQL that SQLite and PostgreSQL both understand (postgres.py says what it reads otherwise).

A change here is a new VERSION, and a step in STEPS that turns a store of the version before into one of this version:
a platform takes each step, in one transaction, before anything else starts.

tasks       one row per TaskID: that the platform has it (task is the whole key: account, function and TaskID), and,
            once it has ended, the outcome, which listings with a filter look for; chain counts the destinations that
            were called one after another until this task was
outbox      one row per accepted submission: its message is still to be relayed, or was
messages    the queue: a message is kept as a tombstone when deleted, so that its key is remembered
receipts    every receipt ever given (written only with receipt_fencing off, to show what that costs)
owners      which scheduler acts on a user's queue, and under which epoch
members     schedulers and until when their last heartbeat holds
agents      agent slots, the incarnation that each is in, and whether that one is gone
placements  the agent incarnation that a message was given to
runs        what became of a message: its outcome, its current attempt, the one that an agent has begun last (0: none),
            when that was, and the result
attempts    attempts that failed and were followed by another
users       everybody who ever submitted a task: each has a queue that needs an owner
configs     asynchronous invocation settings of functions, as their users put them
metrics     counts that outlive the API server's process (runs.counted: this run is in them)
"""

VERSION = 4

TASKS_OUTCOME = "CREATE INDEX IF NOT EXISTS tasks_outcome ON tasks (owner, function, outcome, recorded_ns, task_id)"
RUNS_UNCOUNTED = """CREATE INDEX IF NOT EXISTS runs_uncounted ON runs (message)
    WHERE counted = 0 AND outcome <> 'OPEN'"""
OUTBOX_OWNERS = "CREATE INDEX IF NOT EXISTS outbox_owners ON outbox (owner) WHERE relayed = 0"
TASKS_DUE = "CREATE INDEX IF NOT EXISTS tasks_due ON tasks (task) WHERE destination_status = 'Due'"
RUNS_STOPPING = """CREATE INDEX IF NOT EXISTS runs_stopping ON runs (message)
    WHERE outcome = 'STOPPED' AND ended_ns IS NULL"""
METRICS = """CREATE TABLE IF NOT EXISTS metrics (
    name TEXT NOT NULL, labels TEXT NOT NULL, value DOUBLE PRECISION NOT NULL, PRIMARY KEY (name, labels))"""
TABLES = (
    """CREATE TABLE IF NOT EXISTS tasks (
        task TEXT PRIMARY KEY, owner TEXT NOT NULL, function TEXT NOT NULL, task_id TEXT NOT NULL,
        payload BLOB, attempts INTEGER NOT NULL, expires_ns BIGINT, recorded_ns BIGINT NOT NULL,
        request_id TEXT NOT NULL, qualifier TEXT NOT NULL, stop_asked INTEGER NOT NULL,
        outcome TEXT NOT NULL DEFAULT '', on_success TEXT NOT NULL DEFAULT '', on_failure TEXT NOT NULL DEFAULT '',
        destination_status TEXT NOT NULL DEFAULT '', destination_error TEXT NOT NULL DEFAULT '',
        chain INTEGER NOT NULL DEFAULT 0)""",
    TASKS_DUE,
    """CREATE TABLE IF NOT EXISTS outbox (
        task TEXT NOT NULL, submission TEXT NOT NULL, owner TEXT NOT NULL, relayed INTEGER NOT NULL,
        PRIMARY KEY (task, submission))""",
    OUTBOX_OWNERS,
    """CREATE TABLE IF NOT EXISTS messages (
        message TEXT PRIMARY KEY, message_key TEXT NOT NULL UNIQUE, owner TEXT NOT NULL, task TEXT NOT NULL,
        submission TEXT NOT NULL, visible_at_ns BIGINT NOT NULL, leased_until_ns BIGINT NOT NULL,
        receipt TEXT, holder TEXT, deleted_at_ns BIGINT, received INTEGER NOT NULL DEFAULT 0)""",
    "CREATE INDEX IF NOT EXISTS messages_waiting ON messages (owner, visible_at_ns) WHERE deleted_at_ns IS NULL",
    "CREATE INDEX IF NOT EXISTS messages_task ON messages (task)",
    "CREATE INDEX IF NOT EXISTS messages_deleted ON messages (deleted_at_ns) WHERE deleted_at_ns IS NOT NULL",
    """CREATE TABLE IF NOT EXISTS receipts (
        message TEXT NOT NULL, receipt TEXT NOT NULL, PRIMARY KEY (message, receipt))""",
    "CREATE TABLE IF NOT EXISTS owners (owner TEXT PRIMARY KEY, scheduler TEXT NOT NULL, epoch BIGINT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS members (scheduler TEXT PRIMARY KEY, beat_until_ns BIGINT NOT NULL)",
    """CREATE TABLE IF NOT EXISTS agents (
        agent TEXT PRIMARY KEY, incarnation INTEGER NOT NULL, gone INTEGER NOT NULL, address TEXT NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS placements (
        message TEXT PRIMARY KEY, agent TEXT NOT NULL, incarnation INTEGER NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS runs (
        message TEXT PRIMARY KEY, task TEXT NOT NULL, outcome TEXT NOT NULL, attempt INTEGER NOT NULL,
        result BLOB, error TEXT, started_ns BIGINT, ended_ns BIGINT, counted INTEGER NOT NULL DEFAULT 0,
        begun INTEGER NOT NULL DEFAULT 0)""",
    "CREATE INDEX IF NOT EXISTS runs_task ON runs (task)",
    "CREATE INDEX IF NOT EXISTS runs_open ON runs (message) WHERE outcome = 'OPEN'",
    RUNS_UNCOUNTED,
    RUNS_STOPPING,
    "CREATE INDEX IF NOT EXISTS tasks_recorded ON tasks (owner, function, recorded_ns, task_id)",
    TASKS_OUTCOME,
    "CREATE TABLE IF NOT EXISTS users (owner TEXT PRIMARY KEY)",
    """CREATE TABLE IF NOT EXISTS configs (
        owner TEXT NOT NULL, function TEXT NOT NULL, qualifier TEXT NOT NULL, body TEXT NOT NULL,
        created_ns BIGINT NOT NULL, modified_ns BIGINT NOT NULL, PRIMARY KEY (owner, function, qualifier))""",
    """CREATE TABLE IF NOT EXISTS attempts (
        message TEXT NOT NULL, attempt INTEGER NOT NULL, error TEXT, failed_ns BIGINT NOT NULL,
        PRIMARY KEY (message, attempt))""",
    METRICS,
    "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)",
)

STEPS: dict[int, tuple[str, ...]] = {
    1: (
        "ALTER TABLE tasks ADD COLUMN outcome TEXT NOT NULL DEFAULT ''",
        """UPDATE tasks SET outcome = COALESCE(
            (SELECT MIN(runs.outcome) FROM runs WHERE runs.task = tasks.task AND runs.outcome <> 'OPEN'), '')""",
        TASKS_OUTCOME,
        "ALTER TABLE messages ADD COLUMN received INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE runs ADD COLUMN counted INTEGER NOT NULL DEFAULT 0",
        RUNS_UNCOUNTED,
        METRICS,
        "CREATE TABLE schema_version (version INTEGER NOT NULL)",
        "INSERT INTO schema_version (version) VALUES (1)",
    ),
    2: (
        "ALTER TABLE runs ADD COLUMN begun INTEGER NOT NULL DEFAULT 0",
        # Nobody noted what was begun: whatever was given to an agent may have been.
        """UPDATE runs SET begun = attempt
            WHERE EXISTS (SELECT 1 FROM placements WHERE placements.message = runs.message)""",
        "ALTER TABLE tasks ADD COLUMN on_success TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE tasks ADD COLUMN on_failure TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE tasks ADD COLUMN destination_status TEXT NOT NULL DEFAULT ''",
        TASKS_DUE,
        RUNS_STOPPING,
    ),
    3: (
        "ALTER TABLE tasks ADD COLUMN destination_error TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE tasks ADD COLUMN chain INTEGER NOT NULL DEFAULT 0",
        "DROP INDEX outbox_pending",
        OUTBOX_OWNERS,
    ),
}

NAMES = (
    "tasks",
    "outbox",
    "messages",
    "receipts",
    "owners",
    "members",
    "agents",
    "placements",
    "runs",
    "attempts",
    "users",
    "configs",
    "metrics",
)
RESET = tuple(f"DELETE FROM {name}" for name in NAMES)
