"""Histories: newline-delimited JSON of invocations and their outcomes, with the rules of Jepsen for ``info``."""

from __future__ import annotations

from typing import Any

import msgspec

from onceproof.conformance.judging.errors import Problems
from onceproof.conformance.judging.events import WORDS, What
from onceproof.conformance.judging.formats.ledger import Order, explain, text_of
from onceproof.conformance.judging.sources import Source
from onceproof.conformance.judging.table import EventTable
from onceproof.model.language.errors import nearest

TYPES = ("invoke", "ok", "fail", "info", "event")
SUBMISSION = {"invoke": What.SUBMITTED, "ok": What.ACCEPTED, "fail": What.REFUSED, "info": What.UNANSWERED}


class Operation(msgspec.Struct):
    """One line. time: nanoseconds. process: who did it, or to whom (a fault)."""

    time: int
    type: str
    f: str
    process: str | int | None = None
    task: str | int | None = None
    attempt: int | None = None
    value: Any = None
    index: int | None = None


class History:
    """Newline-delimited JSON with ``time``, ``type``, ``f`` and ``task``."""

    name = "history"
    about = "Operations as JSON: `type` invoke, ok, fail, info or event; `f` submit, start, finish, ack, fault, ..."
    examples = ['{"time": 12500000000, "process": "worker1", "type": "event", "f": "start", "task": "mail-7"}']

    def recognise(self, head: list[bytes]) -> float:
        """Whether the lines have ``type``, ``f``, and a task (or are faults)."""
        decode = msgspec.json.Decoder(Operation).decode
        known = 0
        for line in head:
            try:
                operation = decode(line)
            except msgspec.MsgspecError:
                continue
            known += operation.type in TYPES and (operation.task is not None or operation.f in ("fault", "end"))
        return known / len(head)

    def is_mine(self, head: list[bytes]) -> bool:
        """As ``LogFormat`` says; ``recognise`` says it all."""
        return self.recognise(head) > 0

    def read(self, source: Source, table: EventTable, problems: Problems) -> None:
        """Add each operation's event; an invocation other than a submission says nothing yet."""
        table.open_file(source.name)
        decode = msgspec.json.Decoder(Operation).decode
        order, add = Order(source.name, problems), table.add
        for first, lines in source.blocks(problems):
            for number, line in enumerate(lines, first):
                if not line or line.isspace():
                    continue
                try:
                    operation = decode(line)
                except msgspec.MsgspecError as error:
                    problems.report(source.name, number, explain(error, line, "history"))
                    continue
                what = WORDS.get(operation.f)
                if what is None or operation.type not in TYPES:
                    problems.report(source.name, number, *_unknown(operation))
                    continue
                if what is What.SUBMITTED:
                    what = SUBMISSION.get(operation.type, What.SUBMITTED)
                elif operation.type not in ("ok", "event") and what not in (What.FAULT, What.END):
                    continue  # asked for, failed, or unknown: nothing definite happened
                if operation.task is None and what not in (What.FAULT, What.END):
                    problems.report(source.name, number, f"a `{operation.f}` without a `task`")
                    continue
                worker = None if operation.process is None else str(operation.process)
                if not order.holds(number, operation.time, worker, operation.index):
                    continue
                task = None if operation.task is None else str(operation.task)
                add(number, operation.time, what, task, worker, operation.attempt, text_of(operation.value))


def _unknown(operation: Operation) -> tuple[str, str]:
    if operation.type not in TYPES:
        return "unknown type", f" `{operation.type}`; expected one of {', '.join(TYPES)}"
    return "unknown operation", f" `{operation.f}`{nearest(operation.f, WORDS)}"
