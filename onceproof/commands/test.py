"""Test a system against the model with Hypothesis, guided by coverage; failures are shrunk."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import click
from hypothesis.configuration import set_hypothesis_home_dir

from onceproof.commands._driving import answer_option, driver_option, driving, junit_option, keeping_trace
from onceproof.commands._specs import Settings, given_spec, settings_options
from onceproof.commands._traces import TraceTarget, trace_option
from onceproof.conformance.testing.coverage_guided import Effort, Findings, drive
from onceproof.errors import Exit, InputError, require_writable
from onceproof.inputs.specs import Spec
from onceproof.model.checker.compiled.llvm import cache
from onceproof.reports.conformance import again_command
from onceproof.reports.conformance_junit import write_junit
from onceproof.reports.stateful import findings_extent, findings_json, findings_lines, findings_verdict

POSITIVE = click.IntRange(min=1)
DEFAULTS = Effort()


@click.command(short_help=__doc__)
@click.argument("spec", type=click.Path(path_type=Path))
@settings_options
@driver_option
@answer_option
@click.option("--examples", type=POSITIVE, default=DEFAULTS.examples, show_default=True, help="Number of runs.")
@click.option(
    "--steps", type=POSITIVE, default=DEFAULTS.steps, show_default=True, help="Maximum number of steps of a run."
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Random seed.")
@click.option("--max-seconds", type=click.FloatRange(min=0, min_open=True), help="Time limit.")
@click.option(
    "--refusals",
    type=click.IntRange(min=0),
    metavar="N",
    help="Number of forbidden steps to ask for at each new state; the system must refuse them.  [default: 25, fewer "
    "where it is slow]",
)
@trace_option("Write the run that disagrees as ITF, to a file, to - (stdout) or into FOLDER/.")
@junit_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")
@click.option("--quiet", is_flag=True, help="Print only a disagreement.")
def command(
    spec: Path,
    settings: Settings,
    driver: str,
    answer_seconds: float,
    examples: int,
    steps: int,
    seed: int,
    max_seconds: float | None,
    refusals: int | None,
    trace_out: TraceTarget | None,
    junit: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Run a system along the model of SPEC, step by step, for as long as model and system agree.

    What disagrees is shrunk to the fewest faults and steps and replayed; if it does not fail every time, it is
    reported as flaky. Exit status: 0 they agree, 1 they do not (or not always), 2 wrong spec or driver, 3 undecided.
    """
    set_hypothesis_home_dir(cache.folder() / "hypothesis")  # else it makes a folder in the working directory
    if trace_out is not None:
        trace_out.prepare(as_json)
    require_writable(junit)
    loaded = given_spec(spec, settings)
    effort = Effort(examples, steps, seed, max_seconds, refusals)
    with keeping_trace(loaded, trace_out), driving(driver, answer_seconds) as driven:
        found = drive(loaded.system, driven, effort)
    if not found.steps and found.disagreement is None and not found.stopped:
        raise InputError(f"{spec}: the driver performs none of the steps that come first; nothing to test")
    saved: tuple[Path | None, list[str]] = (None, [])
    if found.trace is not None and trace_out is not None:
        saved = trace_out.save(loaded.source, loaded.name, found.trace)
    again = _again(loaded, found, driver, effort, saved)
    if junit is not None:
        lines = list(findings_lines(loaded, found, again, quiet=False))
        extent = findings_extent(found)
        write_junit(junit, "test", loaded.name, findings_verdict(found), lines, found.replaced, extent)
    if as_json:
        click.echo(json.dumps(findings_json(loaded, found, again), indent=2))
    else:
        for line in findings_lines(loaded, found, again, quiet):
            click.echo(line, err=trace_out is not None and trace_out.stdout)
    if found.disagreement is not None:
        raise click.exceptions.Exit(Exit.VIOLATED)
    if found.stopped:
        raise click.exceptions.Exit(Exit.UNDECIDED)


def _again(spec: Spec, found: Findings, driver: str, effort: Effort, saved: tuple[Path | None, list[str]]) -> str:
    if found.disagreement is not None and found.trace is not None and not found.confirmation.flaky:
        path, model = saved
        replay = again_command(path, found.disagreement, found.trace, driver, model)
        if replay:
            return replay
    parts = ["onceproof", "test", str(spec.path), *spec.options, "--seed", str(effort.seed)]
    given = {"driver": driver, "examples": effort.examples, "steps": effort.steps, "refusals": effort.refusals}
    defaults = {"driver": "core", "examples": DEFAULTS.examples, "steps": DEFAULTS.steps, "refusals": DEFAULTS.refusals}
    for name, value in given.items():
        if value != defaults[name]:
            parts += [f"--{name}", str(value)]
    if effort.max_seconds is not None:
        parts += ["--max-seconds", f"{effort.max_seconds:g}"]
    return " ".join(map(shlex.quote, parts))
