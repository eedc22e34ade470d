"""Model and system side by side: every step is taken in both, and after every step their states are compared."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from onceproof.conformance.driver import (
    Abilities,
    Driver,
    DriverError,
    Observation,
    ProcessLost,
    StepRefused,
    StepUncalled,
    StepUncertain,
    WrongData,
    setting_of,
)
from onceproof.conformance.replay.compare import Comparison, Difference
from onceproof.model.checker.deadline import check_time
from onceproof.model.checker.results import Trace
from onceproof.model.language import Step, System
from onceproof.model.language.errors import nearest
from onceproof.model.language.layout import State

WILDCARD = "*"  # as internal: all actions that are not performed; as lenient: all that are
NO_ABILITIES = Abilities("", frozenset(), frozenset())  # before the first reset
LOOK_AGAIN = 0.01  # seconds between two observations of a system that has not come to rest
PERFORMED = "the system did what the model forbids"
MARKED = "the system refused what the model forbids, and changed something all the same"
UNCERTAIN = "the system could not say whether it did what the model forbids, and something has changed"


class Kind(Enum):
    """How model and system can disagree."""

    DIFFERENT = "different"  # the step was taken, and the states differ
    MISSING = "missing"  # the model takes the step, the system refuses it
    UNEXPECTED = "unexpected"  # the system took a step that the model does not allow


class Disagreement(Exception):
    """Model and system disagree: of which kind, at which step (None: initially), and in which cells.

    forbidden: the steps that the model forbids and that the system was asked for, where that is what failed.
    """

    def __init__(
        self,
        kind: Kind,
        step: Step | None,
        differences: Sequence[Difference],
        reason: str = "",
        forbidden: Sequence[Step] = (),
    ) -> None:
        super().__init__(reason or kind.value)
        self.kind, self.step, self.differences, self.reason = kind, step, tuple(differences), reason
        self.forbidden = tuple(forbidden)

    def __str__(self) -> str:
        """What failed, at which action, and what differs: a line for a test's report."""
        at = f" at `{self.step.action}`" if self.step else ""
        cells = [f"{d.label} is {d.system!r}, in the model {d.model!r}" for d in self.differences]
        return "; ".join([f"{self.reason or self.kind.value}{at}", *cells])

    def resembles(self, other: Disagreement) -> bool:
        """Whether the other is likely the same fault: of one kind, at the same action."""
        mine, theirs = (self.step and self.step.action), (other.step and other.step.action)
        return self.kind is other.kind and mine == theirs and bool(self.forbidden) == bool(other.forbidden)


class NotPerformed(Exception):
    """The driver does not perform an action that is needed here."""

    def __init__(self, action: str) -> None:
        super().__init__(f"the driver does not perform `{action}`")
        self.action = action


class Lockstep:
    """A model and a driver that go the same way.

    ``state`` is where the model is; ``compared`` counts the comparisons. ``begin`` comes first.
    """

    def __init__(self, system: System, driver: Driver) -> None:
        self.system, self.driver = system, driver
        self.state: State = system.initials[0]
        self.compared = 0
        self._setting = setting_of(system)
        self._arguments: dict[Step, dict[str, str]] = {}
        self._comparison = Comparison(system, ())
        self.abilities = NO_ABILITIES

    def begin(self, initial: State | None = None) -> None:
        """Reset the system and compare the initial states.

        initial: which one the system is to begin in, of a model with several (None: the first). Disagreement,
        DriverError (also for a driver that claims actions or fields that the model lacks, or that observes nothing).
        """
        check_time()
        first = self.system.initials[0] if initial is None else initial
        setting = setting_of(self.system, first) if self.system.beginning is not None else self._setting
        abilities = self._without_wildcard(self.driver.reset(setting))
        if abilities != self.abilities:
            self.abilities, self._comparison = abilities, self._prepare(abilities)
        self.state = first
        chosen = [f"{name}={value}" for name, value in setting.get("initial", {}).get("chosen", {}).items()]
        self._compare(None, self.state, f"reset was to begin with {', '.join(chosen)}" if chosen else "")

    def can(self, step: Step) -> bool:
        """Whether the driver performs the action of a step, or needs not."""
        return step.action in self.abilities.performs or step.action in self.abilities.internal

    def take(self, step: Step, after: State) -> None:
        """Take a step that leads the model to ``after``. Disagreement, NotPerformed, DriverError, OutOfTime."""
        check_time()
        reason = ""
        if step.action not in self.abilities.internal:
            if step.action not in self.abilities.performs:
                raise NotPerformed(step.action)
            try:
                self.driver.step(step.action, self.named(step))
            except StepRefused as refusal:
                raise Disagreement(Kind.MISSING, step, [], str(refusal)) from None
            except StepUncalled as uncalled:
                raise Disagreement(Kind.UNEXPECTED, step, self._seen(after), str(uncalled)) from None
            except StepUncertain as uncertain:
                reason = str(uncertain)  # the comparison shows whether it has happened
        self._compare(step, after, reason)
        self.state = after

    def expect_refusals(self, steps: Sequence[Step]) -> int:
        """Ask the system for steps that the model forbids in the present state: each must be refused.

        Returns how many were asked. Disagreement: one was performed, or one that was refused left a mark.
        """
        for position, step in enumerate(steps):
            check_time()
            try:
                self.driver.step(step.action, self.named(step))
            except ProcessLost as lost:
                raise Disagreement(Kind.DIFFERENT, step, self._seen(self.state), str(lost), [step]) from None
            except StepRefused:
                continue
            except StepUncertain:
                self._compare(step, self.state, UNCERTAIN, steps[: position + 1])
                continue
            except StepUncalled as uncalled:
                raise Disagreement(Kind.UNEXPECTED, step, self._seen(self.state), str(uncalled), [step]) from None
            raise Disagreement(Kind.UNEXPECTED, step, self._seen(self.state), PERFORMED, [step])
        if steps:
            self._compare(None, self.state, MARKED, steps)
        return len(steps)

    def follow(self, steps: Sequence[Step], state: State) -> None:
        """Take steps that were compared before, to a state of the model, without a look at the system."""
        for step in steps:
            check_time()
            try:
                if step.action not in self.abilities.internal:
                    self.driver.step(step.action, self.named(step))
            except StepRefused as refusal:
                raise Disagreement(Kind.MISSING, step, self._seen(self.state), str(refusal)) from None
            except StepUncalled as uncalled:
                raise Disagreement(Kind.UNEXPECTED, step, self._seen(self.state), str(uncalled)) from None
            except StepUncertain as uncertain:
                raise Disagreement(Kind.DIFFERENT, step, self._seen(self.state), str(uncertain)) from None
        self.state = state

    def expect(self, step: Step, states: Sequence[State], reason: str) -> None:
        """The system must be in one of these states. Disagreement, with what differs from the one that is nearest."""
        self.compared += 1
        found = [self._seen(state) for state in states]
        if all(found):
            raise Disagreement(Kind.DIFFERENT, step, min(found, key=len), reason)

    def named(self, step: Step) -> dict[str, str]:
        """The arguments of a step, as a driver gets them."""
        known = self._arguments.get(step)
        if known is None:
            known = self._arguments[step] = self.system.named_arguments(step)
        return known

    def _without_wildcard(self, abilities: Abilities) -> Abilities:
        if abilities.internal == {WILDCARD}:
            abilities = replace(abilities, internal=frozenset(self.system.model.actions) - abilities.performs)
        if WILDCARD in abilities.lenient:
            reason = abilities.lenient[WILDCARD]
            abilities = replace(abilities, lenient=dict.fromkeys(sorted(abilities.performs), reason))
        return abilities

    def _prepare(self, abilities: Abilities) -> Comparison:
        actions = self.system.model.actions
        for name in sorted(abilities.performs | abilities.internal | set(abilities.lenient)):
            if name not in actions:
                raise DriverError(
                    f"the driver claims an action `{name}`, which the model lacks{nearest(name, actions)}"
                )
        if not abilities.observes:
            raise DriverError("the driver observes nothing, so there is nothing to compare")
        if not abilities.performs:
            raise DriverError("the driver performs nothing, so there is nothing to replay")
        return Comparison(self.system, abilities.observes)

    def _seen(self, state: State) -> list[Difference]:
        try:
            return self._comparison.differences(state, self.driver.observe())
        except ProcessLost as lost:
            return self._comparison.differences(state, lost.observation or {})
        except WrongData as wrong:
            return self._with_places(state, wrong)

    def _with_places(self, state: State, wrong: WrongData) -> list[Difference]:
        places = [Difference(place, *values) for place, values in wrong.places.items()]
        return [*self._comparison.differences(state, wrong.observation), *places]

    def _compare(self, step: Step | None, state: State, reason: str = "", forbidden: Sequence[Step] = ()) -> None:
        self.compared += 1
        try:
            observation = self._settled(state)
        except ProcessLost as lost:
            differences = self._comparison.differences(state, lost.observation or {})
            raise Disagreement(Kind.DIFFERENT, step, differences, str(lost), forbidden) from None
        except WrongData as wrong:
            differences = self._with_places(state, wrong)
            raise Disagreement(Kind.DIFFERENT, step, differences, reason or str(wrong), forbidden) from None
        if not self._comparison.agrees(state, observation):
            differences = self._comparison.differences(state, observation)
            raise Disagreement(Kind.DIFFERENT, step, differences, reason, forbidden)

    def _settled(self, state: State) -> Observation:
        """The state, after the time that the system needs to come to rest, or as soon as it agrees, data and all."""
        if not self.abilities.settle:
            return self.driver.observe()
        end = time.monotonic() + self.abilities.settle
        while True:
            last = time.monotonic() >= end
            try:
                observation = self.driver.observe()
                if last or self._comparison.agrees(state, observation):
                    return observation
            except WrongData:
                if last:
                    raise
            check_time()
            time.sleep(LOOK_AGAIN)


@dataclass(frozen=True)
class Replay:
    """What became of a replayed trace: how many steps agreed, and at which one (from 1; 0: initially) it ended.

    disagreement: None where all agreed. not_performed: the action that the driver lacks, where that ended it.
    abilities: what the driver said of itself.
    """

    trace: Trace
    steps: int
    compared: int
    disagreement: Disagreement | None = None
    not_performed: str = ""
    abilities: Abilities = NO_ABILITIES


def replay(trace: Trace, driver: Driver, forbidden: Sequence[Step] = ()) -> Replay:
    """Replay a trace of the model step by step and stop at the first disagreement. DriverError passes through.

    forbidden: steps that the model forbids at the end of the trace, and that the system must refuse there.
    """
    lockstep = Lockstep(trace.system, driver)
    taken = 0
    try:
        lockstep.begin(trace.states[0])
        for step, after in zip(trace.steps, trace.states[1:], strict=True):
            lockstep.take(step, after)
            taken += 1
        lockstep.expect_refusals(forbidden)
    except Disagreement as disagreement:
        return Replay(trace, taken, lockstep.compared, disagreement, abilities=lockstep.abilities)
    except NotPerformed as lacking:
        return Replay(trace, taken, lockstep.compared, not_performed=lacking.action, abilities=lockstep.abilities)
    return Replay(trace, taken, lockstep.compared, abilities=lockstep.abilities)


def random_traces(system: System, number: int, length: int, seed: int) -> Iterator[Trace]:
    """Random runs of the model: at each state every enabled step is equally likely; a run ends where none is."""
    chance = random.Random(seed)
    for _ in range(number):
        states = [chance.choice(system.initials) if len(system.initials) > 1 else system.initials[0]]
        steps: list[Step] = []
        while len(steps) < length:
            ways = list(system.successors(states[-1]))
            if not ways:
                break
            step, after = chance.choice(ways)
            steps.append(step)
            states.append(after)
        yield Trace(system, tuple(states), tuple(steps))
