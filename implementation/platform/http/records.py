"""Tasks as the public API shows them, read from the store."""

import base64
import binascii
import json
import time
from dataclasses import dataclass
from typing import Any

from onceproof.implementation.platform.http.metrics import Depth
from onceproof.implementation.stores.database import Database, Row

STATUS = """CASE WHEN runs.outcome = 'COMPLETED' THEN 'Succeeded' WHEN runs.outcome = 'FAILED' THEN 'Failed'
    WHEN runs.outcome = 'STOPPED' AND runs.ended_ns IS NULL THEN 'Stopping'
    WHEN runs.outcome = 'STOPPED' THEN 'Stopped' WHEN runs.outcome = 'EXPIRED' THEN 'Expired'
    WHEN tasks.stop_asked = 1 THEN 'Stopping' WHEN runs.message IS NULL THEN 'Enqueued'
    WHEN runs.begun = runs.attempt THEN 'Running' WHEN runs.attempt > 1 THEN 'Retrying' ELSE 'Dequeued' END"""
SELECT = f"""SELECT tasks.task, tasks.function, tasks.task_id, tasks.qualifier, tasks.request_id, tasks.payload,
    tasks.recorded_ns, {STATUS}, runs.attempt, runs.result, runs.error, runs.started_ns, runs.ended_ns,
    placements.agent, placements.incarnation, tasks.destination_status, tasks.destination_error
    FROM tasks LEFT JOIN runs ON runs.task = tasks.task LEFT JOIN placements ON placements.message = runs.message"""
ONE = f"{SELECT} WHERE tasks.task = ?"
OUTCOMES = {"Succeeded": "COMPLETED", "Failed": "FAILED", "Stopped": "STOPPED", "Expired": "EXPIRED"}
IN_HAND = ("Dequeued", "Running", "Retrying")
# What a listing is of, before its order and limit. The census notes outcomes in tasks a moment after the end: what it
# has not come to is found by another index.
NOTED = "tasks.outcome = ?"
NOT_NOTED = """tasks.outcome = '' AND tasks.task IN
    (SELECT counting.task FROM runs AS counting
        WHERE counting.counted = 0 AND counting.outcome <> 'OPEN' AND counting.outcome = ?
            AND counting.ended_ns IS NOT NULL)"""
OPEN_RUN = f"""tasks.outcome = '' AND ({STATUS}) = ? AND tasks.task IN
    (SELECT opened.task FROM runs AS opened WHERE opened.outcome = 'OPEN')"""
UNENDED = f"tasks.outcome = '' AND ({STATUS}) = ?"
# TaskIDs with a prefix: where they are few, their keys are looked up; else the listing's own index finds them soon.
OF_PREFIX = "SELECT keyed.task FROM tasks AS keyed WHERE keyed.task >= ? AND keyed.task < ?"
OF_PREFIX_LIMIT = f"{OF_PREFIX} LIMIT ?"
FEW = 1000
IN_OUTBOX = """SELECT COUNT(*), MIN(tasks.recorded_ns) FROM outbox JOIN tasks ON tasks.task = outbox.task
    WHERE outbox.relayed = 0"""
FIRST_IN_OUTBOX = """SELECT tasks.recorded_ns FROM outbox JOIN tasks ON tasks.task = outbox.task
    WHERE outbox.relayed = 0 LIMIT 1"""
QUEUED = "FROM messages WHERE deleted_at_ns IS NULL"
END_OF_KEYS = "\x7f"  # behind every character that a TaskID may have
MS = 1_000_000
DURABLE_AFTER_NS = 60 * 1_000_000_000


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list is asked for; times in ms since 1970."""

    owner: str
    function: str
    limit: int = 20
    token: str = ""
    status: str = ""
    begin_ms: int | None = None
    end_ms: int | None = None
    ascending: bool = False
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """A task with what became of it."""

    task: str
    function: str
    task_id: str
    qualifier: str
    request_id: str
    payload: bytes
    recorded_ns: int
    status: str
    attempt: int
    result: bytes
    error: str
    started_ns: int | None
    ended_ns: int | None
    instance: str
    destination: str
    destination_error: str

    @classmethod
    def of(cls, row: Row) -> "Record":
        """The record of a row of SELECT."""
        instance = f"{row[13]}.{row[14]}" if row[13] is not None else ""
        return cls(
            row[0],
            row[1],
            row[2],
            row[3],
            row[4],
            bytes(row[5] or b""),
            row[6],
            row[7],
            row[8] or 1,
            bytes(row[9] or b""),
            row[10] or "",
            row[11],
            row[12],
            instance,
            "" if row[15] == "Due" else row[15],
            row[16],
        )


class BadToken(Exception):
    """A nextToken that this server has not given out."""


class Records:
    """Read-only queries for the API."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def get(self, task: str) -> Record | None:
        """A task by its key."""
        row = self.database.row(ONE, task)
        if row is None:
            return None
        record = Record.of(row)
        self._sure([record])
        return record

    def _sure(self, records: list[Record]) -> None:
        """What a caller is told is on disk; of what ended long ago that is known."""
        recent = time.time_ns() - DURABLE_AFTER_NS
        if any(record.ended_ns is not None and record.ended_ns > recent for record in records):
            self.database.make_durable()

    def listed(self, wanted: Filter) -> tuple[list[Record], str]:
        """A page of tasks, the latest first unless asked otherwise, and the token of the next page (empty: none)."""
        if wanted.status in OUTCOMES:
            outcome = OUTCOMES[wanted.status]
            rows = self._page(wanted, NOTED, outcome) + self._page(wanted, NOT_NOTED, outcome)
            unique = {row[0]: row for row in rows}  # the census may have come between the two
            rows = sorted(unique.values(), key=lambda row: (row[6], row[2]), reverse=not wanted.ascending)
        elif wanted.status:
            rows = self._page(wanted, OPEN_RUN if wanted.status in IN_HAND else UNENDED, wanted.status)
        else:
            rows = self._page(wanted)
        records = [Record.of(row) for row in rows[: wanted.limit]]
        self._sure(records)
        more = len(rows) > wanted.limit
        return records, packed_token(records[-1]) if more else ""

    def _page(self, wanted: Filter, condition: str = "", *value: str) -> list[Row]:
        """The first rows of a listing, one more than its limit."""
        conditions = ["tasks.owner = ?", "tasks.function = ?"]
        values: list[Any] = [wanted.owner, wanted.function]
        if condition:
            conditions.append(condition)
            values.extend(value)
        for limit, time_ms in (("tasks.recorded_ns >= ?", wanted.begin_ms), ("tasks.recorded_ns <= ?", wanted.end_ms)):
            if time_ms is not None:
                conditions.append(limit)
                values.append(time_ms * MS)
        if wanted.prefix:
            key = f"{wanted.owner}/{wanted.function}/{wanted.prefix}"
            few = len(self.database.rows(OF_PREFIX_LIMIT, key, key + END_OF_KEYS, FEW + 1)) <= FEW
            if few:  # these two are no use as keys of an index then, and databases do not see that by themselves
                conditions[:2] = ["tasks.owner || '' = ?", "tasks.function || '' = ?"]
            conditions.append(f"tasks.task IN ({OF_PREFIX})" if few else "tasks.task_id >= ? AND tasks.task_id < ?")
            values += [key, key + END_OF_KEYS] if few else [wanted.prefix, wanted.prefix + END_OF_KEYS]
        order = "ASC" if wanted.ascending else "DESC"
        if wanted.token:
            sign = ">" if wanted.ascending else "<"
            conditions.append(f"(tasks.recorded_ns, tasks.task_id) {sign} (?, ?)")
            values += unpacked_token(wanted.token)
        ordered = f"ORDER BY tasks.recorded_ns {order}, tasks.task_id {order} LIMIT ?"
        return self.database.rows(f"{SELECT} WHERE {' AND '.join(conditions)} {ordered}", *values, wanted.limit + 1)

    def counts(self) -> dict[str, int]:
        """The counts that the metrics show."""
        one = {
            "outbox_pending": "SELECT COUNT(*) FROM outbox WHERE relayed = 0",
            "runs_open": "SELECT COUNT(*) FROM runs WHERE outcome = 'OPEN'",
            "schedulers_up": f"SELECT COUNT(*) FROM members WHERE beat_until_ns > {time.time_ns()}",
        }
        return {name: int((self.database.row(sql) or (0,))[0]) for name, sql in one.items()}

    def depths(self) -> dict[str, Depth]:
        """How many tasks are in each state of their way, and since when the oldest is."""
        now = time.time_ns()
        return {
            state: Depth(*(self.database.row(sql) or (0, None)))
            for state, sql in (
                ("outbox", IN_OUTBOX),
                ("waiting", f"SELECT COUNT(*), MIN(visible_at_ns) {QUEUED} AND visible_at_ns <= {now}"),
                ("in_hand", f"SELECT COUNT(*), NULL {QUEUED} AND visible_at_ns > {now}"),
                ("open", "SELECT COUNT(*), MIN(started_ns) FROM runs WHERE outcome = 'OPEN'"),
            )
        }

    def oldest_in_outbox(self) -> int | None:
        """When the first submission was recorded that is not relayed; None if there is none."""
        row = self.database.row(FIRST_IN_OUTBOX)
        return None if row is None else int(row[0])


def packed_token(record: Record) -> str:
    """Where the next page begins."""
    return base64.urlsafe_b64encode(json.dumps([record.recorded_ns, record.task_id]).encode()).decode()


def unpacked_token(token: str) -> list[Any]:
    """[recorded_ns, task_id] of a token; BadToken if it is none of ours."""
    try:
        time_ns, task_id = json.loads(base64.urlsafe_b64decode(token.encode()))
    except (ValueError, TypeError, RecursionError, binascii.Error):
        raise BadToken("nextToken is not one that this server has given out") from None
    if type(time_ns) is not int or not 0 <= time_ns < 2**63 or not isinstance(task_id, str) or not task_id.isascii():
        raise BadToken("nextToken is not one that this server has given out")
    return [time_ns, task_id]


def shown(record: Record, version: str, with_payload: bool) -> dict[str, Any]:
    """A task as a version of the API shows it."""
    new = version.startswith("2023")
    payload = record.payload.decode("utf-8", "replace") if with_payload else ""
    happened = [("Enqueued", record.recorded_ns), ("Running", record.started_ns), (record.status, record.ended_ns)]
    events = [
        {"eventId": str(number), "status": status, "timestamp": when // MS, "eventDetail": ""}
        for number, (status, when) in enumerate(((status, when) for status, when in happened if when is not None), 1)
    ]
    started, ended = record.started_ns, record.ended_ns
    duration_ms = 0 if started is None or ended is None else ended // MS - started // MS
    service, _, function = record.function.rpartition("/")
    body: dict[str, Any] = {
        "functionName": record.function.replace("/", "$") if new else function,
        "qualifier": record.qualifier,
        "status": record.status,
        "startedTime": (record.started_ns or 0) // MS,
        "endTime": (record.ended_ns or 0) // MS,
        "destinationStatus": record.destination,
        "destinationErrorMessage": record.destination_error,
        "requestId": record.request_id,
        "alreadyRetriedTimes": record.attempt - 1,
        "instanceId": record.instance,
        "durationMs": duration_ms,
        "returnPayload": record.result.decode("utf-8", "replace"),
        "events": events,
    }
    if new:
        body.update(
            taskId=record.task_id,
            taskPayload=payload,
            taskErrorMessage=record.error,
            functionArn=f"acs:fc:::functions/{body['functionName']}",
        )
    else:
        body.update(
            invocationId=record.task_id,
            invocationPayload=payload,
            invocationErrorMessage=record.error,
            serviceName=service,
        )
    return body
