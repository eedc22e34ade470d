"""Logs as events: newline-delimited JSON (one file a process or one for all), OTLP spans, and ITF traces of others."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from onceproof.conformance.judging.errors import LogError, Problems
from onceproof.conformance.judging.formats.times import Clock, from_number
from onceproof.conformance.judging.sources import Source, open_source
from onceproof.conformance.validation.mapping import UNITS, LogMapping, Rule
from onceproof.model.language.errors import nearest

SECOND = 1_000_000_000


@dataclass(frozen=True)
class LoggedEvent:
    """One event. begin, end: it took effect between the two, in nanoseconds. stream: events of one stream are in order.

    arguments: by parameter, as the log says them; shows: by cell; clock: a vector clock, or none.
    """

    name: str
    begin: int
    end: int
    stream: str
    arguments: dict[str, str]
    shows: dict[str, Any]
    file: str
    line: int
    clock: dict[str, int] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """Where the log says it."""
        return f"{self.file}:{self.line}"

    def text(self) -> str:
        """The event for people: ``start(message=m7, agent=agent1)``."""
        return f"{self.name}({', '.join(f'{name}={value}' for name, value in self.arguments.items())})"


def names_in(paths: Sequence[str], event: str = "action") -> list[str]:
    """The names of events in logs, in the order of their first appearance."""
    found: dict[str, None] = {}
    for path in paths:
        source = open_source(path)
        for _, line in documents(source, Problems(lenient=True)):
            name = line.get(event) if isinstance(line, dict) else None
            if isinstance(name, str):
                found.setdefault(name)
        source.stream.close()
    return list(found)


def read_events(
    paths: Sequence[str], mapping: LogMapping, *, lenient: bool = False
) -> tuple[list[LoggedEvent], dict[str, int]]:
    """The mapped events of logs, each stream in its order; and how many lines were skipped, by reason.

    LogError with file and line for what is wrong, or unknown, and is not to be skipped.
    """
    problems = Problems(lenient=lenient)
    events: list[LoggedEvent] = []
    for path in paths:
        source = open_source(path)
        reader = EventReader(source.name, mapping, problems, plain=_format(source) == LINES)
        for number, line in documents(source, problems):
            event = reader.event(number, line)
            if event is not None:
                events.append(event)
        source.stream.close()
    if not events:
        raise LogError("no event of the log is mapped to an action; there is nothing to validate")
    return events, dict(problems.skipped)


class EventReader:
    """Reads the lines of one file; keeps what it must to notice time and sequence numbers that run backwards.

    plain: whether somebody wrote them for the model; spans and traces of other tools have arguments of their own, too.
    """

    def __init__(self, file: str, mapping: LogMapping, problems: Problems, *, plain: bool = True) -> None:
        self._file, self._mapping, self._problems, self._plain = file, mapping, problems, plain
        self._clock, self._count = Clock(), 0
        self._sequence: dict[str, int] = {}
        self._last: dict[str, int] = {}

    def event(self, number: int, line: Any) -> LoggedEvent | None:
        """The event of a line; None where it is none, or wrong and skipped."""
        mapping = self._mapping
        name = at(line, mapping.event)
        if not isinstance(name, str):
            self._wrong(number, f"no event: the line has no text at `{mapping.event}`")
            return None
        rule = mapping.rules.get(name)
        if rule is None and name not in mapping.reborn:
            if name not in mapping.ignored:
                hint = nearest(name, [*mapping.rules, *mapping.ignored])
                self._wrong(number, "unknown event", f" `{name}`{hint}; map it, or list it under `ignored`")
            return None
        end, begin = self._time(line, mapping.time), self._time(line, mapping.begin or mapping.time)
        self._count += 1
        if end is None or begin is None:
            end = begin = self._count  # without times a file is in the order of its lines
        process = at(line, mapping.process)
        stream = f"{self._file}#{process}" if process is not None else self._file
        if not self._in_order(number, stream, end, at(line, mapping.sequence)):
            return None
        if self._plain and mapping.own_names and rule is not None and not self._only_known(number, line, rule):
            return None
        paths = rule.arguments if rule is not None else {mapping.reborn[name]: f"arguments.{mapping.reborn[name]}"}
        arguments = {p: str(value) for p, path in paths.items() if (value := at(line, path)) is not None}
        shows = {c: at(line, p) for c, p in rule.shows.items() if has(line, p)} if rule is not None else {}
        clock = at(line, mapping.clock) if mapping.clock else None
        vector = {str(k): int(v) for k, v in clock.items()} if isinstance(clock, dict) else {}
        return LoggedEvent(name, begin, end, stream, arguments, shows, self._file, number, vector)

    def _time(self, line: Any, path: str) -> int | None:
        value = at(line, path)
        if isinstance(value, bool) or value is None:
            return None
        if not isinstance(value, int | float):
            return self._clock.read(str(value))
        unit = UNITS[self._mapping.unit]
        return round(value * unit) if unit else from_number(value)

    def _in_order(self, number: int, stream: str, time: int, sequence: Any) -> bool:
        if isinstance(sequence, int):
            known = self._sequence.get(stream, sequence - 1)
            if sequence <= known:
                self._wrong(number, "sequence number does not rise", f": {sequence} after {known}")
                return False
            self._sequence[stream] = sequence
        elif time < self._last.get(stream, time):
            self._wrong(number, "time runs backwards", f" in {stream}")
            return False
        self._last[stream] = time
        return True

    def _only_known(self, number: int, line: Any, rule: Rule) -> bool:
        """Whether a line names just arguments that the action has; one of another name would be passed over."""
        given = at(line, "arguments")
        for name in given if isinstance(given, dict) else ():
            if name not in rule.arguments:
                hint = nearest(str(name), list(rule.arguments)) or f"; it has {', '.join(rule.arguments) or 'none'}"
                self._wrong(number, f"`{rule.action}` has no such argument", f" `{name}`{hint}")
                return False
        return True

    def _wrong(self, number: int, reason: str, found: str = "") -> None:
        self._problems.report(self._file, number, reason, found)


def documents(source: Source, problems: Problems) -> Iterator[tuple[int, Any]]:
    """The lines of a source as JSON values; or the spans of OTLP, or the steps of an ITF trace."""
    yield from {SPANS: _spans, ITF: _itf, LINES: _lines}[_format(source)](source, problems)


SPANS, ITF, LINES = "spans", "ITF", "lines"


def _format(source: Source) -> str:
    """What a log is, by how it begins."""
    head = b"".join(source.head[:20])
    if b"resourceSpans" in head:
        return SPANS
    return ITF if b'"#meta"' in head or (b'"vars"' in head and b'"states"' in head) else LINES


def _lines(source: Source, problems: Problems) -> Iterator[tuple[int, Any]]:
    decode = msgspec.json.Decoder().decode
    for first, lines in source.blocks(problems):
        for number, line in enumerate(lines, first):
            if not line.strip():
                continue
            try:
                yield number, decode(line)
            except msgspec.DecodeError as error:
                cut = line.lstrip()[:1] == b"{" and line.rstrip()[-1:] != b"}"
                problems.report(source.name, number, "the line is cut off" if cut else f"not JSON: {error}")


def _whole(source: Source, problems: Problems) -> Any:
    text = b"\n".join(line for _, lines in source.blocks(problems) for line in lines)
    try:
        return json.loads(text)
    except ValueError as error:
        raise LogError(f"{source.name}: not JSON: {error}") from None


def _itf(source: Source, problems: Problems) -> Iterator[tuple[int, Any]]:
    """An ITF trace: the action that led to each state, with its picks as arguments, and the state's variables."""
    trace = _whole(source, problems)
    for number, state in enumerate(trace.get("states", ()), 1):
        plain = {name: _plain(value) for name, value in state.items() if not name.startswith("#")}
        action = plain.get("mbt::actionTaken", plain.get("action"))
        if number > 1 and action is not None:
            picks = plain.get("mbt::nondetPicks", {})
            picked = {k: v.get("value", v) if isinstance(v, dict) else v for k, v in picks.items()}
            yield number, {"action": action, "arguments": picked, "state": plain}


def _plain(value: Any) -> Any:
    """An ITF value as plain JSON."""
    if isinstance(value, dict):
        if "#bigint" in value:
            return int(value["#bigint"])
        if "#map" in value:
            return {str(_plain(key)): _plain(item) for key, item in value["#map"]}
        for tag in ("#set", "#tup"):
            if tag in value:
                return [_plain(item) for item in value[tag]]
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _spans(source: Source, problems: Problems) -> Iterator[tuple[int, Any]]:
    """Each span as a line: its name is the action, its attributes are the arguments."""
    number = 0
    for document in _span_documents(source, problems):
        for resource in document.get("resourceSpans", ()):
            process = _attributes(resource.get("resource", {})).get("service.instance.id")
            for scope in resource.get("scopeSpans", ()):
                for span in scope.get("spans", ()):
                    number += 1
                    yield (
                        number,
                        {
                            "action": span.get("name"),
                            "arguments": _attributes(span),
                            "begin": int(span.get("startTimeUnixNano", 0)),
                            "time": int(span.get("endTimeUnixNano", 0) or span.get("startTimeUnixNano", 0)),
                            "process": process,
                        },
                    )


def _span_documents(source: Source, problems: Problems) -> Iterator[dict[str, Any]]:
    try:
        json.loads(source.head[0])
    except ValueError:
        yield _whole(source, problems)
    else:
        for _, document in _lines(source, problems):
            yield document


def _attributes(owner: dict[str, Any]) -> dict[str, str]:
    return {each["key"]: str(next(iter(each["value"].values()))) for each in owner.get("attributes", ())}


def at(line: Any, path: str) -> Any:
    """The value at a path of keys joined by dots; None where there is none. A key may have dots itself."""
    if not path or not isinstance(line, dict):
        return None
    if path in line:
        return line[path]
    head, _, rest = path.partition(".")
    return at(line.get(head), rest) if rest else None


def has(line: Any, path: str) -> bool:
    """Whether there is a value at a path, which may be null."""
    if not isinstance(line, dict):
        return False
    head, _, rest = path.partition(".")
    return path in line or (bool(rest) and has(line.get(head), rest))
