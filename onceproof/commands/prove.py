"""Prove the safety properties for any size and any number of faults; write and verify certificates."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from pathlib import Path

import click

from onceproof.commands._progress import QueryProgress
from onceproof.commands._specs import parameters_option
from onceproof.errors import Exit
from onceproof.inputs.models import names_a_model
from onceproof.inputs.specs import load_spec
from onceproof.model.checker.results import Verdict

EXITS = {Verdict.HOLDS: Exit.AS_EXPECTED, Verdict.VIOLATED: Exit.VIOLATED, Verdict.UNKNOWN: Exit.UNDECIDED}


@click.command(short_help=__doc__)
@click.argument("spec", required=False, type=click.Path(path_type=Path))
@click.option(
    "--without", multiple=True, metavar="MECHANISM", help="Switch this mechanism off; may be given several times."
)
@click.option(
    "--with-faults", metavar="FAULT,FAULT", help="Allow only these faults, any number of each (default: all)."
)
@parameters_option
@click.option("--properties", metavar="P,Q", help="Prove only these (default: those of the spec, or all).")
@click.option("--explain", is_flag=True, help="Print the invariant: each conjunct, and the actions that need it.")
@click.option("--minimise", is_flag=True, help="Find a smallest set of conjuncts that is still inductive.")
@click.option(
    "--certificate",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write the proof to this folder, as SMT-LIB.",
)
@click.option(
    "--verify", type=click.Path(path_type=Path, file_okay=False), help="Check the certificate in this folder instead."
)
@click.option(
    "--solver", type=click.Choice(["z3", "cvc5"]), default="z3", show_default=True, help="Solver for --verify."
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=10.0,
    show_default=True,
    help="Time limit for each query, in seconds.",
)
@click.option(
    "--search",
    type=click.FloatRange(min=0),
    default=60.0,
    show_default=True,
    help="Seconds to search for a real counterexample.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")
@click.option("--quiet", is_flag=True, help="Print only the verdicts, and no progress.")
def command(
    spec: Path | None,
    without: tuple[str, ...],
    with_faults: str | None,
    parameters: dict[str, int],
    properties: str | None,
    explain: bool,
    minimise: bool,
    certificate: Path | None,
    verify: Path | None,
    solver: str,
    timeout: float,
    search: float,
    as_json: bool,
    quiet: bool,
) -> None:
    """Prove every `always` and `step` of SPEC (a spec or model; default: the protocol) for any number of everything.

    Faults happen any number of times; with SPEC, those that it has. An inductive invariant, part of the model, is
    checked by z3: the start satisfies it, every action keeps it. Exit status: 0 proved; 1 a property is violated (with
    a run that gets there), or a certificate is not valid; 2 wrong input; 3 not proved and no violation found.
    """
    from onceproof.api.proof import prove, verify_certificate
    from onceproof.reports.proof import proof_lines, verification_json, verification_lines

    source = None if spec is None else str(spec) if names_a_model(str(spec)) else load_spec(spec)
    if verify is not None:
        if without or with_faults or parameters or properties or explain or minimise or certificate:
            raise click.UsageError("--verify goes with SPEC, --solver, --timeout, --json and --quiet alone")
        with QueryProgress(quiet) as progress:
            result = verify_certificate(verify, source, solver=solver, timeout=timeout, progress=progress.report)
        if as_json:
            click.echo(json.dumps(verification_json(result), indent=2))
        else:
            click.echo("\n".join(verification_lines(result)))
        if result.problems:
            raise click.exceptions.Exit(Exit.VIOLATED)
        raise click.exceptions.Exit(Exit.AS_EXPECTED if result.valid else Exit.UNDECIDED)
    if solver != "z3":
        raise click.UsageError(f"--solver {solver} goes with --verify: a proof is looked for by z3")
    off = [name for part in without for name in part.split(",")]
    with QueryProgress(quiet) as progress:
        report = prove(
            source,
            mechanisms=dict.fromkeys(off, False),
            faults=None if with_faults is None else [name for name in with_faults.split(",") if name],
            parameters=parameters,
            properties=properties.split(",") if properties else None,
            timeout=timeout,
            search=search,
            minimise=minimise,
            invariant=explain,
            certificate=certificate,
            progress=progress.report,
            keep_partial=True,
        )
    if as_json:
        click.echo(json.dumps(report.to_json(), indent=2))
    else:
        for line in proof_lines(
            report.proof, report.details, _again(spec, without, with_faults, properties), quiet=quiet
        ):
            click.echo(line)
    raise click.exceptions.Exit(EXITS[report.verdict])


def _again(spec: Path | None, without: Sequence[str], with_faults: str | None, properties: str | None) -> str:
    parts = ["onceproof", "prove", *([str(spec)] if spec else [])]
    parts += [part for name in without for part in ("--without", name)]
    parts += ["--with-faults", with_faults] if with_faults is not None else []
    return shlex.join([*parts, *(["--properties", properties] if properties else [])])
