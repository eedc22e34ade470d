"""``check``: explore every reachable state in plain Python, and judge every property on what was found."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from model.checker.graph import Graph, RunStepper, Stepper, explore
from model.checker.liveness import FairSearch
from model.checker.minimal import MINIMAL, Costs
from model.checker.results import CheckResult, Counterexample, Limits, PropertyResult, Verdict
from model.language.declare import Property
from model.language.system import Arguments, System

DEADLOCK = "deadlock"
Instance = tuple[Property, Arguments]


def check(
    system: System,
    properties: Sequence[Property] | None = None,
    limits: Limits | None = None,
    stepper: Stepper | None = None,
    engine: str = "plain",
) -> CheckResult:
    """Explores all reachable states (also past violations) and judges the properties (default: all that apply).

    stepper: where steps come from (default: generated from the traces; ``RunStepper`` runs the model's functions).
    Ctrl-C and limits end the exploration early; what is known by then is in the result, and its verdict is unknown.
    """
    began = time.monotonic()
    claims = list(properties) if properties is not None else system.properties()
    graph = explore(system, stepper or RunStepper(system), limits)
    return judge(graph, claims, engine, with_deadlock=properties is None, began=began)


def judge(
    graph: Graph, claims: Sequence[Property], engine: str, *, with_deadlock: bool, began: float | None = None
) -> CheckResult:
    """The verdicts on a graph that was explored (as far as it was)."""
    system = graph.system
    judgement = _Judgement(graph)
    results = [judgement.of(claim) for claim in claims]
    if with_deadlock and system.ending is not None:
        results.append(judgement.deadlock(system.ending))
    fired = dict.fromkeys(system.actions, 0)
    for step in graph.edge_steps[: graph.first_edge[-1]]:
        fired[graph.stepper.steps[step].action] += 1
    return CheckResult(
        engine=engine,
        complete=graph.complete,
        states=len(graph.states),
        transitions=graph.first_edge[-1],
        depth=graph.depth,
        seconds=time.monotonic() - began if began is not None else graph.seconds,
        fired=fired,
        properties=results,
        stopped=graph.stopped,
        faults=frozenset(name for name, action in system.actions.items() if action.fault),
    )


class _Judgement:
    """The verdicts on one graph; what several properties need is worked out once."""

    def __init__(self, graph: Graph) -> None:
        self.graph, self.system = graph, graph.system
        self._costs: Costs | None = None
        self._fair: FairSearch | None = None

    def of(self, claim: Property) -> PropertyResult:
        kinds = {"always": self._always, "sometimes": self._sometimes, "eventually": self._eventually}
        return kinds[claim.kind](claim)

    def _always(self, claim: Property) -> PropertyResult:
        violations: dict[Arguments, list[int]] = {}
        exercised = False
        for arguments in self.system.instances(claim):
            for number, state in enumerate(self.graph.states):
                truth = self.system.holds(claim, state, arguments)
                if truth is False:
                    violations.setdefault(arguments, []).append(number)
                exercised = exercised or truth is not None
        return self._safety(claim.name, "always", violations, exercised)

    def _safety(self, name: str, kind: str, violations: dict[Arguments, list[int]], exercised: bool) -> PropertyResult:
        if violations:
            path = self.costs.cheapest({number for numbers in violations.values() for number in numbers})
            last = path[-1][1] if path else 0
            arguments = next(a for a, numbers in violations.items() if last in numbers)
            found = Counterexample(name, arguments, self.graph.trace(path), MINIMAL)
            return PropertyResult(name, kind, Verdict.VIOLATED, counterexample=found)
        verdict = Verdict.HOLDS if self.graph.complete else Verdict.UNKNOWN
        idle = self.graph.complete and not exercised
        return PropertyResult(name, kind, verdict, "what it speaks of never happened" if idle else "")

    def _sometimes(self, claim: Property) -> PropertyResult:
        seen = any(
            self.system.holds(claim, state, arguments)
            for arguments in self.system.instances(claim)
            for state in self.graph.states
        )
        if seen:
            return PropertyResult(claim.name, "sometimes", Verdict.HOLDS)
        if not self.graph.complete:
            return PropertyResult(claim.name, "sometimes", Verdict.UNKNOWN)
        return PropertyResult(claim.name, "sometimes", Verdict.VIOLATED, "no reachable state shows it")

    def _eventually(self, claim: Property) -> PropertyResult:
        if not self.graph.complete:
            return PropertyResult(claim.name, "eventually", Verdict.UNKNOWN)
        exercised = False
        best: Counterexample | None = None
        for arguments in self.system.instances(claim):
            truths = [self.system.holds(claim, state, arguments) for state in self.graph.states]
            exercised = exercised or any(truth is not None for truth in truths)
            found = self._broken_promise(claim, arguments, truths)
            if found and (best is None or _stem(found) < _stem(best)):
                best = found
        if best:
            return PropertyResult(claim.name, "eventually", Verdict.VIOLATED, counterexample=best)
        idle = "" if exercised else "what it speaks of never happened"
        return PropertyResult(claim.name, "eventually", Verdict.HOLDS, idle)

    def _broken_promise(
        self, claim: Property, arguments: Arguments, truths: list[bool | None]
    ) -> Counterexample | None:
        if False not in truths:
            return None
        kept = self._kept(claim, arguments)
        lasso = self.fair.lasso(lambda number: truths[number] is False, kept)
        if lasso is None:
            return None
        trace = self.graph.trace(lasso.stem + lasso.cycle, loop=len(lasso.stem))
        return Counterexample(claim.name, arguments, trace, "faults, then steps of the stem")

    def _kept(self, claim: Property, arguments: Arguments) -> Callable[[int], bool]:
        """Whether the promise is kept in a state, whatever its ``given`` says there."""
        return lambda number: self.system.keeps(claim, self.graph.states[number], arguments)

    def deadlock(self, ending: Property) -> PropertyResult:
        """Whether every state in which nothing but faults can happen is a wanted end."""
        stuck = [
            number
            for number in range(self.graph.explored)
            if not any(self._acts(step) for step, _ in self.graph.edges(number))
            and self.system.holds(ending, self.graph.states[number], ()) is False
        ]
        return self._safety(DEADLOCK, DEADLOCK, {(): stuck} if stuck else {}, True)

    def _acts(self, step: int) -> bool:
        return not self.system.actions[self.graph.stepper.steps[step].action].fault

    @property
    def costs(self) -> Costs:
        """The least costs of all states."""
        if self._costs is None:
            self._costs = Costs(self.graph)
        return self._costs

    @property
    def fair(self) -> FairSearch:
        """The search for fair runs."""
        if self._fair is None:
            self._fair = FairSearch(self.graph)
        return self._fair


def _stem(found: Counterexample) -> tuple[int, int]:
    return found.trace.faults, found.trace.loop or 0
