"""The matrix of mechanisms, faults and properties: what is asked, and all that was found."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum

from onceproof.model.checker.matrix.cases import (
    Case,
    CaseResult,
    Finding,
    Setting,
    cases_of,
    not_explored,
)
from onceproof.model.checker.matrix.minimal_sets import Breaking, Sufficient, SufficientSearch, breaking_faults
from onceproof.model.checker.matrix.workers import Report, Workers
from onceproof.model.checker.results import INTERRUPTED, Limits, Progress, Verdict
from onceproof.model.language import ConfigError
from onceproof.model.language.declare import DEADLOCK

Names = tuple[str, ...]


class Mark(Enum):
    """What a cell says of a property."""

    HOLDS = "holds"
    IDLE = "idle"  # holds, but what it speaks of never happens
    BROKEN = "broken"
    UNKNOWN = "unknown"
    NONE = "none"  # the property does not apply to the case


@dataclass(frozen=True)
class Plan:
    """What to compute. rows: mechanisms that are off; columns: faults; most_faults: of sets that break the design.

    most_mechanisms: of sets that may suffice, None for all, -1 for no search; set_states: after how many states a set
    is given up as undecided; probed: mechanisms of which is found out where they make no difference.
    """

    setting: Setting
    rows: list[Names]
    columns: list[Names]
    faults: Names
    mechanisms: Names
    most_faults: int = 1
    most_mechanisms: int | None = None
    max_states: int | None = None
    set_states: int | None = None
    processes: int = 2
    probed: Names = ()


@dataclass
class Matrix:
    """All that was found. seconds: of each of the three parts; explored: cases in which part."""

    plan: Plan
    results: dict[Case, CaseResult] = field(default_factory=dict)
    sufficient: list[Sufficient] = field(default_factory=list)
    breaking: list[Breaking] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    explored_for_sets: int = 0
    passed_over: int = 0
    interrupted: bool = False

    @property
    def setting(self) -> Setting:
        """What all cells have in common."""
        return self.plan.setting

    @property
    def cells(self) -> list[CaseResult]:
        """All cells, row by row; one that was not reached is unknown."""
        cases = cases_of(self.plan.rows, self.plan.columns)
        return [self.results.get(case) or not_explored(self.setting, case, INTERRUPTED) for case in cases]

    @property
    def unknown(self) -> list[CaseResult]:
        """The cells in which something is undecided."""
        return [cell for cell in self.cells if cell.unknown]

    @property
    def explored(self) -> int:
        """How many cells were explored themselves: the others have the system of one of these."""
        return sum(cell.shared is None and bool(cell.engine) for cell in self.cells)

    @property
    def complete(self) -> bool:
        """Whether nothing is left undecided in the cells."""
        return not self.interrupted and not self.unknown

    def same_as_all_on(self, cell: CaseResult, name: str) -> bool:
        """Whether a cell says of a property what the full design says of it under the same faults."""
        whole = self.results.get(Case((), cell.case.faults))
        return whole is not None and mark(whole.of(name)) is mark(cell.of(name))


def mark(finding: Finding | None) -> Mark:
    """What a finding comes to."""
    if finding is None:
        return Mark.NONE
    if finding.verdict is Verdict.HOLDS:
        return Mark.IDLE if finding.vacuous else Mark.HOLDS
    return Mark.BROKEN if finding.broken else Mark.UNKNOWN


def rows_of(mechanisms: Iterable[str]) -> list[Names]:
    """The full design, and each mechanism off alone."""
    return [(), *((name,) for name in mechanisms)]


def columns_of(faults: Names, most: int) -> list[Names]:
    """No fault, each alone, and all sets of at most so many."""
    return [chosen for size in range(most + 1) for chosen in itertools.combinations(faults, size)]


class MatrixProgress:
    """How far the matrix is, as a line of text. show(text) is called twice a second at most."""

    def __init__(self, show: Callable[[str], None]) -> None:
        self._show, self._shown = show, 0.0
        self._part, self._done, self._all = "", 0, 0
        self._began = time.monotonic()
        self._under_way: dict[Case, int] = {}

    def part(self, name: str, number: int) -> None:
        """A part begins, with so many cases to do (0: not known)."""
        self._part, self._done, self._all, self._began = name, 0, number, time.monotonic()
        self._under_way.clear()
        self._say(force=True)

    def of(self, results: Iterable[CaseResult]) -> Iterator[CaseResult]:
        """Pass results on, counting them."""
        for result in results:
            self._done += 1
            self._under_way.pop(result.case, None)
            self._say()
            yield result

    def report(self, case: Case, found: Progress) -> None:
        """Take a report of an exploration under way."""
        self._under_way[case] = found.states
        self._say()

    def _say(self, force: bool = False) -> None:
        now = time.monotonic()
        if not force and now - self._shown < 0.5:
            return
        self._shown = now
        seconds = now - self._began
        done = f"{self._done} of {self._all} cells" if self._all else f"{self._done} cells"
        left = ""
        if self._all and self._done:
            left = f", about {seconds / self._done * (self._all - self._done):.0f} s left"
        busy = "".join(f"; {case}: {states:,} states" for case, states in self._under_way.items())
        self._show(f"{self._part}: {done}, {seconds:.0f} s{left}{busy}")


# What explores cases within limits, reports how far each is, and asks which mechanisms make a difference.
Crew = Callable[[Limits, Report | None, Names], Workers]


def compute(plan: Plan, crew: Crew, progress: MatrixProgress) -> Matrix:
    """All of it. Ctrl-C ends it early; what is known by then is in the matrix."""
    if plan.setting.names == []:
        raise ConfigError("no property to judge; nothing to check")
    matrix = Matrix(plan)
    try:
        limits = Limits(plan.max_states)
        with crew(limits, progress.report, plan.probed) as workers:
            _cells(matrix, workers, progress)
            _breaking(matrix, workers, progress)
        if plan.most_mechanisms != -1:
            states = min((n for n in (plan.set_states, plan.max_states) if n is not None), default=None)
            with crew(Limits(states), progress.report, ()) as workers:
                _sufficient(matrix, workers, progress)
    except KeyboardInterrupt:
        matrix.interrupted = True
    return matrix


def _cells(matrix: Matrix, workers: Workers, progress: MatrixProgress) -> None:
    began = time.monotonic()
    cases = cases_of(matrix.plan.rows, matrix.plan.columns)
    progress.part("matrix", len(cases))
    try:
        # The full design first: it shows which mechanisms make no difference.
        for part in ([case for case in cases if not case.off], [case for case in cases if case.off]):
            for result in progress.of(workers.run(part)):
                matrix.results[result.case] = result
    finally:
        matrix.seconds["matrix"] = time.monotonic() - began


def _breaking(matrix: Matrix, workers: Workers, progress: MatrixProgress) -> None:
    began = time.monotonic()
    progress.part("sets of faults", 0)
    plan = matrix.plan
    matrix.breaking = breaking_faults(
        plan.setting, plan.faults, plan.most_faults, matrix.results, lambda cases: progress.of(workers.run(cases))
    )
    matrix.seconds["faults"] = time.monotonic() - began


def _sufficient(matrix: Matrix, workers: Workers, progress: MatrixProgress) -> None:
    began = time.monotonic()
    progress.part("sets of mechanisms", 0)
    plan = matrix.plan
    search = SufficientSearch(plan.setting, plan.mechanisms, plan.columns, matrix.results, together(plan.setting))
    matrix.sufficient = search.results
    try:
        search.run(lambda cases: progress.of(workers.run(cases)), plan.processes, plan.most_mechanisms)
    finally:
        matrix.seconds["mechanisms"] = time.monotonic() - began
        matrix.explored_for_sets, matrix.passed_over = search.explored, search.passed


def together(setting: Setting) -> dict[str, Names]:
    """What is asked for together, of the properties there are: what the model says, and all of them."""
    names = [name for name in setting.names if name != DEADLOCK]
    asked: dict[str, Names] = {
        title: claims for title, claims in setting.model.together.items() if set(claims) <= set(names)
    }
    if len(names) > 1:
        asked["all of these"] = tuple(setting.names)
    return asked
