"""Logs as programs print them: a format is a YAML file with a regular expression, or several, for each event."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from onceproof.conformance.judging.errors import LogError, Problems
from onceproof.conformance.judging.events import LEDGER_NAMES, WORDS, What
from onceproof.conformance.judging.formats.times import SECOND, Clock
from onceproof.conformance.judging.sources import Source
from onceproof.conformance.judging.table import EventTable
from onceproof.model.language.errors import nearest

GROUPS = ("task", "worker", "attempt", "value", "duration", "time")
KEYS = ("name", "about", "lines", "workers", "tasks", "ended", "examples")
SHIPPED = "onceproof.conformance.judging.formats"


@dataclass
class Printed:
    """One format. patterns: what a line means that a regular expression matches; the first that matches counts.

    per_file: names of workers are unique within one file only, as `Worker-1` is. sequential: a file is of one task at a
    time, so that a line without a task is of the one that started last; an end after a failure says nothing new.
    own: what lines of this program look like, also those that say nothing of a task. once: a run ends once, so that an
    end after a failure, or a stop, says nothing new, until the task starts again.
    """

    name: str
    about: str
    patterns: list[tuple[What, str]]
    per_file: bool = False
    sequential: bool = False
    examples: list[str] = field(default_factory=list)
    own: str = ""
    once: bool = False

    @cached_property
    def _regex(self) -> tuple[re.Pattern[str], dict[str, tuple[What, dict[str, str]]]]:
        """All patterns as one; what each of its outermost groups means, and which groups are inside it."""
        parts, meaning = [], {}
        for number, (what, pattern) in enumerate(self.patterns):
            inside = {name: f"{name}_{number}" for name in re.compile(pattern).groupindex}
            for name, unique in inside.items():
                pattern = pattern.replace(f"(?P<{name}>", f"(?P<{unique}>")
            parts.append(f"(?P<is_{number}>{pattern})")
            meaning[f"is_{number}"] = what, inside
        return re.compile("|".join(parts)), meaning

    def recognise(self, head: list[bytes]) -> float:
        """How many of the lines say something of a task."""
        regex, _ = self._regex
        return sum(bool(regex.search(line.decode("utf-8", "replace"))) for line in head) / len(head)

    def is_mine(self, head: list[bytes]) -> bool:
        """Whether any of the lines is one of this program's, whatever it says."""
        return bool(self.own) and any(re.search(self.own, line.decode("utf-8", "replace")) for line in head)

    def read(self, source: Source, table: EventTable, problems: Problems) -> None:
        """Add the events of the lines that match; all others are other people's lines."""
        table.open_file(source.name)
        regex, meaning = self._regex
        clock, last, number, raw = Clock(), 0, 0, b""
        running = _Running() if self.sequential else _Ended() if self.once else None
        for first, lines in source.blocks(problems):
            for number, raw in enumerate(lines, first):
                line = raw.decode("utf-8", "replace")
                found = regex.search(line)
                if found is None or found.lastgroup is None:
                    continue
                what, inside = meaning[found.lastgroup]
                groups = {name: found[unique] for name, unique in inside.items()}
                time = clock.stamp(groups["time"]) if groups.get("time") else clock.read(line)
                # Without a time a line is only known to come after the one before.
                last = last + 1 if time is None else time
                if running is None or running.follows(what, groups):
                    self._add(table, number, last, what, groups, source.name)
        end = clock.read(raw.decode("utf-8", "replace"))
        if clock.local:
            table.local.add(source.name)
        if end is not None and end > last and last:
            table.add(number, end, What.END, None)  # it was watched until its last line, whoever wrote that

    def _add(
        self, table: EventTable, line: int, time: int, what: What, groups: dict[str, str | None], file: str
    ) -> None:
        worker, task = groups.get("worker"), groups.get("task")
        if worker is not None and self.per_file:
            worker = f"{worker} ({Path(file).name})"
        attempt = groups.get("attempt")
        number = int(attempt) if attempt and attempt.isdigit() else None
        if what is What.FAULT:
            table.add(line, time, what, None, worker, None, "kill")
            return
        duration = groups.get("duration")
        if duration is not None and what is What.FINISHED:
            table.starts_from_ends = True
            table.add(line, time - round(float(duration) * SECOND), What.STARTED, task, worker, number)
        table.add(line, time, what, task, worker, number, groups.get("value"))


class _Running:
    """Which task runs, in a log that is of one task at a time."""

    def __init__(self) -> None:
        self._task: str | None = None
        self._failed = False

    def follows(self, what: What, groups: dict[str, str | None]) -> bool:
        """Give a line without a task the one that runs; False for a line that says nothing of any task."""
        if what is What.STARTED:
            self._task, self._failed = groups.get("task"), False
            return True
        task = groups.setdefault("task", self._task) or self._task
        groups["task"] = task
        if task is None or (self._failed and task == self._task and what in (What.FINISHED, What.FAILED)):
            return False
        self._failed = self._failed or (what is What.FAILED and task == self._task)
        return True


class _Ended:
    """Which tasks have failed or were stopped, in a log that has an end of its own for each of these."""

    def __init__(self) -> None:
        self._ended: set[str | None] = set()

    def follows(self, what: What, groups: dict[str, str | None]) -> bool:
        """Whether a line says something new of its task."""
        task = groups.get("task")
        if what is What.STARTED:
            self._ended.discard(task)
        elif what in (What.FAILED, What.STOPPED):
            self._ended.add(task)
        return what is not What.FINISHED or task not in self._ended


def shipped() -> list[Printed]:
    """The formats that come with onceproof."""
    folder = resources.files(SHIPPED) / "printed"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".yaml")), key=lambda file: file.name)
    return [
        _made(yaml.safe_load(file.read_text("utf-8")), file.name.removesuffix(".yaml"), file.name) for file in files
    ]


def load(path: Path) -> Printed:
    """A format of a user's own. LogError that names file and key where something is wrong."""
    try:
        loaded = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise LogError(f"{path}: {(error.strerror or 'cannot be read').lower()}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise LogError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    return _made(loaded, path.stem, str(path))


def _made(loaded: Any, name: str, place: str) -> Printed:
    if not isinstance(loaded, dict):
        raise LogError(f"{place}: expected a mapping from events to regular expressions")
    sequential = _chosen(loaded, "tasks", "one-at-a-time", place)
    patterns = []
    for key, value in loaded.items():
        if key in KEYS:
            continue
        if key not in WORDS:
            hint = nearest(str(key), [*WORDS, *KEYS]) or f"; expected one of {', '.join([*LEDGER_NAMES, *KEYS])}"
            raise LogError(f"{place}: {key}: unknown event `{key}`{hint}")
        for pattern in value if isinstance(value, list) else [value]:
            needed = "worker" if key == "fault" else "" if sequential and key != "start" else "task"
            patterns.append((WORDS[key], _checked(pattern, needed, f"{place}: {key}")))
    if not patterns:
        raise LogError(f"{place}: no event; expected at least `start` with a regular expression")
    return Printed(
        str(loaded.get("name", name)),
        str(loaded.get("about", "")),
        patterns,
        _chosen(loaded, "workers", "per-file", place),
        sequential,
        list(loaded.get("examples", ())),
        _plain(loaded.get("lines", ""), f"{place}: lines"),
        _chosen(loaded, "ended", "once", place),
    )


def _plain(pattern: Any, place: str) -> str:
    """A regular expression without groups of ours; LogError where it is none."""
    return _checked(pattern, "", place)


def _chosen(loaded: dict[str, Any], key: str, value: str, place: str) -> bool:
    """Whether a key that has one possible value has it; LogError for any other."""
    if key in loaded and loaded[key] != value:
        raise LogError(f"{place}: {key}: expected `{value}`, found {loaded[key]!r}")
    return key in loaded


def _checked(pattern: Any, needed: str, place: str) -> str:
    if not isinstance(pattern, str):
        raise LogError(f"{place}: expected a regular expression, found {pattern!r}")
    try:
        groups = re.compile(pattern).groupindex
    except re.error as error:
        raise LogError(f"{place}: not a regular expression: {error}") from None
    unknown = next((group for group in groups if group not in GROUPS), None)
    if unknown is not None:
        hint = nearest(unknown, GROUPS) or f"; expected one of {', '.join(GROUPS)}"
        raise LogError(f"{place}: unknown group `{unknown}`{hint}")
    if needed and needed not in groups:
        raise LogError(f"{place}: the regular expression has no group (?P<{needed}>...)")
    return pattern
