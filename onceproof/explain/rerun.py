"""The steps of a counterexample taken again with one more mechanism on, and how that run ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from onceproof.explain.steps import ExplainedStep, explained_steps, shown
from onceproof.model.checker.obligations import unmet
from onceproof.model.checker.results import Trace
from onceproof.model.checker.safety import violated_by
from onceproof.model.language import Fairness, ModelError, Step, System
from onceproof.model.language.declare import DEADLOCK, Property, range_of
from onceproof.model.language.errors import OutOfRange
from onceproof.model.language.layout import State

MOST_DIFFERENCES = 3  # cells that are named where a step has another effect
MOST_ROUNDS = 20  # of a loop that does not return to its start with the mechanism on


@dataclass
class Rerun:
    """How the same steps end with the mechanism on.

    violates: whether the property is violated all the same; text: what is different, or that nothing is; step: the
    step that is not enabled any more, if that is what is different; inserted: steps that the mechanism brings along.
    """

    violates: bool = False
    text: str = ""
    step: ExplainedStep | None = None
    inserted: list[str] = field(default_factory=list)


class _NotEnabled(Exception):
    """A step of the run cannot be taken."""

    def __init__(self, step: ExplainedStep) -> None:
        super().__init__(step.who)
        self.step = step


class _Fails(Exception):
    """The model fails in a step."""


class _Leaves(Exception):
    """A step leaves the range of a field; the message is the claim that this violates."""


def rerun(trace: Trace, name: str, system: System) -> Rerun:
    """Take the steps of a trace, which violates the property ``name``, in a system with a mechanism more."""
    return _Runner(trace, name, system).run()


class _Runner:
    """Takes the steps.

    moves[i] leads from states[i] to states[i + 1]; positions[i] is the state before step i of the trace (from 0).
    """

    def __init__(self, trace: Trace, name: str, system: System) -> None:
        self.trace, self.name, self.system = trace, name, system
        self.claim: Property | None = system.model.properties.get(name)
        self.steps = explained_steps(trace)
        first = trace.begun_in(system)
        self.states: list[State] = [] if first is None else [first]
        self.moves: list[Step] = []
        self.positions: list[int] = []
        self.inserted: list[str] = []
        self.difference = ""  # the first effect of a step that is another one

    def run(self) -> Rerun:
        if not self.states:
            return Rerun(False, "there is no such initial state", None, self.inserted)
        try:
            for step in self.steps:
                self.positions.append(len(self.states) - 1)
                self.take(step)
            return self.ended()
        except _NotEnabled as stuck:
            return self.stuck(stuck.step)
        except _Leaves as left:
            if str(left) == self.name:
                return self.same()
            return Rerun(True, f"{left} is violated on the way", None, self.inserted)
        except _Fails as error:
            return Rerun(True, f"the model fails on the way: {error}", None, self.inserted)

    def stuck(self, step: ExplainedStep) -> Rerun:
        """The end of a run that a disabled step cut short: a safety property may be violated before."""
        number = self.violated()
        if number is not None:
            return Rerun(True, f"{self.name} is violated before step {step.index} all the same", None, self.inserted)
        before = f" (even with {' and '.join(self.inserted)})" if self.inserted else ""
        return Rerun(False, f"step {step.index}, {step.who}, is not enabled{before}", step, self.inserted)

    # -- steps

    def take(self, step: ExplainedStep) -> None:
        """Take a step, after one that only the mechanism brings along where it needs that."""
        state = self.states[-1]
        after = self.after(state, step)
        if after is None:
            extra, state, after = self.enabled_by_another(state, step)
            self.moves.append(extra)
            self.states.append(state)
        elif not self.difference and not self.inserted and step.index < len(self.trace.states):
            self.compare(step, after)
        self.moves.append(self.system.parse_step(step.action, step.arguments))
        self.states.append(after)

    def after(self, state: State, step: ExplainedStep) -> State | None:
        try:
            return self.system.step(state, self.system.parse_step(step.action, step.arguments))
        except OutOfRange as error:
            raise _Leaves(range_of(error.field)) from None
        except ModelError as error:
            raise _Fails(str(error)) from None

    def enabled_by_another(self, state: State, step: ExplainedStep) -> tuple[Step, State, State]:
        """A step that only the mechanism brings along (a placement, say), the state after it, and after ``step``."""
        for name in self.system.actions:
            if name in self.trace.system.actions:
                continue
            for arguments, between in self.system.steps_of(name, state):
                after = self.after(between, step)
                if after is not None:
                    extra = Step(name, arguments)
                    self.inserted.append(f"{self.who(extra)} before step {step.index}")
                    return extra, between, after
        raise _NotEnabled(step)

    def who(self, step: Step) -> str:
        return f"{self.system.actor(step)} {self.system.call(step)}"

    def compare(self, step: ExplainedStep, after: State) -> None:
        """Note where the same step has another effect with the mechanism on."""
        differences = self.system.layout.changes(self.trace.states[step.index], after)
        if differences:
            cells = [f"{label} is {shown(new)}, not {shown(old)}" for label, (old, new) in differences.items()]
            more = " and so on" if len(cells) > MOST_DIFFERENCES else ""
            self.difference = f"after step {step.index}, {step.who}, {', '.join(cells[:MOST_DIFFERENCES])}{more}"

    # -- the end

    def ended(self) -> Rerun:
        """What is different after all the steps."""
        if self.name == DEADLOCK:
            return self.deadlocked()
        if self.trace.departure is not None:
            return self.prevented(self.difference or "the last one stays within the range")
        if self.claim is not None and self.claim.is_safety:
            if self.violated() is not None:
                return self.same()
            return self.prevented(self.difference or "the property is true after them")
        return self.looped()

    def same(self) -> Rerun:
        return Rerun(True, f"the same steps violate {self.name}", None, self.inserted)

    def prevented(self, why: str) -> Rerun:
        return Rerun(False, f"the same steps do not violate {self.name}: {why}", None, self.inserted)

    def violated(self) -> int | None:
        """The first state on the way in which, or by the step to which, the safety property is violated."""
        claim = self.claim
        if claim is None or not claim.is_safety:
            return None
        runs = (self.states[: number + 1][-2:] for number in range(len(self.states)))
        return next((n for n, run in enumerate(runs) if violated_by(self.system, claim, run) is not None), None)

    def deadlocked(self) -> Rerun:
        last = self.states[-1]
        possible = dict.fromkeys(step.action for step, _ in self.system.successors(last))
        actions = [name for name in possible if not self.system.actions[name].fault]
        if actions:
            return self.prevented(f"{', '.join(actions)} can happen after them")
        if not self.system.stuck(last):
            return self.prevented("their last state is a proper ending")
        return self.same()

    def looped(self) -> Rerun:
        """Whether the loop can be repeated forever, is fair, and leaves the obligation open."""
        if self.claim is not None and self.trace.loop is None:
            instances = self.system.instances(self.claim)
            broken = any(unmet(self.system, self.claim, arguments, self.states, None) for arguments in instances)
            return self.same() if broken else self.prevented(self.difference or "its condition lasts")
        start = self.loop()
        if start is None:
            return Rerun(True, f"it is not known whether the loop still violates {self.name}", None, self.inserted)
        cycle = self.states[start:]
        waiting = self.unfair(cycle, set(self.moves[start:]))
        if waiting:
            return self.prevented(f"{', '.join(waiting)} can happen as well, and does if actions are fair")
        assert self.claim is not None
        instances = self.system.instances(self.claim)
        if any(unmet(self.system, self.claim, arguments, self.states, start) for arguments in instances):
            return self.same()
        return self.prevented(self.difference or "its obligation is met")

    def loop(self) -> int | None:
        """The position in ``states`` from which the run repeats; None if it does not within ``MOST_ROUNDS``."""
        first = self.trace.loop
        assert first is not None
        if first == len(self.steps):
            return len(self.states) - 1  # nothing happens any more
        heads = {self.states[self.positions[first]]: self.positions[first]}
        for _ in range(MOST_ROUNDS):
            head = self.states[-1]
            if head in heads:
                return heads[head]
            heads[head] = len(self.states) - 1
            for step in self.steps[first:]:
                self.take(step)
        return None

    def unfair(self, cycle: Sequence[State], taken: set[Step]) -> list[str]:
        """The actions that fairness demands on this loop, and that it does not take."""
        passed = set(map(self.system.instance, taken))
        enabled = [
            {self.system.instance(step) for step, after in self.system.successors(state) if after != state} - passed
            for state in cycle
        ]
        always, ever = set.intersection(*enabled), set.union(*enabled)
        actions = self.system.actions
        found = {step.action for step in always if actions[step.action].fairness is Fairness.WEAK}
        return sorted(found | {step.action for step in ever if actions[step.action].fairness is Fairness.STRONG})
