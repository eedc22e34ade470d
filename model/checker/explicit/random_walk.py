"""Random runs, seeded: they find what is wrong in a system too large to explore, and estimate how large it is.

How much was seen is estimated from how often states were met (A. Chao, "Nonparametric estimation of the number of
classes in a population", 1984; I. J. Good, "The population frequencies of species", 1953).
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from onceproof.model.checker.ground.mapping_code import image_function
from onceproof.model.checker.ground.python_code import GeneratedProperties, GeneratedSystem
from onceproof.model.checker.results import (
    INTERRUPTED,
    Counterexample,
    Departure,
    Limits,
    Progress,
    Stop,
    StopReason,
    Trace,
)
from onceproof.model.checker.safety import violated_by, violating_steps
from onceproof.model.language.declare import Property
from onceproof.model.language.errors import OutOfRange
from onceproof.model.language.layout import State
from onceproof.model.language.refinement import refinement_of
from onceproof.model.language.system import Step, System

LOOK_EVERY = 256  # runs between two looks at the clock


@dataclass
class WalkResult:
    """What random runs met. ``seed`` and ``run`` reproduce the violation: the run of that number from that seed."""

    seed: int
    runs: int = 0
    steps: int = 0
    deepest: int = 0
    seconds: float = 0.0
    distinct: int = 0
    once: int = 0  # states met exactly once
    twice: int = 0
    fired: dict[str, int] = field(default_factory=dict)
    seen: dict[str, bool] = field(default_factory=dict)  # of each ``sometimes``, whether some state showed it
    violation: Counterexample | None = None
    run: int | None = None
    length_found: int = 0  # of the violating run before it was shortened
    stopped: Stop | None = None
    engine: str = "plain"
    notes: list[str] = field(default_factory=list)
    exact: bool = True  # whether ``distinct`` is a count; compiled walks estimate it and count nothing else of states

    @property
    def visits(self) -> int:
        """How many states were met, counting each time."""
        return self.steps + self.runs

    @property
    def coverage(self) -> float:
        """The estimated share of what such runs meet, weighed by how often, that was met at all (Good)."""
        return 1 - self.once / self.visits if self.visits else 0.0

    @property
    def estimated_states(self) -> int:
        """A lower estimate of how many distinct states such runs can meet (Chao); it grows with more runs."""
        return self.distinct + self.once * (self.once - 1) // (2 * (self.twice + 1))


def walk(
    system: System,
    properties: Sequence[Property] | None = None,
    *,
    seed: int = 0,
    runs: int = 1000,
    depth: int = 100,
    limits: Limits | None = None,
) -> WalkResult:
    """Takes random runs of at most ``depth`` steps each, until a safety property is violated or all are done.

    Every run has a random generator of its own, so that the run of a number is the same whatever came before.
    """
    return _Walker(system, properties, seed, depth, limits or Limits()).walk(runs)


class _Walker:
    def __init__(
        self, system: System, properties: Sequence[Property] | None, seed: int, depth: int, limits: Limits
    ) -> None:
        self.system, self.depth, self.limits = system, depth, limits
        claims = list(properties) if properties is not None else system.properties()
        self.generated = GeneratedSystem(system)
        self.properties: GeneratedProperties = self.generated.properties(
            [c for c in claims if c.kind not in ("deadlock", "refines")]
        )
        refined = [refinement_of(system, claim) for claim in claims if claim.kind == "refines"]
        self.refined = [(one, image_function(one, self.generated.ground.known)) for one in refined]
        self.deadlock = next((claim for claim in claims if claim.kind == "deadlock"), None)
        self.is_fault = [system.actions[step.action].fault for step in self.generated.steps]
        self.met: Counter[State] = Counter()
        self.fired = [0] * len(self.generated.steps)
        self.result = WalkResult(seed, seen={claim.name: False for claim in claims if claim.kind == "sometimes"})

    def walk(self, runs: int) -> WalkResult:
        result, began = self.result, time.monotonic()
        reported = began
        try:
            for number in range(runs):
                path = self._run(number)
                result.runs += 1
                result.steps += len(path)
                result.deepest = max(result.deepest, len(path))
                if result.violation is not None:
                    break
                if number % LOOK_EVERY == LOOK_EVERY - 1:
                    now = time.monotonic()
                    if self.limits.max_seconds is not None and now - began > self.limits.max_seconds:
                        result.stopped = Stop(StopReason.SECONDS, self.limits.max_seconds)
                        break
                    if self.limits.report and now - reported > 1:
                        reported = now
                        self.limits.report(Progress(len(self.met), runs - number, result.deepest, now - began))
        except KeyboardInterrupt:
            result.stopped = INTERRUPTED
        result.seconds = time.monotonic() - began
        return self._summed_up()

    def _run(self, number: int) -> list[int]:
        """One run, as the numbers of its steps."""
        draw = random.Random(f"{self.result.seed}/{number}")
        initials = self.system.initials
        first = state = initials[int(draw.random() * len(initials))] if len(initials) > 1 else initials[0]
        path: list[int] = []
        self._look(state, number, first, path)
        self._hold(None, state, number, first, path)
        while len(path) < self.depth and self.result.violation is None:
            try:
                following = self.generated.successors(state)
            except OutOfRange:
                self._note_departure(state, number, first, path)
                break
            if self.deadlock is not None and all(self.is_fault[step] for step, _ in following):
                self._judge_deadlock(self.deadlock, state, number, first, path)
            if not following or self.result.violation is not None:
                break
            before, (step, state) = state, following[int(draw.random() * len(following))]
            self.fired[step] += 1
            path.append(step)
            self._look(state, number, first, path)
            self._hold(before, state, number, first, path)
        return path

    def _look(self, state: State, number: int, first: State, path: list[int]) -> None:
        self.met[state] += 1
        for instance in self.properties.shown(state):
            self.result.seen[self.properties.instances[instance][0].name] = True
        violated = self.properties.violated(state)
        if violated and self.result.violation is None:
            claim, _, _ = self.properties.owner(violated[0])
            if claim.kind == "step":
                path.append(self.generated.steps.index(violating_steps(self.system, claim, state)[0]))
                self.fired[path[-1]] += 1
            self._note(claim, number, first, path)

    def _hold(self, before: State | None, after: State, number: int, first: State, path: list[int]) -> None:
        """Holds a step against the abstract models, or the start, before which there is no state."""
        for refinement, image in self.refined:
            if self.result.violation is not None:
                return
            mine, theirs = image(before) if before is not None else None, image(after)
            good = refinement.starts(theirs) if before is None else mine is None or refinement.allows(mine, theirs)
            if not good:
                self._note(refinement.claim, number, first, path)

    def _judge_deadlock(self, claim: Property, state: State, number: int, first: State, path: list[int]) -> None:
        """Notes a state without a step but faults, unless it is a wanted end."""
        if self.system.stuck(state):
            self._note(claim, number, first, path)

    def _note_departure(self, state: State, number: int, first: State, path: list[int]) -> None:
        """Takes a run after which a step leaves the range of a field for the violation that is reported."""
        found = self.system.departure(state)
        assert found is not None
        steps = [*(self.generated.steps[step] for step in path), found[0]]
        self.result.run, self.result.length_found = number, len(steps)
        self.result.violation = shortest_departure(self.system, first, steps)

    def _note(self, claim: Property, number: int, first: State, path: list[int]) -> None:
        """Takes the run with this number for the violation that is reported."""
        steps = [self.generated.steps[step] for step in path]
        self.result.run, self.result.length_found = number, len(steps)
        self.result.violation = shortest_along(self.system, claim, first, steps)

    def _summed_up(self) -> WalkResult:
        result = self.result
        result.distinct = len(self.met)
        result.once = sum(count == 1 for count in self.met.values())
        result.twice = sum(count == 2 for count in self.met.values())
        result.fired = dict.fromkeys(self.system.actions, 0)
        for step, count in enumerate(self.fired):
            result.fired[self.generated.steps[step].action] += count
        return result


def shortest_along(system: System, claim: Property, first: State, steps: Sequence[Step]) -> Counterexample:
    """The counterexample that remains of a violating run when it is shortened."""
    trace = shortened(steps, lambda fewer: violating(system, claim, first, fewer))
    broken = violated_by(system, claim, trace.states)
    assert broken is not None
    return Counterexample(claim.name, broken, trace)


def shortest_departure(system: System, first: State, steps: Sequence[Step]) -> Counterexample:
    """The counterexample that remains of a run whose last step leaves the range of a field, when it is shortened."""
    trace = shortened(steps, lambda fewer: departing(system, first, fewer))
    assert trace.departure is not None
    return Counterexample(trace.departure.claim, (), trace)


def shortened(steps: Sequence[Step], violating: Callable[[Sequence[Step]], Trace | None]) -> Trace:
    """A run that violates something, with every step left out that it does not need: first halves, then single steps.

    violating: the run that takes some steps, up to where it violates that; None where it does not.

    A. Zeller, R. Hildebrandt, "Simplifying and isolating failure-inducing input", 2002; the result is 1-minimal.
    """
    kept = list(steps)
    size = len(kept)
    while size >= 1:
        start = 0
        removed = False
        while start < len(kept):
            fewer = kept[:start] + kept[start + size :]
            if (trace := violating(fewer)) is not None:
                kept, removed = list(trace.taken), True
            else:
                start += size
        size = size if removed and size == 1 else size // 2
    trace = violating(kept)
    assert trace is not None
    return trace


def departing(system: System, first: State, steps: Sequence[Step]) -> Trace | None:
    """The run from a state by these steps, up to the first that leaves the range of a field; None if none does."""
    states = [first]
    for number, step in enumerate(steps):
        try:
            after = system.step(states[-1], step)
        except OutOfRange as error:
            return Trace(system, tuple(states), tuple(steps[:number]), departure=Departure.by(step, error))
        if after is None:
            return None
        states.append(after)
    return None


def violating(system: System, claim: Property, first: State, steps: Sequence[Step]) -> Trace | None:
    """The run from a state by these steps, up to what violates the property first; None if nothing does."""
    states = [first]
    for number in range(len(steps) + 1):
        if violated_by(system, claim, states) is not None:
            return Trace(system, tuple(states), tuple(steps[:number]))
        if number < len(steps):
            try:
                after = system.step(states[-1], steps[number])
            except OutOfRange:
                return None
            if after is None:
                return None
            states.append(after)
    return None
