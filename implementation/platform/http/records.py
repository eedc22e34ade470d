"""Tasks as the public API shows them, read from the store."""

import base64
import binascii
import json
import time
from dataclasses import dataclass
from typing import Any

from onceproof.implementation.stores.database import Database, Row

STATUS = """CASE WHEN runs.outcome = 'COMPLETED' THEN 'Succeeded' WHEN runs.outcome = 'FAILED' THEN 'Failed'
    WHEN runs.outcome = 'STOPPED' THEN 'Stopped' WHEN runs.outcome = 'EXPIRED' THEN 'Expired'
    WHEN tasks.stop_asked = 1 THEN 'Stopping' WHEN runs.message IS NULL THEN 'Enqueued'
    WHEN placements.message IS NULL THEN 'Dequeued' WHEN runs.attempt > 1 THEN 'Retrying' ELSE 'Running' END"""
SELECT = f"""SELECT tasks.task, tasks.function, tasks.task_id, tasks.qualifier, tasks.request_id, tasks.payload,
    tasks.recorded_ns, {STATUS}, runs.attempt, runs.result, runs.error, runs.started_ns, runs.ended_ns,
    placements.agent, placements.incarnation
    FROM tasks LEFT JOIN runs ON runs.task = tasks.task LEFT JOIN placements ON placements.message = runs.message"""
ONE = f"{SELECT} WHERE tasks.task = ?"
MS = 1_000_000


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
        return None if row is None else Record.of(row)

    def listed(self, wanted: Filter) -> tuple[list[Record], str]:
        """A page of tasks, the latest first unless asked otherwise, and the token of the next page (empty: none)."""
        conditions = ["tasks.owner = ?", "tasks.function = ?"]
        values: list[Any] = [wanted.owner, wanted.function]
        for condition, value in (
            (f"({STATUS}) = ?", wanted.status or None),
            ("tasks.recorded_ns >= ?", None if wanted.begin_ms is None else wanted.begin_ms * MS),
            ("tasks.recorded_ns <= ?", None if wanted.end_ms is None else wanted.end_ms * MS),
        ):
            if value is not None:
                conditions.append(condition)
                values.append(value)
        if wanted.prefix:
            conditions.append("SUBSTR(tasks.task_id, 1, ?) = ?")
            values += [len(wanted.prefix), wanted.prefix]
        order = "ASC" if wanted.ascending else "DESC"
        if wanted.token:
            sign = ">" if wanted.ascending else "<"
            conditions.append(f"(tasks.recorded_ns, tasks.task_id) {sign} (?, ?)")
            values += unpacked_token(wanted.token)
        ordered = f"ORDER BY tasks.recorded_ns {order}, tasks.task_id {order} LIMIT ?"
        sql = f"{SELECT} WHERE {' AND '.join(conditions)} {ordered}"
        rows = self.database.rows(sql, *values, wanted.limit + 1)
        records = [Record.of(row) for row in rows[: wanted.limit]]
        more = len(rows) > wanted.limit
        return records, packed_token(records[-1]) if more else ""

    def counts(self) -> dict[str, int]:
        """The counts that the metrics show."""
        one = {
            "outbox_pending": "SELECT COUNT(*) FROM outbox WHERE relayed = 0",
            "runs_open": "SELECT COUNT(*) FROM runs WHERE outcome = 'OPEN'",
            "schedulers_up": f"SELECT COUNT(*) FROM members WHERE beat_until_ns > {time.time_ns()}",
            "agents_up": "SELECT COUNT(*) FROM agents WHERE gone = 0",
        }
        return {name: int((self.database.row(sql) or (0,))[0]) for name, sql in one.items()}


def packed_token(record: Record) -> str:
    """Where the next page begins."""
    return base64.urlsafe_b64encode(json.dumps([record.recorded_ns, record.task_id]).encode()).decode()


def unpacked_token(token: str) -> list[Any]:
    """[recorded_ns, task_id] of a token; BadToken if it is none of ours."""
    try:
        time_ns, task_id = json.loads(base64.urlsafe_b64decode(token.encode()))
    except (ValueError, TypeError, binascii.Error):
        raise BadToken("nextToken is not one that this server has given out") from None
    if not isinstance(time_ns, int) or not isinstance(task_id, str) or not 0 <= time_ns < 2**63:
        raise BadToken("nextToken is not one that this server has given out")
    return [time_ns, task_id]


def shown(record: Record, version: str, with_payload: bool) -> dict[str, Any]:
    """A task as a version of the API shows it."""
    new = version.startswith("2023")
    payload = record.payload.decode("utf-8", "replace") if with_payload else ""
    events = [{"eventId": "1", "status": "Enqueued", "timestamp": record.recorded_ns // MS, "eventDetail": ""}]
    if record.ended_ns is not None:
        ended = {"eventId": "2", "status": record.status, "timestamp": record.ended_ns // MS, "eventDetail": ""}
        events.append(ended)
    service, _, function = record.function.rpartition("/")
    body: dict[str, Any] = {
        "functionName": record.function.replace("/", "$") if new else function,
        "qualifier": record.qualifier,
        "status": record.status,
        "startedTime": (record.started_ns or record.recorded_ns) // MS,
        "endTime": (record.ended_ns or 0) // MS,
        "destinationStatus": "",
        "requestId": record.request_id,
        "alreadyRetriedTimes": record.attempt - 1,
        "instanceId": record.instance,
        "durationMs": ((record.ended_ns or record.recorded_ns) - (record.started_ns or record.recorded_ns)) // MS,
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
