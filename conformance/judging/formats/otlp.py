"""OpenTelemetry spans of messaging, as OTLP/JSON: send, receive, process and settle."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from onceproof.conformance.judging.errors import LogError, Problems
from onceproof.conformance.judging.events import What
from onceproof.conformance.judging.sources import Source
from onceproof.conformance.judging.table import EventTable

TASK_KEYS = ("onceproof.task", "faas.invocation_id", "messaging.message.id", "messaging.message_id")
WORKER_KEYS = ("service.instance.id", "process.pid", "host.name", "k8s.pod.name", "service.name")
ERROR = (2, "STATUS_CODE_ERROR")


class OpenTelemetry:
    """One document, or one a line as the collector's file exporter writes them."""

    name = "otlp"
    about = "OpenTelemetry messaging spans, OTLP/JSON; a task is messaging.message.id or faas.invocation_id"
    examples = ['{"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "process mail", "startTimeUnixNano": "1", ...']

    def recognise(self, head: list[bytes]) -> float:
        """Whether it begins as a document of spans."""
        return 1.0 if b"resourceSpans" in b"".join(head[:50]) else 0.0

    def is_mine(self, head: list[bytes]) -> bool:
        """As ``LogFormat`` says; ``recognise`` says it all."""
        return self.recognise(head) > 0

    def read(self, source: Source, table: EventTable, problems: Problems) -> None:
        """Add the events of each span."""
        table.open_file(source.name)
        for number, text in _documents(source, problems):
            try:
                document = json.loads(text)
            except ValueError as error:
                problems.report(source.name, number, f"not JSON: {error}")
                continue
            for worker, span in _spans(document):
                try:
                    for time, what, task, attempt in _events(span):
                        table.add(number, time, what, task, worker, attempt)
                except (KeyError, TypeError, ValueError) as error:
                    problems.report(source.name, number, "not a span", f": {error!r}")


def _documents(source: Source, problems: Problems) -> Iterator[tuple[int, bytes]]:
    """The documents of a source: each line by itself if the first one is a document, and else the whole."""
    lines = [(number, line) for first, block in source.blocks(problems) for number, line in enumerate(block, first)]
    lines = [row for row in lines if row[1].strip()]
    if not lines:
        raise LogError(f"{source.name}: the log is empty; there is nothing to judge")
    try:
        json.loads(lines[0][1])
    except ValueError:
        return iter([(1, b"\n".join(line for _, line in lines))])
    return iter(lines)


def _spans(document: dict[str, Any]) -> Iterator[tuple[str | None, dict[str, Any]]]:
    for resource in document.get("resourceSpans", ()):
        attributes = _attributes(resource.get("resource", {}))
        worker = next((attributes[key] for key in WORKER_KEYS if key in attributes), None)
        for scope in resource.get("scopeSpans", resource.get("instrumentationLibrarySpans", ())):
            for span in scope.get("spans", ()):
                yield worker, span


def _attributes(owner: dict[str, Any]) -> dict[str, str]:
    return {
        each["key"]: str(next(iter(each["value"].values())))
        for each in owner.get("attributes", ())
        if each.get("value")
    }


def _events(span: dict[str, Any]) -> Iterator[tuple[int, What, str, int | None]]:
    attributes = _attributes(span)
    task = next((attributes[key] for key in TASK_KEYS if key in attributes), None)
    kind = attributes.get("messaging.operation.type", attributes.get("messaging.operation", ""))
    if task is None or not kind:
        return
    begin, end = int(span["startTimeUnixNano"]), int(span.get("endTimeUnixNano") or 0)
    failed = span.get("status", {}).get("code") in ERROR
    attempt = int(attributes["onceproof.attempt"]) if "onceproof.attempt" in attributes else None
    if kind in ("create", "send", "publish"):
        yield begin, What.SUBMITTED, task, attempt
        if end:
            yield end, What.UNANSWERED if failed else What.ACCEPTED, task, attempt
    elif kind == "receive":
        yield end or begin, What.RECEIVED, task, attempt
    elif kind in ("process", "deliver"):
        yield begin, What.STARTED, task, attempt
        if end:
            yield end, What.FAILED if failed else What.FINISHED, task, attempt
    elif kind == "settle" and not failed:
        yield end or begin, What.DELETED, task, attempt
