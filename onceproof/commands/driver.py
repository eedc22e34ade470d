"""Tell the author of a driver what is missing or wrong, before any real run."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import assert_never

import click

from onceproof.api.sources import spec_of
from onceproof.commands._driving import answer_option, ending_on_signals
from onceproof.commands._specs import Settings, given_spec, settings_options
from onceproof.commands._traces import TraceTarget, trace_option
from onceproof.conformance.driver_check import Finding, Verdict, examine
from onceproof.conformance.driver_stub import stub
from onceproof.errors import Exit, InputError
from onceproof.inputs.models import resolve
from onceproof.inputs.specs import Spec


@click.group(short_help=__doc__)
def command() -> None:
    """Help the author of a driver, which makes a system of one's own replayable (conformance/PROTOCOL.md)."""


@command.command()
@click.argument("driver", metavar="COMMAND")
@click.argument("spec", required=False, type=click.Path(path_type=Path))
@settings_options
@answer_option
@trace_option("Write the run that ends in a difference as ITF, to a file, to - (stdout) or into FOLDER/.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")
def check(
    driver: str,
    spec: Path | None,
    settings: Settings,
    answer_seconds: float,
    trace_out: TraceTarget | None,
    as_json: bool,
) -> None:
    """Put the driver that COMMAND starts through the protocol, and name what is missing or wrong.

    It is reset, asked for nonsense, and led along random runs: what it claims to perform is performed, what the model
    forbids is refused. SPEC gives the configuration; without it that is the protocol with every fault once.

    A difference is repeated before it is reported. Exit status: 0 all right; 1 the system is not as the model;
    2 the driver breaks the protocol.
    """
    if trace_out is not None:
        trace_out.prepare(as_json)
    checked = _checked(spec, settings)
    findings: list[Finding] = []
    with ending_on_signals():
        for finding in examine(checked.system, driver, answer_seconds):
            findings.append(finding)
            if not as_json:
                click.echo(f"{finding.verdict:8}{finding.text}", err=trace_out is not None and trace_out.stdout)
    for finding in findings:
        if finding.trace is not None and trace_out is not None:
            trace_out.save(checked.source, checked.name, finding.trace)
    status = max((_status(finding.verdict) for finding in findings), default=Exit.WRONG_INPUT)
    conclusion = {
        Exit.AS_EXPECTED: "all right",
        Exit.VIOLATED: "the system is not as the model",
        Exit.WRONG_INPUT: "the driver breaks the protocol",
    }[status]
    if as_json:
        listed = [{"verdict": finding.verdict, "text": finding.text} for finding in findings]
        click.echo(json.dumps({"driver": driver, "conclusion": conclusion, "findings": listed}))
    else:
        click.echo(conclusion, err=trace_out is not None and trace_out.stdout)
    raise click.exceptions.Exit(status)


@command.command()
@click.argument("spec", type=click.Path(path_type=Path))
@click.argument("file", type=click.Path(path_type=Path), default=Path("driver.py"))
@settings_options
def new(spec: Path, file: Path, settings: Settings) -> None:
    """Write a driver to start from: FILE (default: driver.py) with every action and field of SPEC as a stub.

    Each stub has the model's sentence about it. The methods that are written take part, the others are left out.
    """
    text = stub(given_spec(spec, settings).system, _class_name(file), str(file), str(spec))
    if file.suffix != ".py":
        raise InputError(f"{file}: the name of a driver in Python ends in .py")
    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError:
        raise InputError(f"{file}: there is such a file already; nothing was written") from None
    except OSError as error:
        raise InputError(f"{file}: cannot be written: {(error.strerror or str(error)).lower()}") from None
    click.echo(f"{file}: write the methods one by one, and after each run")
    click.echo(f"  onceproof driver check {shlex.quote(f'python3 {file}')} {shlex.quote(str(spec))}")


def _class_name(file: Path) -> str:
    words = "".join(character if character.isalnum() else " " for character in file.stem).split()
    name = "".join(word.capitalize() for word in words)
    return name if name.isidentifier() and name != "Driver" else f"My{name}"


def _checked(spec: Path | None, settings: Settings) -> Spec:
    if spec is not None:
        return given_spec(spec, settings)
    faults = dict.fromkeys(resolve(None, Path()).model.faults, 1)
    return spec_of(None, sizes={"submissions": 2}, faults=faults)


def _status(verdict: Verdict) -> Exit:
    match verdict:
        case Verdict.OK | Verdict.NOTE:
            return Exit.AS_EXPECTED
        case Verdict.DIFFERS:
            return Exit.VIOLATED
        case Verdict.WRONG:
            return Exit.WRONG_INPUT
        case _:
            assert_never(verdict)
