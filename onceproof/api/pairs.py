"""``cover_pairs``: every pair of faults, each at the least sizes at which both can happen, covered on a system."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from onceproof.api.drivers import DriverSource, opened
from onceproof.api.replay import MOST_STATES
from onceproof.api.sources import Budgets, Source, installed_first, spec_of
from onceproof.conformance.command_driver import ANSWER_SECONDS
from onceproof.conformance.coverage import pairs, run
from onceproof.conformance.coverage.fault_pairs import FaultPair, pairs_of
from onceproof.conformance.drivers import CORE
from onceproof.conformance.replay.lockstep import Disagreement
from onceproof.errors import InputError
from onceproof.inputs.specs import Spec
from onceproof.model.checker.results import Trace
from onceproof.reports.pairs import pairs_json, pairs_lines, pairs_verdict
from onceproof.reports.replay import Agreement
from onceproof.reports.style import unstyle


class PairsReport:
    """The result of ``cover_pairs``; ``str()`` of it is the report that the command line prints.

    pairs: what became of each, in the order of the model.
    """

    def __init__(self, spec: Spec, found: pairs.CoveredPairs) -> None:
        self.spec, self.found, self.pairs = spec, found, found.pairs

    @property
    def verdict(self) -> Agreement:
        """``AGREES``, ``DIFFERS``, ``FLAKY`` or ``UNDECIDED`` (some pair was not covered in full)."""
        return pairs_verdict(self.found)

    @property
    def agrees(self) -> bool:
        """Whether every pair that can happen was covered in full, and the states were the same after every step."""
        return self.verdict is Agreement.AGREES

    @property
    def disagreement(self) -> Disagreement | None:
        """Where model and system come apart; None where they agree."""
        differs = self.found.differs
        return differs.coverage.disagreement if differs is not None and differs.coverage is not None else None

    @property
    def trace(self) -> Trace | None:
        """The shortest run found that ends in the disagreement, for ``replay``; None where they agree."""
        differs = self.found.differs
        return differs.coverage.trace if differs is not None and differs.coverage is not None else None

    def __str__(self) -> str:
        return unstyle("\n".join(pairs_lines(self.spec.name, self.found, "", quiet=False)))

    def __repr__(self) -> str:
        return f"<PairsReport of {self.spec.name}: {self.verdict.value}, {len(self.pairs)} pairs>"

    def to_json(self) -> dict[str, Any]:
        """The document of ``onceproof replay --pairs --json``."""
        return pairs_json(self.spec.name, self.found)


@installed_first
def cover_pairs(
    source: Source = None,
    driver: DriverSource = CORE,
    *,
    sizes: Mapping[str, int] | None = None,
    mechanisms: Mapping[str, bool] | None = None,
    faults: Budgets | None = None,
    parameters: Mapping[str, int] | None = None,
    max_seconds: float | None = None,
    max_steps: int | None = None,
    max_states: int | None = MOST_STATES,
    negative_tests: int = run.REFUSALS,
    seed: int = 0,
    symmetric: bool = False,
    answer_seconds: float = ANSWER_SECONDS,
    progress: Callable[[int, int, FaultPair], None] | None = None,
    keep_partial: bool = False,
) -> PairsReport:
    """Take a system through every transition after two faults, for every pair of faults that the model knows.

    source: its model, mechanisms and parameters count; budgets and sizes are found for each pair. What may happen only
    so often without being a fault counts as one, and a pair may be a fault that happens twice. Time and steps are
    shared among the pairs. The other arguments are as in ``cover``. progress: called with how many pairs of how many
    are done, and the pair that comes now.

    InputError where the source or the driver is wrong, or where the model has no faults.
    """
    spec = spec_of(source, sizes=sizes, mechanisms=mechanisms, faults=faults, parameters=parameters)
    budget = run.Budget(max_seconds, max_steps, max_states, negative_tests, seed=seed, symmetric=symmetric)
    if not pairs_of(spec.model):
        raise InputError(f"{spec.path}: the model has no faults; there are no pairs to cover")
    with opened(driver, answer_seconds) as driven:
        found = pairs.cover_pairs(spec.system, driven, budget, progress)
    if found.stopped is not None and found.stopped.interrupted and not keep_partial:
        raise KeyboardInterrupt
    return PairsReport(spec, found)
