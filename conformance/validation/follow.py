"""Following logs that grow: each task is validated once nothing came for it for a while, and then forgotten.

So memory is proportional to the tasks in flight. An event of a task that was validated already is late, and counted: it
could not be taken into account, and leaves the verdict undecided.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from onceproof.conformance.judging.errors import LogError, Problems
from onceproof.conformance.judging.tail import Lines, Tail
from onceproof.conformance.validation.logs import EventReader, LoggedEvent, documents
from onceproof.conformance.validation.mapping import LogMapping
from onceproof.conformance.validation.search import Explanation
from onceproof.conformance.validation.slices import COMMON, Named, names_of, slices_of
from onceproof.conformance.validation.validate import Validation, Validator, count

REMEMBERED = 10  # for so many times the settling time a late event is recognised as one


@dataclass
class Following:
    """What is known so far. in_flight: slices that wait for more; late: events that came after their slice was done."""

    result: Validation
    in_flight: int = 0
    late: int = 0


@dataclass
class _Flight:
    """The events of slices that are not done, and the last of each kind that concerns all.

    done: what belonged to slices that are done, with the time of the log then; forgotten after a while.
    """

    mapping: LogMapping
    events: list[LoggedEvent] = field(default_factory=list)
    done: dict[Named, int] = field(default_factory=dict)
    newest: int = 0


def follow(
    validator: Validator,
    paths: Sequence[str],
    settle: int,
    *,
    lenient: bool = False,
    poll_seconds: float = 0.5,
    wait: Callable[[float], None] = time.sleep,
) -> Iterator[tuple[Following, list[Explanation]]]:
    """Validate logs that grow; a step after each look, with the slices that were not explained in it.

    settle: for how long nothing may have come for a slice before it is validated, in nanoseconds of the log's time.
    LogError where the mapping names no sort to validate one by one, or the log has no times.
    """
    if not validator.mapping.by:
        raise LogError("following needs `by` in the mapping: the sort whose elements are validated one by one")
    flight = _Flight(validator.mapping)
    found = Following(Validation(0, 0))
    problems = Problems(lenient=lenient)
    tails = [Tail(path) for path in paths]
    readers = {path: EventReader(path, validator.mapping, problems) for path in paths}
    while True:
        came = [event for tail in tails for event in _new_events(tail, readers[tail.path], problems)]
        found.result.events += len(came)
        late = {id(event) for event in came if not flight.done.keys().isdisjoint(_names(event, validator))}
        found.late += len(late)
        flight.events += [event for event in came if id(event) not in late]
        flight.newest = max([flight.newest, *(event.end for event in came)])
        wrong = _judge_settled(validator, flight, found, settle)
        yield found, wrong
        if not came:
            wait(poll_seconds)


def _new_events(tail: Tail, reader: EventReader, problems: Problems) -> Iterator[LoggedEvent]:
    lines = tail.rows()
    source = Lines(tail.path, lines, tail.lines)
    tail.lines += len(lines)
    for number, line in documents(source, problems) if lines else ():
        event = reader.event(number, line)
        if event is not None:
            yield event


def _judge_settled(validator: Validator, flight: _Flight, found: Following, settle: int) -> list[Explanation]:
    """Validate the slices that nothing came for, and forget their events; those without an explanation."""
    wrong: list[Explanation] = []
    ended: set[int] = set()
    found.in_flight = 0
    for part in slices_of(flight.events, flight.mapping, validator.model):
        if part.key == COMMON:
            continue
        common = set(map(id, part.common))
        own = [event for stream in part.streams for event in stream if id(event) not in common]
        if max(event.end for event in own) + settle > flight.newest:
            found.in_flight += 1
            continue
        explanation = validator.explain(part)
        found.result.slices += 1
        count(found.result, explanation)
        if not explanation.explained:
            wrong.append(explanation)
        flight.done.update(dict.fromkeys(part.names, flight.newest))
        ended |= set(map(id, own))
    flight.events = _kept([event for event in flight.events if id(event) not in ended], validator, flight)
    flight.done = {name: then for name, then in flight.done.items() if then + REMEMBERED * settle >= flight.newest}
    return wrong


def _kept(events: list[LoggedEvent], validator: Validator, flight: _Flight) -> list[LoggedEvent]:
    """The events in flight; of old ones that concern all only the last of each kind: only their kinds matter then."""
    flying = {
        id(event)
        for part in slices_of(events, flight.mapping, validator.model)
        if part.key != COMMON
        for stream in part.streams
        for event in stream
    }
    last = {event.name: event for event in events if id(event) not in flying}
    return [*last.values(), *(event for event in events if id(event) in flying)]


def _names(event: LoggedEvent, validator: Validator) -> list[Named]:
    return names_of(event, validator.mapping)
