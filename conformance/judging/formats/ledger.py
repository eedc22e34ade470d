"""The ledger: three facts a line, ``{"t": ..., "what": ..., "task": ...}``, and what else is known of the event."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from onceproof.conformance.judging.errors import Problems
from onceproof.conformance.judging.events import LEDGER_NAMES, WORDS, What
from onceproof.conformance.judging.formats.times import SECOND, Clock, from_number
from onceproof.conformance.judging.sources import Source
from onceproof.conformance.judging.table import EventTable
from onceproof.model.language.errors import nearest

# How far time may run back between lines that do not say which process wrote them, in nanoseconds.
TOLERANCE = SECOND
WITH_RECEIPT = frozenset({What.RECEIVED, What.RENEWED, What.RELEASED, What.DELETED})


class Fact(msgspec.Struct):
    """One line. worker, pid: who did it; receipt: of a received message; seq: counts the lines of one process."""

    t: int | float | str
    what: str
    task: str | int | None = None
    pid: str | int | None = None
    worker: str | int | None = None
    attempt: int | None = None
    value: Any = None
    receipt: str | int | None = None
    seq: int | None = None


class Ledger:
    """Newline-delimited JSON with ``t``, ``what`` and ``task``."""

    name = "ledger"
    about = "Three facts a line, as JSON; `what` is one of: " + ", ".join(LEDGER_NAMES)
    examples = ['{"t": 12.5, "what": "start", "task": "mail-7", "pid": 4711}']

    def recognise(self, head: list[bytes]) -> float:
        """Whether the lines have ``t`` and ``what``."""
        decode = msgspec.json.Decoder(Fact).decode
        return sum(_decodes(decode, line) for line in head) / len(head)

    def is_mine(self, head: list[bytes]) -> bool:
        """As ``LogFormat`` says; ``recognise`` says it all."""
        return self.recognise(head) > 0

    def read(self, source: Source, table: EventTable, problems: Problems) -> None:
        """Add each line's event."""
        table.open_file(source.name)
        decode = msgspec.json.Decoder(Fact).decode
        order, add, clock = Order(source.name, problems), table.add, Clock()
        for first, lines in source.blocks(problems):
            for number, line in enumerate(lines, first):
                if not line or line.isspace():
                    continue
                try:
                    fact = decode(line)
                except msgspec.MsgspecError as error:
                    problems.report(source.name, number, explain(error, line, "ledger"))
                    continue
                what = WORDS.get(fact.what)
                if what is None:
                    hint = nearest(fact.what, WORDS) or f"; expected one of {', '.join(LEDGER_NAMES)}"
                    problems.report(source.name, number, "unknown event", f" `{fact.what}`{hint}")
                    continue
                time = from_number(fact.t) if not isinstance(fact.t, str) else clock.read(fact.t)
                if time is None:
                    problems.report(source.name, number, "`t` is not a time", f": {fact.t!r}")
                    continue
                task = fact.task
                if task is None and what not in (What.FAULT, What.END):
                    problems.report(source.name, number, f"a `{fact.what}` without a `task`")
                    continue
                worker = fact.worker if fact.worker is not None else fact.pid
                name = None if worker is None else str(worker)
                if not order.holds(number, time, name, fact.seq):
                    continue
                # Elsewhere a receipt says nothing: the value of a finish is its result.
                value = fact.receipt if fact.receipt is not None and what in WITH_RECEIPT else fact.value
                add(number, time, what, task if task is None else str(task), name, fact.attempt, text_of(value))
        if clock.local:
            table.local.add(source.name)


class Order:
    """Within one process, time never runs back and sequence numbers rise."""

    def __init__(self, file: str, problems: Problems) -> None:
        self._file, self._problems = file, problems
        self._time: dict[str | None, int] = {}
        self._seq: dict[str | None, int] = {}

    def holds(self, line: int, time: int, worker: str | None, seq: int | None) -> bool:
        """Whether a line may follow those before it; else it is reported, and to be skipped."""
        last = self._time.get(worker, time)
        if time < last and (worker is not None or last - time > TOLERANCE):
            back = f" by {(last - time) / SECOND:.6g} s"
            self._problems.report(self._file, line, "time runs backwards", back + (f" in {worker}" if worker else ""))
            return False
        self._time[worker] = max(time, last)
        if seq is not None:
            known = self._seq.get(worker, seq - 1)
            if seq <= known:
                self._problems.report(self._file, line, "sequence number does not rise", f": {seq} after {known}")
                return False
            self._seq[worker] = seq
        return True


def text_of(value: Any) -> str | None:
    """A value as a text that equal values share; None for None."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True)


def explain(error: msgspec.MsgspecError, line: bytes, expected: str) -> str:
    """Why a line could not be read, for people."""
    if isinstance(error, msgspec.ValidationError):
        return f"not a line of a {expected}: {str(error)[:1].lower()}{str(error)[1:]}"
    if line.lstrip()[:1] == b"{" and line.rstrip()[-1:] != b"}":
        return "the line is cut off"
    if line.lstrip()[:1] != b"{":
        return f"not JSON; the log is read as a {expected}, and other formats go into files of their own"
    return f"not JSON: {error}"


def _decodes(decode: Any, line: bytes) -> bool:
    try:
        decode(line)
    except msgspec.MsgspecError:
        return False
    return True
