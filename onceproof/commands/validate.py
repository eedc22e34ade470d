"""Validate logs against a model: does some run of it explain what was logged?"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import click

from onceproof.commands._progress import ProgressLine
from onceproof.conformance.judging.errors import LogError
from onceproof.conformance.validation.diagnosis import Diagnosis, diagnose
from onceproof.conformance.validation.follow import Following, follow
from onceproof.conformance.validation.logs import names_in, read_events
from onceproof.conformance.validation.mapping import LogMapping, draft, identity, load
from onceproof.conformance.validation.validate import NODES, Validation, Validator, validate
from onceproof.errors import Exit, InputError
from onceproof.inputs.specs import Spec, load_spec
from onceproof.reports.validation_text import diagnosis_lines, document, report_lines, verdict_lines

DIAGNOSED = 3


@click.command(short_help=__doc__)
@click.argument("spec", type=click.Path(path_type=Path))
@click.argument("logs", nargs=-1, required=True, metavar="LOG...")
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
    loaded = load_spec(spec)
    try:
        if new_mapping:
            click.echo(draft(loaded.model, names_in(logs)), nl=False)
            return
        chosen = load(mapping, loaded.model) if mapping is not None else _identity(loaded, logs, by)
        assumed = sorted(chosen.unlogged) if mapping is None else []
        validator = Validator(loaded.model, loaded.config, chosen, max_nodes)
        if following:
            raise click.exceptions.Exit(
                _follow(validator, logs, settle, lenient=lenient, repair_seconds=repair_seconds)
            )
        events, skipped = read_events(logs, chosen, lenient=lenient)
    except LogError as error:
        raise InputError(str(error)) from None
    with ProgressLine(quiet=quiet) as progress:
        found = validate(
            validator, events, lambda done, parts, nodes: progress.show(f"{done:,} of {parts:,} parts; {nodes:,} nodes")
        )
        progress.wipe()
    diagnoses = [
        diagnose(validator, each, repair_seconds) if each.complete else Diagnosis(each)
        for each in [*found.refuted, *found.undecided][:DIAGNOSED]
    ]
    if as_json:
        click.echo(json.dumps(document(found, diagnoses, assumed), indent=2))
    elif not quiet:
        lines = [f"skipped {count:,} lines: {reason}" for reason, count in skipped.items()]
        click.echo("\n".join([*lines, *report_lines(found, diagnoses, assumed, chosen.by)]))
    elif found.holds is not True:
        click.echo("\n".join(verdict_lines(found, chosen.by)))
    raise click.exceptions.Exit(_status(found, loaded))


def _follow(
    validator: Validator, logs: tuple[str, ...], settle: float, *, lenient: bool, repair_seconds: float
) -> Exit:
    """Print what has no explanation as it comes; at Ctrl-C what is known. The exit status."""
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


def _status(found: Validation, spec: Spec) -> Exit:
    """The exit status. A property that the spec lists and that no run exercised makes an admitted log no pass."""
    vacuous = [name for name in spec.chosen or () if name in found.silent]
    if found.holds is True and vacuous:
        click.echo(f"undecided: never exercised, though the spec lists it: {', '.join(vacuous)}", err=True)
        return Exit.UNDECIDED
    return {True: Exit.AS_EXPECTED, False: Exit.VIOLATED, None: Exit.UNDECIDED}[found.holds]


def _identity(spec: Spec, logs: tuple[str, ...], by: str | None) -> LogMapping:
    """The mapping of a log that uses the model's own names."""
    names = names_in(logs)
    if not set(names) & set(spec.model.actions):
        found = f": found {', '.join(names[:5])}" if names else ""
        raise InputError(
            f"no event of the logs has the name of an action{found}; "
            "`onceproof validate --new-mapping` drafts a mapping"
        )
    if by is not None and by not in spec.model.sorts:
        from onceproof.model.language.errors import nearest

        raise InputError(f"--by: unknown sort `{by}`{nearest(by, spec.model.sorts)}")
    return identity(spec.model, names, by or "")
