"""Explore specs exhaustively, and compare the result with what each spec expects."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from onceproof.api.check import check
from onceproof.commands._options import EXITS, engine_option, parse_address, parse_size, with_flags
from onceproof.commands._plan import PLAN_SECONDS, print_plans
from onceproof.commands._progress import ProgressLine
from onceproof.commands._specs import Settings, given_specs, settings_options
from onceproof.commands._traces import TraceTarget, trace_option
from onceproof.commands._watch import watch_command
from onceproof.errors import InputError, require_writable
from onceproof.inputs.models import ModelRef
from onceproof.model.checker.results import INTERRUPTED, Counterexample, Limits
from onceproof.reports.check_outcome import Outcome, conclusion, document
from onceproof.reports.check_text import outcome_lines, summary_lines
from onceproof.reports.ways_on import in_bytes

POSITIVE = click.IntRange(min=1)


@click.command(short_help=__doc__)
@click.argument("specs", nargs=-1, required=True, metavar="SPEC...")
@settings_options
@click.option(
    "--watch",
    "watching",
    is_flag=True,
    help="Check again when a spec, its model or an import changes, until Ctrl-C.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")
@click.option("--quiet", is_flag=True, help="Print only what is not as expected, one line each, and no progress.")
@click.option("--all", "everything", is_flag=True, help="Print every counterexample in full, not only the first.")
@engine_option
@click.option("--max-states", type=POSITIVE, help="Stop after this many states.")
@click.option("--max-depth", type=click.IntRange(min=0), help="Explore no further than this many steps.")
@click.option("--max-seconds", type=click.FloatRange(min=0, min_open=True), help="Time limit for each spec.")
@click.option("--workers", type=POSITIVE, help="Threads of the compiled engine (default: one per processor).")
@click.option("--no-symmetry", is_flag=True, help="Compiled engine: do not use symmetry reduction.")
@click.option(
    "--max-memory", callback=parse_size, metavar="SIZE", help="Memory limit of the compiled engine: 500M, 4G."
)
@click.option(
    "--fingerprint",
    is_flag=True,
    help="Compiled engine: store a 64-bit hash of each state, at most 12 bytes a state in all; reports the "
    "probability of an error.",
)
@click.option(
    "--checkpoint",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Compiled engine: save a long search to this file.",
)
@click.option(
    "--checkpoint-seconds",
    type=click.FloatRange(min=0.1),
    default=60.0,
    show_default=True,
    help="Seconds between two checkpoints.",
)
@click.option(
    "--resume",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Continue from a checkpoint (it may be the file of --checkpoint).",
)
@click.option(
    "--disk",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Compiled engine: keep the states in this folder, for more than memory holds; the same command goes on "
    "after a kill.",
)
@click.option(
    "--plan",
    "planning",
    is_flag=True,
    help="Explore for --max-seconds (10), and estimate from that how many states there will be, and what they take.",
)
@click.option(
    "--ray",
    is_flag=False,
    flag_value="local",
    metavar="[ADDRESS]",
    callback=parse_address,
    help="Spread the search over the Ray cluster at HOST:PORT (without an address: over one that is started here). "
    "--checkpoint is then a folder that all nodes see; from it a search goes on when a node is lost.",
)
@trace_option("Write the counterexample as ITF: to a file, to - (stdout), or to FOLDER/, one per violated property.")
@click.option(
    "--junit", type=click.Path(path_type=Path, dir_okay=False), help="Write a JUnit XML report, for a CI server."
)
@click.option("--sarif", type=click.Path(path_type=Path, dir_okay=False), help="Write a SARIF report for code review.")
def command(
    specs: tuple[str, ...],
    settings: Settings,
    watching: bool,
    as_json: bool,
    quiet: bool,
    everything: bool,
    trace_out: TraceTarget | None,
    junit: Path | None,
    sarif: Path | None,
    engine: str,
    max_states: int | None,
    max_depth: int | None,
    max_seconds: float | None,
    workers: int | None,
    no_symmetry: bool,
    max_memory: int | None,
    fingerprint: bool,
    checkpoint: Path | None,
    checkpoint_seconds: float,
    resume: Path | None,
    disk: Path | None,
    planning: bool,
    ray: str | None,
) -> None:
    """Explore each SPEC exhaustively: a spec file, a folder with all specs below it, or a model (FILE.py).

    Every reachable state is visited, and every property is checked in it. A limit that is reached makes the verdict
    unknown. Exit status: 0 as expected, 1 not as expected, 2 wrong input, 3 undecided.
    """
    if watching:
        if as_json:
            raise click.UsageError("--watch prints a report each time, and --json one document: give one of them")
        raise click.exceptions.Exit(watch_command(specs))
    if planning:
        others: dict[str, object] = {
            "--trace-out": trace_out,
            "--junit": junit,
            "--sarif": sarif,
            "--checkpoint": checkpoint,
        }
        others |= {"--resume": resume, "--disk": disk, "--fingerprint": fingerprint, "--ray": ray}
        for option, value in others.items():
            if value:
                raise click.UsageError(f"--plan does not check anything: it cannot be given with {option}")
        chosen = Limits(max_states, max_depth, max_seconds or PLAN_SECONDS)
        print_plans(given_specs(specs, settings), chosen, symmetry=not no_symmetry, as_json=as_json)
        raise click.exceptions.Exit(0)
    for file in (junit, sarif, None if ray else checkpoint):
        require_writable(file)
    if trace_out is not None:
        trace_out.prepare(as_json)
    aside = trace_out is not None and trace_out.stdout
    loaded = given_specs(specs, settings)
    if len(loaded) > 1 and (checkpoint or resume):
        raise InputError(f"a checkpoint is of one spec, found {len(loaded)}")
    if len(loaded) > 1 and disk:
        raise InputError(f"a folder of --disk is of one spec, found {len(loaded)}")
    outcomes: list[Outcome] = []
    with ProgressLine(quiet=quiet) as progress:
        for spec in loaded:
            progress.begin(spec.name)
            try:
                report = check(
                    spec,
                    engine=engine,
                    max_states=max_states,
                    max_depth=max_depth,
                    max_seconds=max_seconds,
                    max_memory=max_memory,
                    workers=workers,
                    symmetry=not no_symmetry,
                    fingerprint=fingerprint,
                    checkpoint=checkpoint,
                    resume=resume,
                    checkpoint_seconds=checkpoint_seconds,
                    progress=progress.report,
                    keep_partial=True,
                    at_memory_limit=_offer(progress) if not (quiet or fingerprint or max_seconds or ray) else None,
                    disk=disk,
                    ray=ray,
                )
            except InputError as error:
                raise with_flags(error) from None
            except KeyboardInterrupt:
                if not outcomes:
                    raise
                break  # while the model was read: what was found of the specs before is known
            outcome = report.outcome
            progress.wipe()
            outcomes.append(outcome)
            if not as_json and (not quiet or not outcome.as_expected):
                for line in outcome_lines(outcome, quiet=quiet, alone=len(loaded) == 1, everything=everything):
                    click.echo(line, err=aside)
            if report.stopped == INTERRUPTED:
                break
    if trace_out is not None:
        trace_out.write_all(_counterexamples(outcomes))
    if junit is not None:
        from onceproof.reports.junit import write_junit

        write_junit(junit, outcomes)
    if sarif is not None:
        from onceproof.reports.sarif import write_sarif

        write_sarif(sarif, outcomes)
    if as_json:
        click.echo(json.dumps(document(outcomes, len(loaded)), indent=2))
    elif not quiet:
        click.echo("\n".join(summary_lines(outcomes, not_checked=loaded[len(outcomes) :])), err=aside)
    raise click.exceptions.Exit(EXITS[conclusion(outcomes, len(loaded))])


def _offer(progress: ProgressLine) -> Callable[[int], Path | None] | None:
    """Where somebody sits at a terminal: asks for the file of a checkpoint, before what was found is lost."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None

    def ask(size: int) -> Path | None:
        progress.wipe()
        while True:
            click.echo(
                f"Memory is used up. A checkpoint would take {in_bytes(size)}, and --resume goes on from it.", err=True
            )
            try:
                name = click.prompt("Write it to the file (Enter: to none)", default="", show_default=False, err=True)
                if not name.strip():
                    return None
                require_writable(Path(name.strip()))
                return Path(name.strip())
            except click.Abort:
                return None
            except InputError as error:
                click.echo(str(error), err=True)

    return ask


def _counterexamples(outcomes: Sequence[Outcome]) -> list[tuple[ModelRef, str, Counterexample]]:
    """All counterexamples, of each spec the one that its report shows first."""
    return [(o.spec.source, o.spec.name, found) for o in outcomes for found in o.counterexamples]
