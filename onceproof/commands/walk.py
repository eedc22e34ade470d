"""Take random runs of a spec that is too large to explore; estimates how much of it was seen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from onceproof.api.swarm import SwarmReport
from onceproof.api.swarm import swarm as swarm_of
from onceproof.api.walk import WalkReport, walk
from onceproof.commands._options import parse_address
from onceproof.commands._progress import ProgressLine
from onceproof.commands._specs import Settings, given_spec, settings_options
from onceproof.commands._traces import TraceTarget, trace_option
from onceproof.errors import Exit, InputError
from onceproof.inputs.specs import Spec
from onceproof.model.checker.explicit.random_walk import WalkResult
from onceproof.model.checker.results import INTERRUPTED
from onceproof.model.checker.swarm import SwarmResult

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
@click.option("--runs", type=POSITIVE, help="Maximum number of runs (default: 10000).")
@click.option("--depth", type=POSITIVE, help="Maximum number of steps of a run (default: 100; with --swarm 200).")
@click.option("--engine", type=click.Choice(["auto", "plain", "compiled"]), help="Engine to use (default: auto).")
@click.option("--swarm", is_flag=True, help="Search with many members that differ, and tell what they met by cells.")
@click.option("--members", type=POSITIVE, help="How many members a swarm has (default: 32).")
@click.option(
    "--ray",
    is_flag=False,
    flag_value="local",
    metavar="[ADDRESS]",
    callback=parse_address,
    help="Let the members of a swarm search on the Ray cluster at HOST:PORT (without an address: on one started here).",
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
    runs: int | None,
    depth: int | None,
    engine: str | None,
    swarm: bool,
    members: int | None,
    ray: str | None,
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

    With --swarm, members search depth first instead, each with an order, a depth and a choice of faults of its own, and
    the report counts the states in which a mechanism makes a difference after a fault.
    """
    if trace_out is not None:
        trace_out.prepare(as_json)
    one = given_spec(spec, settings)
    _check_goes_together(swarm, runs, engine, members, ray)
    report: WalkReport | SwarmReport
    with ProgressLine(quiet=quiet) as progress:
        progress.begin(one.name)
        options: dict[str, Any] = {
            "seed": seed,
            "workers": workers,
            "max_seconds": max_seconds,
            "progress": progress.report,
            "keep_partial": True,
        }
        if swarm:
            report = swarm_of(one, members=members or 32, depth=depth or 200, ray=ray, **options)
        else:
            report = walk(one, runs=runs or 10_000, depth=depth or 100, engine=engine or "auto", **options)
    result = report.result
    for note in result.notes:
        click.echo(note, err=True)
    if trace_out is not None and result.violation is not None:
        trace_out.write_all([(one.source, one.name, result.violation)])
    if as_json:
        click.echo(json.dumps(report.to_json(), indent=2))
    else:
        for line in report.lines(quiet=quiet):
            click.echo(line, err=trace_out is not None and trace_out.stdout)
    raise click.exceptions.Exit(exit_status(one, result))


def _check_goes_together(
    swarm: bool, runs: int | None, engine: str | None, members: int | None, ray: str | None
) -> None:
    if swarm and (runs is not None or engine is not None):
        option = "--runs" if runs is not None else "--engine"
        raise InputError(f"walk: {option} does not go with --swarm: a swarm has --members, and compiled code alone")
    if ray is not None and not swarm:
        raise InputError("walk: --ray goes with --swarm")
    if members is not None and not swarm:
        raise InputError("walk: --members goes with --swarm; --runs says how many random runs are taken")


def exit_status(spec: Spec, result: WalkResult | SwarmResult) -> Exit:
    """How the command ends: see its help."""
    if result.violation is not None:
        return Exit.AS_EXPECTED if result.violation.property in spec.expect.violated else Exit.VIOLATED
    interrupted = result.stopped == INTERRUPTED
    return Exit.UNDECIDED if interrupted or spec.expect.violated else Exit.AS_EXPECTED
