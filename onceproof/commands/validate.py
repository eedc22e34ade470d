"""Validate logs against a model: does some run of it explain what was logged?"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import click

from onceproof.api.validate import own_names, validate
from onceproof.commands._progress import ProgressLine
from onceproof.commands._specs import Settings, given_spec, settings_options
from onceproof.conformance.judging.errors import LogError
from onceproof.conformance.validation.diagnosis import Diagnosis, diagnose
from onceproof.conformance.validation.follow import Following, follow
from onceproof.conformance.validation.logs import names_in
from onceproof.conformance.validation.mapping import draft, load
from onceproof.conformance.validation.validate import NODES, Validator
from onceproof.errors import Exit, InputError
from onceproof.inputs.specs import Spec
from onceproof.model.checker.results import Verdict
from onceproof.reports.validation_text import diagnosis_lines, verdict_lines

ENDS = {Verdict.HOLDS: Exit.AS_EXPECTED, Verdict.VIOLATED: Exit.VIOLATED, Verdict.UNKNOWN: Exit.UNDECIDED}


@click.command(short_help=__doc__)
@click.argument("spec", type=click.Path(path_type=Path))
@click.argument("logs", nargs=-1, required=True, metavar="LOG...")
@settings_options
@click.option("--mapping", type=click.Path(path_type=Path), metavar="FILE", help="Which event is which action (YAML).")
@click.option("--new-mapping", is_flag=True, help="Print a mapping to start from, and validate nothing.")
@click.option("--by", metavar="SORT", help="Without a mapping: validate the elements of this sort one by one.")
@click.option(
    "--max-nodes", type=click.IntRange(min=1), default=NODES, show_default=True, help="Limit of the search, each part."
)
@click.option(
    "--repair-seconds",
    type=click.FloatRange(min=0),
    default=10.0,
    show_default=True,
    help="Time to look for the change that would make a part fit; 0: do not look.",
)
@click.option("--follow", "following", is_flag=True, help="Go on as the logs grow, until Ctrl-C.")
@click.option(
    "--settle",
    type=click.FloatRange(min=0),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="With --follow: validate a part when nothing came for it for so long.",
)
@click.option("--lenient", is_flag=True, help="Skip lines that are wrong, and count them.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.option("--quiet", is_flag=True, help="Only the verdict, and only if the log is not admitted; no progress.")
def command(
    spec: Path,
    settings: Settings,
    logs: tuple[str, ...],
    mapping: Path | None,
    new_mapping: bool,
    by: str | None,
    max_nodes: int,
    repair_seconds: float,
    following: bool,
    settle: float,
    lenient: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Say whether the model, configured as SPEC says, admits LOGs: newline-delimited JSON, OTLP spans, ITF traces.

    Steps that leave no line may come in between; events of different processes may have come in any order that the log
    does not rule out. Exit status: 0 a run explains the log, 1 none does, 2 wrong input, 3 undecided.
    """
    loaded = given_spec(spec, settings)
    if new_mapping:
        click.echo(_draft(loaded, logs), nl=False)
        return
    if following:
        raise click.exceptions.Exit(_follow(loaded, logs, mapping, by, max_nodes, settle, lenient, repair_seconds))
    with ProgressLine(quiet=quiet) as line:
        report = validate(
            loaded,
            logs,
            mapping=mapping,
            by=by,
            max_nodes=max_nodes,
            repair_seconds=repair_seconds,
            lenient=lenient,
            progress=lambda done, parts, nodes: line.show(f"{done:,} of {parts:,} parts; {nodes:,} nodes"),
            keep_partial=True,
        )
    if as_json:
        click.echo(json.dumps(report.to_json(), indent=2))
    elif not quiet:
        click.echo("\n".join(report.lines()))
    elif not report.holds:
        click.echo("\n".join(verdict_lines(report.validation, report.by)))
    raise click.exceptions.Exit(ENDS[report.verdict])


def _draft(spec: Spec, logs: tuple[str, ...]) -> str:
    try:
        return draft(spec.system, names_in(logs))
    except LogError as error:
        raise InputError(str(error)) from None


def _follow(
    spec: Spec,
    logs: tuple[str, ...],
    mapping: Path | None,
    by: str | None,
    max_nodes: int,
    settle: float,
    lenient: bool,
    repair_seconds: float,
) -> Exit:
    """Print what has no explanation as it comes; at Ctrl-C what is known. The exit status."""
    try:
        chosen = load(mapping, spec.system) if mapping is not None else own_names(spec, logs, by)
    except LogError as error:
        raise InputError(str(error)) from None
    validator = Validator(spec.model, spec.config, chosen, max_nodes)
    latest: Following | None = None
    with contextlib.suppress(KeyboardInterrupt):
        for found, wrong in follow(validator, logs, round(settle * 1e9), lenient=lenient):
            latest = found
            for each in wrong:
                diagnosis = diagnose(validator, each, repair_seconds) if each.complete else Diagnosis(each)
                click.echo("\n".join([*diagnosis_lines(diagnosis, validator.mapping.by), ""]))
    if latest is None or not latest.result.slices:
        click.echo("undecided: no part was complete yet")
        return Exit.UNDECIDED
    result = latest.result
    click.echo("\n".join(verdict_lines(result, validator.mapping.by)))
    click.echo(f"{latest.in_flight:,} parts are still in flight; {latest.late:,} events came too late to be considered")
    if result.refuted:
        return Exit.VIOLATED
    return Exit.UNDECIDED if result.undecided or latest.late else Exit.AS_EXPECTED
