"""``judge``: say of logs of a system that ran whether each task was done exactly once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from onceproof.api.sources import installed_first
from onceproof.conformance.judging.anomalies import Finding, Guarantee
from onceproof.conformance.judging.errors import LogError
from onceproof.conformance.judging.judge import Judgement, Options
from onceproof.conformance.judging.judge import judge as judge_table
from onceproof.conformance.judging.run import Reading, read_logs
from onceproof.errors import InputError
from onceproof.model.checker.results import Verdict
from onceproof.reports.judgement_data import document
from onceproof.reports.judgement_text import Judged, report_lines
from onceproof.reports.notebook import Summary, html
from onceproof.reports.style import unstyle

VERDICTS = {True: Verdict.HOLDS, False: Verdict.VIOLATED, None: Verdict.UNKNOWN}

SAID = {Verdict.HOLDS: "as expected", Verdict.VIOLATED: "not as expected", Verdict.UNKNOWN: "undecided"}


class JudgeReport:
    """The result of ``judge``; ``str()`` of it is the report that the command line prints."""

    def __init__(self, judged: Judged) -> None:
        self.judged = judged

    @property
    def reading(self) -> Reading:
        """What was read: the events, the format of each file, and how many lines were skipped."""
        return self.judged.reading

    @property
    def judgement(self) -> Judgement:
        """All that was found."""
        return self.judged.judgement

    @property
    def verdict(self) -> Verdict:
        """Whether the logs show what was expected: ``UNKNOWN`` where something is missing to say so."""
        return VERDICTS[self.judged.holds]

    @property
    def holds(self) -> bool:
        """Whether the logs show what was expected."""
        return self.judged.holds is True

    @property
    def guarantee(self) -> Guarantee:
        """The strongest guarantee that the logs still allow."""
        return self.judgement.guarantee

    @property
    def findings(self) -> list[Finding]:
        """The anomalies, the proven ones first."""
        return self.judgement.findings

    def __str__(self) -> str:
        return unstyle("\n".join(report_lines(self.judged)))

    def __repr__(self) -> str:
        return f"<JudgeReport: {self.judgement.tasks} tasks, {self.verdict}, at most {self.guarantee.value}>"

    def _repr_html_(self) -> str:
        """What a notebook shows of it."""
        facts = [f"{self.judgement.tasks:,} tasks", f"at most {self.guarantee.value}"]
        return html(Summary("judgement", self.verdict, SAID[self.verdict], facts, str(self)))

    def to_json(self) -> dict[str, Any]:
        """As ``onceproof judge --json``."""
        return document(self.judged)


@installed_first
def judge(
    *files: str | Path,
    format: str | Path | None = None,
    lease: float | None = None,
    quiet_time: float | None = None,
    clock_error: float = 0.0,
    expect: Guarantee | None = None,
    lenient: bool = False,
    progress: Callable[[str, int], None] | None = None,
    keep_partial: bool = False,
) -> JudgeReport:
    """Judge logs; several files are one history. Times are in seconds.

    format: its name, or a YAML file of your own; None to recognise it. lease: how long a received message stays
    invisible; quiet_time: after how long without an event a task is settled (default: the lease); clock_error: how
    far the clocks of two processes may differ. expect: None for exactly once and no anomaly at all. lenient: skip
    lines that are wrong. progress: called with a file and its lines so far. keep_partial: Ctrl-C returns what is
    known by then.
    Raises InputError where a log cannot be read, with file, line and reason.
    """
    options = Options(_ns(quiet_time), _ns(lease), _ns(clock_error) or 0)
    try:
        name = None if format is None else str(format)
        reading = read_logs([str(file) for file in files], name, lenient=lenient, report=progress)
    except LogError as error:
        raise InputError(str(error)) from None
    if reading.interrupted and not keep_partial:
        raise KeyboardInterrupt
    return JudgeReport(Judged(reading, judge_table(reading.table, options), expect))


def _ns(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1e9)
