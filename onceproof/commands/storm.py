"""Run a real task queue under real faults: which of them run a task twice, or lose it?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from onceproof.commands._driving import ending_on_signals
from onceproof.commands._progress import StatusLine
from onceproof.conformance.judging.anomalies import Guarantee
from onceproof.errors import Exit, require_writable
from onceproof.model.checker.results import Verdict

EXPECTATIONS = {each.name.lower(): each for each in Guarantee if each is not Guarantee.NONE}
STATUSES = {Verdict.HOLDS: Exit.AS_EXPECTED, Verdict.VIOLATED: Exit.VIOLATED, Verdict.UNKNOWN: Exit.UNDECIDED}


SECONDS = click.FloatRange(min=0)


class FileOrCommand(click.Group):
    """A group whose first argument may be a file: ``storm FILE`` is short for ``storm run FILE``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As in click; `run` is put in front of what is not a command."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["run", *args]
        return super().parse_args(ctx, args)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        """The command of this name; `run` where the name is a file's."""
        return super().get_command(ctx, cmd_name) or self.commands["run"]


@click.group(cls=FileOrCommand, short_help=__doc__)
def command() -> None:
    """Run a real task queue under real faults, and say which of them run a task twice, or lose it.

    `onceproof storm FILE` runs the queue that a storm file declares.
    """


@command.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--profile", type=click.Path(path_type=Path), help="What the queue claims.  [default: FILE as .yaml]")
@click.option("--python", type=click.Path(path_type=Path), help="Python, or virtual environment, that FILE runs in.")
@click.option("--schedule", "schedules", multiple=True, metavar="FAULT@MOMENT", help="Only this; can be repeated.")
@click.option("--sweep", "sweeps", is_flag=True, help="Also the other moments of a fault, and faults of the network.")
@click.option(
    "--random",
    "random_seconds",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="SECONDS",
    help="Random faults at the end.",
)
@click.option("--tries", type=click.IntRange(min=1), default=3, show_default=True, help="How often each is tried.")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of random faults.")
@click.option(
    "--max-seconds", type=click.FloatRange(min=0, min_open=True), help="Stop after so long; judge what there is."
)
@click.option("--expect", type=click.Choice(list(EXPECTATIONS)), help="Judge only this guarantee.")
@click.option("--folder", type=click.Path(path_type=Path), help="Where ledgers and logs go.  [default: a new one]")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.option("--junit", type=click.Path(path_type=Path, dir_okay=False), help="Write a JUnit XML report for a CI.")
@click.option("--quiet", is_flag=True, help="Only the verdict, and only if it is not that all holds; no progress.")
def run(
    file: Path,
    expect: str | None,
    as_json: bool,
    junit: Path | None,
    quiet: bool,
    **options: Any,
) -> None:
    """Run the queue of FILE under faults.

    Six scenarios, each without and with other traffic: a task longer than its lease; a worker stopped beyond the lease
    and resumed; a worker killed; its parent killed alone; the broker killed and started again; the same ID submitted
    again. Beside FILE a profile (FILE as .yaml) says what the queue claims: then the model predicts what breaks.

    Exit status: 0 exactly once (or what --expect names; with a profile: as predicted), 1 broken, 2 wrong input,
    3 undecided.
    """
    from onceproof.api.storm import storm
    from onceproof.reports.storm_text import report_lines, verdict_lines

    require_writable(junit)
    expected = EXPECTATIONS[expect] if expect is not None else None
    with ending_on_signals(), StatusLine(quiet=quiet, at_once=True) as line:
        report = storm(file, expect=expected, progress=line.show, **options)
    if junit is not None:
        from onceproof.reports.storm_data import write_junit

        write_junit(junit, report)
    if as_json:
        click.echo(json.dumps(report.to_json(), indent=2))
    elif not quiet:
        click.echo("\n".join(report_lines(report)))
    elif report.verdict is not Verdict.HOLDS:
        click.echo("\n".join(verdict_lines(report)))
    raise click.exceptions.Exit(STATUSES[report.verdict])
