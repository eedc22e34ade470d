"""``prove``: prove the *always* properties of a model for any size, and check certificates of such proofs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from onceproof.api.counterexample import CounterexampleReport
from onceproof.api.sources import Source, installed_first, spec_of
from onceproof.errors import InputError
from onceproof.inputs.models import ModelRef
from onceproof.inputs.specs import ENDINGS, Spec
from onceproof.model.checker.engines import Options, checker
from onceproof.model.checker.prover import induction
from onceproof.model.checker.prover.certificate import differences, write_certificate
from onceproof.model.checker.prover.diagnosis import Diagnosis, diagnose
from onceproof.model.checker.prover.minimise import minimal_invariant
from onceproof.model.checker.prover.verify import CertificateError, Verification, verify
from onceproof.model.checker.results import Verdict
from onceproof.model.language import Config, ConfigError
from onceproof.reports.notebook import Summary, html
from onceproof.reports.proof import Details, proof_json, proof_lines, verdict
from onceproof.reports.style import unstyle

WALKS = 12  # random runs of a small instance, before the solver is asked
Report = Callable[[int, int], None]  # queries answered, queries in all


@dataclass(frozen=True)
class ProvedProperty:
    """What became of one property.

    outcome: ``proved``, ``violated`` (there is a run that gets there), ``not proved`` or ``unknown`` (the solver gave
    up). counterexample: the run that violates it; None where there is none.
    """

    name: str
    outcome: str
    counterexample: CounterexampleReport | None

    @property
    def proved(self) -> bool:
        """Whether it holds for any number of everything."""
        return self.outcome == "proved"


class ProofReport:
    """The result of ``prove``; ``str()`` of it is the report that the command line prints."""

    def __init__(self, proof: induction.Proof, details: Details, source: ModelRef) -> None:
        self.proof, self.details, self.source = proof, details, source

    @property
    def proved(self) -> bool:
        """Whether every property that was asked for is proved."""
        return self.proof.proved

    @property
    def verdict(self) -> Verdict:
        """``HOLDS`` if all is proved, ``VIOLATED`` if a run violates a property, else ``UNKNOWN``."""
        if self.proved:
            return Verdict.HOLDS
        return Verdict.VIOLATED if any(found.real for found in self.diagnoses) else Verdict.UNKNOWN

    @property
    def diagnoses(self) -> Sequence[Diagnosis]:
        """For each property that is not proved: the induction step that failed, and a real run if there is one."""
        return self.details.diagnoses

    @cached_property
    def properties(self) -> dict[str, ProvedProperty]:
        """What became of each property, by name."""
        real = {found.property: found.real for found in self.diagnoses}
        runs = {name: CounterexampleReport(found, self.source, "") for name, found in real.items() if found is not None}
        return {
            name: ProvedProperty(name, verdict(self.proof, name, self.diagnoses), runs.get(name))
            for name in self.proof.properties
        }

    @property
    def seconds(self) -> float:
        """How long the proof took."""
        return self.proof.seconds

    def __str__(self) -> str:
        return unstyle("\n".join(proof_lines(self.proof, self.details, "", quiet=False)))

    def __repr__(self) -> str:
        outcomes = ", ".join(f"{name} {found.outcome}" for name, found in self.properties.items())
        return f"<ProofReport of {self.proof.model.name}: {outcomes}>"

    def _repr_html_(self) -> str:
        """What a notebook shows of it."""
        said = {Verdict.HOLDS: "proved for any size", Verdict.VIOLATED: "violated", Verdict.UNKNOWN: "not proved"}
        kinds = {name: claim.kind for name, claim in self.proof.model.properties.items()}
        rows = [(one.name, kinds[one.name], one.outcome, one.outcome == "violated") for one in self.properties.values()]
        runs = [one.counterexample.explanation for one in self.properties.values() if one.counterexample is not None]
        name, facts = self.proof.model.name, [f"{self.seconds:.1f} s"]
        return html(Summary(name, self.verdict, said[self.verdict], facts, str(self), rows, run=next(iter(runs), None)))

    def to_json(self) -> dict[str, Any]:
        """The document of ``onceproof prove --json``."""
        return proof_json(self.proof, self.details)


@installed_first
def prove(
    source: Source = None,
    *,
    mechanisms: Mapping[str, bool] | None = None,
    faults: Sequence[str] | None = None,
    parameters: Mapping[str, int] | None = None,
    properties: Sequence[str] | None = None,
    timeout: float = 10.0,
    search: float = 60.0,
    minimise: bool = False,
    invariant: bool = False,
    certificate: Path | str | None = None,
    progress: Report | None = None,
    keep_partial: bool = False,
) -> ProofReport:
    """Prove *always* properties for any number of everything and any number of faults, by induction with z3.

    source, parameters: as in ``check``. faults: names; None for those that a spec has, or for all of a model.
    properties: names; None for those that a spec lists, or for all that apply.
    timeout: seconds for each query. search: seconds to look for a run that violates what is not proved.
    minimise: find a smallest set of claims that is still inductive. invariant: list the invariant in the report.
    certificate: a folder to write the proof to, as SMT-LIB, if all is proved.
    progress: called with the numbers of queries answered and asked. keep_partial: as in ``check``.

    InputError where the source or a setting is wrong; ModelError (with the author's line) for what cannot be read
    without bounds.
    """
    reference, config, names = _asked(source, mechanisms, faults, properties, parameters)
    proof = induction.prove(reference.model, config, names, timeout, progress, walks=WALKS)
    if proof.interrupted and not keep_partial:
        raise KeyboardInterrupt
    minimal = minimal_invariant(proof, timeout) if minimise and proof.proved else None
    diagnoses: Sequence[Diagnosis] = ()
    if not proof.proved and not proof.interrupted:
        diagnoses = diagnose(proof, search, checker(Options()))
    written = None
    if certificate is not None and proof.proved:
        written = Path(certificate)
        try:
            write_certificate(proof, written)
        except FileExistsError as error:
            raise InputError(f"certificate: {error}") from error
    refused = certificate is not None and not proof.proved
    return ProofReport(proof, Details(diagnoses, invariant, minimal, written, refused), reference)


@installed_first
def verify_certificate(
    folder: Path | str,
    source: Source = None,
    *,
    solver: str = "z3",
    timeout: float = 10.0,
    progress: Report | None = None,
) -> Verification:
    """Check the certificate in a folder, without the prover, and that it is of this model (``source``).

    solver: ``z3`` or ``cvc5``. The result is ``valid``, or names its ``problems`` and what is ``unknown``.
    InputError where there is no certificate or the solver is not installed.
    """
    folder = Path(folder)
    try:
        result = verify(folder, solver, timeout, progress)
    except CertificateError as error:
        raise InputError(str(error)) from None
    except ImportError:
        raise InputError(f"the solver {solver} is not installed (its Python package is called {solver})") from None
    if not result.problems:
        model = _asked(source, None, None, None)[0].model
        if model.name != result.model:
            result.problems.append(f"certificate.json: it is of a model called {result.model}, not of {model.name}")
        else:
            off = dict.fromkeys(result.mechanisms_off, False)
            config = induction.unbounded(model, off, result.faults, result.parameters)
            result.problems += differences(model, config, folder, result.without)
    return result


def _asked(
    source: Source,
    mechanisms: Mapping[str, bool] | None,
    faults: Sequence[str] | None,
    properties: Sequence[str] | None,
    parameters: Mapping[str, int] | None = None,
) -> tuple[ModelRef, Config, list[str] | None]:
    """The model, its configuration and the properties that are to be proved (None: all)."""
    spec = spec_of(source, mechanisms=mechanisms, parameters=parameters, properties=properties)
    if faults is None and _is_spec(source):
        faults = [name for name, left in spec.config.budgets.items() if left != 0]
    try:
        config = induction.unbounded(spec.model, dict(spec.config.switches), faults, spec.config.parameters)
    except ConfigError as error:
        raise InputError(str(error)) from None
    if spec.chosen is None:
        return spec.source, config, None
    names = [name for name in spec.chosen if name in spec.model.properties]
    names = [name for name in names if spec.model.properties[name].is_provable]
    if not names:
        raise InputError(
            f"{spec.path}: none of its properties says `always` or `step`; only these can be proved for any size, and "
            "`onceproof check` judges the others"
        )
    return spec.source, config, names


def _is_spec(source: Source) -> bool:
    """Whether the source says which faults happen; a model alone does not."""
    return isinstance(source, Spec) or (isinstance(source, Path | str) and Path(source).suffix in ENDINGS)
