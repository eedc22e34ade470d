"""``swarm``: search what no machine can hold with many small searches that differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from onceproof.api.counterexample import CounterexampleReport
from onceproof.api.sources import Budgets, Source, installed_first, spec_of
from onceproof.errors import InputError
from onceproof.explain.failure import with_run
from onceproof.inputs.specs import Spec
from onceproof.model.checker import swarm as members_of
from onceproof.model.checker.engines import EngineError
from onceproof.model.checker.results import Limits, Progress, Verdict
from onceproof.model.checker.swarm import SwarmOptions, SwarmResult
from onceproof.model.language import ModelError
from onceproof.reports.notebook import Summary, html
from onceproof.reports.style import unstyle
from onceproof.reports.swarm import swarm_json, swarm_lines


class SwarmReport:
    """The result of ``swarm``; ``str()`` of it is the report that the command line prints.

    A swarm can find a violation, and never prove that there is none.
    """

    def __init__(self, spec: Spec, result: SwarmResult, depth: int) -> None:
        self.spec, self.result, self.depth_limit = spec, result, depth

    @property
    def verdict(self) -> Verdict:
        """``VIOLATED``, or else ``UNKNOWN``."""
        return Verdict.UNKNOWN if self.result.violation is None else Verdict.VIOLATED

    @property
    def violated(self) -> bool:
        """Whether a member met a violation."""
        return self.result.violation is not None

    @property
    def counterexample(self) -> CounterexampleReport | None:
        """The violation, with every step left out that it does not need."""
        found = self.result.violation
        return None if found is None else CounterexampleReport(found, self.spec.source, self.spec.name)

    @property
    def states(self) -> int:
        """About how many different states were met."""
        return self.result.distinct

    @property
    def cells(self) -> dict[str, dict[str, int]]:
        """About how many different states were met in which a mechanism makes a difference, by the faults before.

        By mechanism (or *sometimes*, or "every state"), then by fault (or "every state", or "no fault").
        """
        result = self.result
        return {
            row: dict(zip(result.columns, counts, strict=True))
            for row, counts in zip(result.rows, result.table, strict=False)
        }

    @property
    def again(self) -> str:
        """The command that shows the violation again; "" where none was found, and for what is not in a spec file."""
        if not self.spec.from_file or self.result.violated_by is None:
            return ""
        seed, depth = self.result.violated_by, self.depth_limit
        return f"onceproof walk {self.spec.asked} --swarm --members 1 --seed {seed} --depth {depth}"

    def lines(self, *, quiet: bool = False) -> Iterator[str]:
        """The lines of the report. quiet: only a violation."""
        return swarm_lines(self.spec, self.result, self.depth_limit, self.again, quiet=quiet)

    def __str__(self) -> str:
        return unstyle("\n".join(self.lines()))

    def __repr__(self) -> str:
        return f"<SwarmReport of {self.spec.name}: {self.verdict.value}, {self.result.members} members>"

    def _repr_html_(self) -> str:
        """What a notebook shows of it."""
        found = self.counterexample
        facts = [f"{self.result.members} members", f"about {self.states:,} distinct states"]
        said = "violated" if found is not None else "no violation found"
        run = None if found is None else found.explanation
        return html(Summary(self.spec.name, self.verdict, said, facts, str(self), notes=self.result.notes, run=run))

    def to_json(self) -> dict[str, Any]:
        """The document of ``onceproof walk --swarm --json``."""
        return swarm_json(self.spec, self.result, self.depth_limit)


@installed_first
def swarm(
    source: Source = None,
    *,
    sizes: Mapping[str, int] | None = None,
    mechanisms: Mapping[str, bool] | None = None,
    faults: Budgets | None = None,
    parameters: Mapping[str, int] | None = None,
    properties: Sequence[str] | None = None,
    members: int = 32,
    depth: int = 200,
    seed: int = 0,
    workers: int | None = None,
    max_seconds: float | None = None,
    ray: str | None = None,
    progress: Callable[[Progress], None] | None = None,
    keep_partial: bool = False,
) -> SwarmReport:
    """Search depth first with many members, each with an order, a depth and a choice of faults of its own.

    A member keeps three bits of each state (32 MiB in all), meets at most four million, and goes at most ``depth``
    steps deep, a half, a quarter or an eighth of it. That of number n has the seed ``seed`` + n.
    source, sizes, mechanisms, faults, parameters, properties, workers, progress, keep_partial: as in ``check``.
    ray: the address of a Ray cluster whose nodes search (``local``: one that is started on this machine).

    InputError where the source or a setting is wrong, no property can be judged on the way, or the compiled engine
    cannot search this.
    """
    spec = spec_of(
        source, sizes=sizes, mechanisms=mechanisms, faults=faults, parameters=parameters, properties=properties
    )
    options = SwarmOptions(members, depth, seed, workers, Limits(max_seconds=max_seconds, report=progress), ray)
    try:
        result = members_of.swarm(spec.system, spec.properties, options)
    except EngineError as error:
        raise InputError(f"{spec.path}: {error}") from error
    except ModelError as error:
        raise with_run(error, spec.system, spec.properties) from error
    if result.stopped is not None and result.stopped.interrupted and not keep_partial:
        raise KeyboardInterrupt
    return SwarmReport(spec, result, depth)
