"""The rules: which anomalies the timeline of one task shows. Each rule is a generator of findings."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

from onceproof.conformance.judging.anomalies import Finding, finding
from onceproof.conformance.judging.events import Event, What
from onceproof.conformance.judging.timeline import SECOND, Context, Run, Timeline

# After one of these a task waits for a worker.
WAITING = (What.SUBMITTED, What.ACCEPTED, What.UNANSWERED, What.REFUSED, What.RELEASED)
Rule = Callable[[Timeline, Context], Iterator[Finding]]
# How shortly after another task's submission a stuck task must move for the two to be connected, in nanoseconds.
SHORTLY = SECOND
# Which part of a lease the way of a message from the queue to its consumer may take.
LATENCY = 0.1


def second_starts(line: Timeline, context: Context) -> Iterator[Finding]:
    """More than one start of one attempt."""
    starts: dict[int, list[Run]] = {}
    for run in line.runs:
        if run.start is not None:
            starts.setdefault(run.attempt, []).append(run)
    for runs in starts.values():
        for position, run in enumerate(runs[1:], 1):
            yield _second_start(line.task, runs[:position], run, context)
            yield from _second_worker(line.task, runs[:position], run)


def _second_start(task: str, before: list[Run], run: Run, context: Context) -> Finding:
    """What a start is that came after these of the same attempt."""
    start = run.begun
    overlapping = [each for each in before if each.end and not context.definitely_before(each.end, start)]
    if overlapping and overlapping[0].end is not None:
        first, end = overlapping[0].begun, overlapping[0].end
        certain = context.definitely_before(start, end)
        text = f"started again {after(first, start)} later, while the first run went on"
        return finding("concurrent_starts", task, text, [first, start, end], certain=certain)
    last = before[-1]
    first = last.begun
    if last.end is not None:
        text = f"started again {after(last.end, start)} after the first run had ended"
        return finding("sequential_starts", task, text, [first, last.end, start])
    death = context.death(last.worker, first.time, start.time)
    if death is not None:
        text = f"started again {after(death, start)} after {last.worker} died"
        return finding("restarted_after_death", task, text, [first, death, start])
    text = f"started again {after(first, start)} later; the end of the first run is not in the log"
    return finding("started_again", task, text, [first, start])


def _second_worker(task: str, before: list[Run], run: Run) -> Iterator[Finding]:
    other = next((each for each in before if each.worker not in (None, run.worker)), None)
    if other is not None and run.worker is not None:
        text = f"started by {other.worker}, and by {run.worker}"
        yield finding("started_on_two_workers", task, text, [other.begun, run.begun])


def second_finish(line: Timeline, context: Context) -> Iterator[Finding]:
    """More than one successful end."""
    if len(line.finishes) < 2:
        return
    numbers = {id(run.end): run.start.attempt for run in line.runs if run.start is not None}
    attempts = [end.attempt if end.attempt is not None else numbers.get(id(end)) for end in line.finishes]
    for (one, attempt), (other, next_attempt) in itertools.combinations(zip(line.finishes, attempts, strict=True), 2):
        numbered_apart = None not in (attempt, next_attempt) and attempt != next_attempt
        if not numbered_apart and not _declared_between(line, one, other):
            yield finding("finished_twice", line.task, f"finished {len(line.finishes)} times", [one, other])
            return


def _declared_between(line: Timeline, first: Event, second: Event) -> bool:
    """Whether the log declares, after the first of two finishes, that the task will run again."""
    return any(first.time <= event.time <= second.time for event in line.of(What.RETRIED))


def loss(line: Timeline, context: Context) -> Iterator[Finding]:
    """Accepted and never started, or started and never ended."""
    if line.settled_visibly or not line.events:
        return
    last = line.events[-1]
    quiet = context.quiet_since(last.time)
    waited = f"nothing for {seconds(context.last - last.time)} until the log ends"
    if line.runs:
        if What.FINISHED not in context.kinds:
            return  # this log never says that a task ends
        run = line.runs[-1]
        death = None if run.start is None else context.death(run.worker, run.start.time, context.last)
        if len(line.runs) == 1 and run.end is None and death is not None:
            since = max(last.time, death.time)
            nothing = f"nothing for {seconds(context.last - since)}"
            text = f"{run.worker} died {after(run.begun, death)} after the start: {nothing} until the log ends"
            certain = bool(context.quiet_since(since))
            yield finding("lost_with_worker", line.task, text, [run.start, death], certain=certain)
            return
        again = run.end is not None  # its end declares a retry, which never started; it may be due later
        text = f"its retry never started: {waited}" if again else f"never came to an end: {waited}"
        yield finding("unfinished", line.task, text, [run.start, run.end, last], certain=bool(quiet) and not again)
    elif What.STARTED not in context.kinds:
        return  # this log never says that a task starts
    elif line.accepted:
        yield finding(
            "lost", line.task, f"accepted, and never started: {waited}", [line.accepted[0]], certain=bool(quiet)
        )
    elif not context.answers and line.first(What.SUBMITTED):
        # The log does not say what became of submissions, so that it may never have been accepted.
        text = f"submitted, and never started: {waited}"
        yield finding("lost", line.task, text, [line.first(What.SUBMITTED)], certain=False)


def delays(line: Timeline, context: Context) -> Iterator[Finding]:
    """A long wait that ended only when another task was submitted."""
    if context.quiet is None:
        return
    waits = [event for event in line.events if event.what is not What.STATUS]
    for before, start in itertools.pairwise(waits):
        # A run whose worker has died is none: the task waits from then on.
        death = context.death(before.worker, before.time, start.time) if before.what is What.STARTED else None
        since = death or before
        gap = start.time - since.time
        # After a start it was running, after a failure or a retry it may have been delayed on purpose.
        idle = death is not None or since.what in (
            What.SUBMITTED,
            What.ACCEPTED,
            What.UNANSWERED,
            What.REFUSED,
            What.RELEASED,
        )
        if start.what not in (What.RECEIVED, What.STARTED) or not idle or gap <= context.quiet:
            continue
        shortly = min(SHORTLY, gap // 5)
        alone = context.submissions_between(since.time, start.time - shortly) == 0
        woken = context.submissions_between(start.time - shortly, start.time) > 0
        if alone and woken:
            text = f"waited {seconds(gap)}, and moved within {seconds(shortly)} of another task's submission"
            # It may be chance, or the time that the task was scheduled for.
            yield finding("stuck", line.task, text, [since, start], certain=False)


def answers(line: Timeline, context: Context) -> Iterator[Finding]:
    """What the clients were answered, against what was done."""
    if len(line.accepted) > 1:
        yield finding("accepted_twice", line.task, f"accepted {len(line.accepted)} times", line.accepted[:2])
    if not line.refused or line.accepted or line.unanswered:
        return
    start = line.first(What.STARTED, What.FINISHED)
    if start is None:
        yield finding("refused_never_accepted", line.task, "refused, and never accepted", line.refused[:1])
    elif start.what is What.STARTED:
        yield finding("started_though_refused", line.task, "refused, and started", [line.refused[0], start])


def acknowledgement(line: Timeline, context: Context) -> Iterator[Finding]:
    """The message was deleted before any end."""
    deleted = line.first(What.DELETED)
    if deleted is None or What.FINISHED not in context.kinds:
        return
    end = line.first(What.FINISHED, What.FAILED, What.RETRIED, What.STOPPED)
    if end is None:
        text = "acknowledged, and no end is in the log"
        yield finding("acknowledged_unfinished", line.task, text, [line.first(What.STARTED), deleted])
    elif end.time > deleted.time:
        certain = context.definitely_before(deleted, end)
        text = f"acknowledged {after(deleted, end)} before it ended"
        yield finding(
            "acknowledged_unfinished", line.task, text, [line.first(What.STARTED), deleted, end], certain=certain
        )


def holders(line: Timeline, context: Context) -> Iterator[Finding]:
    """Which worker held the message when; needs events of receiving."""
    received = line.of(What.RECEIVED)
    for first, second in itertools.pairwise(received):
        if _is_released(line, first, second):
            continue
        held = _last_hold(line, first, second)
        lease_ends = held.time + context.lease if context.lease is not None else None
        early = lease_ends is not None and second.time + context.clock_error < lease_ends
        if context.death(first.worker, held.time, second.time) is not None:
            early = False  # a queue that notices the death of a consumer need not wait
        if early and context.lease is not None:
            left = held.time + context.lease - second.time
            text = f"given to another with {seconds(left)} of the lease left"
            # The lease began when the queue gave the message away, which is before its consumer could log that.
            certain = left > context.lease * LATENCY
            yield finding("redelivered_early", line.task, text, [held, second], certain=certain)
        if _same_holder(first, second):
            continue
        acts = _act_of(line, first, second, What.RENEWED, What.DELETED)
        if acts is not None:
            text = f"{_did(acts)} {after(second, acts)} after the message was given to {second.worker or 'another'}"
            certain = context.definitely_before(second, acts)
            yield finding("stale_receipt_accepted", line.task, text, [first, second, acts], certain=certain)
        still = acts or _act_of(line, first, second, What.FINISHED)
        if still is not None and (lease_ends is None or early):
            text = f"{second.worker or 'another'} received it while {first.worker or 'the first'} still acted on it"
            yield finding("two_holders", line.task, text, [first, second, still], certain=early)
    yield from _never_again(line, received, context)


def _never_again(line: Timeline, received: list[Event], context: Context) -> Iterator[Finding]:
    if not received or line.settled_visibly or line.first(What.DELETED) or context.lease is None:
        return
    last = received[-1]
    death = context.death(last.worker, last.time, context.last)
    if death is None:
        return
    due = _last_hold(line, last, None).time + context.lease
    certain = context.quiet is not None and context.last - due >= context.quiet
    if context.last > due:
        text = f"its lease ended {seconds(context.last - due)} before the log did, and nobody received it again"
        yield finding("never_redelivered", line.task, text, [last, death], certain=certain)


def _same_holder(one: Event, other: Event) -> bool:
    """Whether two receipts are of one holder: the same worker, and not two receipts."""
    if one.value is not None and other.value is not None:
        return one.value == other.value
    return one.worker is not None and one.worker == other.worker


def _is_released(line: Timeline, first: Event, second: Event) -> bool:
    """Whether the first holder gave the message back, or settled it, before the second received it."""
    kinds = (What.RELEASED, What.RETRIED, What.FAILED, What.DELETED)
    return any(first.time <= event.time <= second.time for event in line.of(*kinds))


def _last_hold(line: Timeline, first: Event, second: Event | None) -> Event:
    """The receipt or the last renewal by the holder before somebody else got the message."""
    until = None if second is None else second.time
    renewals = [
        event
        for event in line.of(What.RENEWED)
        if event.time >= first.time and (until is None or event.time <= until) and _is_by(event, first)
    ]
    return renewals[-1] if renewals else first


def _is_by(event: Event, receipt: Event) -> bool:
    """Whether an event is the doing of the holder of this receipt."""
    if event.value is not None and receipt.value is not None and event.what is not What.FINISHED:
        return event.value == receipt.value
    return event.worker is not None and event.worker == receipt.worker


def _act_of(line: Timeline, first: Event, second: Event, *kinds: What) -> Event | None:
    acts = [event for event in line.of(*kinds) if event.time >= second.time and event is not second]
    return next((event for event in acts if _is_by(event, first) and not _is_by(event, second)), None)


def _did(event: Event) -> str:
    return {What.RENEWED: "renewed", What.DELETED: "acknowledged"}[event.what]


def results(line: Timeline, context: Context) -> Iterator[Finding]:
    """The results that callers saw."""
    reported = line.of(What.RESULT)
    finish = line.finishes[0] if line.finishes else None
    values = [event for event in (*line.finishes, *reported) if event.value is not None]
    different = next((event for event in values if event.value != values[0].value), None)
    if different is not None and len({run.attempt for run in line.runs if run.end in line.finishes}) <= 1:
        text = f"`{values[0].value}`, and `{different.value}`"
        yield finding("result_different", line.task, text, [values[0], different])
    if reported and finish is not None and reported[0].time < finish.time and not line.of(What.FAILED):
        certain = context.definitely_before(reported[0], finish)
        text = f"a result {after(reported[0], finish)} before the first run ended"
        yield finding("result_before_end", line.task, text, [reported[0], finish], certain=certain)
    missing = [event for event in reported if event.value is None]
    if finish is not None and missing and context.definitely_before(finish, missing[-1]):
        yield finding("result_lost", line.task, "no result, though it had finished", [finish, missing[-1]])


RANKS = {
    **dict.fromkeys(("enqueued", "queued", "pending", "accepted", "created"), 0),
    **dict.fromkeys(("dequeued", "dispatched", "received", "reserved"), 1),
    **dict.fromkeys(("running", "started", "active", "in_progress"), 2),
    **dict.fromkeys(("succeeded", "success", "finished", "completed", "complete"), 3),
    **dict.fromkeys(("failed", "failure", "stopped", "expired", "cancelled", "aborted"), 3),
}


def statuses(line: Timeline, context: Context) -> Iterator[Finding]:
    """States that callers saw, in the order in which they saw them."""
    seen = [(RANKS[(e.value or "").lower()], e) for e in line.of(What.STATUS) if (e.value or "").lower() in RANKS]
    for (rank, one), (next_rank, other) in itertools.pairwise(seen):
        left_the_end = rank == 3 and next_rank == 3 and one.value != other.value
        if next_rank < rank or left_the_end:
            certain = context.definitely_before(one, other)
            text = f"`{one.value}`, then `{other.value}`"
            yield finding("status_backwards", line.task, text, [one, other], certain=certain)
    last = seen[-1][1] if seen else None
    if last is not None and line.finishes and context.definitely_before(line.finishes[0], last):
        failed = (last.value or "").lower() in ("failed", "failure", "expired", "aborted")
        if failed and not line.of(What.FAILED):
            text = f"reported as `{last.value}`, though it had finished"
            yield finding("result_lost", line.task, text, [line.finishes[0], last])


RULES: tuple[Rule, ...] = (
    second_starts,
    second_finish,
    loss,
    delays,
    answers,
    acknowledgement,
    holders,
    results,
    statuses,
)


def findings_of(line: Timeline, context: Context) -> list[Finding]:
    """All anomalies of one task, at most one of each class: the first that is proven, or else the first."""
    found: dict[str, Finding] = {}
    for rule in RULES:
        for each in rule(line, context):
            known = found.get(each.anomaly.name)
            if known is None or (each.proven and not known.proven):
                found[each.anomaly.name] = each
    return list(found.values())


def after(one: Event, other: Event) -> str:
    """The time from one event to another, for people."""
    return seconds(other.time - one.time)


def seconds(nanoseconds: int) -> str:
    """A span of time for people: ``0.25 s``, ``3.0 s``, ``120 s``."""
    value = nanoseconds / SECOND
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 0.1 else 4
    return f"{value:.{digits}f} s"
