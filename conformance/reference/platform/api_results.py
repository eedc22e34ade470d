"""What the API tells users of their tasks that have ended: asked once for each task, by its user, over HTTP."""

from __future__ import annotations

import contextlib
import json

from onceproof.conformance.driver import DriverError
from onceproof.conformance.reference.data import expected_end
from onceproof.conformance.reference.mapping import Snapshot
from onceproof.conformance.reference.platform.harness import Harness

STATUSES = {"COMPLETED": "Succeeded", "FAILED": "Failed"}


def misplaced(harness: Harness, snapshot: Snapshot) -> dict[str, tuple[str, str]]:
    """By place, what the API should say and what it says; nothing where all is right.

    A task that may have several records, as a mechanism is off, is not asked for.
    """
    mechanisms = harness.settings.mechanisms
    if not (mechanisms.task_id_dedup and mechanisms.idempotent_relay):
        return {}
    for message, run in snapshot.runs.items():
        if run.outcome in STATUSES and run.task not in harness.told:
            with contextlib.suppress(DriverError, OSError):  # an API server that does not answer is found by a step
                status, end = STATUSES[run.outcome], expected_end(snapshot, message, run)
                found = _told(harness, run.task)
                # An error is a text of the function's process, in which what it raised is a part.
                harness.told[run.task] = (end if found.startswith(status) else f"{status}: {end}"), found
    return {f"GET[{task}]": told for task, told in harness.told.items() if told[0] not in told[1]}


def _told(harness: Harness, task: str) -> str:
    status, text = harness.get(task).text()
    if status != 200:
        return f"status {status}"
    record = json.loads(text)
    return f"{record['status']}: {record['returnPayload'] or record['taskErrorMessage']}"
