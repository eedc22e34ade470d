"""Judge the log of a system that ran: was each task done exactly once?"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import click

from onceproof.api.judge import judge
from onceproof.commands._progress import ProgressLine
from onceproof.conformance.judging.anomalies import Guarantee
from onceproof.conformance.judging.errors import LogError
from onceproof.conformance.judging.formats.base import formats
from onceproof.conformance.judging.judge import Judgement, Options, new_findings
from onceproof.conformance.judging.run import follow
from onceproof.errors import Exit, InputError, require_writable
from onceproof.reports.judgement_text import Judged, report_lines, timeline_lines, verdict_lines

SECONDS = click.FloatRange(min=0)
EXPECTATIONS = {each.name.lower(): each for each in Guarantee if each is not Guarantee.NONE}


def _list_formats(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if not wanted or ctx.resilient_parsing:
        return
    for each in formats().values():
        click.echo(f"{each.name}: {each.about}")
        for example in each.examples:
            click.echo(f"    {example}")
    ctx.exit()


@click.command(short_help=__doc__)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--format", "form", metavar="NAME", help="Format of the files, or FILE.yaml for one of your own.")
@click.option("--formats", is_flag=True, is_eager=True, expose_value=False, callback=_list_formats, help="List them.")
@click.option("--lease", type=SECONDS, metavar="SECONDS", help="How long a received message stays invisible.")
@click.option(
    "--quiet-time",
    type=SECONDS,
    metavar="SECONDS",
    help="A task without an event for so long is settled: lost if it never started.  [default: the lease]",
)
@click.option(
    "--clock-error",
    type=SECONDS,
    default=0.0,
    metavar="SECONDS",
    help="How far the clocks of two processes may differ.  [default: 0]",
)
@click.option("--expect", type=click.Choice(list(EXPECTATIONS)), help="Judge only this guarantee.")
@click.option("--lenient", is_flag=True, help="Skip lines that are wrong, and count them.")
@click.option("--follow", "following", is_flag=True, help="Go on as the files grow, until Ctrl-C.")
@click.option("--until-violation", is_flag=True, help="With --follow: stop at the first proven anomaly.")
@click.option("--all", "everything", is_flag=True, help="A timeline for every finding, not one for each class.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.option("--junit", type=click.Path(path_type=Path, dir_okay=False), help="Write a JUnit XML report for a CI.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write one self-contained page.")
@click.option("--quiet", is_flag=True, help="Only the verdict, and only if it is not that all holds; no progress.")
def command(
    files: tuple[str, ...],
    form: str | None,
    lease: float | None,
    quiet_time: float | None,
    clock_error: float,
    expect: str | None,
    lenient: bool,
    following: bool,
    until_violation: bool,
    everything: bool,
    as_json: bool,
    junit: Path | None,
    html: Path | None,
    quiet: bool,
) -> None:
    """Judge FILEs: ledgers, histories, OpenTelemetry spans, or worker logs as they are printed (- is standard input).

    Several files are one history. The format of each is recognised. Exit status: 0 the history shows exactly once and
    no anomaly (or what --expect names), 1 an anomaly is proven, 2 wrong input, 3 undecided.
    """
    for file in (junit, html):
        require_writable(file)
    options = Options(_ns(quiet_time), _ns(lease), _ns(clock_error) or 0)
    expected = EXPECTATIONS[expect] if expect is not None else None
    try:
        if following:
            judged = _follow(files, form, options, expected, lenient=lenient, stop=until_violation, as_json=as_json)
        else:
            with ProgressLine(quiet=quiet) as line:
                judged = judge(
                    *files,
                    format=form,
                    lease=lease,
                    quiet_time=quiet_time,
                    clock_error=clock_error,
                    expect=expected,
                    lenient=lenient,
                    progress=lambda name, count: line.show(f"{name}: {count:,} lines"),
                    keep_partial=True,
                ).judged
    except LogError as error:
        raise InputError(str(error)) from None
    _write(judged, junit, html)
    if as_json:
        from onceproof.reports.judgement_data import document

        click.echo(json.dumps(document(judged), indent=2))
    elif not quiet:
        click.echo("\n".join(report_lines(judged, everything=everything)))
    elif judged.holds is not True:
        click.echo("\n".join(verdict_lines(judged)))
    ends = {True: Exit.AS_EXPECTED, False: Exit.VIOLATED, None: Exit.UNDECIDED}
    raise click.exceptions.Exit(ends[judged.holds])


def _ns(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1e9)


def _follow(
    files: tuple[str, ...],
    form: str | None,
    options: Options,
    expected: Guarantee | None,
    *,
    lenient: bool,
    stop: bool,
    as_json: bool,
) -> Judged:
    """Print findings as they come. Ctrl-C ends it; so does the first proven anomaly, if that was asked for."""
    if "-" in files:
        raise InputError("--follow needs files; standard input is read to its end")
    known: set[tuple[str, str, bool]] = set()
    latest: Judged | None = None
    with contextlib.suppress(KeyboardInterrupt):
        for reading, judgement in follow(files, form, options, lenient=lenient):
            latest = Judged(reading, judgement, expected)
            for finding in new_findings(judgement, known):
                if finding.proven and not as_json:
                    click.echo("\n".join([*timeline_lines(finding), ""]))
            if stop and _is_violated(judgement, expected):
                break
    if latest is None:
        raise InputError("no event was seen in the files; there is nothing to judge")
    return latest


def _is_violated(judgement: Judgement, expected: Guarantee | None) -> bool:
    return judgement.holds(expected) is False


def _write(judged: Judged, junit: Path | None, html: Path | None) -> None:
    if junit is not None:
        from onceproof.reports.judgement_data import write_junit

        write_junit(junit, judged)
    if html is not None:
        from onceproof.reports.judgement_html import page

        html.write_text(page(judged), encoding="utf-8")
        click.echo(f"{html}: the page", err=True)
