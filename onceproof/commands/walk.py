"""Take random runs of a spec that is too large to explore; estimates how much of it was seen."""

from __future__ import annotations

import json
from pathlib import Path

import click

from onceproof.api.walk import walk
from onceproof.commands._progress import ProgressLine
from onceproof.commands._specs import Settings, given_spec, settings_options
from onceproof.commands._traces import TraceTarget, trace_option
from onceproof.errors import Exit
from onceproof.inputs.specs import Spec
from onceproof.model.checker.explicit.random_walk import WalkResult
from onceproof.model.checker.results import INTERRUPTED
from onceproof.reports.walk import walk_lines

POSITIVE = click.IntRange(min=1)


@click.command(short_help=__doc__)
@click.argument("spec", type=click.Path(path_type=Path))
@settings_options
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Random seed: the same seed gives the same runs.",
)
@click.option("--runs", type=POSITIVE, default=10_000, show_default=True, help="Maximum number of runs.")
@click.option("--depth", type=POSITIVE, default=100, show_default=True, help="Maximum number of steps of a run.")
@click.option(
    "--engine",
    type=click.Choice(["auto", "plain", "compiled"]),
    default="auto",
    show_default=True,
    help="Engine to use.",
)
@click.option("--workers", type=POSITIVE, help="Threads of the compiled engine (default: one per processor).")
@click.option("--max-seconds", type=click.FloatRange(min=0, min_open=True), help="Time limit.")
@trace_option("Write the counterexample as ITF, to a file, to - (stdout) or into FOLDER/.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")
@click.option("--quiet", is_flag=True, help="Print only a violation, and no progress.")
def command(
    spec: Path,
    settings: Settings,
    seed: int,
    runs: int,
    depth: int,
    engine: str,
    workers: int | None,
    max_seconds: float | None,
    trace_out: TraceTarget | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Take random runs of SPEC (a spec file or a model, FILE.py), and check every *always* and *step* property.

    A violation is shortened before it is shown. That none is found proves nothing: `check` explores everything. Exit
    status: 0 as expected (or nothing found), 1 a violation that the spec does not expect, 2 wrong input, 3 an expected
    violation was not found, or Ctrl-C.
    """
    if trace_out is not None:
        trace_out.prepare(as_json)
    one = given_spec(spec, settings)
    with ProgressLine(quiet=quiet) as progress:
        progress.begin(one.name)
        report = walk(
            one,
            runs=runs,
            depth=depth,
            seed=seed,
            engine=engine,
            workers=workers,
            max_seconds=max_seconds,
            progress=progress.report,
            keep_partial=True,
        )
    result = report.result
    for note in result.notes:
        click.echo(note, err=True)
    if trace_out is not None and result.violation is not None:
        trace_out.write_all([(one.source, one.name, result.violation)])
    if as_json:
        click.echo(json.dumps(report.to_json(), indent=2))
    else:
        for line in walk_lines(one, result, report.again, quiet=quiet):
            click.echo(line, err=trace_out is not None and trace_out.stdout)
    raise click.exceptions.Exit(exit_status(one, result))


def exit_status(spec: Spec, result: WalkResult) -> Exit:
    """How the command ends: see its help."""
    if result.violation is not None:
        return Exit.AS_EXPECTED if result.violation.property in spec.expect.violated else Exit.VIOLATED
    interrupted = result.stopped == INTERRUPTED
    return Exit.UNDECIDED if interrupted or spec.expect.violated else Exit.AS_EXPECTED
