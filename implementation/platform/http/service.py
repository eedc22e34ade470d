"""What the API does, free of paths and versions: submit, wait, get, list, stop, and settings of functions."""

import asyncio
import json
import os
import re
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from onceproof.implementation.components.census import Census
from onceproof.implementation.components.messages import SAYS_202
from onceproof.implementation.components.task_store import Submission
from onceproof.implementation.errors import StoreUnavailable
from onceproof.implementation.platform.async_config import (
    NO_CONFIG,
    AsyncConfig,
    read_config,
)
from onceproof.implementation.platform.config import PlatformConfig
from onceproof.implementation.platform.functions.logs import AttemptLog, TaskLogs
from onceproof.implementation.platform.functions.runner import function_file
from onceproof.implementation.platform.http.admission import Admission
from onceproof.implementation.platform.http.config_body import checked_config
from onceproof.implementation.platform.http.health import StoreProbe, outbox_reason, processes_health
from onceproof.implementation.platform.http.metrics import Metrics, Snapshot
from onceproof.implementation.platform.http.nonces import NonceFile
from onceproof.implementation.platform.http.problems import Problem, bad_request, unavailable
from onceproof.implementation.platform.http.records import BadToken, Filter, Record, Records
from onceproof.implementation.platform.stores import open_database
from onceproof.implementation.platform.wire.bell import Bell
from onceproof.implementation.probe import Probe
from onceproof.implementation.settings import SECOND_NS

TASK_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,127}\Z")
SYNC_POLL_SECONDS = 0.25
T = TypeVar("T")

PUT_CONFIG = """INSERT INTO configs (owner, function, qualifier, body, created_ns, modified_ns)
    VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (owner, function, qualifier)
    DO UPDATE SET body = excluded.body, modified_ns = excluded.modified_ns"""
DELETE_CONFIG = "DELETE FROM configs WHERE owner = ? AND function = ? AND qualifier = ?"


@dataclass(frozen=True, slots=True)
class Target:
    """Whose function is meant: user, canonical name (service/function or function), qualifier, and API version."""

    owner: str
    function: str
    qualifier: str
    version: str

    def task(self, task_id: str) -> str:
        """The key of a task: unique for account, function and TaskID."""
        return f"{self.owner}/{self.function}/{task_id}"


class Service:
    """One of these in the API server's process. Writes go through Admission's thread, reads through another."""

    def __init__(self, config: PlatformConfig, bell: Bell, probe: Probe | None) -> None:
        self.config = config
        self.bell = bell
        self.admission = Admission(config, bell, probe)
        self.nonces = NonceFile(Path(config.data) / "nonces.ndjson")
        self.task_logs = TaskLogs(config.data)
        self.records = Records(open_database(config))
        self.store_probe = StoreProbe()
        self.reader = ThreadPoolExecutor(1, "reader")
        self.configs: dict[tuple[str, str, str], AsyncConfig | None] = {}

    def target(self, owner: str, function: str, qualifier: str, version: str, service: str = "") -> Target:
        """The function that a request names; Problem 404 if there is none."""
        names = [f"{service}/{function}", function] if service else [function.replace("$", "/", 1)]
        for name in names:
            if function_file(self.config.functions, name).is_file():
                return Target(owner, name, qualifier or "LATEST", version)
        known = f"function {function!r}" + (f" of service {service!r}" if service else "")
        raise Problem(404, "FunctionNotFound", f"there is no {known}")

    async def submit(self, target: Target, task_id: str, payload: bytes, request_id: str) -> str:
        """Take a task; its TaskID. Problem 400 or 409 if it is known, or against the rules."""
        if task_id and not TASK_ID.match(task_id):
            raise bad_request(
                "a TaskID starts with a letter or _, then letters, digits, _ and -; at most 128 characters"
            )
        task_id = task_id or request_id
        settings = await self.async_config(target) or NO_CONFIG
        now = time.time_ns()
        submission = Submission(
            target.task(task_id),
            request_id,
            target.owner,
            target.function,
            task_id,
            payload,
            settings.attempts,
            now + settings.age_seconds * SECOND_NS,
            target.qualifier,
            settings.destination("onSuccess"),
            settings.destination("onFailure"),
        )
        try:
            answer = await self.admission.submit(submission)
        except StoreUnavailable as error:
            raise unavailable(f"the task was not taken: {error}") from None
        if answer != SAYS_202:
            raise Problem(
                self.config.duplicate_status,
                "StatefulAsyncInvocationAlreadyExists",
                f"there is a task {task_id} of this function already",
            )
        return task_id

    async def wait(self, target: Target, task_id: str) -> Record:
        """A task when it has ended; Problem 504 if it takes longer than the server waits."""
        deadline = time.monotonic() + self.config.sync_timeout_seconds
        while time.monotonic() < deadline:
            record = await self.get(target, task_id)
            if record.ended_ns is not None:
                return record
            await self.next_end()
        raise Problem(504, "InvocationTimeout", f"task {task_id} has not ended yet; ask for it by its ID")

    async def next_end(self) -> None:
        """Until a scheduler says that something has ended, or for a moment."""
        await self.bell.heard(SYNC_POLL_SECONDS)

    async def get(self, target: Target, task_id: str) -> Record:
        """A task; Problem 404 if there is none."""
        record = await self.read(lambda: self.records.get(target.task(task_id)))
        if record is None:
            raise Problem(404, "StatefulAsyncInvocationNotFound", f"there is no task {task_id} of this function")
        return record

    async def logs(self, target: Target, task_id: str) -> list[AttemptLog]:
        """What a task's attempts wrote, those that wrote nothing left out."""
        return await self.read(lambda: self.task_logs.of(target.task(task_id)))

    async def listed(self, wanted: Filter) -> tuple[list[Record], str]:
        """A page of tasks and the token of the next; Problem 400 for a token that is none."""
        try:
            return await self.read(lambda: self.records.listed(wanted))
        except BadToken as error:
            raise bad_request(str(error)) from None

    async def stop(self, target: Target, task_id: str) -> None:
        """Stop a task that has not ended; Problem 404 if there is none."""
        try:
            found = await self.admission.stop(target.task(task_id))
        except StoreUnavailable as error:
            raise unavailable(str(error)) from None
        if not found:
            raise Problem(404, "StatefulAsyncInvocationNotFound", f"there is no task {task_id} of this function")

    async def async_config(self, target: Target) -> AsyncConfig | None:
        """A function's settings for asynchronous invocations, or None."""
        key = (target.owner, target.function, target.qualifier)
        if key not in self.configs:
            self.configs[key] = await self.read(lambda: read_config(self.records.database, *key))
        return self.configs[key]

    async def put_config(self, target: Target, body: dict[str, Any]) -> AsyncConfig:
        """Put a function's settings; Problem 400 if one is out of its range."""
        body = checked_config(body, target.function)
        now = time.time_ns()
        key = (target.owner, target.function, target.qualifier)
        await self.write(PUT_CONFIG, *key, json.dumps(body), now, now)
        self.configs.pop(key, None)
        kept = await self.async_config(target)
        return kept or AsyncConfig(body, now, now)

    async def delete_config(self, target: Target) -> None:
        """Delete a function's settings; Problem 404 if there are none."""
        key = (target.owner, target.function, target.qualifier)
        changed = await self.write(DELETE_CONFIG, *key)
        self.configs.pop(key, None)
        if not changed:
            raise no_config(target)

    async def counts(self) -> dict[str, int]:
        """How many of what there is now."""
        health = processes_health(self.config, self.bell.folder)
        return await self.read(self.records.counts) | {"agents_up": health.up("agent")}

    async def health(self) -> list[str]:
        """Why the platform is not well, one line each; empty: it is."""
        reasons = list(processes_health(self.config, self.bell.folder).reasons)
        if why := await self.store_probe.reason(self.admission.probe_store):
            return [*reasons, why]
        try:
            oldest = await self.read(self.records.oldest_in_outbox)
        except Problem as problem:
            return [*reasons, problem.message]
        return [*reasons, *outbox_reason(oldest, time.time_ns())]

    async def snapshot(self, metrics: Metrics) -> Snapshot:
        """All metrics as they are now."""
        await self.keep_counts(metrics)
        numbers = await self.read(Census(self.records.database).numbers)
        return Snapshot(numbers, await self.counts(), await self.read(self.records.depths), self.restarts())

    async def keep_counts(self, metrics: Metrics) -> None:
        """Add what was counted here to the store's numbers; what the store does not take now, it takes later."""
        numbers = metrics.taken()
        if not numbers:
            return
        try:
            await self.admission.add_numbers(numbers)
        except StoreUnavailable:
            metrics.put_back(numbers)

    def restarts(self) -> dict[str, int]:
        """How often the supervisor has started each process again."""
        try:
            return dict(json.loads((Path(self.config.data) / "state.json").read_text())["restarts"])
        except (OSError, ValueError, KeyError):
            return {}

    async def read(self, query: Callable[[], T]) -> T:
        """Run a query in the reader's thread; Problem 503 if the store is unavailable."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self.reader, query)
        except StoreUnavailable as error:
            raise unavailable(str(error)) from None

    async def write(self, sql: str, *values: Any) -> int:
        """Run a statement in the writer's thread; Problem 503 if the store is unavailable."""

        def written() -> int:
            with self.admission.database.transaction():
                return self.admission.database.run(sql, *values)

        try:
            return await asyncio.get_running_loop().run_in_executor(self.admission.thread, written)
        except StoreUnavailable as error:
            raise unavailable(str(error)) from None

    def close(self) -> None:
        """End the threads."""
        self.admission.close()
        self.reader.shutdown()


def no_config(target: Target) -> Problem:
    """404: the function has no settings for asynchronous invocations."""
    return Problem(404, "AsyncConfigNotExists", f"function {target.function!r} has no async-invoke-config")


def new_request_id() -> str:
    """A request id, which is a TaskID too when the caller gives none: it starts with a letter."""
    return f"r{uuid.UUID(bytes=os.urandom(16), version=4)}"
