"""What `storm` prints: the table of faults and claims, why each broken row is broken, and the verdict."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from onceproof.conformance.judging.anomalies import Finding
from onceproof.conformance.storms.outcomes import Claim, Shown
from onceproof.conformance.storms.profile import Topology
from onceproof.conformance.storms.schedule import Schedule
from onceproof.conformance.storms.storm import Row, Standing
from onceproof.conformance.storms.targets import FOLDER
from onceproof.model.checker.results import Verdict
from onceproof.model.protocol.moments import OF_A_TRY
from onceproof.reports.storm_outcome import Stormed
from onceproof.reports.tables import table_lines

# What only schedulers apart from their agents can have: a worker that runs functions itself places nothing.
OF_SCHEDULERS = ("owner_epoch", "sticky_placement")
# What only children apart from the process that pulls messages can do.
OF_CHILDREN = ("child_settles",)
NAMES = {
    "none": "no fault, a task longer than its lease",
    "pause": "worker stopped beyond the lease, then resumed",
    "kill": "worker killed",
    "kill-parent": "parent of the worker killed alone",
    "broker-restart": "broker killed and started again",
    "resubmit": "same ID submitted again",
    "cut": "connection cut",
    "delay": "connection slow",
    "black-hole": "connection swallows everything",
}


def report_lines(report: Stormed) -> list[str]:
    """The whole report."""
    result = report.result
    lines = [f"{report.title}: {facts_line(report)}", ""]
    lines += table_lines(
        ("fault", "moment", "traffic", *(claim.value for claim in Claim), "again after"), cells(report)
    )
    lines += inapplicable_lines(report)
    for row in _explained(report):
        lines += ["", *row_lines(report, row)]
    lines += gust_lines(report)
    lines += [""] + [f"note: {note}" for note in result.notes]
    return [*lines, *verdict_lines(report)]


def facts_line(report: Stormed) -> str:
    """Versions, settings and the lease."""
    broker = report.result.facts.get("broker", "")
    return ", ".join(filter(None, [*_versions(report), broker, f"lease {report.result.lease}"]))


def version(report: Stormed) -> str:
    """The library that runs the tasks, with its version; "" where none is known."""
    return next(iter(_versions(report)), "")


def _versions(report: Stormed) -> list[str]:
    facts = report.result.facts
    return [f"{name} {text}" for name, text in facts.items() if name not in ("broker", "python", "workers")]


def cells(report: Stormed) -> list[tuple[str, ...]]:
    """The table: a line for each schedule, the most valuable first, and a cell for each claim."""
    lines = []
    for schedule in dict.fromkeys(row.schedule for row in report.rows):
        mine = {row.claim: row for row in report.rows if row.schedule == schedule}
        lines.append(
            (
                fault_title(schedule),
                schedule.moment.value,
                "yes" if schedule.traffic else "no",
                *(cell(mine.get(claim)) for claim in Claim),
                after(mine[Claim.AT_MOST_ONCE]),
            )
        )
    return lines


def cell(row: Row | None) -> str:
    """What was seen of one claim under one fault: ``broken 3 of 3``, and what was predicted where that differs."""
    if row is None or not row.applies:
        return "-"
    broken, held, unknown = (row.count(each) for each in (Shown.BROKEN, Shown.HELD, Shown.UNKNOWN))
    seen = [f"broken {broken} of {broken + held}"] if broken else [f"held {held} of {held}"] if held else []
    seen += [f"unknown {unknown}"] if unknown else []
    differs = {Standing.CONTRADICTED: " (predicted to hold!)", Standing.UNOBSERVED: " (predicted broken)"}
    return ", ".join(seen) + differs.get(row.standing, "")


def inapplicable_lines(report: Stormed) -> list[str]:
    """For each fault that cannot be done to this system: why; nothing where all can."""
    found: dict[str, None] = {}
    for schedule in dict.fromkeys(row.schedule for row in report.rows):
        mine = [row for row in report.rows if row.schedule == schedule]
        if not any(row.applies for row in mine):
            found[f"-: {fault_title(schedule)}: {mine[0].why}"] = None
    return list(found)


def fault_title(schedule: Schedule) -> str:
    """A fault, for people."""
    return NAMES[schedule.fault.value] + (f" ({schedule.part} alone)" if schedule.part else "")


def after(row: Row) -> str:
    """How long after the first start the second one came, in seconds; "" where none did."""
    gaps = sorted(each.this.redelivery for each in row.tried if each.this.redelivery is not None)
    if not gaps or row.claim is not Claim.AT_MOST_ONCE:
        return ""
    return f"{gaps[0]:.1f} s" if len(gaps) == 1 else f"{gaps[0]:.1f} to {gaps[-1]:.1f} s"


def _explained(report: Stormed) -> list[Row]:
    """Rows that deserve a paragraph: what is broken, was to be, or nobody can say; of a fault and claim the first."""
    chosen: dict[tuple[str, ...], Row] = {}
    for row in report.rows:
        wanting = row.shown is Shown.UNKNOWN or row.standing is Standing.UNOBSERVED
        if row.shown is Shown.BROKEN or (wanting and row.applies):
            key = (
                row.schedule.fault,
                row.schedule.part,
                row.claim,
                row.standing,
                row.why if row.shown is Shown.UNKNOWN else "",
            )
            chosen.setdefault(key, row)
    return list(chosen.values())


def row_lines(report: Stormed, row: Row) -> list[str]:
    """Why a row is as it is: what was found, in one try its timeline, what explains it, and how to see it again."""
    lines = [f"{fault_title(row.schedule)} ({row.schedule}): {row.claim}: {row.standing}"]
    if row.standing is Standing.UNOBSERVED:
        return [*lines, *(f"  {line}" for line in (*unobserved_lines(row), *explanation(report, row)))]
    if row.shown is not Shown.BROKEN:
        return [*lines, f"  {row.why}"]
    kinds = Counter(found.anomaly.title for found in row.findings)
    lines.append("  " + ", ".join(f"{title} ({count})" for title, count in kinds.items()))
    lines += [f"  {line}" for line in timeline(row.findings[0])]
    lines += [f"  {line}" for line in explanation(report, row)]
    lines += [f"  {remedy}" for remedy in report.remedies_of(row)]
    lines.append(f"  again: {again(report, row)}")
    return lines


def unobserved_lines(row: Row) -> list[str]:
    """What it means that the model can break a claim, and the real system did not."""
    held = row.count(Shown.HELD)
    seen = "the one try did not" if held == 1 else f"none of {held} tries did"
    return [f"the model has a run that breaks it; {seen}: more may (--tries), or the profile claims less than is true"]


def timeline(found: Finding) -> list[str]:
    """What a finding rests on, one line an event."""
    first = found.events[0].time
    return [f"{found.task}: {found.text}"] + [
        f"  {(event.time - first) / 1e9:7.2f} s  {event.what.name.lower()}"
        + (f" by {event.worker}" if event.worker else "")
        + (f" ({event.value})" if event.value else "")
        + f"  {Path(event.file).name}:{event.line}"
        for event in found.events
    ]


def explanation(report: Stormed, row: Row) -> list[str]:
    """The model's own run to the same end, and which mechanism would prevent it."""
    prediction = row.prediction
    if prediction is None or prediction.counterexample is None:
        return []
    steps = [step.action for step in prediction.counterexample.trace.steps]
    missing = explaining(report, row)
    by = f"with {' or '.join(missing)} it would not" if missing else "no single mechanism of the model prevents it"
    return [f"the model: {', '.join(steps)}", by]


def explaining(report: Stormed, row: Row) -> list[str]:
    """The mechanisms that the system does not have, and each of which would prevent the model's counterexample."""
    prediction = row.prediction
    if prediction is None or prediction.counterexample is None:
        return []
    from onceproof.explain.prevention import preventions

    topology = report.profile.topology if report.profile is not None else Topology.SEPARATE
    left_out = set(OF_A_TRY)
    if topology is not Topology.SEPARATE:
        left_out.update(OF_SCHEDULERS)
    if topology is Topology.EMBEDDED:
        left_out.update(OF_CHILDREN)
    found = preventions(prediction.counterexample.trace, prediction.counterexample.property)
    return [each.mechanism for each in found if each.prevents and each.mechanism not in left_out]


def again(report: Stormed, row: Row) -> str:
    """The command that shows it again."""
    options = report.result.options
    pinned = report.profile is not None and report.profile.requirements
    python = f" --python {options.python}" if options.python is not None and not pinned else ""
    return f"onceproof storm {subject(report)}{python} --schedule {row.schedule} --seed {options.seed}"


def subject(report: Stormed) -> str:
    """What a command names to run the same storm: a target, a storm file, or a profile that names one."""
    profile, file = report.profile, report.result.file
    if profile is None or profile.path == file.with_suffix(".yaml"):
        return file.stem if file.parent == FOLDER else str(file)
    if profile.storm_file != file:
        return f"{file} --profile {profile.path}"
    return profile.path.stem if profile.path.parent == FOLDER else str(profile.path)


def gust_lines(report: Stormed) -> list[str]:
    """What a random storm did, and what it showed; nothing where there was none."""
    gusts = report.result.gusts
    if gusts is None:
        return []
    faults = ", ".join(f"{count} {name}" for name, count in sorted(gusts.faults.items())) or "no fault"
    lines = [
        "",
        f"random storm of {gusts.seconds:.0f} s, seed {report.result.options.seed}: {len(gusts.tasks)} tasks"
        f" ({gusts.owed} accepted, {gusts.finished} ended), {faults}",
    ]
    for claim in Claim:
        shown, tasks = gusts.shown(claim)
        many = f" in {tasks} of {len(gusts.tasks)} tasks" if tasks else ""
        kinds = Counter(each.anomaly.title for each in gusts.broken.get(claim, []))
        what = f" ({', '.join(f'{title}: {count}' for title, count in kinds.items())})" if kinds else ""
        lines.append(f"  {claim}: {shown}{many}{what}")
    return lines


def verdict_lines(report: Stormed) -> list[str]:
    """The verdict, with its limits, and where the files are."""
    result = report.result
    counts = Counter(row.standing for row in report.rows if row.applies)
    shown = ", ".join(f"{counts[each]} {each}" for each in Standing if counts[each])
    stopped = f"; {result.stopped}" if result.stopped else ""
    number = len(result.tried)
    tries = f"{number} {'try' if number == 1 else 'tries'} in {result.seconds:.0f} s"
    return [f"{said(report)}: {shown or 'nothing was seen'}; {tries}{stopped}", f"ledgers and logs: {result.folder}"]


# The verdict in words, where what the model predicts is what was expected.
PREDICTED = {
    Verdict.HOLDS: "as the model predicts",
    Verdict.VIOLATED: "not as the model predicts",
    Verdict.UNKNOWN: "as the model predicts, as far as it was seen",
}


def said(report: Stormed) -> str:
    """The verdict as a clause: whether it went as predicted, or whether the wanted guarantee held."""
    if report.expect is None and report.profile:
        return PREDICTED[report.verdict]
    wanted = report.expect.value if report.expect is not None else "exactly once"
    words = {Verdict.HOLDS: "holds in this storm", Verdict.VIOLATED: "violated", Verdict.UNKNOWN: "undecided"}
    return f"{wanted}: {words[report.verdict]}"
