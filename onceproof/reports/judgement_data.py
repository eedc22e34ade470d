"""The outcome of `judge` as data: JSON, and JUnit XML with a case for each class of anomaly."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

from onceproof.conformance.judging.anomalies import CLASSES, Finding
from onceproof.conformance.judging.events import Event
from onceproof.explain.anomalies import cause_of
from onceproof.reports.judgement_text import Judged, timeline_lines, verdict_lines


def document(judged: Judged) -> dict[str, Any]:
    """The one JSON document. Times are in seconds, and those of events as in the log, in nanoseconds."""
    judgement = judged.judgement
    return {
        "verdict": judged.verdict,
        "expected": judged.wanted.value,
        "strongest_guarantee": judgement.guarantee.value,
        "tasks": judgement.tasks,
        "events": judgement.events,
        "watched_seconds": judgement.watched / 1e9,
        "unknown_tasks": judgement.unknown,
        "missing": judgement.gaps(judged.wanted),
        "files": [{"file": name, "format": form} for name, form in judged.reading.formats.items()],
        "skipped": [{"reason": reason, "lines": count} for reason, count in judged.reading.skipped.items()],
        "anomalies": [_row(*row) for row in judgement.counts],
        "findings": [_finding(each) for each in judgement.findings],
    }


def _row(anomaly: Any, proven: int, possible: int) -> dict[str, Any]:
    cause = cause_of(anomaly)
    return {
        "name": anomaly.name,
        "title": anomaly.title,
        "meaning": anomaly.meaning,
        "proven": proven,
        "possible": possible,
        "property": anomaly.property,
        "mechanisms": list(cause.mechanisms),
        "spec": cause.spec.name if cause.spec else None,
    }


def _finding(each: Finding) -> dict[str, Any]:
    return {
        "anomaly": each.anomaly.name,
        "certainty": each.certainty.value,
        "task": each.task,
        "text": each.text,
        "events": [_event(event) for event in each.events],
    }


def _event(event: Event) -> dict[str, Any]:
    return {
        "time": event.time,
        "what": event.what.name.lower(),
        "worker": event.worker,
        "attempt": event.attempt,
        "value": event.value,
        "file": event.file,
        "line": event.line,
    }


def write_junit(path: Path, judged: Judged) -> None:
    """Write a case for each class of anomaly, and one for the guarantee; OSError where that is impossible."""
    judgement = judged.judgement
    name = ", ".join(judged.reading.formats)
    suite = ElementTree.Element("testsuite", name=name, hostname="localhost")
    failures = errors = 0
    for anomaly in CLASSES:
        case = ElementTree.SubElement(suite, "testcase", classname="judge", name=anomaly.name, time="0.000")
        found = [each for each in judgement.findings if each.anomaly is anomaly]
        if found:
            proven = sum(each.proven for each in found)
            message = f"{proven} proven, {len(found) - proven} possible"
            part = ElementTree.SubElement(case, "failure" if proven else "error", type=anomaly.name, message=message)
            part.text = "\n".join(line for each in found[:10] for line in timeline_lines(each))
            failures, errors = failures + bool(proven), errors + (not proven)
    case = ElementTree.SubElement(suite, "testcase", classname="judge", name=judged.wanted.value, time="0.000")
    if judged.holds is not True:
        tag = "failure" if judged.holds is False else "error"
        ElementTree.SubElement(case, tag, type=judged.verdict, message=" ".join(verdict_lines(judged)))
        failures, errors = failures + (judged.holds is False), errors + (judged.holds is None)
    totals = {"tests": str(len(CLASSES) + 1), "failures": str(failures), "errors": str(errors)}
    suite.attrib.update(totals)
    root = ElementTree.Element("testsuites", {"name": "onceproof judge", **totals})
    root.append(suite)
    ElementTree.indent(root)
    path.write_bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n")
