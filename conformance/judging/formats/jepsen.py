"""Histories of Jepsen's queue tests, as EDN or as JSON: enqueue, dequeue and drain, and what the nemesis did."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from onceproof.conformance.judging.errors import Problems
from onceproof.conformance.judging.events import What
from onceproof.conformance.judging.formats import edn
from onceproof.conformance.judging.formats.history import SUBMISSION
from onceproof.conformance.judging.formats.ledger import text_of
from onceproof.conformance.judging.sources import Source
from onceproof.conformance.judging.table import EventTable

ENQUEUE, DEQUEUE = ("enqueue", "add", "send"), ("dequeue", "poll", "receive", "drain")


class Jepsen:
    """An operation a line. A value that is dequeued was delivered: that is its start and its end at once."""

    name = "jepsen"
    about = "A history of a Jepsen queue test, EDN or JSON: enqueue, dequeue, drain; a task is a value"
    examples = ["{:index 3, :time 12500000, :type :ok, :process 2, :f :enqueue, :value 7}"]

    def recognise(self, head: list[bytes]) -> float:
        """Whether lines are operations with Jepsen's names and without a task of their own."""
        known = 0
        for line in head:
            try:
                operation = parse(line)
            except ValueError:
                continue
            names = (*ENQUEUE, *DEQUEUE)
            known += "task" not in operation and (operation.get("f") in names or operation.get("process") == "nemesis")
        return known / len(head) if known else 0.0

    def is_mine(self, head: list[bytes]) -> bool:
        """As ``LogFormat`` says; ``recognise`` says it all."""
        return self.recognise(head) > 0

    def read(self, source: Source, table: EventTable, problems: Problems) -> None:
        """Add what each operation did for certain; `info` of an enqueue may have happened."""
        table.open_file(source.name)
        for first, lines in source.blocks(problems):
            for number, line in enumerate(lines, first):
                if line.strip() in (b"", b"[", b"]"):
                    continue
                try:
                    operation = parse(line)
                    events = list(_events(operation))
                except ValueError as error:
                    problems.report(source.name, number, f"not an operation of a history: {error}")
                    continue
                time = int(operation.get("time") or 0)
                for what, task, worker, value in events:
                    table.add(number, time, what, task, worker, None, value)


def parse(line: bytes) -> dict[str, Any]:
    """One operation; ValueError where the line is none."""
    text = line.decode("utf-8").strip().rstrip(",")
    value = json.loads(text) if '"' in text[:12] else edn.parse(text)
    if not isinstance(value, dict) or not {"type", "f"} <= set(value):
        raise ValueError("expected a map with type and f")
    return value


def _events(operation: dict[str, Any]) -> Iterator[tuple[What, str | None, str | None, str | None]]:
    process, kind, name, value = (operation.get(key) for key in ("process", "type", "f", "value"))
    if process == "nemesis":
        for target in value if isinstance(value, list) else [value]:
            yield What.FAULT, None, None if target is None else str(target), str(name)
    elif name in ENQUEUE and kind in SUBMISSION and value is not None:
        yield SUBMISSION[kind], text_of(value), None, None
    elif name in DEQUEUE and kind == "ok" and value is not None:
        for task in value if isinstance(value, list) else [value]:
            yield What.STARTED, text_of(task), str(process), None
            yield What.FINISHED, text_of(task), str(process), None
