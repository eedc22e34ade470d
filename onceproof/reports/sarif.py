"""The result of a check as SARIF 2.1.0, which code review tools show at the property's line in the model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

from onceproof.explain.explanation import Explanation, explain
from onceproof.model.language.declare import Property
from onceproof.reports.check_outcome import Outcome
from onceproof.reports.junit import judged

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {"unknown": "warning", "vacuous": "warning"}  # all else is an error


def write_sarif(path: Path, outcomes: Sequence[Outcome]) -> None:
    """Write the report; OSError where that is impossible."""
    path.write_text(json.dumps(sarif(outcomes), indent=1) + "\n", encoding="utf-8")


def sarif(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """A log with one run: a rule for each property, a result for each that is not as its spec expects."""
    rules: dict[str, dict[str, Any]] = {}
    results = []
    for outcome in outcomes:
        for name, result in _results(outcome):
            claim = outcome.spec.model.properties.get(name)
            rules.setdefault(name, _rule(name, claim))
            results.append(result | {"ruleId": name, "ruleIndex": list(rules).index(name)})
    driver = {"name": "onceproof", "version": version("onceproof"), "rules": list(rules.values())}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": results,
        "invocations": [{"executionSuccessful": all(o.result.complete for o in outcomes)}],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(name: str, claim: Property | None) -> dict[str, Any]:
    about = " ".join(claim.doc.split()) if claim else "The spec is met as it stands."
    return {"id": name, "name": name, "shortDescription": {"text": about or name}}


def _results(outcome: Outcome) -> list[tuple[str, dict[str, Any]]]:
    found = []
    for result in outcome.result.properties:
        problem = judged(outcome, result)
        if problem is None:
            continue
        what, message = problem
        claim = outcome.spec.model.properties.get(result.name)
        place = _place(*claim.line) if claim else _place(str(outcome.spec.path), 1)
        explanation = explain(result.counterexample) if result.counterexample else None
        text = [f"{result.name}: {message} (spec {outcome.spec.name})", *(explanation.because if explanation else [])]
        found.append((result.name, _result(outcome, what, text, place, explanation)))
    if outcome.disagreement and not found:
        place = _place(str(outcome.spec.path), 1)
        found.append(("expectation", _result(outcome, "expectation", [outcome.disagreement], place, None)))
    return found


def _result(
    outcome: Outcome, what: str, text: list[str], place: dict[str, Any], explanation: Explanation | None
) -> dict[str, Any]:
    result: dict[str, Any] = {
        "level": LEVELS.get(what, "error"),
        "kind": "fail",
        "message": {"text": "\n".join(text)},
        "locations": [{"physicalLocation": place}],
        "relatedLocations": [{"id": 1, "physicalLocation": _place(str(outcome.spec.path), 1)}],
        "properties": {"spec": outcome.spec.name, "problem": what},
    }
    if explanation is not None and explanation.steps:
        result["codeFlows"] = [{"threadFlows": [{"locations": _flow(explanation)}]}]
    return result


def _flow(explanation: Explanation) -> list[dict[str, Any]]:
    """The steps, each at the line of its action, so that a reader can step through the counterexample."""
    locations = []
    for step in explanation.steps:
        place = _place(*explanation.trace.system.model.actions[step.action].line)
        text = f"{step.index}. {'FAULT ' if step.fault else ''}{step.actor} {step.call}"
        locations.append({"location": {"physicalLocation": place, "message": {"text": text}}})
    return locations


def _place(file: str, line: int) -> dict[str, Any]:
    path = Path(file).resolve()
    here = Path.cwd()
    # Relative to where the check runs, as code review tools want it; elsewhere only the whole path says which file.
    uri = quote(path.relative_to(here).as_posix()) if path.is_relative_to(here) else path.as_uri()
    return {"artifactLocation": {"uri": uri}, "region": {"startLine": line}}
