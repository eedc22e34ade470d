"""Slices of a log: the events of one task, say, with those that concern all; each is validated by itself.

A run that explains the whole log explains each slice, so a slice without a run refutes the log. That every slice has a
run says less than that the whole has one: what tasks do to each other is not looked at. Reports say so.

Events that concern all, such as the restart of a scheduler, are in a slice of their own. In the other slices only those
are that did not certainly end before the slice began; what came before may have happened there without a line. So the
work grows with the length of the log, and not with its square.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from onceproof.conformance.validation.logs import LoggedEvent
from onceproof.conformance.validation.mapping import LogMapping
from onceproof.model.language import Model

COMMON = "(what concerns all)"
Named = tuple[str, str]  # a sort, and what the log calls one of its elements


@dataclass(frozen=True)
class Slice:
    """The events that one element is concerned in, by streams. key: what the log calls it; "" for the whole log.

    sometimes: actions that may go unlogged in this slice, since events of theirs were left out of it. common: those of
    its events that concern others too. names: what belongs to its element alone, as the log calls it.
    """

    key: str
    streams: tuple[tuple[LoggedEvent, ...], ...]
    sometimes: frozenset[str] = frozenset()
    common: tuple[LoggedEvent, ...] = ()
    names: frozenset[Named] = frozenset()

    @property
    def size(self) -> int:
        """How many events it has."""
        return sum(map(len, self.streams))


def slices_of(events: Sequence[LoggedEvent], mapping: LogMapping, model: Model) -> list[Slice]:
    """The slices of a log, in the order of their first events; the whole log where the mapping names no sort."""
    if not mapping.by:
        return [Slice("", streams_of(events))]
    names = {id(event): names_of(event, mapping) for event in events}
    owners = _owners(list(names.values()), mapping.by)
    local = {sort for sort, _ in owners} - {mapping.by}
    own: dict[str, list[LoggedEvent]] = defaultdict(list)
    common: list[LoggedEvent] = []
    for event in events:
        keys = {owners[name] for name in names[id(event)] if name in owners}
        # A message, say, that the log never connects with a task: its events are no concern of other tasks.
        keys = keys or {f"{sort} {name}" for sort, name in names[id(event)] if sort in local}
        if keys:
            for key in keys:
                own[key].append(event)
        else:
            common.append(event)
    error = round(mapping.clock_error * 1e9)
    common.sort(key=lambda event: event.end)
    ends = [event.end for event in common]
    belongings: dict[str, set[Named]] = defaultdict(set)
    for name, key in owners.items():
        belongings[key].add(name)
    found = [
        replace(_with_common(key, mine, common, ends, error, mapping), names=frozenset(belongings[key]))
        for key, mine in own.items()
    ]
    if common:
        found.append(Slice(COMMON, streams_of(common), frozenset(model.actions)))
    return found


def _with_common(
    key: str, mine: list[LoggedEvent], common: list[LoggedEvent], ends: list[int], error: int, mapping: LogMapping
) -> Slice:
    """The slice of an element: its own events, and those of all that may have come between. ends: of ``common``."""
    first, last = min(event.begin for event in mine), max(event.end for event in mine)
    begin = bisect_left(ends, first - error)
    between = [event for event in common[begin:] if event.begin <= last + error]
    before = {event.name for event in common[:begin]} if begin < 1000 else set(mapping.rules)
    left_out = {mapping.rules[name].action for name in before if name in mapping.rules}
    own = {mapping.rules[event.name].action for event in mine if event.name in mapping.rules}
    streams = streams_of(sorted([*between, *mine], key=_place))
    return Slice(key, streams, frozenset(left_out - own), tuple(between))


def _place(event: LoggedEvent) -> tuple[str, int]:
    return event.file, event.line


def _owners(groups: list[list[Named]], by: str) -> dict[Named, str]:
    """Which element of the sort each named thing belongs to: the one that it is named together with.

    A sort of which any element is named together with two of them is shared, and belongs to none: schedulers, say.
    """
    seen: dict[Named, set[str]] = defaultdict(set)
    for group in groups:
        keys = {value for sort, value in group if sort == by}
        for name in group:
            seen[name] |= keys
    shared = {sort for (sort, _), keys in seen.items() if len(keys) > 1 and sort != by}
    return {name: next(iter(keys)) for name, keys in seen.items() if len(keys) == 1 and name[0] not in shared}


def names_of(event: LoggedEvent, mapping: LogMapping) -> list[Named]:
    """The elements that an event names, by sort."""
    rule = mapping.rules.get(event.name)
    if rule is None:
        return []
    sorts = {one.name: one.sort.__name__ for one in mapping.arguments[rule.action] if not one.is_of_values}
    return [(sorts[name], value) for name, value in event.arguments.items() if name in sorts]


def streams_of(events: Sequence[LoggedEvent]) -> tuple[tuple[LoggedEvent, ...], ...]:
    """Events by stream, each in its order of reading."""
    streams: dict[str, list[LoggedEvent]] = defaultdict(list)
    for event in events:
        streams[event.stream].append(event)
    return tuple(tuple(stream) for stream in streams.values())
