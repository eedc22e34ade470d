"""Storms as one HTML page without outside resources: faults by claims, and behind each broken cell what happened."""

from __future__ import annotations

import platform
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from onceproof.conformance.judging.anomalies import Finding
from onceproof.conformance.storms.outcomes import Claim, Shown
from onceproof.conformance.storms.storm import Row, Standing
from onceproof.reports.storm_outcome import Stormed
from onceproof.reports.storm_overview import COLUMNS, overview
from onceproof.reports.storm_text import (
    after,
    again,
    cell,
    explanation,
    facts_line,
    fault_title,
    gust_lines,
    inapplicable_lines,
    verdict_lines,
    version,
)

TEMPLATES = Path(__file__).parent / "templates"
LOG_LINES = 6  # of a worker that are shown with what it did
COLORS = {
    Standing.CONTRADICTED: "wrong",
    Standing.BROKEN: "broken",
    Standing.CONFIRMED: "broken",
    Standing.UNOBSERVED: "unknown",
    Standing.UNKNOWN: "unknown",
    Standing.HELD: "held",
    Standing.KEPT: "held",
}


def page(reports: Sequence[Stormed]) -> str:
    """The page as text; of several storms in the order of their titles."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("storm.html.jinja").render(
        date=time.strftime("%Y-%m-%d"),
        machine=f"{platform.system()} {platform.release().split('-')[0]}, Python {platform.python_version()}",
        claims=[claim.value for claim in Claim],
        columns=list(COLUMNS),
        storms=[_storm(report) for report in sorted(reports, key=lambda report: report.title.lower())],
    )


def _storm(report: Stormed) -> dict[str, Any]:
    profile = report.profile
    schedules = dict.fromkeys(row.schedule for row in report.rows)
    return {
        "name": report.title,
        "about": profile.about if profile is not None else "",
        "verdict": report.verdict.value,
        "headline": verdict_lines(report)[0],
        "version": version(report),
        "overview": overview(report),
        "facts": facts_line(report),
        "settings": list(profile.settings) if profile is not None else [],
        "mechanisms": [
            {"name": name, "on": each.on, "because": each.because, "source": each.source}
            for name, each in (profile.mechanisms.items() if profile is not None else ())
        ],
        "lines": [_line(report, [row for row in report.rows if row.schedule == each]) for each in schedules],
        "inapplicable": inapplicable_lines(report),
        "random": gust_lines(report),
        "notes": report.result.notes,
    }


def _line(report: Stormed, mine: list[Row]) -> dict[str, Any]:
    schedule = mine[0].schedule
    by_claim = {row.claim: row for row in mine}
    return {
        "fault": fault_title(schedule),
        "moment": schedule.moment.value,
        "traffic": schedule.traffic,
        "after": after(by_claim[Claim.AT_MOST_ONCE]),
        "cells": [_cell(by_claim.get(claim)) for claim in Claim],
        "details": [_details(report, row) for row in mine if row.shown is Shown.BROKEN],
        "unknown": sorted({row.why for row in mine if row.shown is Shown.UNKNOWN and row.why}),
    }


def _cell(row: Row | None) -> dict[str, str]:
    if row is None or not row.applies:
        return {"text": "–", "color": "none", "title": "does not apply"}
    return {"text": cell(row), "color": COLORS[row.standing], "title": row.standing.value}


def _details(report: Stormed, row: Row) -> dict[str, Any]:
    found = row.findings[0]
    return {
        "claim": row.claim.value,
        "standing": row.standing.value,
        "color": COLORS[row.standing],
        "kinds": sorted({each.anomaly.title for each in row.findings}),
        "task": found.task,
        "text": found.text,
        "events": _events(found),
        "logs": _logs(row, found),
        "explanation": [*explanation(report, row), *map(str, report.remedies_of(row))],
        "again": again(report, row),
    }


def _events(found: Finding) -> list[dict[str, Any]]:
    """Events with their places on a line: left is the first one, right the last."""
    first, last = found.events[0].time, max(each.time for each in found.events)
    length = max(last - first, 1)
    return [
        {
            "at": f"{(each.time - first) / 1e9:.2f} s",
            "left": round(100 * (each.time - first) / length, 2),
            "what": each.what.name.lower() + (f" ({each.value})" if each.value else ""),
            "worker": each.worker or "",
            "place": f"{Path(each.file).name}:{each.line}",
        }
        for each in sorted(found.events, key=lambda each: each.time)
    ]


def _logs(row: Row, found: Finding) -> list[dict[str, str]]:
    """The last lines of each worker's log that name the task."""
    folders = {each.folder for each in row.tried if each.this.task == found.task}
    logs = []
    for log in sorted(path for folder in folders for path in folder.glob("worker*.log")):
        text = log.read_text(encoding="utf-8", errors="replace")
        lines = [line for line in text.splitlines() if found.task in line]
        if lines:
            logs.append({"name": log.name, "text": "\n".join(lines[-LOG_LINES:])})
    return logs
