"""Destinations: what a user wants called after a task's end is submitted like any task, by a client of the platform.

The TaskID is made of the task's, and the store takes it once: however often this is tried, the destination is called
once. In the model this is a client, which submits until it is accepted or refused.
"""

import hashlib
import json

from onceproof.implementation.clock import Clock
from onceproof.implementation.components.api_server import ApiServer
from onceproof.implementation.components.task_store import COMPLETED, Submission, TaskStore
from onceproof.implementation.errors import AlreadyRecorded
from onceproof.implementation.platform.async_config import NO_CONFIG, destination_function, read_config
from onceproof.implementation.platform.functions.runner import function_file
from onceproof.implementation.platform.http.admission import OpenConnections
from onceproof.implementation.settings import SECOND_NS
from onceproof.implementation.stores.database import Database, Row

CALLS_MAX = 100
SUCCESS, FAILED = "Success", "Failed"


class NotCalled(Exception):
    """A destination is not called; the message says why."""


class Destinations:
    """api_server: admits what is submitted on these connections. functions: the folder of functions.

    chain_max: how many destinations are called one after another; a ring of functions that call each other ends there.
    """

    DUE = """SELECT tasks.task, tasks.owner, tasks.function, tasks.request_id, tasks.payload, tasks.on_success,
        tasks.on_failure, runs.outcome, runs.result, runs.error, tasks.chain
        FROM tasks JOIN runs ON runs.task = tasks.task
        WHERE tasks.destination_status = 'Due' AND runs.outcome <> 'OPEN' LIMIT ?"""
    DONE = "UPDATE tasks SET destination_status = ?, destination_error = ? WHERE task = ?"

    def __init__(
        self,
        database: Database,
        store: TaskStore,
        api_server: ApiServer,
        connections: OpenConnections,
        functions: str,
        chain_max: int,
    ) -> None:
        self.database = database
        self.store = store
        self.api_server = api_server
        self.connections = connections
        self.functions = functions
        self.chain_max = chain_max

    def due(self) -> list[Row]:
        """Tasks that have ended, and whose destination was not called yet."""
        return self.database.rows(self.DUE, CALLS_MAX)

    def call(self, due: list[Row], clock: Clock) -> dict[str, str]:
        """Submit what is to be called. The tasks whose destination is not called, with the reason, which they say."""
        not_called = {}
        for row in due:
            task, owner = row[0], row[1]
            try:
                function = self._function(row)
            except NotCalled as error:
                not_called[task] = str(error)
                self.database.run(self.DONE, FAILED, str(error), task)
            else:
                self._submit(self._submission(row, owner, function, clock.now_ns()))
                self.database.run(self.DONE, SUCCESS, "", task)
        self.connections.break_all()
        return not_called

    def _function(self, row: Row) -> str:
        """The function that is to be called after a task; NotCalled if none can be."""
        on_success, on_failure, outcome, chain = row[5], row[6], row[7], row[10]
        destination = on_success if outcome == COMPLETED else on_failure
        function = destination_function(destination)
        if function is None:
            raise NotCalled(f"{destination!r} is not a function, and nothing else is called")
        if not function_file(self.functions, function).is_file():
            raise NotCalled(f"there is no function {function!r}")
        if chain >= self.chain_max:
            raise NotCalled(
                f"{function!r} would be destination {chain + 1} in a row, and a chain has at most {self.chain_max} "
                "(destination_chain_max); do functions call each other in a ring?"
            )
        return function

    def _submit(self, submission: Submission) -> None:
        key = (submission.task, submission.submission)
        self.connections.submissions[key] = submission
        try:
            self.api_server.admit(*key)
        except AlreadyRecorded:
            self.api_server.refuse(*key)

    def _submission(self, row: Row, owner: str, function: str, now_ns: int) -> Submission:
        config = read_config(self.database, owner, function, "LATEST") or NO_CONFIG
        task_id = derived_id(row[0])
        return Submission(
            f"{owner}/{function}/{task_id}",
            task_id,
            owner,
            function,
            task_id,
            event(row, now_ns),
            config.attempts,
            now_ns + config.age_seconds * SECOND_NS,
            on_success=config.destination("onSuccess"),
            on_failure=config.destination("onFailure"),
            chain=row[10] + 1,
        )


def derived_id(task: str) -> str:
    """The TaskID of the call that follows a task, whatever its end: there is one such call at most."""
    return f"d{hashlib.sha256(task.encode()).hexdigest()[:40]}"


def event(row: Row, now_ns: int) -> bytes:
    """What the destination is called with: the public API's description of the task and of its end."""
    _, _, function, request_id, payload, _, _, outcome, result, error, _ = row
    succeeded = outcome == COMPLETED
    return json.dumps(
        {
            "timestamp": now_ns // 1_000_000,
            "requestContext": {
                "requestId": request_id,
                "functionArn": f"acs:fc:::functions/{function.replace('/', '$')}",
                "condition": "" if succeeded else outcome.capitalize(),
                "approximateInvokeCount": 1,
            },
            "requestPayload": bytes(payload or b"").decode("utf-8", "replace"),
            "responseContext": {"statusCode": 200, "functionError": "" if succeeded else "UnhandledInvocationError"},
            "responsePayload": bytes(result or b"").decode("utf-8", "replace") if succeeded else error or "",
        }
    ).encode()
