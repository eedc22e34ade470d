"""What `storm platform` prints: what was done, each claim with whether it held, and the story of what did not."""

from __future__ import annotations

from typing import Any

from onceproof.conformance.reference.storm.run import PlatformStorm
from onceproof.conformance.reference.storm.verdict import Claim
from onceproof.model.checker.results import Verdict
from onceproof.reports.style import style
from onceproof.reports.trace_text import counted

STORIES = 3  # of each claim; --json has all


def verdict_of(result: PlatformStorm) -> Verdict:
    """Violated where a claim is false; unknown where the storm did not try what it meant to."""
    if result.faults:
        return Verdict.VIOLATED
    return Verdict.UNKNOWN if result.interrupted or result.untested else Verdict.HOLDS


def report_lines(result: PlatformStorm) -> list[str]:
    """The whole report."""
    tasks, ended = len(result.evidence.submitted), result.ended
    how = ", ".join(f"{count} {status.lower()}" for status, count in ended.most_common())
    lines = [
        f"storm on the reference platform ({result.on}), seed {result.seed}, {result.folder}",
        f"tasks: {tasks}, of two users and two functions; {how or 'none has ended'}",
        f"strikes: {len(result.evidence.strikes)}" + "".join(f"; {what}: {n}" for what, n in result.strikes.items()),
        f"redeliveries: {result.redelivered}",
        "",
    ]
    for claim in Claim:
        broken = result.broken(claim)
        said = style("BROKEN", fg="red", bold=True) if broken else style("held", fg="green")
        lines.append(f"{said}  {claim}" + (f" ({counted(len(broken), 'time')})" if broken else ""))
    for claim in Claim:
        lines += _stories(result, claim)
    return [*lines, "", *verdict_lines(result)]


def verdict_lines(result: PlatformStorm) -> list[str]:
    """The verdict, and how to see it again."""
    again = f"again: onceproof storm platform --on {result.on} --seconds {result.seconds:g} --seed {result.seed}"
    match verdict_of(result):
        case Verdict.VIOLATED:
            claims = sum(bool(result.broken(claim)) for claim in Claim)
            return [f"{counted(claims, 'claim')} of {len(Claim)} broken", again]
        case Verdict.UNKNOWN:
            why = ["interrupted"] if result.interrupted else []
            return [f"undecided: {'; '.join([*why, *result.untested])}"]
        case _:
            return ["every claim held"]


def document(result: PlatformStorm) -> dict[str, Any]:
    """The document of ``--json``."""
    return {
        "on": result.on,
        "seed": result.seed,
        "seconds": result.seconds,
        "folder": str(result.folder),
        "verdict": verdict_of(result).value,
        "tasks": len(result.evidence.submitted),
        "ended": dict(result.ended),
        "strikes": dict(result.strikes),
        "redeliveries": result.redelivered,
        "interrupted": result.interrupted,
        "untested": result.untested,
        "claims": {claim.value: not result.broken(claim) for claim in Claim},
        "faults": [
            {"claim": fault.claim.value, "task": fault.task, "text": fault.text, "story": story}
            for fault, story in zip(result.faults, result.stories, strict=True)
        ],
    }


def _stories(result: PlatformStorm, claim: Claim) -> list[str]:
    found = [(fault, story) for fault, story in zip(result.faults, result.stories, strict=True) if fault.claim is claim]
    lines = ["", style(f"{claim}:", bold=True)] if found else []
    for fault, story in found[:STORIES]:
        lines.append(f"  {fault.task}: {fault.text}" if fault.task else f"  {fault.text}")
        lines += [f"    {line}" for line in story]
    if len(found) > STORIES:
        lines.append(f"  and {len(found) - STORIES} more (--json has all)")
    return lines
