"""What every format offers, and which there are."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Protocol

from onceproof.conformance.judging.errors import LogError, Problems
from onceproof.conformance.judging.sources import Source
from onceproof.conformance.judging.table import EventTable


class LogFormat(Protocol):
    """One format. name: as users choose it; about: one sentence; examples: lines of it."""

    name: str
    about: str
    examples: list[str]

    def recognise(self, head: list[bytes]) -> float:
        """How much of the first lines it knows, from 0 to 1."""
        ...

    def is_mine(self, head: list[bytes]) -> bool:
        """Whether any of these lines is of the program that writes this format, whatever it says."""
        ...

    def read(self, source: Source, table: EventTable, problems: Problems) -> None:
        """Add the events of a source to the table; lines that are wrong are reported as problems."""
        ...


@cache
def formats() -> dict[str, LogFormat]:
    """All formats by name: the structured ones first."""
    from onceproof.conformance.judging.formats.history import History
    from onceproof.conformance.judging.formats.jepsen import Jepsen
    from onceproof.conformance.judging.formats.ledger import Ledger
    from onceproof.conformance.judging.formats.otlp import OpenTelemetry
    from onceproof.conformance.judging.formats.printed import shipped

    structured: list[LogFormat] = [Ledger(), History(), Jepsen(), OpenTelemetry()]
    return {each.name: each for each in [*structured, *shipped()]}


def choose(name: str) -> LogFormat:
    """The format of this name, or of one's own in a YAML file; LogError where there is none."""
    if name.endswith((".yaml", ".yml")):
        from onceproof.conformance.judging.formats.printed import load

        return load(Path(name))
    if name not in formats():
        from onceproof.model.language.errors import nearest

        known = ", ".join(formats())
        raise LogError(f"unknown format `{name}`{nearest(name, formats())}; known are {known}, and FILE.yaml")
    return formats()[name]


def recognise(source: Source) -> LogFormat:
    """The format that knows most of the first lines; LogError where none knows any.

    A worker that did nothing yet is known by its other lines.
    """
    head = [line for line in source.head if line.strip()]
    if not head:
        raise LogError(f"{source.name}: the log is empty; there is nothing to judge")
    scores = [(each.recognise(head), each) for each in formats().values()]
    best = max(scores, key=lambda row: row[0])
    if best[0] == 0:
        idle = next((each for each in formats().values() if each.is_mine(head)), None)
        if idle is not None:
            return idle
        first = head[0][:80].decode("utf-8", "replace")
        raise LogError(
            f"{source.name}:1: no known format: found {first!r}; "
            f"`onceproof judge --formats` lists the known ones, and --format FILE.yaml describes one of your own"
        )
    return best[1]
