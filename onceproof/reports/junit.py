"""The result of a check as JUnit XML, which CI systems read: one test case for each spec and property."""

from __future__ import annotations

import datetime
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path

from onceproof.model.checker.results import PropertyResult, Verdict
from onceproof.model.language.declare import LIVENESS
from onceproof.reports.check_outcome import Outcome
from onceproof.reports.stops import stop_text
from onceproof.reports.style import unstyle
from onceproof.reports.trace_text import counted, explanation_lines


def write_junit(path: Path, outcomes: Sequence[Outcome]) -> None:
    """Write the report; OSError where that is impossible."""
    root = ElementTree.Element("testsuites", name="onceproof check")
    totals = {"tests": 0, "failures": 0, "errors": 0}
    for outcome in outcomes:
        suite = _suite(outcome)
        root.append(suite)
        for key in totals:
            totals[key] += int(suite.attrib[key])
    root.attrib.update({key: str(count) for key, count in totals.items()})
    root.set("time", f"{sum(outcome.result.seconds for outcome in outcomes):.3f}")
    ElementTree.indent(root)
    path.write_bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n")


def _suite(outcome: Outcome) -> ElementTree.Element:
    spec, result = outcome.spec, outcome.result
    suite = ElementTree.Element("testsuite", name=spec.name, timestamp=_now(), hostname="localhost")
    facts = {
        "file": str(spec.path),
        "engine": result.engine,
        "expected": str(spec.expect),
        "verdict": outcome.limits,
        "within": result.within,
        "states": str(result.states),
        "transitions": str(result.transitions),
        "depth": str(result.depth),
        "finished_depth": str(result.bound),
    }
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in facts.items():
        ElementTree.SubElement(properties, "property", name=name, value=value)
    cases = [_case(outcome, found) for found in result.properties]
    if outcome.disagreement and not any(case.find("failure") is not None for case in cases):
        # A failure that belongs to no property, such as a fault that never happened.
        case = ElementTree.Element("testcase", classname=spec.name, name="as expected", time="0.000")
        ElementTree.SubElement(case, "failure", type="expectation", message=outcome.disagreement)
        cases.append(case)
    suite.extend(cases)
    suite.set("tests", str(len(cases)))
    suite.set("failures", str(sum(case.find("failure") is not None for case in cases)))
    suite.set("errors", str(sum(case.find("error") is not None for case in cases)))
    suite.set("time", f"{result.seconds:.3f}")
    ElementTree.SubElement(suite, "system-out").text = "\n".join(outcome.vacuous) or None
    ElementTree.SubElement(suite, "system-err").text = stop_text(result.stopped) or None
    return suite


def _now() -> str:
    """The time in the form that the JUnit schema allows: without fractions and time zone."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _case(outcome: Outcome, found: PropertyResult) -> ElementTree.Element:
    case = ElementTree.Element("testcase", classname=outcome.spec.name, name=found.name, time="0.000")
    problem = judged(outcome, found)
    if problem is None:
        return case
    what, message = problem
    tag = ElementTree.SubElement(case, "error" if what == "unknown" else "failure", type=what, message=message)
    if found.counterexample is not None and found.counterexample is outcome.counterexample and outcome.explanation:
        again = f"onceproof check {outcome.spec.asked}"
        tag.text = unstyle("\n".join(explanation_lines(outcome.explanation, again, width=140)))
    return case


def judged(outcome: Outcome, found: PropertyResult) -> tuple[str, str] | None:
    """How the result of one property differs from its spec, as (kind, sentence); None where it does not.

    The kinds: violated, holds (though expected to break), length (of the counterexample), vacuous, unknown.
    """
    expect = outcome.spec.expect
    if found.kind == "sometimes":
        if found.verdict is Verdict.UNKNOWN:
            return "unknown", f"not seen up to depth {outcome.result.bound}"
        return ("vacuous", found.vacuous) if found.vacuous and not expect.violated else None
    if found.verdict is Verdict.UNKNOWN:
        if found.kind in LIVENESS and outcome.result.outside:
            return "unknown", f"runs that leave {outcome.result.within} are not followed"
        judged_not = found.kind in LIVENESS and outcome.result.complete
        return "unknown", "not judged" if judged_not else outcome.result.bounded
    if found.verdict is Verdict.VIOLATED:
        length = len(found.counterexample.trace) if found.counterexample else 0
        if not expect.violated:
            return "violated", f"violated in {counted(length, 'step')}"
        if expect.length not in (None, length) and found.name == expect.violated[0]:
            return "length", f"the counterexample has {length} steps, expected {expect.length}"
        return None
    if found.name in expect.violated:
        return "holds", "holds, but is expected to be violated"
    return ("vacuous", found.vacuous) if found.vacuous and not expect.violated else None
