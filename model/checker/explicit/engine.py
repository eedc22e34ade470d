"""``check``: explore every reachable state in plain Python, and judge every property on what was found."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, assert_never

from onceproof.model.checker.bounds import names_of_bounds, never_seen
from onceproof.model.checker.deadline import OutOfTime, check_time, deadline, grace
from onceproof.model.checker.explicit.evaluators import (
    DirectEvaluator,
    GeneratedEvaluator,
    Monitor,
    PropertyEvaluator,
    Truth,
)
from onceproof.model.checker.explicit.graph import DirectStepper, Graph, GraphPath, Stepper, explore
from onceproof.model.checker.explicit.minimal import MINIMAL, Costs
from onceproof.model.checker.explicit.refinement import STANDS_STILL, Judged, judged
from onceproof.model.checker.ground.python_code import GeneratedSystem
from onceproof.model.checker.obligations import demand_of
from onceproof.model.checker.results import (
    INTERRUPTED,
    CheckResult,
    Counterexample,
    Departure,
    Limits,
    PropertyResult,
    Stop,
    StopReason,
    Trace,
    Verdict,
    range_left,
    unexplored,
    with_bounds,
)
from onceproof.model.checker.safety import violated_by, violating_steps
from onceproof.model.language.declare import Property
from onceproof.model.language.errors import OutOfRange
from onceproof.model.language.refinement import refinement_of
from onceproof.model.language.system import Arguments, Step, System

if TYPE_CHECKING:
    from onceproof.model.checker.explicit.liveness import FairSearch

IDLE = "the situation that it is about never occurs"


def check(
    system: System,
    properties: Sequence[Property] | None = None,
    limits: Limits | None = None,
    engine: str = "plain",
) -> CheckResult:
    """Explores all reachable states (also past violations) and judges the properties (default: all that apply).

    engine: "plain" generates code for steps and properties, "direct" runs the model's functions. Ctrl-C and limits end
    the exploration early; what is known by then is in the result, and its verdict is unknown.
    """
    limits = limits or Limits()
    began = time.monotonic()
    claims = list(properties) if properties is not None else system.properties()
    with deadline(limits.max_seconds):
        try:
            stepper, evaluator = _ways_to_look(system, claims, engine)
        except OutOfTime:
            return unexplored(system, claims, engine, limits)
        monitor = Monitor(system, evaluator, [claim for claim in claims if claim.kind != "refines"])
        graph = explore(system, stepper, limits, monitor.visit)
        result = _Evaluation(graph, evaluator, monitor, limits).result(claims)
    result.engine, result.seconds = engine, time.monotonic() - began
    return result


def _ways_to_look(system: System, claims: Sequence[Property], engine: str) -> tuple[Stepper, PropertyEvaluator]:
    if system.ending is not None:
        claims = [*claims, system.ending]
    claims = [claim for claim in claims if claim.kind != "refines"]
    if engine == "direct":
        return DirectStepper(system), DirectEvaluator(system, claims)
    generated = GeneratedSystem(system)
    return generated, GeneratedEvaluator(generated, claims)


class _Evaluation:
    """The verdicts on one graph; what several properties need is worked out once."""

    def __init__(self, graph: Graph, evaluator: PropertyEvaluator, monitor: Monitor, limits: Limits) -> None:
        self.graph, self.system, self.evaluator = graph, graph.system, evaluator
        self.monitor, self.limits = monitor, limits
        self.finished_depth = graph.finished_depth

    def result(self, claims: Sequence[Property]) -> CheckResult:
        """The verdicts on these properties."""
        graph = self.graph
        results = [self.of(claim) for claim in claims]
        if graph.departing:
            results.append(self._range_left(graph.departing))
        outside = sum(self._outside.values())
        fired = dict.fromkeys(self.system.actions, 0)
        for step in graph.edge_steps[: graph.first_edge[-1]]:
            fired[graph.stepper.steps[step].action] += 1
        result = CheckResult(
            engine="",
            complete=graph.complete,
            states=len(graph.states) - outside,
            transitions=graph.first_edge[-1],
            depth=graph.depth,
            seconds=graph.seconds,
            fired=fired,
            properties=results,
            stopped=graph.stopped,
            faults=frozenset(name for name, action in self.system.actions.items() if action.fault),
            finished_depth=self.finished_depth,
            outside=outside,
            within=names_of_bounds(self.system) if outside else "",
            levels=graph.levels,
        )
        return with_bounds(result)

    def of(self, claim: Property) -> PropertyResult:
        """The verdict on a property."""
        match claim.kind:
            case "always":
                return self._always(claim)
            case "step":
                return self._steps(claim)
            case "sometimes":
                return self._sometimes(claim)
            case "eventually" | "leads_to" | "infinitely_often" | "stays" | "until":
                return self._eventually(claim)
            case "refines":
                return self._refines(claim)
            case "deadlock":
                return self._deadlock(claim)
            case "ending" | "axiom" | "within":
                raise ValueError(f"{claim.name}: a property of the kind {claim.kind!r} cannot be judged")
            case _:
                assert_never(claim.kind)

    def _always(self, claim: Property) -> PropertyResult:
        found = self.monitor.violations.items()
        violations = {arguments: numbers for (name, arguments, _), numbers in found if name == claim.name}
        return self._safety(claim.name, "always", violations, claim.name not in self.monitor.unseen)

    def _safety(self, name: str, kind: str, violations: dict[Arguments, list[int]], exercised: bool) -> PropertyResult:
        if violations:
            path, minimal = self._path_to({number for numbers in violations.values() for number in numbers})
            arguments = next(a for a, numbers in violations.items() if path.end in numbers)
            found = Counterexample(name, arguments, self.graph.trace(path), minimal)
            return PropertyResult(name, kind, Verdict.VIOLATED, counterexample=found)
        verdict = Verdict.HOLDS if self.graph.complete else Verdict.UNKNOWN
        idle = self.graph.complete and not exercised
        return PropertyResult(name, kind, verdict, IDLE if idle else "")

    def _steps(self, claim: Property) -> PropertyResult:
        """The verdict on a property of steps."""
        sources: dict[bool, list[int]] = {}
        for (name, _, by_fault), numbers in self.monitor.violations.items():
            if name == claim.name:
                sources.setdefault(by_fault, []).extend(numbers)
        if not sources:
            return self._safety(claim.name, claim.kind, {}, claim.name not in self.monitor.unseen)
        path, step, minimal = self._path_to_step(claim, sources)
        trace = self.graph.trace(path).followed_by(step)
        arguments = violated_by(self.system, claim, trace.states[-2:])
        assert arguments is not None
        counterexample = Counterexample(claim.name, arguments, trace, minimal)
        return PropertyResult(claim.name, claim.kind, Verdict.VIOLATED, counterexample=counterexample)

    def _path_to_step(self, claim: Property, sources: Mapping[bool, list[int]]) -> tuple[GraphPath, Step, str]:
        """A run to a state from which a step violates a property, that step, and in what the run is least.

        sources: such states, by whether it is a fault.
        """
        cut = self.graph.cut
        try:
            with grace():
                costs = {
                    (cost[0] + by_fault, cost[1], number)
                    for by_fault, numbers in sources.items()
                    for number in numbers
                    if number not in cut and (cost := self._costs.of[number]) is not None
                }
                if costs:
                    best, states = min(costs)[:2], self.graph.states
                    numbers = {number for *cost, number in costs if tuple(cost) == best}
                    last = {number: violating_steps(self.system, claim, states[number]) for number in numbers}
                    return *self._costs.cheapest_step(last), MINIMAL
        except OutOfTime:
            pass
        number = min(itertools.chain(*sources.values()))
        steps = violating_steps(self.system, claim, self.graph.states[number])
        return self.graph.first_path(number), steps[0], "steps"

    def _path_to(self, numbers: set[int]) -> tuple[GraphPath, str]:
        """A run to one of these states, and in what it is least.

        With the time nearly up it is the one on which a state was found first; so are all runs to states that only a
        state leads to whose steps a limit cut off.
        """
        explored = [number for number in numbers if number not in self.graph.cut]
        if explored:
            try:
                with grace():
                    return self._costs.cheapest(explored), MINIMAL
            except OutOfTime:
                pass
        return self.graph.first_path(min(numbers)), "steps"

    def _range_left(self, departing: Sequence[int]) -> PropertyResult:
        """The violation that a step from one of these states is."""
        number = min(departing, key=lambda number: self.graph.depths[number])
        trace = self.graph.trace(self.graph.first_path(number))
        found = self.system.departure(trace.states[-1])
        assert found is not None
        return range_left(replace(trace, departure=Departure.by(*found)), "steps")

    def _sometimes(self, claim: Property) -> PropertyResult:
        if claim.name not in self.monitor.unseen:
            return PropertyResult(claim.name, "sometimes", Verdict.HOLDS)
        if not self.graph.complete:
            return PropertyResult(claim.name, "sometimes", Verdict.UNKNOWN)
        return PropertyResult(claim.name, "sometimes", Verdict.VIOLATED, never_seen(self.system, bool(self._outside)))

    def _eventually(self, claim: Property) -> PropertyResult:
        if self.graph.complete:
            try:
                return self._liveness(claim)
            except OutOfTime:
                self.graph.stopped = Stop(StopReason.SECONDS, self.limits.max_seconds)
            except KeyboardInterrupt:
                self.graph.stopped = INTERRUPTED
        return PropertyResult(claim.name, claim.kind, Verdict.UNKNOWN)

    def _liveness(self, claim: Property) -> PropertyResult:
        exercised = False
        best: Counterexample | None = None
        for arguments in self.system.instances(claim):
            truth = self.evaluator.truth(claim, arguments)
            truths: list[bool | None] = []
            for number, state in enumerate(self.graph.states):
                if not number & 1023:
                    check_time()
                truths.append(truth(state))
            exercised = exercised or any(truth is not None for truth in truths)
            found = self._unfulfilled(claim, arguments, truths)
            if found and (best is None or _stem(found) < _stem(best)):
                best = found
        if best:
            return PropertyResult(claim.name, claim.kind, Verdict.VIOLATED, counterexample=best)
        if self._outside:  # a run that goes there may go on in any way
            return PropertyResult(claim.name, claim.kind, Verdict.UNKNOWN)
        return PropertyResult(claim.name, claim.kind, Verdict.HOLDS, "" if exercised else IDLE)

    def _unfulfilled(self, claim: Property, arguments: Arguments, truths: list[bool | None]) -> Counterexample | None:
        """A fair run that violates a liveness property, if there is one."""
        if False not in truths:
            return None
        fulfilled = self.evaluator.fulfilled(claim, arguments)
        lasts = self.evaluator.lasts(claim, arguments) if claim.kind == "until" else None
        states, outside = self.graph.states, self._outside
        lasso = self._fair.violation(
            demand_of(self.system, claim),
            lambda number: truths[number] is False and number not in outside,
            lambda number: number in outside or fulfilled(states[number]),
            None if lasts is None else lambda number: not lasts(states[number]),
            claim.weak,
        )
        if lasso is None:
            return None
        trace = self.graph.trace(lasso.path, loop=lasso.loop)
        return Counterexample(claim.name, arguments, trace, lasso.minimal)

    def _refines(self, claim: Property) -> PropertyResult:
        """Whether each step that was taken is one of the abstract model, or none there."""
        try:
            with grace():
                found = judged(self.graph, refinement_of(self.system, claim))
            if found.starts_badly or found.wrong:
                trace, minimal = self._wrong_step(found)
                shown = Counterexample(claim.name, (), trace, minimal)
                return PropertyResult(claim.name, claim.kind, Verdict.VIOLATED, counterexample=shown)
        except OutOfTime:
            self.graph.stopped = Stop(StopReason.SECONDS, self.limits.max_seconds)
            return PropertyResult(claim.name, claim.kind, Verdict.UNKNOWN)
        except KeyboardInterrupt:
            self.graph.stopped = INTERRUPTED
            return PropertyResult(claim.name, claim.kind, Verdict.UNKNOWN)
        verdict = Verdict.HOLDS if self.graph.complete else Verdict.UNKNOWN
        idle = self.graph.complete and not found.exercised
        return PropertyResult(claim.name, claim.kind, verdict, STANDS_STILL if idle else "")

    def _wrong_step(self, found: Judged) -> tuple[Trace, str]:
        """A run whose last step is wrong (no step, if the start is), and in what it is least."""
        graph = self.graph
        if found.starts_badly:
            return graph.trace(GraphPath(found.starts_badly[0], [])), MINIMAL
        try:
            with grace():
                path, step = self._costs.cheapest_step(found.wrong_steps(graph.stepper.steps))
                return graph.trace(path).followed_by(step), "" if found.partial else MINIMAL
        except OutOfTime:
            source, number, target = min(found.wrong)
            return graph.trace(graph.first_path(source).onward(number, target)), ""

    def _deadlock(self, claim: Property) -> PropertyResult:
        """Whether every state in which nothing but faults can happen is a wanted end."""
        ending = self.system.ending
        ended: Truth = self.evaluator.truth(ending, ()) if ending is not None else lambda state: False
        graph = self.graph
        stuck = [
            number
            for number in range(graph.explored)
            if not any(self._acts(step) for step, _ in graph.edges(number))
            and ended(graph.states[number]) is False
            and number not in graph.departing
            and number not in self._outside
        ]
        try:
            if graph.stopped and graph.stopped.reason is StopReason.DEPTH:
                stuck += self._stuck_at_the_last_depth(ended)
            elif not graph.complete and (graph.stopped is None or graph.stopped.reason is not StopReason.RANGE_LEFT):
                self.finished_depth -= 1  # not all states of that depth were explored, so some may be stuck
        except OutOfTime:
            self.finished_depth -= 1
        return self._safety(claim.name, claim.kind, {(): stuck} if stuck else {}, True)

    def _stuck_at_the_last_depth(self, ended: Truth) -> list[int]:
        """The deadlocks among the states that were not explored since they are at the greatest depth allowed."""
        graph, stuck = self.graph, []
        for number in range(graph.explored, len(graph.states)):
            check_time()
            try:
                steps = graph.stepper.successors(graph.states[number])
            except OutOfRange:  # a step is possible, which is more than is asked
                continue
            inside = self.system.outside(graph.states[number]) is None
            if inside and not any(self._acts(step) for step, _ in steps) and ended(graph.states[number]) is False:
                stuck.append(number)
        return stuck

    def _acts(self, step: int) -> bool:
        return not self.system.actions[self.graph.stepper.steps[step].action].fault

    @cached_property
    def _outside(self) -> dict[int, bool]:
        """The explored states, by number, that are beyond a bound of exploration."""
        if not self.system.bounds:
            return {}
        numbers = (n for n in range(self.graph.explored) if self.graph.first_edge[n] == self.graph.first_edge[n + 1])
        return {n: True for n in numbers if self.system.outside(self.graph.states[n]) is not None}

    @cached_property
    def _costs(self) -> Costs:
        """The least costs of all states."""
        return Costs(self.graph)

    @cached_property
    def _fair(self) -> FairSearch:
        """The search for fair runs."""
        from onceproof.model.checker.explicit.liveness import FairSearch

        return FairSearch(self.graph)


def _stem(found: Counterexample) -> tuple[int, int]:
    trace = found.trace
    return trace.faults, len(trace) if trace.loop is None else trace.loop
