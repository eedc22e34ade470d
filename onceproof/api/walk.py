"""``walk``: take random runs of a model, and judge its *always* properties on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from onceproof.api.counterexample import CounterexampleReport
from onceproof.api.sources import Budgets, Source, installed_first, spec_of
from onceproof.errors import InputError
from onceproof.explain.failure import with_run
from onceproof.inputs.specs import Spec
from onceproof.model.checker import walks
from onceproof.model.checker.engines import AUTO, EngineError
from onceproof.model.checker.explicit.random_walk import WalkResult
from onceproof.model.checker.results import Limits, Progress, Verdict
from onceproof.model.language import ModelError
from onceproof.reports.notebook import Summary, html
from onceproof.reports.style import unstyle
from onceproof.reports.walk import walk_json, walk_lines


class WalkReport:
    """The result of ``walk``; ``str()`` of it is the report that the command line prints.

    Random runs can find a violation, and never prove that there is none.
    """

    def __init__(self, spec: Spec, result: WalkResult, depth: int) -> None:
        self.spec, self.result, self.depth_limit = spec, result, depth

    @property
    def verdict(self) -> Verdict:
        """``VIOLATED``, or else ``UNKNOWN``."""
        return Verdict.UNKNOWN if self.result.violation is None else Verdict.VIOLATED

    @property
    def violated(self) -> bool:
        """Whether a run ended in a violation."""
        return self.result.violation is not None

    @property
    def counterexample(self) -> CounterexampleReport | None:
        """The violation, with every step left out that it does not need."""
        found = self.result.violation
        return None if found is None else CounterexampleReport(found, self.spec.source, self.spec.name)

    @property
    def runs(self) -> int:
        """How many runs were taken."""
        return self.result.runs

    @property
    def steps(self) -> int:
        """How many steps they took together."""
        return self.result.steps

    @property
    def states(self) -> int:
        """How many distinct states they met (an estimate, where compiled code walked)."""
        return self.result.distinct

    @property
    def seed(self) -> int:
        """What gives the same runs again."""
        return self.result.seed

    @property
    def again(self) -> str:
        """The command that shows the violation again; "" for what is not in a spec file."""
        if not self.spec.from_file:
            return ""
        result = self.result
        command = f"onceproof walk {self.spec.asked} --seed {result.seed} --depth {self.depth_limit}"
        return f"{command} --runs {(result.run or 0) + 1} --engine {result.engine}"

    def lines(self, *, quiet: bool = False) -> Iterator[str]:
        """The lines of the report. quiet: only a violation."""
        return walk_lines(self.spec, self.result, self.again, quiet=quiet)

    def __str__(self) -> str:
        return unstyle("\n".join(self.lines()))

    def __repr__(self) -> str:
        return f"<WalkReport of {self.spec.name}: {self.verdict.value}, {self.runs:,} runs>"

    def _repr_html_(self) -> str:
        """What a notebook shows of it."""
        found = self.counterexample
        facts = [f"{self.runs:,} runs", f"{self.steps:,} steps", f"{self.states:,} distinct states"]
        said = "violated" if found is not None else "no violation found"
        run = None if found is None else found.explanation
        return html(Summary(self.spec.name, self.verdict, said, facts, str(self), notes=self.result.notes, run=run))

    def to_json(self) -> dict[str, Any]:
        """The document of ``onceproof walk --json``."""
        return walk_json(self.spec, self.result, self.depth_limit)


@installed_first
def walk(
    source: Source = None,
    *,
    sizes: Mapping[str, int] | None = None,
    mechanisms: Mapping[str, bool] | None = None,
    faults: Budgets | None = None,
    parameters: Mapping[str, int] | None = None,
    properties: Sequence[str] | None = None,
    runs: int = 10_000,
    depth: int = 100,
    seed: int = 0,
    engine: str = AUTO,
    workers: int | None = None,
    max_seconds: float | None = None,
    progress: Callable[[Progress], None] | None = None,
    keep_partial: bool = False,
) -> WalkReport:
    """Take random runs of at most ``depth`` steps each, until an *always* property is violated or all are taken.

    source, sizes, mechanisms, faults, parameters, properties, workers, progress, keep_partial: as in ``check``.
    seed: the same seed, the same runs. engine: ``auto``, ``plain`` or ``compiled``.

    InputError where the source or a setting is wrong, or no *always* property applies.
    """
    spec = spec_of(
        source, sizes=sizes, mechanisms=mechanisms, faults=faults, parameters=parameters, properties=properties
    )
    judged = [claim for claim in spec.properties if claim.kind in walks.JUDGED]
    # A model without any is asked for deadlocks, and for its ranges.
    declared = [claim for claim in spec.system.model.properties.values() if claim.kind != "ending"]
    if not judged or (declared and spec.chosen is None and all(claim.kind == "deadlock" for claim in judged)):
        raise InputError(f"{spec.path}: no *always* property to judge on the way; nothing to check")
    limits = Limits(max_seconds=max_seconds, report=progress)
    try:
        result = walks.walk(spec.system, spec.properties, walks.WalkOptions(runs, depth, seed, engine, workers, limits))
    except EngineError as error:
        raise InputError(str(error)) from error
    except ModelError as error:
        raise with_run(error, spec.system, spec.properties) from error
    if result.stopped is not None and result.stopped.interrupted and not keep_partial:
        raise KeyboardInterrupt
    return WalkReport(spec, result, depth)
