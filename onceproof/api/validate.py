"""``validate``: say whether some run of a model explains logs of a system that ran."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from onceproof.api.judge import VERDICTS
from onceproof.api.sources import Budgets, Source, installed_first, spec_of
from onceproof.conformance.judging.errors import LogError
from onceproof.conformance.validation.diagnosis import Diagnosis, diagnose
from onceproof.conformance.validation.logs import names_in, read_events
from onceproof.conformance.validation.mapping import LogMapping, identity, load
from onceproof.conformance.validation.validate import NODES, Validation, Validator
from onceproof.conformance.validation.validate import validate as validate_events
from onceproof.errors import InputError
from onceproof.inputs.specs import Spec
from onceproof.model.checker.results import Verdict
from onceproof.model.language.errors import nearest
from onceproof.reports.notebook import Summary, html
from onceproof.reports.style import unstyle
from onceproof.reports.validation_text import document, report_lines

DIAGNOSED = 3  # so many parts without an explanation are looked into


class ValidationReport:
    """The result of ``validate``; ``str()`` of it is the report that the command line prints.

    diagnoses: why the first parts without an explanation have none. assumed: actions that were taken as unlogged
    because no mapping says so. skipped: how many lines were, by reason. vacuous: properties that the spec lists and
    no run exercised.
    """

    def __init__(
        self, validation: Validation, diagnoses: list[Diagnosis], assumed: list[str], by: str, skipped: dict[str, int]
    ) -> None:
        self.validation, self.diagnoses = validation, diagnoses
        self.assumed, self.by, self.skipped = assumed, by, skipped
        self.vacuous: list[str] = []

    @property
    def verdict(self) -> Verdict:
        """``HOLDS`` if runs explain the logs, ``VIOLATED`` if that is impossible, or else ``UNKNOWN``."""
        return Verdict.UNKNOWN if self.validation.holds and self.vacuous else VERDICTS[self.validation.holds]

    @property
    def holds(self) -> bool:
        """Whether runs of the model explain the logs."""
        return self.verdict is Verdict.HOLDS

    def __str__(self) -> str:
        return unstyle("\n".join(self.lines()))

    def __repr__(self) -> str:
        found = self.validation
        return f"<ValidationReport: {found.explained} of {found.slices} parts explained, {self.verdict}>"

    def _repr_html_(self) -> str:
        """What a notebook shows of it."""
        said = {Verdict.HOLDS: "explained", Verdict.VIOLATED: "not explained", Verdict.UNKNOWN: "undecided"}
        facts = [f"{self.validation.explained:,} of {self.validation.slices:,} parts explained"]
        return html(Summary("validation", self.verdict, said[self.verdict], facts, str(self)))

    def lines(self) -> list[str]:
        """The report, line by line."""
        skipped = [f"skipped {count:,} lines: {reason}" for reason, count in self.skipped.items()]
        lines = [*skipped, *report_lines(self.validation, self.diagnoses, self.assumed, self.by)]
        if self.validation.holds and self.vacuous:
            lines.append(f"undecided: never exercised, though the spec lists it: {', '.join(self.vacuous)}")
        return lines

    def to_json(self) -> dict[str, Any]:
        """As ``onceproof validate --json``."""
        return {**document(self.validation, self.diagnoses, self.assumed), "verdict": str(self.verdict)}


@installed_first
def validate(
    source: Source,
    logs: str | Path | Sequence[str | Path],
    *,
    mapping: str | Path | None = None,
    by: str | None = None,
    sizes: dict[str, int] | None = None,
    mechanisms: dict[str, bool] | None = None,
    faults: Budgets | None = None,
    parameters: dict[str, int] | None = None,
    max_nodes: int = NODES,
    repair_seconds: float = 10.0,
    lenient: bool = False,
    progress: Callable[[int, int, int], None] | None = None,
    keep_partial: bool = False,
) -> ValidationReport:
    """Validate logs against a model; see docs/validation.md for logs and mappings.

    source, sizes, mechanisms, faults, parameters: as for ``check``. mapping: a YAML file; None if the logs use the
    model's own names, where ``by`` is the sort whose elements are validated one by one. max_nodes: limit of the search
    for each part. repair_seconds: for the search for changes that would make a part fit. lenient: skip wrong lines.
    progress: called with the parts done, all parts and the nodes of the present one. keep_partial: Ctrl-C returns
    what is known.

    Raises InputError where a log or the mapping is wrong, with file, line or key, and reason.
    """
    spec = spec_of(source, sizes=sizes, mechanisms=mechanisms, faults=faults, parameters=parameters)
    paths = [str(logs)] if isinstance(logs, str | Path) else [str(log) for log in logs]
    try:
        chosen = load(Path(mapping), spec.system) if mapping is not None else own_names(spec, paths, by)
        events, skipped = read_events(paths, chosen, lenient=lenient)
    except LogError as error:
        raise InputError(str(error)) from None
    validator = Validator(spec.model, spec.config, chosen, max_nodes)
    found = validate_events(validator, events, progress)
    if found.interrupted and not keep_partial:
        raise KeyboardInterrupt
    open_parts = [*found.refuted, *found.undecided][:DIAGNOSED]
    diagnoses = [diagnose(validator, p, repair_seconds) if p.complete else Diagnosis(p) for p in open_parts]
    assumed = sorted(chosen.unlogged) if mapping is None else []
    report = ValidationReport(found, diagnoses, assumed, chosen.by, skipped)
    report.vacuous = [name for name in spec.chosen or () if name in found.silent]
    return report


def own_names(spec: Spec, logs: Sequence[str], by: str | None) -> LogMapping:
    """The mapping of logs that use the model's own names; InputError where they have none of them."""
    names = names_in(logs)
    if not set(names) & set(spec.model.actions):
        found = f": found {', '.join(names[:5])}" if names else ""
        raise InputError(
            f"no event of the logs has the name of an action{found}; "
            "`onceproof validate --new-mapping` drafts a mapping"
        )
    if by is not None and by not in spec.model.sorts:
        raise InputError(f"by: unknown sort `{by}`{nearest(by, spec.model.sorts)}")
    return identity(spec.system, names, by or "")
