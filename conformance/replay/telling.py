"""The shortest trace that tells a system with a mechanism from one without it: what a claim is tried by first."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

from onceproof.conformance.driver import Abilities
from onceproof.conformance.replay.compare import Comparison
from onceproof.conformance.replay.negative_tests import Guards
from onceproof.model.checker.deadline import check_time
from onceproof.model.checker.ground.python_code import GeneratedSystem
from onceproof.model.checker.results import Trace
from onceproof.model.language import Step, System, build
from onceproof.model.language.layout import State

MOST_PAIRS = 300_000  # of states that are looked at for one mechanism

Pair = tuple[State, State]


@dataclass(frozen=True)
class TellingTrace:
    """A trace of the model with the mechanism on; without it the last step would be refused, or end elsewhere.

    forbidden: the step that the system must refuse after the trace, where that tells.
    """

    mechanism: str
    trace: Trace
    forbidden: Step | None = None

    @property
    def step(self) -> Step:
        """The step at which the two come apart."""
        return self.forbidden or self.trace.steps[-1]


@dataclass(frozen=True)
class NotTold:
    """No trace tells whether a mechanism is there. reason: why not, as far as one looked."""

    mechanism: str
    reason: str


def telling_trace(system: System, mechanism: str, abilities: Abilities) -> TellingTrace | NotTold:
    """The least number of steps after which a driver sees whether the mechanism is on.

    Pairs of states are explored breadth first: where the model is with the mechanism, and where without it, after the
    same steps, as long as the driver sees no difference. OutOfTime passes through.
    """
    return _Search(system, mechanism, abilities).run()


class _Search:
    """The search for one mechanism."""

    def __init__(self, system: System, mechanism: str, abilities: Abilities) -> None:
        self.system, self.mechanism, self.abilities = system, mechanism, abilities
        switches = {**system.config.switches, mechanism: False}
        self.without = build(system.model, replace(system.config, switches=switches))
        self._steps, self._steps_without = GeneratedSystem(system), GeneratedSystem(self.without)
        self._guards, self._guards_without = Guards(system), Guards(self.without)
        self._seen = Comparison(system, abilities.observes)
        self._parents: dict[Pair, tuple[Pair, Step] | None] = {}

    def run(self) -> TellingTrace | NotTold:
        """The shortest telling trace, or why there is none."""
        waiting = deque(self._starts())
        self._parents.update(dict.fromkeys(waiting))
        while waiting:
            check_time()
            pair = waiting.popleft()
            found = self._telling(pair)
            if found is not None:
                return found
            if len(self._parents) > MOST_PAIRS:
                return NotTold(self.mechanism, f"no difference in the first {MOST_PAIRS:,} pairs of states")
            for step, after in self._together(pair):
                if after not in self._parents:
                    self._parents[after] = pair, step
                    waiting.append(after)
        return NotTold(self.mechanism, "under this spec, nothing that the driver performs and observes depends on it")

    def _starts(self) -> Iterator[Pair]:
        """The initial states in which both can begin, and which the driver cannot tell apart."""
        for state in self.system.initials:
            other = Trace(self.system, (state,), ()).begun_in(self.without)
            if other is not None and self._same(state, other):
                yield state, other

    def _telling(self, pair: Pair) -> TellingTrace | None:
        """A step of this pair of states by which the driver sees whether the mechanism is on."""
        on, off = pair
        there, here = self._after_without(off), self._after(on)
        for step, after in here.items():
            if step.action not in self.abilities.performs:
                continue
            if not self._same(after, there[step]) if step in there else self._guards_without.forbids(off, step):
                return TellingTrace(self.mechanism, self._trace(pair, step, after))
        for step in there:
            askable = step.action in self.abilities.performs and step.action not in self.abilities.lenient
            if askable and step not in here and self._guards.forbids(on, step):
                return TellingTrace(self.mechanism, self._trace(pair), step)
        return None

    def _together(self, pair: Pair) -> Iterator[tuple[Step, Pair]]:
        """The steps that both can take and the driver can follow, with where they lead."""
        on, off = pair
        there = self._after_without(off)
        for step, after in self._after(on).items():
            followed = step.action in self.abilities.performs or step.action in self.abilities.internal
            if followed and step in there and self._same(after, there[step]):
                yield step, (after, there[step])

    def _after(self, on: State) -> dict[Step, State]:
        return {self._steps.steps[number]: after for number, after in self._steps.successors(on)}

    def _after_without(self, off: State) -> dict[Step, State]:
        steps = self._steps_without
        return {steps.steps[number]: after for number, after in steps.successors(off)}

    def _same(self, on: State, off: State) -> bool:
        return self._seen.expected(on) == self._seen.expected(off)

    def _trace(self, pair: Pair, step: Step | None = None, after: State | None = None) -> Trace:
        steps = [] if step is None else [step]
        states = [] if after is None else [after]
        while True:
            states.append(pair[0])
            parent = self._parents[pair]
            if parent is None:
                return Trace(self.system, tuple(reversed(states)), tuple(reversed(steps)))
            pair = parent[0]
            steps.append(parent[1])
