"""What `validate` prints: the verdict over all slices; for each without an explanation why, and what would help."""

from __future__ import annotations

from typing import Any, assert_never

from onceproof.conformance.validation.diagnosis import Diagnosis, Kind, Repair
from onceproof.conformance.validation.search import Explanation
from onceproof.conformance.validation.validate import Validation
from onceproof.explain.blocked import reasons
from onceproof.reports.trace_text import counted

RUN_SHOWN = 6


def report_lines(found: Validation, diagnoses: list[Diagnosis], assumed: list[str], by: str) -> list[str]:
    """The whole report. assumed: actions taken as unlogged because no mapping says; by: the sort of the slices."""
    parts = counted(found.slices, by.lower() if by else "run")
    lines = [f"{counted(found.events, 'event')} of {parts}, {counted(found.nodes, 'node')} searched"]
    if assumed:
        lines.append(f"taken as unlogged, since the log never shows them: {', '.join(assumed)}")
    lines.append("")
    for diagnosis in diagnoses:
        lines += [*diagnosis_lines(diagnosis, by), ""]
    return lines + verdict_lines(found, by)


def verdict_lines(found: Validation, by: str) -> list[str]:
    """The verdict, with what it does not say."""
    of = f"{found.explained:,} of {counted(found.slices, by.lower() if by else 'run')}"
    hidden = sum(found.unlogged.values())
    taken = f"{counted(sum(found.fired.values()), 'step')}, {hidden:,} of them unlogged"
    if found.holds is True:
        lines = [f"the model admits this log: a run explains {of} ({taken})"]
        lines += [
            f"{name} is false along the run that explains {key or 'the log'}" for name, key in found.broken.items()
        ]
        if found.silent:
            lines.append(f"properties that these runs never exercise: {', '.join(found.silent)}")
        if by:
            lines.append(f"each {by.lower()} was validated by itself: what they do to each other was not looked at")
        return lines
    if found.holds is False:
        left = found.slices - found.explained - len(found.refuted) - len(found.undecided)
        rest = f"; {left:,} were not looked at" if left else ""
        return [
            f"the model does not admit this log: {counted(len(found.refuted), 'part')} without an explanation{rest}"
        ]
    why = "interrupted" if found.interrupted else f"{counted(len(found.undecided), 'part')} reached --max-nodes"
    return [f"undecided: a run explains {of}; {why}"]


def diagnosis_lines(diagnosis: Diagnosis, by: str) -> list[str]:
    """Where the search for an explanation ended, what blocks the next events, and what would make the log fit."""
    found = diagnosis.explanation
    head = f"{by.lower()} {found.slice.key}" if by else "the log"
    if not found.complete:
        return [f"{head}: undecided after {counted(found.nodes, 'node')}; --max-nodes allows more"]
    lines = [f"{head}: no run explains it; {found.most} of {counted(found.slice.size, 'event')} are explained at most"]
    lines += [f"  explained last  {_move(move)}" for move in found.run[-RUN_SHOWN:]]
    lines.append(f"  there the model may be in {counted(diagnosis.states, 'state')}")
    shown: set[str] = set()
    for blocked in diagnosis.blocked:
        text = f"  next  {blocked.event.text()}  {blocked.event.place}"
        if text in shown:
            continue
        shown.add(text)
        lines.append(text)
        lines += [f"        not possible: {line}" for line in reasons(found.system, blocked.state, blocked.step)[:4]]
    lines += [f"  explained if {repair_text(repair)}" for repair in diagnosis.repairs]
    if not diagnosis.repairs:
        lines.append("  no single change of the log or of the model was found to explain it")
    if diagnosis.gave_up:
        lines.append("  the search for repairs was cut short: there may be others")
    return lines


def _move(move: Any) -> str:
    if move.event is None:
        return f"{move.step.action} (unlogged)"
    return f"{move.event.text()}  {move.event.place}"


def repair_text(repair: Repair) -> str:
    """One repair, after "explained if"."""
    place = "" if repair.event is None else f" at {repair.event.place}"
    match repair.kind:
        case Kind.MECHANISM:
            return f"the mechanism `{repair.name}` is off"
        case Kind.FAULT:
            return f"the fault `{repair.name}` may happen, which the spec does not allow"
        case Kind.EXTRA:
            return f"the event {repair.name}{place} is one too many"
        case Kind.MISSING:
            return f"an event {repair.name} is missing"
        case Kind.ORDER:
            return f"the event {repair.name}{place} came at another time"
        case Kind.VALUE:
            what = f" (it would be {repair.value})" if repair.value else ""
            return f"`{repair.parameter}` of the event {repair.name}{place} has another value{what}"
        case _:
            assert_never(repair.kind)


def document(found: Validation, diagnoses: list[Diagnosis], assumed: list[str]) -> dict[str, Any]:
    """The one JSON document."""
    return {
        "verdict": {True: "holds", False: "violated", None: "unknown"}[found.holds],
        "events": found.events,
        "parts": found.slices,
        "explained": found.explained,
        "refuted": [each.slice.key for each in found.refuted],
        "undecided": [each.slice.key for each in found.undecided],
        "nodes": found.nodes,
        "steps": [
            {"action": name, "taken": count, "unlogged": found.unlogged[name]} for name, count in found.fired.items()
        ],
        "assumed_unlogged": assumed,
        "never_exercised": found.silent,
        "false_along_a_run": [{"property": name, "part": key} for name, key in found.broken.items()],
        "diagnoses": [_diagnosis(each) for each in diagnoses],
    }


def _diagnosis(each: Diagnosis) -> dict[str, Any]:
    found: Explanation = each.explanation
    return {
        "part": found.slice.key,
        "events": found.slice.size,
        "explained_at_most": found.most,
        "run": [_move(move) for move in found.run],
        "states": each.states,
        "blocked": [
            {"event": b.event.text(), "place": b.event.place, "false": reasons(found.system, b.state, b.step)}
            for b in each.blocked
        ],
        "repairs": [{"kind": r.kind.value, "text": repair_text(r)} for r in each.repairs],
        "repairs_cut_short": each.gave_up,
    }
