"""``judge``: every task of a table held against the rules, and the strongest guarantee that the history allows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from onceproof.conformance.judging.anomalies import CLASSES, AnomalyClass, Finding, Guarantee
from onceproof.conformance.judging.events import DEATHS, NOTHING, Certainty, What
from onceproof.conformance.judging.rules import findings_of
from onceproof.conformance.judging.screen import suspicious
from onceproof.conformance.judging.table import EventTable
from onceproof.conformance.judging.timeline import Context, Timeline

if TYPE_CHECKING:
    from onceproof.conformance.judging.table import Rows


@dataclass(frozen=True)
class Options:
    """What the user knows of the system that the log does not say. Times in nanoseconds; None: not stated.

    quiet: after how long without an event a task is settled; lease where it is left out. lease: how long a message
    stays invisible to others. clock_error: by how much the clocks of two processes may differ.
    """

    quiet: int | None = None
    lease: int | None = None
    clock_error: int = 0

    @property
    def settled_after(self) -> int | None:
        """The quiet time, or the lease if that is all that was stated."""
        return self.quiet if self.quiet is not None else self.lease


@dataclass
class Judgement:
    """What came of a history. watched: from its first to its last event, in nanoseconds.

    unknown: tasks of which the log does not say whether they were accepted, or that were not watched for long enough;
    missing: why the history cannot show that the guarantee holds, one sentence each.
    """

    tasks: int
    events: int
    watched: int
    findings: list[Finding] = field(default_factory=list)
    unknown: int = 0
    missing: list[str] = field(default_factory=list)

    @property
    def counts(self) -> list[tuple[AnomalyClass, int, int]]:
        """Each class that was found, proven ones first and then the worst: how many proven, how many possible."""
        proven = Counter(each.anomaly.name for each in self.findings if each.proven)
        possible = Counter(each.anomaly.name for each in self.findings if not each.proven)
        found = [(each, proven[each.name], possible[each.name]) for each in CLASSES]
        return sorted((row for row in found if row[1] or row[2]), key=lambda row: not row[1])

    @property
    def guarantee(self) -> Guarantee:
        """The strongest guarantee that the history still allows: what is proven takes it away."""
        return self._guarantee(Certainty.PROVEN)

    def _guarantee(self, *certainties: Certainty) -> Guarantee:
        found = [each.anomaly for each in self.findings if each.certainty in certainties]
        most = not any(anomaly.breaks_most for anomaly in found)
        least = not any(anomaly.breaks_least for anomaly in found)
        if most and least:
            return Guarantee.EXACTLY_ONCE
        return Guarantee.AT_LEAST_ONCE if least else Guarantee.AT_MOST_ONCE if most else Guarantee.NONE

    def holds(self, expected: Guarantee | None) -> bool | None:
        """Whether the history shows what is expected; None where it is undecided.

        expected: a guarantee, or None for exactly once and no proven anomaly of any class.
        """
        wanted = expected or Guarantee.EXACTLY_ONCE
        if not self.guarantee.implies(wanted):
            return False
        if expected is None and any(each.proven for each in self.findings):
            return False
        if not self._guarantee(*Certainty).implies(wanted) or (expected is None and self.findings):
            return None
        return None if self.gaps(wanted) else True

    def gaps(self, wanted: Guarantee) -> list[str]:
        """What is missing before the history could show a guarantee."""
        return [text for text in self.missing if wanted is not Guarantee.AT_MOST_ONCE or text not in self.of_loss]

    of_loss: list[str] = field(default_factory=list)
    """Those of ``missing`` that only hide lost tasks."""


def judge(table: EventTable, options: Options, *, screened: bool = True) -> Judgement:
    """Judge every task. screened: leave tasks out that a quick look over all columns shows to be in order."""
    rows = table.ordered()
    context = context_of(table, rows, options)
    ends_alone = 0
    result = Judgement(0, len(table), context.last - context.first)
    result.tasks = len(table.tasks.texts)
    chosen = suspicious(table, rows, context) if screened else rows
    for task, part in table.by_task(chosen):
        if task == NOTHING:
            continue
        line = Timeline(table.tasks.texts[task], table.events(part.tolist()))
        result.findings += findings_of(line, context)
        ends_alone += any(run.start is None for run in line.runs)
        result.unknown += _is_unknown(line, context)
    order = {each.name: number for number, each in enumerate(CLASSES)}
    result.findings.sort(key=lambda each: (not each.proven, order[each.anomaly.name], each.events[0].time))
    result.missing, result.of_loss = _missing(table, context, options)
    if ends_alone and What.STARTED in context.kinds:
        tasks = "1 task" if ends_alone == 1 else f"{ends_alone:,} tasks"
        result.missing.append(f"{tasks} ended without a start in the log, which may have run more than once")
    if table.local and not table.local.issuperset(table.files):
        local = ", ".join(sorted(table.local))
        result.missing.append(f"the dates of {local} have no zone, unlike others: they were taken as UTC")
        result.findings = [_across(each, table.local) for each in result.findings]
    if not table.complete:
        result.missing.append("some lines of the log were not read")
        result.findings = [_not_read(each) for each in result.findings]
    return result


# Classes of what is not in the log: a line that was not read may be just that.
ABSENCES = frozenset(
    {
        "lost",
        "lost_with_worker",
        "unfinished",
        "never_redelivered",
        "refused_never_accepted",
        "started_though_refused",
        "acknowledged_unfinished",
    }
)


def _across(each: Finding, local: set[str]) -> Finding:
    """A finding that rests on comparing dates of a zone that is known with dates of one that is not, as possible."""
    apart = len({event.file in local for event in each.events}) > 1
    return replace(each, certainty=Certainty.POSSIBLE) if apart or each.anomaly.name in ABSENCES else each


def _not_read(each: Finding) -> Finding:
    return replace(each, certainty=Certainty.POSSIBLE) if each.anomaly.name in ABSENCES else each


def _is_unknown(line: Timeline, context: Context) -> bool:
    """Whether nothing can be said of a task: nobody knows whether it was accepted, and it never started."""
    return not line.runs and not line.accepted and not line.refused and bool(line.unanswered) and context.answers


def context_of(table: EventTable, rows: Rows, options: Options) -> Context:
    """What all tasks share."""
    import numpy as np

    time, what = np.array(table.time, np.int64), np.array(table.what, np.uint8)
    kinds = frozenset(What(int(kind)) for kind in np.unique(what))
    asked = What.SUBMITTED if What.SUBMITTED in kinds else What.ACCEPTED
    context = Context(
        first=int(time.min()) if len(time) else 0,
        last=int(time.max()) if len(time) else 0,
        quiet=options.settled_after,
        lease=options.lease,
        clock_error=options.clock_error,
        kinds=kinds,
        submissions=np.sort(time[what == asked]).tolist() if options.settled_after is not None else (),
    )
    for row in np.flatnonzero(what == What.FAULT).tolist():
        event = table.event(row)
        if event.worker is not None and (event.value or "kill").lower() in DEATHS:
            context.deaths.setdefault(event.worker, []).append(event)
    return context


def _missing(table: EventTable, context: Context, options: Options) -> tuple[list[str], list[str]]:
    """What the log lacks before it can show a guarantee; and which of that only hides lost tasks."""
    everything, losses = [], []
    if not context.kinds & {What.STARTED, What.FINISHED}:
        everything.append("no event says that a task started or finished")
    elif What.STARTED not in context.kinds:
        everything.append("no start is logged: a task that started twice and ended once cannot be seen")
    elif table.starts_from_ends:
        everything.append("starts are known from ends alone: a run that did not end cannot be seen")
    if options.settled_after is None:
        everything.append("the lease is not stated: a redelivery may come after this log ends (--lease SECONDS)")
    elif context.last - context.first < options.settled_after:
        everything.append("the log is shorter than one lease: a redelivery may come after it ends")
    if not context.kinds & {What.SUBMITTED, What.ACCEPTED}:
        losses.append("no submission is logged: a task that never started cannot be seen")
    if context.kinds.isdisjoint({What.FINISHED}):
        losses.append("no end is logged: a task that never ended cannot be seen")
    return everything + losses, losses


def new_findings(result: Judgement, known: set[tuple[str, str, bool]]) -> Iterator[Finding]:
    """The findings that were not known before, which are known from then on: for a log that is followed."""
    for each in result.findings:
        key = each.task, each.anomaly.name, each.proven
        if key not in known:
            known.add(key)
            yield each
