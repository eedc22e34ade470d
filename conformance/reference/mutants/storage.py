"""Faults of the queue and of the task store: a condition, a column or a row that is missing."""

from __future__ import annotations

from onceproof.conformance.reference.mutants.variant import (
    AGAIN,
    CRASH,
    ONE_AGENT,
    PAUSE,
    RAISES,
    UPGRADE,
    Mutant,
    changed,
    reworded,
)
from onceproof.implementation.components.task_store import Submission, TaskStore
from onceproof.implementation.queues.table import TableQueue

QUEUE = [
    Mutant(
        "delete-without-receipt",
        "the queue deletes whatever the receipt",
        {"queue": reworded(TableQueue, "DELETE", "receipt = ? AND leased_until_ns > ?", "? != '' AND ? >= 0")},
        **PAUSE,
    ),
    Mutant(
        "renewal-renews-anything",
        "the queue renews whatever the receipt",
        {"queue": reworded(TableQueue, "RENEW", "receipt = ? AND leased_until_ns > ?", "? != '' AND ? >= 0")},
        **PAUSE,
    ),
    Mutant(
        "delete-one-tick-late",
        "off by one: a receipt still deletes at the very moment when its lease ends",
        {"queue": reworded(TableQueue, "DELETE", "leased_until_ns > ?", "leased_until_ns >= ?")},
        **PAUSE,
    ),
    Mutant(
        "visible-one-tick-late",
        "off by one: a message is not there yet at the very moment when its lease ends",
        {"queue": reworded(TableQueue, "RECEIVE", "visible_at_ns <= ?", "visible_at_ns < ?")},
        **CRASH,
    ),
    Mutant(
        "receive-what-is-hidden",
        "the condition on the time of visibility is missing",
        {"queue": reworded(TableQueue, "RECEIVE", "visible_at_ns <= ?", "? >= 0")},
        **CRASH,
    ),
    Mutant(
        "receive-what-is-deleted",
        "the condition on deletion is missing",
        {"queue": reworded(TableQueue, "RECEIVE", "AND deleted_at_ns IS NULL", "")},
        sizes=ONE_AGENT,
        mechanisms={"invisibility": False},  # or else the lease of what is deleted hides it, as no time passes
    ),
    Mutant(
        "forgotten-epoch-check",
        "whoever once owned a queue may receive from it",
        {"queue": reworded(TableQueue, "IS_OWNER", "owners.scheduler = ? AND owners.epoch = ?", "? != '' AND ? >= 0")},
        sizes=ONE_AGENT,
        faults={"stale_owner": 1},
    ),
    Mutant(
        "old-receipt-kept",
        "a message that is received again keeps its first receipt",
        {"queue": reworded(TableQueue, "RECEIVE", "receipt = ?", "receipt = COALESCE(receipt, ?)")},
        **CRASH,
    ),
    Mutant(
        "released-but-hidden",
        "a message that is given back stays invisible until its lease would have ended",
        {"queue": reworded(TableQueue, "RELEASE", "visible_at_ns = ?", "visible_at_ns = MAX(visible_at_ns, ?)")},
        **UPGRADE,
    ),
    Mutant(
        "released-but-held",
        "off by one: the lease of a message that is given back lasts a tick longer, and so does its holder",
        {"queue": reworded(TableQueue, "RELEASE", "leased_until_ns = ?, holder = NULL", "leased_until_ns = ? + 1")},
        **UPGRADE,
    ),
    Mutant(
        "publication-keyed-by-message",
        "the queue's memory of what was relayed is keyed by the wrong id",
        {"queue": changed(TableQueue, message_key=lambda self, task, submission, message: message)},
        sizes={"schedulers": 1, "agents": 1, "messages": 2},
        faults={"relay_crash": 1},
    ),
]


def _record_unseen(store: TaskStore, submission: Submission, now_ns: int) -> None:
    TaskStore.record(TaskStore(store.database, task_id_dedup=False), submission, now_ns)


def _ends_undecided(store: TaskStore, message: str, attempt: int, next_attempt: int, error: str, now_ns: int) -> None:
    store.database.run(store.NEXT_ATTEMPT, next_attempt, message, attempt)


def _begins_without_a_note(
    store: TaskStore, message: str, attempt: int, placed_on: tuple[str, int] | None, now_ns: int | None
) -> None:
    TaskStore.begin(store, message, attempt, placed_on, None)


STORE = [
    Mutant(
        "dedup-missing",
        "a known TaskID is recorded again as if it were new",
        {"store": changed(TaskStore, record=_record_unseen)},
        **AGAIN,
    ),
    Mutant(
        "dedup-by-submission",
        "the TaskID is looked up under the id of the submission",
        {"store": reworded(TaskStore, "IS_RECORDED", "task = ?", "request_id = ?")},
        **AGAIN,
    ),
    Mutant(
        "outbox-forgotten",
        "202 is said before there is anything that could be relayed",
        {"store": changed(TaskStore, put_outbox=lambda self, submission: None)},
        **CRASH,
    ),
    Mutant(
        "placement-in-memory-only",
        "the placement is never written, so a second scheduler does not find it",
        {"store": changed(TaskStore, place=lambda self, message, agent: None)},
        **CRASH,
    ),
    Mutant(
        "placed-twice",
        "a second placement overwrites the first",
        {"store": reworded(TaskStore, "PLACE", "DO NOTHING", "DO UPDATE SET agent = excluded.agent, incarnation = 1")},
        sizes={"schedulers": 1, "agents": 2},
    ),
    Mutant(
        "begins-without-a-note",
        "the agent looks at the store, starts the function, and leaves no note that it has begun",
        {"store": changed(TaskStore, begin=_begins_without_a_note)},
        sizes={"schedulers": 1, "agents": 1},
    ),
    Mutant(
        "begins-what-has-ended",
        "the condition on the outcome is missing when an attempt is begun",
        {"store": reworded(TaskStore, "BEGIN", "AND outcome = 'OPEN'", "")},
        sizes={"schedulers": 1, "agents": 1, "stops": 1},
    ),
    Mutant(
        "begins-an-attempt-that-is-over",
        "the condition on the attempt is missing when it is begun",
        {"store": reworded(TaskStore, "BEGIN", "AND attempt = ?", "AND ? > 0")},
        sizes={"schedulers": 1, "agents": 1, "attempts": 2},
        mechanisms={"retain_until_delete": False},  # or else the agent remembers the attempt, and does not look
        faults={"function_failure": 1, "request_duplication": 1},
    ),
    Mutant(
        "expires-what-was-begun",
        "the condition on what was begun is missing when a task expires",
        {"store": reworded(TaskStore, "EXPIRE", "AND begun = 0", "")},
        sizes={"agents": 1, "expiries": 1},
        faults={"scheduler_crash": 1},
    ),
    Mutant(
        "completes-what-has-ended",
        "the condition on the outcome is missing when a result is recorded",
        {"store": reworded(TaskStore, "COMPLETE", "AND outcome = 'OPEN'", "")},
        sizes={"schedulers": 1, "agents": 1, "stops": 1},
    ),
    Mutant(
        "stops-what-has-ended",
        "a stop overwrites a result",
        {"store": reworded(TaskStore, "STOP", "WHERE runs.outcome = 'OPEN'", "")},
        sizes={"schedulers": 1, "agents": 1, "stops": 2},
    ),
    Mutant(
        "failed-attempt-not-noted",
        "the retry begins, but that the attempt failed is not written",
        {"store": changed(TaskStore, next_attempt=_ends_undecided)},
        **RAISES,
    ),
    Mutant(
        "marks-nothing",
        "the relay marks a row, but the statement finds none",
        {"store": changed(TaskStore, mark_relayed=lambda self, task, submission: None)},
        **CRASH,
    ),
]
