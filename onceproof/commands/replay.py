"""Replay traces of the model on a system, and compare their states after every step."""

from __future__ import annotations

import json
import shlex
from functools import partial
from pathlib import Path

import click

from onceproof.api.claims import try_mechanisms
from onceproof.api.replay import MOST_STATES, cover, replay
from onceproof.commands._driving import (
    answer_option,
    driver_option,
    driving,
    ending_on_signals,
    junit_option,
    keeping_trace,
)
from onceproof.commands._pairs import run_pairs
from onceproof.commands._progress import StepProgress
from onceproof.commands._specs import Settings, given_spec, settings_options
from onceproof.commands._traces import TraceTarget, model_option, trace_option
from onceproof.conformance.coverage.run import REFUSALS, Budget
from onceproof.conformance.driver import Interruption, setting_of
from onceproof.conformance.drivers import CORE
from onceproof.errors import Exit, InputError, require_writable
from onceproof.inputs.itf import TraceFile, read_trace
from onceproof.inputs.models import resolve
from onceproof.inputs.specs import Spec
from onceproof.model.language import System, build
from onceproof.reports.claims import claims_lines, not_covered
from onceproof.reports.conformance import again_command, mapping_json, mapping_lines
from onceproof.reports.conformance_junit import write_junit
from onceproof.reports.coverage import coverage_extent, coverage_lines
from onceproof.reports.replay import Agreement, replay_lines

EXITS = {
    Agreement.AGREES: Exit.AS_EXPECTED,
    Agreement.VIOLATED: Exit.VIOLATED,
    Agreement.DIFFERS: Exit.VIOLATED,
    Agreement.FLAKY: Exit.VIOLATED,
    Agreement.UNDECIDED: Exit.UNDECIDED,
}
POSITIVE = click.IntRange(min=1)


@click.command(short_help=__doc__)
@click.argument("trace", required=False, type=click.Path(path_type=Path))
@model_option
@click.option(
    "--cover",
    "spec",
    type=click.Path(path_type=Path),
    metavar="SPEC",
    help="Cover every transition of this spec (or model: FILE.py) instead of replaying a trace.",
)
@click.option(
    "--mechanisms",
    "claims",
    type=click.Path(path_type=Path),
    metavar="SPEC",
    help="Try each mechanism that the driver claims under this spec, by the shortest trace that tells.",
)
@click.option(
    "--pairs",
    "paired",
    type=click.Path(path_type=Path),
    metavar="SPEC",
    help="Cover every pair of faults of this spec's model, each at the least sizes at which both can happen.",
)
@partial(settings_options, mechanism=["--mechanism"])
@driver_option
@answer_option
@click.option(
    "--forbidden", multiple=True, metavar="STEP", help="Ask for this step after TRACE; the system must refuse it."
)
@click.option("--explain-mapping", is_flag=True, help="Only print how observations are mapped to the model's state.")
@click.option("--max-seconds", type=click.FloatRange(min=0, min_open=True), help="Time limit for --cover and --pairs.")
@click.option("--max-steps", type=POSITIVE, help="Step limit for --cover and --pairs.")
@click.option(
    "--max-states",
    type=POSITIVE,
    default=MOST_STATES,
    show_default=True,
    help="State limit for the exploration of the spec; what lies beyond is not covered.",
)
@click.option("--sample", type=POSITIVE, metavar="N", help="Walk only N of the paths of --cover, chosen by --seed.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Random seed.")
@click.option("--symmetric", is_flag=True, help="Of transitions that are equal up to renaming, cover only one.")
@click.option("--crash-points", is_flag=True, help="Then have processes die at each point of each action.")
@click.option("--store-failures", is_flag=True, help="Then have the store refuse at each point of each action.")
@click.option("--group-commits", is_flag=True, help="Then have processes do two actions in one commit, and die in it.")
@click.option(
    "--refusals",
    type=click.IntRange(min=0),
    default=REFUSALS,
    show_default=True,
    metavar="N",
    help="Number of forbidden steps to ask for at each new state; the system must refuse them.",
)
@trace_option("Write the run that disagrees as ITF, to a file, to - (stdout) or into FOLDER/.")
@junit_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")
@click.option("--quiet", is_flag=True, help="Print only a disagreement, and no progress.")
def command(
    trace: Path | None,
    model: str | None,
    spec: Path | None,
    claims: Path | None,
    paired: Path | None,
    settings: Settings,
    driver: str,
    answer_seconds: float,
    forbidden: tuple[str, ...],
    explain_mapping: bool,
    max_seconds: float | None,
    max_steps: int | None,
    max_states: int,
    sample: int | None,
    seed: int,
    symmetric: bool,
    crash_points: bool,
    store_failures: bool,
    group_commits: bool,
    refusals: int,
    trace_out: TraceTarget | None,
    junit: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Replay TRACE (an ITF file) against a system, cover every transition of a spec or every pair of faults, or try
    what a driver claims.

    Model and system take each step together, and their states must be the same after it. The system must refuse what
    the model forbids. Exit status: 0 they agree; 1 they do not, or the system followed a counterexample to its end, so
    that the property is violated there; 2 wrong trace, spec or driver; 3 undecided.
    """
    if trace_out is not None:
        trace_out.prepare(as_json)
    require_writable(junit)
    path = spec or claims or paired
    if path is None and settings.written:
        raise InputError(f"replay: {settings.written[0]} goes with --cover: a trace says how its model is built")
    given = None if path is None else given_spec(path, settings)
    if explain_mapping:
        _explain(trace, model, given, driver, answer_seconds, as_json)
    elif [trace, spec, claims, paired].count(None) != 3:
        raise InputError("replay: give either a TRACE, --cover SPEC, --pairs SPEC or --mechanisms SPEC")
    elif claims is not None and given is not None:
        _try_claims(given, driver, answer_seconds, junit, as_json, quiet)
    elif trace is not None:
        _replay(read_trace(trace, model), model, driver, answer_seconds, forbidden, trace_out, junit, as_json, quiet)
    elif given is not None:
        asked = (
            (crash_points, Interruption.DEATH),
            (store_failures, Interruption.REFUSAL),
            (group_commits, Interruption.GROUP),
        )
        ways = tuple(how for wanted, how in asked if wanted)
        budget = Budget(max_seconds, max_steps, max_states, refusals, sample, seed, symmetric, ways)
        drive = _cover if paired is None else run_pairs
        verdict = drive(given, driver, answer_seconds, budget, trace_out, junit, as_json, quiet)
        raise click.exceptions.Exit(EXITS[verdict])


def _explain(
    trace: Path | None, model: str | None, spec: Spec | None, driver: str, answer_seconds: float, as_json: bool
) -> None:
    system: System
    if trace is not None:
        system = read_trace(trace, model).trace.system
    else:
        system = spec.system if spec is not None else build(resolve(None, Path()).model)
    with driving(driver, answer_seconds) as driven:
        abilities = driven.reset(setting_of(system))
    if as_json:
        click.echo(json.dumps(mapping_json(abilities, system), indent=2))
    else:
        click.echo("\n".join(mapping_lines(abilities, system)))


def _replay(
    read: TraceFile,
    model: str | None,
    driver: str,
    answer_seconds: float,
    forbidden: tuple[str, ...],
    trace_out: TraceTarget | None,
    junit: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    with ending_on_signals():
        report = replay(read, driver, forbidden=forbidden, answer_seconds=answer_seconds)
    found, replayed = report.disagreement, report.replayed
    if found is not None and trace_out is not None:
        trace_out.save(read.source, read.spec_name, replayed.failing)
    options = ["--model", model] if model else []
    again = again_command(read.path, found, replayed.failing, driver, options) if found is not None else ""
    if junit is not None:
        lines = list(replay_lines(replayed, again, quiet=False))
        extent = f"{replayed.result.steps} of {len(replayed.trace)} steps"
        write_junit(junit, "replay", replayed.name, report.verdict, lines, replayed.result.abilities.replaced, extent)
    if as_json:
        click.echo(json.dumps(report.to_json(), indent=2))
    else:
        for line in replay_lines(replayed, again, quiet=quiet):
            click.echo(line, err=_aside(trace_out))
    raise click.exceptions.Exit(EXITS[report.verdict])


def _try_claims(spec: Spec, driver: str, answer_seconds: float, junit: Path | None, as_json: bool, quiet: bool) -> None:
    with ending_on_signals():
        report = try_mechanisms(spec, driver, answer_seconds=answer_seconds)
    if junit is not None:
        lines = list(claims_lines(spec.name, report.claims, quiet=False))
        extent = f"{len(report.claims)} claims tried, {len(report.refuted)} refuted"
        write_junit(junit, "replay --mechanisms", spec.name, report.verdict, lines, not_covered(report.claims), extent)
    if as_json:
        click.echo(json.dumps(report.to_json(), indent=2))
    else:
        for line in claims_lines(spec.name, report.claims, quiet=quiet):
            click.echo(line)
    raise click.exceptions.Exit(EXITS[report.verdict])


def _cover(
    spec: Spec,
    driver: str,
    answer_seconds: float,
    budget: Budget,
    trace_out: TraceTarget | None,
    junit: Path | None,
    as_json: bool,
    quiet: bool,
) -> Agreement:
    with StepProgress(spec.name, quiet or as_json) as progress, ending_on_signals(), keeping_trace(spec, trace_out):
        report = cover(
            spec,
            driver,
            max_seconds=budget.max_seconds,
            max_steps=budget.max_steps,
            max_states=budget.max_states,
            negative_tests=budget.refusals,
            sample=budget.sample,
            seed=budget.seed,
            symmetric=budget.symmetric,
            crash_points=Interruption.DEATH in budget.interruptions,
            store_failures=Interruption.REFUSAL in budget.interruptions,
            group_commits=Interruption.GROUP in budget.interruptions,
            answer_seconds=answer_seconds,
            progress=progress.report,
            keep_partial=True,
        )
    found = report.coverage
    path, options = None, list[str]()
    if found.trace is not None and trace_out is not None:
        path, options = trace_out.save(spec.source, spec.name, found.trace)
    again = _same_command(spec, driver, budget)
    interrupted = any(one.disagreement is not None for one in found.interrupted)
    if found.disagreement is not None and found.trace is not None and not interrupted:
        again = again_command(path, found.disagreement, found.trace, driver, options) or again
    if junit is not None:
        lines = list(coverage_lines(spec, found, budget, again, quiet=False))
        extent = coverage_extent(found)
        write_junit(junit, "replay --cover", spec.name, report.verdict, lines, found.replaced, extent)
    if as_json:
        click.echo(json.dumps(report.to_json(), indent=2))
    else:
        for line in coverage_lines(spec, found, budget, again, quiet=quiet):
            click.echo(line, err=_aside(trace_out))
    return report.verdict


def _aside(trace_out: TraceTarget | None) -> bool:
    """Whether the report goes to stderr, because a trace goes to stdout."""
    return trace_out is not None and trace_out.stdout


def _same_command(spec: Spec, driver: str, budget: Budget) -> str:
    parts = ["onceproof", "replay", "--cover", str(spec.path), *spec.options]
    if driver != CORE:
        parts += ["--driver", driver]
    if Interruption.DEATH in budget.interruptions:
        parts.append("--crash-points")
    if Interruption.REFUSAL in budget.interruptions:
        parts.append("--store-failures")
    if Interruption.GROUP in budget.interruptions:
        parts.append("--group-commits")
    return " ".join([*map(shlex.quote, parts), "--trace-out", "FILE.itf.json"])
