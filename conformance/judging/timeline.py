"""The timeline of one task: its events in order, and its runs, each from a start to an end."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from onceproof.conformance.judging.events import Event, What

ENDS = (What.FINISHED, What.FAILED, What.RETRIED, What.STOPPED)
SECOND = 1_000_000_000


@dataclass
class Run:
    """One run of the function. start: None where only its end is in the log; end: None where only its start is."""

    start: Event | None
    end: Event | None
    attempt: int

    @property
    def begun(self) -> Event:
        """Its start, of a run that has one."""
        assert self.start is not None
        return self.start

    @property
    def worker(self) -> str | None:
        """The worker that ran it, if the log names it."""
        event = self.start if self.start is not None and self.start.worker is not None else self.end
        return event.worker if event is not None else None


@dataclass(frozen=True)
class Context:
    """What all tasks share. Times in nanoseconds.

    quiet: a task that nothing happens to for so long is settled (None: not stated). lease: how long a message stays
    invisible (None: not stated). clock_error: by how much the clocks of two processes may differ. kinds: which kinds of
    events occur at all in the log. deaths, pauses: of each worker. submissions: when any task was submitted, sorted.
    """

    first: int
    last: int
    quiet: int | None = None
    lease: int | None = None
    clock_error: int = 0
    kinds: frozenset[What] = frozenset()
    deaths: dict[str, list[Event]] = field(default_factory=dict)
    submissions: Sequence[int] = ()

    @cached_property
    def answers(self) -> bool:
        """Whether the log says what became of submissions."""
        return bool(self.kinds & {What.ACCEPTED, What.REFUSED, What.UNANSWERED})

    def death(self, worker: str | None, after: int, before: int) -> Event | None:
        """The first death of a worker between two times."""
        return next((e for e in self.deaths.get(worker or "", ()) if after <= e.time <= before), None)

    def definitely_before(self, one: Event, other: Event) -> bool:
        """Whether one event came before the other for certain: by the clock of one process, or beyond its error."""
        same = one.worker is not None and one.worker == other.worker
        error = 0 if same else self.clock_error
        if one.time + error < other.time:
            return True
        if error or one.time != other.time:
            return False
        # At equal times only the order of lines decides, and lines of two files have none.
        return one.line <= other.line if one.file == other.file else False

    def quiet_since(self, time: int) -> bool | None:
        """Whether nothing came for the quiet time after a moment; None where no quiet time is stated."""
        return None if self.quiet is None else self.last - time >= self.quiet

    def submissions_between(self, low: int, high: int) -> int:
        """How many submissions of any task there were after ``low``, up to ``high``."""
        return bisect_right(self.submissions, high) - bisect_left(self.submissions, low + 1)


@dataclass
class Timeline:
    """One task."""

    task: str
    events: list[Event]

    def of(self, *kinds: What) -> list[Event]:
        """The events of these kinds, in order."""
        return [event for event in self.events if event.what in kinds]

    def first(self, *kinds: What) -> Event | None:
        """The first event of these kinds."""
        return next((event for event in self.events if event.what in kinds), None)

    @cached_property
    def runs(self) -> list[Run]:
        """The runs, in the order of their starts; an end without a start is a run too."""
        runs: list[Run] = []
        number, retried = 0, False
        for event in self.events:
            if event.what is What.STARTED:
                # An attempt that the log numbers is taken at its word; else a declared retry begins the next one.
                if event.attempt is not None:
                    number = event.attempt
                elif not runs or retried:
                    number += 1
                retried = False
                runs.append(Run(event, None, number))
            elif event.what in ENDS:
                retried = retried or event.what in (What.FAILED, What.RETRIED)
                run = _run_ended_by(event, runs)
                if run is not None:
                    run.end = event
                elif event.what in (What.FINISHED, What.FAILED) and not _says_the_same(event, runs):
                    runs.append(Run(None, event, max(number, 1)))
        return runs

    @cached_property
    def finishes(self) -> list[Event]:
        """The successful ends."""
        return self.of(What.FINISHED)

    @cached_property
    def accepted(self) -> list[Event]:
        """The submissions that were definitely accepted."""
        return self.of(What.ACCEPTED)

    @cached_property
    def refused(self) -> list[Event]:
        """The submissions that were definitely refused because the TaskID was known."""
        return [event for event in self.of(What.REFUSED) if _refused_as_known(event.value)]

    @cached_property
    def unanswered(self) -> int:
        """How many submissions may or may not have been accepted."""
        answered = len(self.of(What.ACCEPTED, What.REFUSED))
        lost = len(self.of(What.UNANSWERED))
        return max(lost, len(self.of(What.SUBMITTED)) - answered)

    @property
    def settled_visibly(self) -> bool:
        """Whether the last thing known of it is a visible end: finished, failed for good, or stopped."""
        last = next((event for event in reversed(self.events) if event.what in (*ENDS, What.STARTED)), None)
        return bool(self.finishes) or (last is not None and last.what in (What.FAILED, What.STOPPED))


def _run_ended_by(event: Event, runs: list[Run]) -> Run | None:
    """The run that an end belongs to: on the same worker if both are known, and else the oldest that is open."""
    open_runs = [run for run in runs if run.end is None]
    if event.worker is not None:
        same = [run for run in open_runs if run.start is not None and run.start.worker == event.worker]
        if same:
            return same[-1]
        open_runs = [run for run in open_runs if run.start is None or run.start.worker is None]
    if event.attempt is not None:
        same = [run for run in open_runs if run.attempt == event.attempt]
        open_runs = same or open_runs
    return open_runs[0] if open_runs else None


def _says_the_same(event: Event, runs: list[Run]) -> bool:
    """Whether a failure only repeats what the log has said already: libraries log the exception, then the outcome."""
    if event.what is not What.FAILED:
        return False
    return any(run.end is not None and run.end.what in ENDS and run.worker in (event.worker, None) for run in runs)


def _refused_as_known(reason: str | None) -> bool:
    """Whether a refusal is for a TaskID that is known, and not for a limit or a malformed request."""
    if reason is None:
        return True
    return any(word in reason.lower() for word in ("400", "409", "exist", "duplicate", "known", "already"))
