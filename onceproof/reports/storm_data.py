"""The outcome of `storm` as data: JSON, and JUnit XML with a case for each fault and claim."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from onceproof.conformance.judging.anomalies import Finding
from onceproof.conformance.storms.outcomes import Claim, Shown
from onceproof.conformance.storms.storm import Row
from onceproof.reports.storm_outcome import Stormed
from onceproof.reports.storm_text import again, explaining, fault_title, row_lines, subject, verdict_lines


def document(report: Stormed) -> dict[str, Any]:
    """The one JSON document."""
    result, profile = report.result, report.profile
    return {
        "file": str(result.file),
        "profile": str(profile.path) if profile is not None else None,
        "system": report.title,
        "verdict": report.verdict.value,
        "expected": report.expect.value if report.expect is not None else None,
        "lease": {
            "seconds": result.lease.seconds,
            "stated": result.lease.stated,
            "confirmed": result.lease.confirmed,
        },
        "seed": result.options.seed,
        "seconds": round(result.seconds, 3),
        "stopped": result.stopped or None,
        "facts": result.facts,
        "settings": list(profile.settings) if profile is not None else [],
        "notes": result.notes,
        "rows": [_row(report, row) for row in report.rows],
        "random": _gusts(report),
        "ledgers": [str(path) for path in result.ledgers],
    }


def _row(report: Stormed, row: Row) -> dict[str, Any]:
    prediction = row.prediction
    found = prediction.counterexample if prediction is not None else None
    return {
        "fault": row.schedule.fault.value,
        "moment": row.schedule.moment.value,
        "traffic": row.schedule.traffic,
        "schedule": str(row.schedule),
        "claim": row.claim.value,
        "predicted": prediction.verdict.value if prediction is not None else None,
        "standing": row.standing.value,
        "applies": row.applies,
        "broken": row.count(Shown.BROKEN),
        "held": row.count(Shown.HELD),
        "unknown": row.count(Shown.UNKNOWN),
        "why_unknown": row.why or None,
        "second_start_after_seconds": [t.this.redelivery for t in row.tried if t.this.redelivery is not None],
        "counterexample": [step.action for step in found.trace.steps] if found is not None else None,
        "explained_by": explaining(report, row) if row.shown is Shown.BROKEN else [],
        "remedies": [
            {"setting": each.change.setting, "tries": each.tries, "broken": each.broken}
            for each in report.remedies_of(row)
        ],
        "findings": [_finding(each) for each in row.findings],
        "again": again(report, row),
    }


def _finding(each: Finding) -> dict[str, Any]:
    events = [{"time": e.time, "what": e.what.name.lower(), "worker": e.worker, "line": e.line} for e in each.events]
    return {"anomaly": each.anomaly.name, "task": each.task, "text": each.text, "events": events}


def _gusts(report: Stormed) -> dict[str, Any] | None:
    gusts = report.result.gusts
    if gusts is None:
        return None
    return {
        "seconds": gusts.seconds,
        "tasks": len(gusts.tasks),
        "accepted": gusts.owed,
        "finished": gusts.finished,
        "faults": dict(gusts.faults),
        "claims": {
            claim.value: {"shown": gusts.shown(claim)[0].value, "tasks": gusts.shown(claim)[1]} for claim in Claim
        },
    }


def write_junit(path: Path, reports: Sequence[Stormed]) -> None:
    """Write the report; OSError where that is impossible. What is unknown is skipped, with its reason."""
    root = ElementTree.Element("testsuites", name="onceproof storm")
    for report in reports:
        root.append(_suite(report))
    ElementTree.indent(root)
    path.write_bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n")


def _suite(report: Stormed) -> ElementTree.Element:
    suite = ElementTree.Element("testsuite", name=subject(report), hostname="localhost")
    counts = {"tests": 0, "failures": 0, "skipped": 0}
    for row in report.rows:
        counts["tests"] += 1
        traffic = " with other traffic" if row.schedule.traffic else ""
        name = f"{fault_title(row.schedule)} ({row.schedule.moment}){traffic}: {row.claim}"
        seconds = sum(each.seconds for each in row.tried)
        case = ElementTree.SubElement(suite, "testcase", name=name, classname="storm", time=f"{seconds:.3f}")
        text = "\n".join(row_lines(report, row))
        if report.fails(row):
            counts["failures"] += 1
            ElementTree.SubElement(case, "failure", message=row.standing.value).text = text
        elif row.shown is Shown.UNKNOWN:
            counts["skipped"] += 1
            ElementTree.SubElement(case, "skipped", message=row.why or "unknown")
        else:
            ElementTree.SubElement(case, "system-out").text = text
    suite.attrib.update({key: str(count) for key, count in counts.items()})
    ElementTree.SubElement(suite, "system-out").text = "\n".join(verdict_lines(report))
    return suite
