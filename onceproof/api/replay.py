"""``replay`` and ``cover``: take a system along runs of the model, and compare their states after every step."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from onceproof.api.counterexample import CounterexampleReport
from onceproof.api.drivers import DriverSource, opened
from onceproof.api.sources import Budgets, Source, installed_first, spec_of
from onceproof.conformance.command_driver import ANSWER_SECONDS
from onceproof.conformance.coverage import run
from onceproof.conformance.driver import Interruption
from onceproof.conformance.drivers import CORE
from onceproof.conformance.replay import lockstep
from onceproof.conformance.replay.confirm import Confirmation, confirm
from onceproof.conformance.replay.lockstep import Disagreement
from onceproof.conformance.replay.negative_tests import Guards
from onceproof.conformance.replay.violation import seen_violation
from onceproof.errors import InputError
from onceproof.inputs.itf import TraceFile, read_trace
from onceproof.inputs.specs import Spec
from onceproof.model.checker.results import Trace
from onceproof.reports.conformance import call_text, parse_call
from onceproof.reports.coverage import coverage_json, coverage_lines, coverage_verdict
from onceproof.reports.replay import Agreement, ReplayedTrace, replay_json, replay_lines
from onceproof.reports.style import unstyle

MOST_STATES = 50_000  # their plan takes some ten seconds


class ReplayReport:
    """The result of ``replay``; ``str()`` of it is the report that the command line prints."""

    def __init__(self, replayed: ReplayedTrace) -> None:
        self.replayed = replayed

    @property
    def verdict(self) -> Agreement:
        """``AGREES``, ``DIFFERS``, ``FLAKY``, ``UNDECIDED`` (the driver does not perform an action), or ``VIOLATED``:
        the system followed a counterexample to its end, where the property is false."""
        return self.replayed.verdict

    @property
    def agrees(self) -> bool:
        """Whether the system did every step, and was in the state of the model after each."""
        return self.verdict is Agreement.AGREES

    @property
    def steps(self) -> int:
        """How many steps agreed."""
        return self.replayed.result.steps

    @property
    def compared(self) -> int:
        """How many states were compared."""
        return self.replayed.result.compared

    @property
    def disagreement(self) -> Disagreement | None:
        """Where model and system come apart: its ``kind``, ``step`` and ``differences``; None where they agree."""
        return self.replayed.result.disagreement

    def __str__(self) -> str:
        return unstyle("\n".join(replay_lines(self.replayed, "", quiet=False)))

    def __repr__(self) -> str:
        return f"<ReplayReport of {self.replayed.name}: {self.verdict.value}, {self.steps} steps>"

    def to_json(self) -> dict[str, Any]:
        """The document of ``onceproof replay --json``."""
        return replay_json(self.replayed)


class CoverReport:
    """The result of ``cover``; ``str()`` of it is the report that the command line prints."""

    def __init__(self, spec: Spec, coverage: run.Coverage, budget: run.Budget) -> None:
        self.spec, self.coverage, self.budget = spec, coverage, budget

    @property
    def verdict(self) -> Agreement:
        """``AGREES``, ``DIFFERS``, ``FLAKY`` or ``UNDECIDED`` (a limit was reached)."""
        return coverage_verdict(self.coverage, self.budget)

    @property
    def agrees(self) -> bool:
        """Whether all that was to be walked was walked, and the states were the same after every step."""
        return self.verdict is Agreement.AGREES

    @property
    def covered(self) -> int:
        """How many transitions of the model the system was taken through."""
        return self.coverage.covered

    @property
    def transitions(self) -> int:
        """How many transitions the model has (as far as it was explored)."""
        return self.coverage.transitions

    @property
    def steps(self) -> int:
        """How many steps were taken for that."""
        return self.coverage.steps

    @property
    def disagreement(self) -> Disagreement | None:
        """Where model and system come apart: its ``kind``, ``step`` and ``differences``; None where they agree."""
        return self.coverage.disagreement

    @property
    def trace(self) -> Trace | None:
        """The shortest run found that ends in the disagreement, for ``replay``; None where they agree."""
        return self.coverage.trace

    def __str__(self) -> str:
        return unstyle("\n".join(coverage_lines(self.spec, self.coverage, self.budget, "", quiet=False)))

    def __repr__(self) -> str:
        return f"<CoverReport of {self.spec.name}: {self.verdict.value}, {self.covered} of {self.transitions}>"

    def to_json(self) -> dict[str, Any]:
        """The document of ``onceproof replay --cover --json``."""
        return coverage_json(self.spec, self.coverage, self.budget)


@installed_first
def replay(
    trace: Trace | TraceFile | CounterexampleReport | Path | str,
    driver: DriverSource = CORE,
    *,
    model: Path | str | None = None,
    forbidden: Sequence[str] = (),
    answer_seconds: float = ANSWER_SECONDS,
) -> ReplayReport:
    """Take a system along a run of the model, step by step, up to the first disagreement, which is then repeated.

    trace: a counterexample, a Trace, or the path of an ITF file. driver: see ``DriverSource``.
    model: the model of an ITF file, where that is not the protocol and does not lie in the folder of the trace.
    forbidden: steps (``delete(scheduler1, message1)``) that the model forbids after the trace, and that the system must
    refuse there. A counterexample that the system follows to its end is a violation on the running system, and is
    repeated to confirm that. answer_seconds: how long a driver that is a process may take for an answer.

    InputError where the trace or the driver is wrong.
    """
    if isinstance(trace, Path | str):
        trace = read_trace(Path(trace), None if model is None else str(model))
    claimed = trace.counterexample if isinstance(trace, TraceFile | CounterexampleReport) else None
    name = str(trace.path) if isinstance(trace, TraceFile) else "trace"
    taken = trace if isinstance(trace, Trace) else trace.trace
    taken = dataclasses.replace(taken, departure=None)  # a system is taken as far as the model has states
    refused = [parse_call(taken.system, text) for text in forbidden]
    if not taken.steps and not refused:
        raise InputError(f"{name}: the trace has no steps; nothing to replay")
    guards = Guards(taken.system)
    for step in refused:
        if not guards.forbids(taken.states[-1], step):
            raise InputError(f"{name}: the model allows {call_text(taken.system, step)} after this trace")
    with opened(driver, answer_seconds) as driven:
        result = lockstep.replay(taken, driven, refused)
        replayed = ReplayedTrace(name, taken, result, Confirmation())
        if result.disagreement is not None:
            confirmation = confirm(replayed.failing, result.disagreement, driven)
            replayed = ReplayedTrace(name, taken, result, confirmation)
        elif claimed is not None and not result.not_performed:
            replayed = replace(replayed, violation=seen_violation(claimed, result, driven))
    return ReplayReport(replayed)


@installed_first
def cover(
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
    sample: int | None = None,
    seed: int = 0,
    symmetric: bool = False,
    crash_points: bool = False,
    store_failures: bool = False,
    group_commits: bool = False,
    answer_seconds: float = ANSWER_SECONDS,
    progress: Callable[[int, int, float], None] | None = None,
    keep_partial: bool = False,
) -> CoverReport:
    """Take a system through every transition of a model, by paths of few steps, up to the first disagreement.

    source, sizes, mechanisms, faults, parameters, keep_partial: as in ``check``. driver: see ``DriverSource``.
    negative_tests: at each new state the system is asked for so many steps that the model forbids, and must refuse.
    sample: walk only so many of the paths, chosen by ``seed``. symmetric: of transitions that differ in the names of
    interchangeable elements alone, one is enough. crash_points: then each process dies at each statement, commit and
    send of each of its actions; the state must be that before the action, or that after it. store_failures: the store
    refuses at each of them; the state must be as before, and the action still possible. group_commits: processes do two
    actions in one commit, and die at each point of it. progress: called with steps taken, steps planned and seconds.

    InputError where the source or the driver is wrong, or where the driver performs none of the first steps.
    """
    spec = spec_of(source, sizes=sizes, mechanisms=mechanisms, faults=faults, parameters=parameters)
    asked = (
        (crash_points, Interruption.DEATH),
        (store_failures, Interruption.REFUSAL),
        (group_commits, Interruption.GROUP),
    )
    ways = tuple(how for wanted, how in asked if wanted)
    budget = run.Budget(max_seconds, max_steps, max_states, negative_tests, sample, seed, symmetric, ways)
    with opened(driver, answer_seconds) as driven:
        found = run.cover(spec.system, driven, budget, progress)
    if not found.performable and found.disagreement is None:
        raise InputError(f"{spec.path}: the driver performs none of the steps that come first; nothing to cover")
    if found.stopped is not None and found.stopped.interrupted and not keep_partial:
        raise KeyboardInterrupt
    return CoverReport(spec, found, budget)
