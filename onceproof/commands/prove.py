"""Prove the safety properties for any size and any number of faults; write and verify certificates."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from onceproof.errors import Exit, InputError
from onceproof.inputs.specs import load_spec

if TYPE_CHECKING:
    from onceproof.model.checker.prover.induction import Proof
    from onceproof.model.language import Config, Model

WALKS = 12


@click.command(short_help=__doc__)
@click.argument("spec", required=False, type=click.Path(path_type=Path))
@click.option("--without", multiple=True, metavar="MECHANISM", help="Switch a mechanism off (or several).")
@click.option("--with-faults", metavar="FAULT,FAULT", help="Only these faults, any number of each (default: all).")
@click.option("--explain", is_flag=True, help="Print the invariant, each conjunct with the actions that need it.")
@click.option("--minimise", is_flag=True, help="Find a smallest set of conjuncts that is still inductive.")
@click.option("--certificate", type=click.Path(path_type=Path, file_okay=False), help="Write the proof as SMT-LIB.")
@click.option("--verify", type=click.Path(path_type=Path, file_okay=False), help="Check a certificate instead.")
@click.option("--solver", type=click.Choice(["z3", "cvc5"]), default="z3", show_default=True, help="For --verify.")
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), default=10.0, help="Seconds for each query.")
@click.option("--search", type=click.FloatRange(min=0), default=60.0, help="Seconds to look for a real counterexample.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.option("--quiet", is_flag=True, help="Only the verdicts; no progress.")
def command(
    spec: Path | None,
    without: tuple[str, ...],
    with_faults: str | None,
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
    """Prove every `always` of the model (of SPEC, or of the whole protocol) for any number of everything.

    Faults happen any number of times; with SPEC, those that it has. An inductive invariant, part of the model, is
    checked by z3: the start satisfies it, every action keeps it. Exit status: 0 proved; 1 a property is violated (with
    a run that gets there), or a certificate is not valid; 2 wrong input; 3 not proved and no violation found.
    """
    from onceproof.reports.proof import Details, proof_json, proof_lines, verification_json, verification_lines

    if verify is not None:
        if without or with_faults or explain or minimise or certificate:
            raise click.UsageError("--verify goes with SPEC, --solver, --timeout, --json and --quiet alone")
        result, status = _verified(verify, solver, timeout, spec, quiet)
        if as_json:
            click.echo(json.dumps(verification_json(result), indent=2))
        else:
            click.echo("\n".join(verification_lines(result)))
        raise click.exceptions.Exit(status)
    if solver != "z3":
        raise click.UsageError(f"--solver {solver} goes with --verify: a proof is looked for by z3")
    proof = _proved(spec, without, with_faults, timeout, quiet)
    minimal = None
    if minimise and proof.proved:
        from onceproof.model.checker.prover.minimise import minimal_invariant

        minimal = minimal_invariant(proof, timeout)
    diagnoses = _diagnosed(proof, search, quiet)
    written = _written(proof, certificate) if certificate is not None and proof.proved else None
    refused = certificate is not None and not proof.proved
    details = Details(diagnoses, explain, minimal, written, refused)
    again = _again(spec, without, with_faults)
    if as_json:
        click.echo(json.dumps(proof_json(proof, details), indent=2))
    else:
        for line in proof_lines(proof, details, again, quiet=quiet):
            click.echo(line)
    raise click.exceptions.Exit(_status(proof, diagnoses))


def _proved(spec: Path | None, without: Sequence[str], with_faults: str | None, timeout: float, quiet: bool) -> Proof:
    from onceproof.model.checker.prover.induction import prove

    model, config, names = _asked(spec, without, with_faults)
    with _Progress(quiet) as progress:
        return prove(model, config, names, timeout, progress.report, walks=WALKS)


def _asked(
    spec_path: Path | None, without: Sequence[str], with_faults: str | None
) -> tuple[Model, Config, list[str] | None]:
    """The model, its configuration and the properties that are to be proved."""
    from onceproof.inputs.models import resolve
    from onceproof.model.checker.prover.induction import unbounded

    if spec_path is None:
        model, switches, faults, names = resolve(None, Path()).model, {}, None, None
    else:
        spec = load_spec(spec_path)
        model, switches = spec.model, dict(spec.config.switches)
        faults = [name for name, left in spec.config.budgets.items() if left != 0]
        names = _always(spec.chosen, model, spec_path)
    off = [name for part in without for name in part.split(",")]
    switches |= dict.fromkeys(off, False)
    if with_faults is not None:
        faults = [name for name in with_faults.split(",") if name]
    return model, unbounded(model, switches, faults), names


def _always(chosen: Sequence[str] | None, model: Model, path: Path) -> list[str] | None:
    if chosen is None:
        return None
    names = [name for name in chosen if model.properties[name].kind == "always"]
    if not names:
        raise InputError(f"{path}: none of its properties is an `always`; a proof for any size speaks of no other")
    return names


def _verified(folder: Path, solver: str, timeout: float, spec: Path | None, quiet: bool) -> tuple[Any, Exit]:
    from onceproof.model.checker.prover.verify import CertificateError, verify

    try:
        with _Progress(quiet) as progress:
            result = verify(folder, solver, timeout, progress.report)
    except CertificateError as error:
        raise InputError(str(error)) from None
    except ImportError:
        raise InputError(f"the solver {solver} is not installed (its Python package is called {solver})") from None
    if not result.problems:
        result.problems += _other_model(folder, result, spec)
    if result.problems:
        return result, Exit.VIOLATED
    return result, Exit.AS_EXPECTED if result.valid else Exit.UNDECIDED


def _other_model(folder: Path, result: Any, spec: Path | None) -> list[str]:
    """What in the certificate is not what the model at hand says."""
    from onceproof.model.checker.prover.certificate import differences
    from onceproof.model.checker.prover.induction import unbounded

    model = _asked(spec, (), None)[0]
    if model.name != result.model:
        return [f"certificate.json: it is of a model called {result.model}, not of {model.name}"]
    config = unbounded(model, dict.fromkeys(result.mechanisms_off, False), result.faults)
    return differences(model, config, folder, result.conjuncts)


def _diagnosed(proof: Proof, seconds: float, quiet: bool) -> list[Any]:
    if proof.proved or proof.interrupted:
        return []
    from onceproof.model.checker.engines import Options, checker
    from onceproof.model.checker.prover.diagnosis import diagnose

    return diagnose(proof, seconds, checker(Options()))


def _written(proof: Proof, folder: Path) -> Path:
    from onceproof.model.checker.prover.certificate import write_certificate

    try:
        write_certificate(proof, folder)
    except FileExistsError as error:
        raise InputError(f"--certificate: {error}") from None
    return folder


def _status(proof: Proof, diagnoses: Sequence[Any]) -> Exit:
    if proof.proved:
        return Exit.AS_EXPECTED
    return Exit.VIOLATED if any(diagnosis.real for diagnosis in diagnoses) else Exit.UNDECIDED


def _again(spec: Path | None, without: Sequence[str], with_faults: str | None) -> str:
    parts = ["onceproof prove", *([str(spec)] if spec else []), *(f"--without {name}" for name in without)]
    return " ".join([*parts, *([f"--with-faults {with_faults}"] if with_faults is not None else [])])


class _Progress:
    """How many queries are answered, on stderr if that is a terminal."""

    def __init__(self, quiet: bool) -> None:
        self.on = not quiet and sys.stderr.isatty()

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self.on:
            click.echo("\r\x1b[K", nl=False, err=True)

    def report(self, done: int, total: int) -> None:
        """Take how many of how many are done."""
        if self.on and (done % 16 == 0 or done == total):
            click.echo(f"\r{done} of {total} queries\x1b[K", nl=False, err=True)
