"""``matrix``: which mechanism carries which property under which fault, and which sets of them suffice."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from onceproof.api.sources import Source, installed_first, spec_of
from onceproof.errors import InputError
from onceproof.inputs.shipping import ShippedSetting, shipped_setting
from onceproof.model.checker.engines import AUTO, ENGINES, Options, checker
from onceproof.model.checker.matrix.cases import CaseResult, Setting
from onceproof.model.checker.matrix.matrix import Matrix, MatrixProgress, Plan, columns_of, compute, rows_of
from onceproof.model.checker.matrix.minimal_sets import Breaking, Sufficient
from onceproof.model.checker.matrix.workers import Report, Workers
from onceproof.model.checker.results import Limits
from onceproof.model.language import ConfigError
from onceproof.model.language.errors import nearest
from onceproof.reports.matrix_json import document
from onceproof.reports.matrix_text import matrix_lines
from onceproof.reports.style import unstyle


class MatrixReport:
    """The result of ``matrix``; ``str()`` of it is the report that the command line prints."""

    def __init__(self, matrix: Matrix) -> None:
        self.matrix = matrix

    @property
    def complete(self) -> bool:
        """Whether nothing is left undecided in the cells."""
        return self.matrix.complete

    @property
    def cells(self) -> list[CaseResult]:
        """What was found with each mechanism off under each fault, row by row; its ``findings`` are by property."""
        return self.matrix.cells

    @property
    def sufficient_mechanisms(self) -> list[Sufficient]:
        """The minimal sets of mechanisms under which each property holds."""
        return self.matrix.sufficient

    @property
    def breaking_faults(self) -> list[Breaking]:
        """The minimal sets of faults that break each property with every mechanism on."""
        return self.matrix.breaking

    def __str__(self) -> str:
        return unstyle("\n".join(matrix_lines(self.matrix, everything=False, stories=False)))

    def __repr__(self) -> str:
        state = "complete" if self.complete else "not complete"
        return f"<MatrixReport of {self.matrix.setting.model.name}: {len(self.cells)} cells, {state}>"

    def to_json(self) -> dict[str, Any]:
        """The document of ``onceproof matrix --json``."""
        return document(self.matrix)

    def to_html(self) -> str:
        """A self-contained page with the table and all counterexamples."""
        from onceproof.reports.matrix_html import page

        return page(self.matrix)


@installed_first
def matrix(
    source: Source = None,
    *,
    sizes: Mapping[str, int] | None = None,
    parameters: Mapping[str, int] | None = None,
    mechanisms: Sequence[str] | None = None,
    faults: Sequence[str] | None = None,
    properties: Sequence[str] | None = None,
    pairs: bool = False,
    triples: bool = False,
    sets: bool = True,
    most: int | None = None,
    engine: str = AUTO,
    max_states: int | None = 1_000_000,
    set_states: int | None = 20_000,
    processes: int = 2,
    ray: str | None = None,
    progress: Callable[[str], None] | None = None,
    keep_partial: bool = False,
) -> MatrixReport:
    """Explore a model with each mechanism off, under each fault, and judge every property each time.

    source: as in ``check``; of a spec its sizes, parameters and properties count. parameters: by name.
    mechanisms, faults: names; None for all, [] for none. A mechanism is on where it is not switched off, whatever its
    default.
    pairs: pairs of faults too; triples: sets of up to three faults for what breaks the full design.
    sets: look for the minimal sets of mechanisms, of at most ``most`` (None: all).
    max_states, set_states: the limits of a cell, and of a set of mechanisms. processes: how many explore at once.
    ray: the address of a Ray cluster whose nodes explore (``local``: one that is started on this machine).
    progress: called with a line of text, twice a second at most. keep_partial: as in ``check``.

    InputError where a name is unknown or a size wrong.
    """
    if engine not in ENGINES:
        raise InputError(f"unknown engine `{engine}`{nearest(engine, ENGINES)}")
    spec = spec_of(source, sizes=sizes, parameters=parameters)
    model = spec.model
    off = _in_order("mechanism", mechanisms, tuple(model.switches))
    happen = _in_order("fault", faults, model.faults)
    chosen = spec.chosen if properties is None else tuple(dict.fromkeys(properties))
    setting = Setting(model, spec.sizes, chosen, spec.source.reference, spec.config.parameters)
    plan = Plan(
        setting,
        rows_of(off),
        columns_of(happen, 2 if pairs else 1),
        happen,
        off,
        most_faults=min(3 if triples else 2 if pairs else 1, len(happen)),
        most_mechanisms=-1 if not sets or not off else most,
        max_states=max_states,
        set_states=set_states,
        processes=processes,
        probed=() if engine == "direct" else off,
    )
    told = MatrixProgress(progress or (lambda text: None))
    try:
        setting.checked()
        if ray is None:
            found = compute(plan, partial(_processes, setting, engine, processes), told)
        else:
            found = _on_cluster(plan, engine, shipped_setting(setting, spec.source), ray, told)
    except ConfigError as error:
        raise InputError(f"matrix: {error}") from None
    if found.interrupted and not keep_partial:
        raise KeyboardInterrupt
    return MatrixReport(found)


def _processes(
    setting: Setting, engine: str, processes: int, limits: Limits, report: Report | None, probed: tuple[str, ...]
) -> Workers:
    return Workers(setting, limits, checker(Options(engine)), processes, report, probed)


def _on_cluster(plan: Plan, engine: str, load: ShippedSetting, address: str, told: MatrixProgress) -> Matrix:
    """The matrix, computed on the Ray cluster at an address; InputError where that cannot be used."""
    from onceproof.model.checker.matrix.cluster_workers import ClusterWorkers
    from onceproof.model.checker.partitioned.jobs import cluster_executor
    from onceproof.model.checker.partitioned.ray_cluster import LOCAL, ClusterError

    try:
        with cluster_executor(address, plan.processes if address == LOCAL else None) as executor:

            def crew(limits: Limits, _: Report | None, probed: tuple[str, ...]) -> Workers:
                return ClusterWorkers(executor, load, plan.setting, limits, engine, probed)

            return compute(replace(plan, processes=executor.slots), crew, told)
    except ClusterError as error:
        raise InputError(f"matrix: {error}") from None


def _in_order(what: str, names: Sequence[str] | None, known: Sequence[str]) -> tuple[str, ...]:
    """The names, in the order of the model; all where none are given."""
    for name in names or ():
        if name not in known:
            hint = nearest(name, known) or f"; expected some of {', '.join(known)}"
            raise InputError(f"unknown {what} `{name}`{hint}")
    return tuple(name for name in known if names is None or name in names)
