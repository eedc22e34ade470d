"""Run a real task queue under real faults: which of them run a task twice, or lose it?"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from onceproof.commands._driving import ending_on_signals
from onceproof.commands._progress import StatusLine
from onceproof.conformance.judging.anomalies import Guarantee
from onceproof.errors import Exit, InputError, require_writable
from onceproof.model.checker.results import Verdict

if TYPE_CHECKING:
    from onceproof.api.storm import StormReport

EXPECTATIONS = {each.name.lower(): each for each in Guarantee if each is not Guarantee.NONE}
STATUSES = {Verdict.HOLDS: Exit.AS_EXPECTED, Verdict.VIOLATED: Exit.VIOLATED, Verdict.UNKNOWN: Exit.UNDECIDED}


WORST = (Verdict.VIOLATED, Verdict.UNKNOWN, Verdict.HOLDS)
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

    `onceproof storm FILE` runs the queue that a storm file declares, as `onceproof storm run FILE` does;
    `onceproof storm new NAME` writes such a file, and `onceproof storm check FILE` says what is missing in it.
    `onceproof storm platform` does more to the reference platform, whose commits it knows.
    """


@command.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--all", "everything", is_flag=True, help="All targets that are shipped, one after the other.")
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Targets of --all at a time.")
@click.option("--profile", type=click.Path(path_type=Path), help="What the queue claims.  [default: FILE as .yaml]")
@click.option("--python", type=click.Path(path_type=Path), help="Python, or virtual environment, that FILE runs in.")
@click.option("--schedule", "schedules", multiple=True, metavar="FAULT@MOMENT", help="Only this; can be repeated.")
@click.option("--sweep", "sweeps", is_flag=True, help="Also the other moments of a fault, and faults of the network.")
@click.option(
    "--random", "random_seconds", type=SECONDS, default=0.0, metavar="SECONDS", help="Random faults at the end."
)
@click.option("--remedy", is_flag=True, help="Try the profile's other settings on what broke, where the model says so.")
@click.option("--tries", type=click.IntRange(min=1), default=3, show_default=True, help="How often each is tried.")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of random faults.")
@click.option(
    "--max-seconds", type=SECONDS, metavar="SECONDS", help="Stop after so long; each is tried once before any again."
)
@click.option("--expect", type=click.Choice(list(EXPECTATIONS)), help="Judge only this guarantee.")
@click.option("--folder", type=click.Path(path_type=Path), help="Where ledgers and logs go.  [default: a new one]")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.option("--junit", type=click.Path(path_type=Path, dir_okay=False), help="Write a JUnit XML report for a CI.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write one self-contained page.")
@click.option("--quiet", is_flag=True, help="Only the verdict, and only if it is not that all holds; no progress.")
def run(
    file: Path | None,
    everything: bool,
    jobs: int,
    expect: str | None,
    as_json: bool,
    junit: Path | None,
    html: Path | None,
    quiet: bool,
    **options: Any,
) -> None:
    """Run the queue of FILE (a storm file, its profile, or the name of a shipped target) under faults.

    Six scenarios, each without and with other traffic: a task longer than its lease; a worker stopped beyond the lease
    and resumed; a worker killed; its parent killed alone; the broker killed and started again; the same ID submitted
    again. Beside FILE a profile (FILE as .yaml) says what the queue claims: then the model predicts what breaks.

    Exit status: 0 exactly once (or what --expect names; with a profile: as predicted), 1 broken, 2 wrong input,
    3 undecided.
    """
    from onceproof.commands._storms import storms_of
    from onceproof.conformance.storms.targets import names

    if (file is None) is not everything:
        raise click.UsageError("name one FILE, or give --all")
    for path in (junit, html):
        require_writable(path)
    subjects = [file] if file is not None else [Path(name) for name in names()]
    expected = EXPECTATIONS[expect] if expect is not None else None
    reports: list[StormReport] = []
    with ending_on_signals(), _with_log(), StatusLine(quiet=quiet, at_once=True) as line:
        for report in storms_of(subjects, jobs, line.show, expect=expected, **options):
            reports.append(report)
            line.wipe()
            if not as_json:
                _say(report, quiet=quiet)
            if html is not None:  # again after each: what there is already can be read
                from onceproof.reports.storm_html import page

                html.write_text(page(reports), encoding="utf-8")
    if junit is not None:
        from onceproof.reports.storm_data import write_junit

        write_junit(junit, reports)
    if as_json:
        documents = [report.to_json() for report in reports]
        click.echo(json.dumps({"storms": documents} if everything else documents[0], indent=2))
    raise click.exceptions.Exit(STATUSES[min((report.verdict for report in reports), key=WORST.index)])


@contextlib.contextmanager
def _with_log() -> Iterator[None]:
    """Where a storm cannot run, the last lines of the log come before the line that says so."""
    from onceproof.api.storm import StormFailed

    try:
        yield
    except StormFailed as error:
        if error.log:
            click.echo("\n".join(f"  | {line}" for line in error.log.splitlines()), err=True)
        raise


def _say(report: StormReport, *, quiet: bool) -> None:
    from onceproof.reports.storm_text import report_lines, verdict_lines

    if not quiet:
        click.echo("\n".join([*report_lines(report), ""]))
    elif report.verdict is not Verdict.HOLDS:
        click.echo("\n".join(verdict_lines(report)))


@command.command()
@click.option("--seconds", type=click.FloatRange(min=1), default=30.0, show_default=True, help="How long it lasts.")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of tasks and strikes.")
@click.option(
    "--on",
    type=click.Choice(["sqlite", "postgresql", "postgresql+nats"]),
    default="sqlite",
    show_default=True,
    help="What keeps tasks and messages. Servers are started, and connections to them are broken too.",
)
@click.option("--only", multiple=True, metavar="NAME", help="Strike only this process or server; can be repeated.")
@click.option("--folder", type=click.Path(path_type=Path), help="Where data and logs go.  [default: a new one]")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.option("--quiet", is_flag=True, help="Only the verdict, and only if it is not that all holds; no progress.")
def platform(
    seconds: float, seed: int, on: str, only: tuple[str, ...], folder: Path | None, as_json: bool, quiet: bool
) -> None:
    """Run the reference platform under faults that are timed to its commits, and check every result.

    Two users submit tasks of two functions that return, raise, run into their time limit or are stopped. Each strike
    comes 0 to 120 ms after a task was accepted: a process is killed or stopped, or a connection to a server is broken.
    Afterwards every task must have ended as its function did, with its own result, and no message may have gone to
    another scheduler while its holder lived.

    Exit status: 0 every claim held, 1 one is broken, 2 wrong input, 3 undecided.
    """
    from onceproof.api.platform_storm import storm_platform
    from onceproof.reports import platform_storm as reports

    with ending_on_signals(), _with_log(), StatusLine(quiet=quiet, at_once=True) as line:
        result = storm_platform(seconds, seed=seed, on=on, only=only, folder=folder, progress=line.show)
    verdict = reports.verdict_of(result)
    document = json.dumps(reports.document(result), indent=2)
    (result.folder / "report.json").write_text(document, encoding="utf-8")
    if as_json:
        click.echo(document)
    elif not quiet:
        click.echo("\n".join(reports.report_lines(result)))
    elif verdict is not Verdict.HOLDS:
        click.echo("\n".join(reports.verdict_lines(result)))
    raise click.exceptions.Exit(STATUSES[verdict])


@command.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--profile", type=click.Path(path_type=Path), help="What the queue claims.  [default: FILE as .yaml]")
@click.option("--python", type=click.Path(path_type=Path), help="Python, or virtual environment, that FILE runs in.")
def check(file: Path, profile: Path | None, python: Path | None) -> None:
    """Start the queue of FILE, have one task done, and say what is missing.

    FILE is a storm file, or its profile. A FILE.yaml beside FILE.py is taken for its profile.

    Exit status: 0 all right, 2 something is wrong with the file, its broker, its workers or its profile.
    """
    from onceproof.api.storm import check_storm

    with ending_on_signals(), _with_log(), StatusLine(at_once=True) as line:
        found = check_storm(file, profile=profile, python=python, progress=line.show)
    click.echo("\n".join([*found, "all right"]))


@command.command()
@click.argument("name")
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), default=".", help="Where to write to.")
def new(name: str, folder: Path) -> None:
    """Write a storm file to begin from: for one of the shipped targets, or `blank` for any other library.

    Beside it goes its profile: what the library claims, where it says so, and the versions that it is made for.
    """
    from onceproof.conformance.storms.targets import BLANK, FOLDER, TEMPLATE, files, matching, names
    from onceproof.inputs.profiles import load_profile
    from onceproof.model.language.errors import nearest

    found = matching(name)
    if found is None and name != BLANK:
        known = [*names(), BLANK]
        raise InputError(f"no target is called `{name}`{nearest(name, known)} (there are: {', '.join(known)})")
    texts = {"my_queue.py": TEMPLATE}
    begin = "my_queue.py"
    if found is not None:
        profile = load_profile(FOLDER / f"{found}.yaml")
        texts = {path.name: path.read_text(encoding="utf-8") for path in files(profile)}
        begin = profile.path.name if profile.file is not None else profile.storm_file.name
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder")
    for file in texts:
        if (folder / file).exists():
            raise InputError(f"{folder / file}: exists already, and is not overwritten")
    for file, text in texts.items():
        (folder / file).write_text(text, encoding="utf-8")
        click.echo(f"{folder / file}: written")
    click.echo(f"next: onceproof storm check {folder / begin}")
