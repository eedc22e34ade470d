"""``check``: explore every reachable state in plain Python, and judge every property on what was found."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from onceproof.model.checker.explicit.evaluators import DirectEvaluator, GeneratedEvaluator, PropertyEvaluator
from onceproof.model.checker.explicit.graph import DirectStepper, Graph, Stepper, explore
from onceproof.model.checker.explicit.minimal import MINIMAL, Costs
from onceproof.model.checker.ground.python_code import GeneratedSystem
from onceproof.model.checker.results import CheckResult, Counterexample, Limits, PropertyResult, Verdict
from onceproof.model.language.declare import DEADLOCK, Property
from onceproof.model.language.system import Arguments, System

if TYPE_CHECKING:
    from onceproof.model.checker.explicit.liveness import FairSearch


def check(
    system: System,
    properties: Sequence[Property] | None = None,
    limits: Limits | None = None,
    engine: str = "plain",
) -> CheckResult:
    """Explores all reachable states (also past violations) and judges the properties (default: all that apply).

    engine: "plain" takes steps and truths from code generated from the traces, "direct" runs the model's functions.
    Ctrl-C and limits end the exploration early; what is known by then is in the result, and its verdict is unknown.
    """
    began = time.monotonic()
    claims = list(properties) if properties is not None else system.properties()
    asked = [*claims, system.ending] if system.ending else claims
    stepper: Stepper
    truths: PropertyEvaluator
    if engine == "direct":
        stepper, truths = DirectStepper(system), DirectEvaluator(system)
    else:
        stepper = generated = GeneratedSystem(system)
        truths = GeneratedEvaluator(generated, asked)
    graph = explore(system, stepper, limits)
    result = judge(graph, truths, claims, with_deadlock=properties is None)
    result.engine, result.seconds = engine, time.monotonic() - began
    return result


def judge(graph: Graph, truths: PropertyEvaluator, claims: Sequence[Property], *, with_deadlock: bool) -> CheckResult:
    """The verdicts on a graph that was explored (as far as it was)."""
    system = graph.system
    judgement = _Evaluation(graph, truths, claims)
    results = [judgement.of(claim) for claim in claims]
    if with_deadlock and system.ending is not None:
        results.append(judgement.deadlock(system.ending))
    fired = dict.fromkeys(system.actions, 0)
    for step in graph.edge_steps[: graph.first_edge[-1]]:
        fired[graph.stepper.steps[step].action] += 1
    return CheckResult(
        engine="",
        complete=graph.complete,
        states=len(graph.states),
        transitions=graph.first_edge[-1],
        depth=graph.depth,
        seconds=graph.seconds,
        fired=fired,
        properties=results,
        stopped=graph.stopped,
        faults=frozenset(name for name, action in system.actions.items() if action.fault),
    )


class _Evaluation:
    """The verdicts on one graph; what several properties need is worked out once."""

    def __init__(self, graph: Graph, truths: PropertyEvaluator, claims: Sequence[Property]) -> None:
        self.graph, self.system, self.truths = graph, graph.system, truths
        self._violations = truths.violations([claim for claim in claims if claim.kind == "always"], graph.states)
        self._costs: Costs | None = None
        self._fair: FairSearch | None = None

    def of(self, claim: Property) -> PropertyResult:
        kinds = {"always": self._always, "sometimes": self._sometimes, "eventually": self._eventually}
        return kinds[claim.kind](claim)

    def _always(self, claim: Property) -> PropertyResult:
        violations = {arguments: wrong for (name, arguments), wrong in self._violations.items() if name == claim.name}
        return self._safety(claim.name, "always", violations, bool(violations) or self._exercised(claim))

    def _exercised(self, claim: Property) -> bool:
        """Whether the property says anything of any state found."""
        asked = [self.truths.of(claim, arguments) for arguments in self.system.instances(claim)]
        return any(truth(state) is not None for truth in asked for state in self.graph.states)

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
        asked = [self.truths.of(claim, arguments) for arguments in self.system.instances(claim)]
        seen = any(truth(state) for truth in asked for state in self.graph.states)
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
            truth = self.truths.of(claim, arguments)
            truths = [truth(state) for state in self.graph.states]
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
        keeps = self.truths.kept(claim, arguments)
        states = self.graph.states
        lasso = self.fair.lasso(lambda number: truths[number] is False, lambda number: keeps(states[number]))
        if lasso is None:
            return None
        trace = self.graph.trace(lasso.stem + lasso.cycle, loop=len(lasso.stem))
        return Counterexample(claim.name, arguments, trace, "faults, then steps of the stem")

    def deadlock(self, ending: Property) -> PropertyResult:
        """Whether every state in which nothing but faults can happen is a wanted end."""
        ended = self.truths.of(ending, ())
        stuck = [
            number
            for number in range(self.graph.explored)
            if not any(self._acts(step) for step, _ in self.graph.edges(number))
            and ended(self.graph.states[number]) is False
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
        from onceproof.model.checker.explicit.liveness import (
            FairSearch,  # numpy takes longer to import than most specs to check
        )

        if self._fair is None:
            self._fair = FairSearch(self.graph)
        return self._fair


def _stem(found: Counterexample) -> tuple[int, int]:
    return found.trace.faults, found.trace.loop or 0
