"""What `judge` prints: the table of anomalies, the worst first; timelines; the verdict with its limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onceproof.conformance.judging.anomalies import Finding, Guarantee
from onceproof.conformance.judging.events import Event, What
from onceproof.conformance.judging.judge import Judgement
from onceproof.conformance.judging.rules import seconds
from onceproof.conformance.judging.run import Reading
from onceproof.explain.anomalies import cause_of
from onceproof.reports.tables import table_lines
from onceproof.reports.trace_text import counted

TIMELINE_MAX = 5
VERBS = {
    What.SUBMITTED: "submitted",
    What.ACCEPTED: "accepted",
    What.REFUSED: "refused",
    What.UNANSWERED: "no answer",
    What.RECEIVED: "received",
    What.RENEWED: "renewed",
    What.RELEASED: "given back",
    What.STARTED: "started",
    What.FINISHED: "finished",
    What.FAILED: "failed",
    What.RETRIED: "to be retried",
    What.STOPPED: "stopped",
    What.DELETED: "acknowledged",
    What.RESULT: "result seen",
    What.STATUS: "state seen",
    What.FAULT: "FAULT",
    What.END: "end of the log",
}


@dataclass(frozen=True)
class Judged:
    """A judgement with what was read for it, and what was expected (None: exactly once, and no anomaly at all)."""

    reading: Reading
    judgement: Judgement
    expected: Guarantee | None = None

    @property
    def holds(self) -> bool | None:
        """Whether the history shows what is expected; None where that is undecided."""
        found = self.judgement.holds(self.expected)
        return None if found and self.reading.interrupted else found

    @property
    def verdict(self) -> str:
        """holds, violated or unknown."""
        return {True: "holds", False: "violated", None: "unknown"}[self.holds]

    @property
    def wanted(self) -> Guarantee:
        """The guarantee that the verdict is about."""
        return self.expected or Guarantee.EXACTLY_ONCE


def report_lines(judged: Judged, *, everything: bool = False) -> list[str]:
    """The whole report. everything: a timeline for each finding, not only for the first of each class."""
    judgement = judged.judgement
    lines = [f"{name}: read as {form}" for name, form in judged.reading.formats.items()]
    lines += [f"skipped {count:,} lines: {reason}" for reason, count in judged.reading.skipped.items()]
    tasks, events = counted(judgement.tasks, "task"), counted(judgement.events, "event")
    lines += [f"{events} of {tasks}, over {seconds(judgement.watched)}", ""]
    if judgement.findings:
        lines += [*_table(judgement), ""]
        for finding in shown(judgement.findings, everything=everything):
            lines += [*timeline_lines(finding), ""]
    return lines + verdict_lines(judged)


def _table(judgement: Judgement) -> list[str]:
    rows = []
    for anomaly, proven, possible in judgement.counts:
        cause = cause_of(anomaly)
        missing = " or ".join(cause.mechanisms) or "-"
        rows.append([anomaly.title, f"{proven:,}", f"{possible:,}", anomaly.property, missing])
    headers = ["anomaly", "proven", "possible", "violates", "explained by the absence of"]
    return table_lines(headers, rows, frozenset({1, 2}))


def shown(findings: Sequence[Finding], *, everything: bool) -> list[Finding]:
    """The findings that get a timeline: all, or the first of each class."""
    first: dict[str, Finding] = {}
    for each in findings:
        first.setdefault(each.anomaly.name, each)
    return list(findings) if everything else list(first.values())


def timeline_lines(finding: Finding) -> list[str]:
    """One finding: what it is, and the events that show it."""
    head = f"{finding.anomaly.title}: task {finding.task} ({finding.certainty.value})"
    lines = [head, f"  {finding.text}"]
    begin = finding.events[0].time
    spec = cause_of(finding.anomaly).spec
    for event in list(dict.fromkeys(finding.events))[:TIMELINE_MAX]:  # the first may be the last, too
        lines.append(f"  {seconds(event.time - begin):>10}  {event_text(event):<34} {event.place}")
    if spec is not None:
        lines.append(f"  the same failure in the model: onceproof check specs/{spec.name}.yaml")
    return lines


def event_text(event: Event) -> str:
    """One event, for people: ``started by 4711, attempt 2``."""
    text = VERBS[event.what]
    if event.what is What.FAULT:
        return f"{text} {event.value or 'kill'} {event.worker or ''}".rstrip()
    if event.worker is not None:
        text += f" by {event.worker}"
    if event.attempt is not None:
        text += f", attempt {event.attempt}"
    if event.what in (What.RESULT, What.STATUS) and event.value is not None:
        text += f": {event.value}"
    return text


def verdict_lines(judged: Judged) -> list[str]:
    """The verdict: what holds, what does not, or what is missing before anybody could say."""
    judgement, wanted = judged.judgement, judged.wanted
    watched = f"watched for {seconds(judgement.watched)}"
    scope = f"{counted(judgement.tasks, 'task')}, {watched}, {judgement.unknown:,} unknown"
    if judged.holds is True:
        return [f"{wanted.value}: holds on this history ({scope})"]
    if judged.holds is False and not judgement.guarantee.implies(wanted):
        return [
            f"{wanted.value}: violated ({scope})",
            f"the strongest guarantee that this history still allows: {judgement.guarantee.value}",
        ]
    if judged.holds is False:
        return [f"{wanted.value}: not contradicted, but other anomalies are proven ({scope})"]
    lines = [f"{wanted.value}: undecided ({scope})"]
    lines += ["  interrupted: the rest of the log was not read"] if judged.reading.interrupted else []
    lines += [f"  {text}" for text in judgement.gaps(wanted)]
    possible = sum(not each.proven for each in judgement.findings)
    if possible:
        noun = "anomaly" if possible == 1 else "anomalies"
        lines.append(f"  {possible:,} possible {noun}, neither proven nor ruled out")
    return lines
