"""A judged history as one HTML page without outside resources: lanes, faults, findings, one task's life at a time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from onceproof.conformance.judging.events import NOTHING, What
from onceproof.conformance.judging.rules import seconds
from onceproof.conformance.judging.timeline import Timeline
from onceproof.explain.anomalies import cause_of
from onceproof.reports.judgement_text import VERBS, Judged, event_text, verdict_lines

if TYPE_CHECKING:
    from onceproof.conformance.judging.table import EventTable

TEMPLATES = Path(__file__).parent / "templates"
# Above this many events only the tasks with findings are drawn; the page says so.
EVENTS_MAX = 250_000
FINDINGS_MAX = 2_000
CLIENTS = "(clients)"
MILLISECOND = 1_000_000


def page(judged: Judged) -> str:
    """The page as text."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    judgement = judged.judgement
    rows = [
        {
            "title": anomaly.title,
            "meaning": anomaly.meaning,
            "proven": proven,
            "possible": possible,
            "property": anomaly.property,
            "mechanisms": ", ".join(cause_of(anomaly).mechanisms),
        }
        for anomaly, proven, possible in judgement.counts
    ]
    return environment.get_template("judgement.html.jinja").render(
        verdict=judged.verdict,
        headline=verdict_lines(judged),
        rows=rows,
        facts=f"{judgement.events:,} events of {judgement.tasks:,} tasks over {seconds(judgement.watched)}",
        files=judged.reading.formats,
        data=Markup(json.dumps(_data(judged), separators=(",", ":")).replace("</", "<\\/")),
    )


def _data(judged: Judged) -> dict[str, Any]:
    """Lanes, events [milliseconds, lane, kind, task, place], runs [lane, from, to, task, proven], faults, findings."""
    table, judgement = judged.reading.table, judged.judgement
    found = {each.task for each in judgement.findings if each.proven}
    shown = {each.task for each in judgement.findings}
    partial = len(table) > EVENTS_MAX
    first = min(table.time)
    lanes: dict[str, int] = {CLIENTS: 0}
    events, runs, tasks = [], [], []
    rows = table.ordered()
    for number, part in table.by_task(rows):
        if number == NOTHING:
            continue
        name = table.tasks.texts[number]
        if partial and name not in shown:
            continue
        tasks.append(name)
        line = Timeline(name, table.events(part.tolist()))
        for event in line.events:
            lane = lanes.setdefault(event.worker or CLIENTS, len(lanes))
            events.append([_ms(event.time - first), lane, int(event.what), len(tasks) - 1, event.line])
        for run in line.runs:
            if run.start is not None:
                lane = lanes.setdefault(run.start.worker or CLIENTS, len(lanes))
                end = None if run.end is None else _ms(run.end.time - first)
                runs.append([lane, _ms(run.start.time - first), end, len(tasks) - 1])
    events.sort(key=lambda event: event[0])
    return {
        "lanes": list(lanes),
        "tasks": tasks,
        "bad": [number for number, name in enumerate(tasks) if name in found],
        "events": events,
        "runs": runs,
        "faults": _faults(table, lanes, first),
        "kinds": [VERBS[what] for what in What],
        "last": _ms(max(table.time) - first),
        "partial": partial,
        "findings": [
            {
                "title": each.anomaly.title,
                "task": each.task,
                "certainty": each.certainty.value,
                "text": each.text,
                "events": [[_ms(event.time - first), event_text(event), event.place] for event in each.events],
            }
            for each in judgement.findings[:FINDINGS_MAX]
        ],
        "more": max(0, len(judgement.findings) - FINDINGS_MAX),
    }


def _faults(table: EventTable, lanes: dict[str, int], first: int) -> list[list[Any]]:
    """The faults as bands [lane or -1, from, to or None, name]; a pause ends with its resumption."""
    bands: list[list[Any]] = []
    rows = [row for row in range(len(table)) if table.what[row] == What.FAULT]
    for event in table.events(sorted(rows, key=lambda row: table.time[row])):
        lane = lanes.setdefault(event.worker, len(lanes)) if event.worker is not None else -1
        name, at = (event.value or "kill").lower(), _ms(event.time - first)
        if name in ("resume", "resumed", "start", "restart", "heal"):
            band = next((band for band in reversed(bands) if band[0] == lane and band[2] is None), None)
            if band is not None:
                band[2] = at
                continue
        bands.append([lane, at, None, name])
    return bands


def _ms(nanoseconds: int) -> float:
    return round(nanoseconds / MILLISECOND, 3)
