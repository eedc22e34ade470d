"""Tell the author of a driver what is missing or wrong, before any real run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import assert_never

import click

from onceproof.commands._driving import answer_option, ending_on_signals
from onceproof.commands._specs import Settings, given_spec, settings_options
from onceproof.conformance.driver_check import Finding, Verdict, examine
from onceproof.errors import Exit
from onceproof.model.language import System, build


@click.group(short_help=__doc__)
def command() -> None:
    """Help the author of a driver, which makes a system of one's own replayable (conformance/PROTOCOL.md)."""


@command.command()
@click.argument("driver", metavar="COMMAND")
@click.argument("spec", required=False, type=click.Path(path_type=Path))
@settings_options
@answer_option
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout, at the end.")
def check(driver: str, spec: Path | None, settings: Settings, answer_seconds: float, as_json: bool) -> None:
    """Put the driver that COMMAND starts through the protocol, and name what is missing or wrong.

    It is reset, asked for nonsense, and led along random runs: what it claims to perform is performed, what the model
    forbids is refused. SPEC gives the configuration; without it that is the protocol with every fault once.

    Exit status: 0 all right; 1 the system is not as the model; 2 the driver breaks the protocol.
    """
    findings: list[Finding] = []
    with ending_on_signals():
        for finding in examine(_system(spec, settings), driver, answer_seconds):
            findings.append(finding)
            if not as_json:
                click.echo(f"{finding.verdict:8}{finding.text}")
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
        click.echo(conclusion)
    raise click.exceptions.Exit(status)


def _system(spec: Path | None, settings: Settings) -> System:
    if spec is not None:
        return given_spec(spec, settings).system
    from onceproof.model.protocol.system import PROTOCOL

    return build(PROTOCOL, PROTOCOL.configure({"submissions": 2}, {}, dict.fromkeys(PROTOCOL.faults, 1)))


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
