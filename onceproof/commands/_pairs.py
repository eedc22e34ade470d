"""What ``replay --pairs`` does: cover every pair of faults, each with its share of the time."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import click

from onceproof.api.pairs import cover_pairs
from onceproof.commands._driving import ending_on_signals, keeping_trace
from onceproof.commands._progress import StatusLine
from onceproof.commands._traces import TraceTarget
from onceproof.conformance.coverage.run import Budget
from onceproof.conformance.drivers import CORE
from onceproof.errors import InputError
from onceproof.inputs.specs import Spec
from onceproof.reports.conformance import again_command
from onceproof.reports.conformance_junit import write_junit
from onceproof.reports.pairs import pairs_extent, pairs_json, pairs_lines, pairs_verdict, replaced
from onceproof.reports.replay import Agreement


def run_pairs(
    spec: Spec,
    driver: str,
    answer_seconds: float,
    budget: Budget,
    trace_out: TraceTarget | None,
    junit: Path | None,
    as_json: bool,
    quiet: bool,
) -> Agreement:
    """Cover the pairs, and print the report; InputError for an option that means nothing here."""
    if budget.sample is not None:
        raise InputError("replay: --sample goes with --cover; --pairs shares --max-seconds and --max-steps instead")
    if budget.interruptions:
        raise InputError(
            "replay: --crash-points, --store-failures and --group-commits go with --cover, not with --pairs"
        )
    with StatusLine(quiet or as_json) as line, ending_on_signals(), keeping_trace(spec, trace_out):
        report = cover_pairs(
            spec,
            driver,
            max_seconds=budget.max_seconds,
            max_steps=budget.max_steps,
            max_states=budget.max_states,
            negative_tests=budget.refusals,
            seed=budget.seed,
            symmetric=budget.symmetric,
            answer_seconds=answer_seconds,
            progress=lambda done, total, pair: line.show(f"{spec.name}: {done} of {total} pairs, now {pair}"),
            keep_partial=True,
        )
    found, trace, again = report.found, report.trace, ""
    if trace is not None and report.disagreement is not None:
        path, model = (None, []) if trace_out is None else trace_out.save(spec.source, spec.name, trace)
        again = again_command(path, report.disagreement, trace, driver, model) or _same_command(spec, driver)
    if junit is not None:
        lines = list(pairs_lines(spec.name, found, again, quiet=False))
        write_junit(
            junit, "replay --pairs", spec.name, pairs_verdict(found), lines, replaced(found), pairs_extent(found)
        )
    if as_json:
        click.echo(json.dumps(pairs_json(spec.name, found), indent=2))
    else:
        for text in pairs_lines(spec.name, found, again, quiet=quiet):
            click.echo(text, err=trace_out is not None and trace_out.stdout)
    return report.verdict


def _same_command(spec: Spec, driver: str) -> str:
    parts = ["onceproof", "replay", "--pairs", str(spec.path), *spec.options]
    parts += [] if driver == CORE else ["--driver", driver]
    return " ".join([*map(shlex.quote, parts), "--trace-out", "FILE.itf.json"])
