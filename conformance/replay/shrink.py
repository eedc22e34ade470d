"""Makes a trace on which model and system disagree as short as it can be: fewest faults, then fewest steps."""

from __future__ import annotations

import heapq
import time
from collections.abc import Sequence
from itertools import count

from onceproof.conformance.driver import Driver, DriverError
from onceproof.conformance.replay.lockstep import Disagreement, replay
from onceproof.conformance.replay.negative_tests import Guards
from onceproof.model.checker.results import Trace
from onceproof.model.language import Step, System
from onceproof.model.language.layout import LEFT, State

SECONDS = 10.0  # a shrunk trace is worth waiting for, but not for long
MOST_STATES = 30_000


def shrink(
    trace: Trace, disagreement: Disagreement, driver: Driver, max_seconds: float = SECONDS
) -> tuple[Trace, Disagreement]:
    """A trace with a like disagreement that has no more faults and no more steps, and the disagreement on it.

    First the cheapest way of the model to the same situation is tried, then the trace without some of its steps, for
    as long as anything can be left out. The given trace is returned where nothing shorter fails in the same way.
    """
    search = _Search(driver, disagreement, Guards(trace.system), time.monotonic() + max_seconds)
    best = trace
    for candidate in _fewer_refusals(trace, disagreement):
        if search.fails(*candidate):
            break
    way = cheapest_way(trace.system, _situation(trace, disagreement), search.until)
    shortcut = None if way is None else rebuilt(trace.system, [*way[1], *_last(trace, disagreement)], way[0])
    if shortcut is not None and cost(shortcut) < cost(best) and search.fails(shortcut, search.found.forbidden):
        best = shortcut
    return search.without_steps(best), search.found


def cost(trace: Trace) -> tuple[int, int]:
    """What a short trace has little of: faults first, then steps."""
    return trace.faults, len(trace)


def rebuilt(system: System, steps: Sequence[Step], initial: State | None = None) -> Trace | None:
    """The trace of these steps from an initial state (None: the only one); None where one of them is not enabled."""
    states = [system.initial if initial is None else initial]
    for step in steps:
        after = system.step(states[-1], step)
        if after is None:
            return None
        states.append(after)
    return Trace(system, tuple(states), tuple(steps))


def cheapest_way(system: System, situation: State, until: float) -> tuple[State, list[Step]] | None:
    """A way to a state that is like this one but for what is left of budgets: fewest faults, then fewest steps.

    An initial state, and the steps from it. None where the search takes too long (``until``: on the monotonic clock).
    """
    cells = sum(place.cells for name, place in system.layout.places.items() if not name.startswith(LEFT))
    goal = situation[:cells]
    serial = count()
    came: dict[State, tuple[State, Step] | None] = {}
    queue: list[tuple[int, int, int, State, tuple[State, Step] | None]]
    queue = [(0, 0, next(serial), state, None) for state in system.initials]
    while queue and len(came) < MOST_STATES and time.monotonic() < until:
        faults, length, _, state, before = heapq.heappop(queue)
        if state in came:
            continue
        came[state] = before
        if state[:cells] == goal:
            return _path(came, state)
        for step, after in system.successors(state):
            if after not in came:
                more = faults + system.model.actions[step.action].fault
                heapq.heappush(queue, (more, length + 1, next(serial), after, (state, step)))
    return None


def _path(came: dict[State, tuple[State, Step] | None], state: State) -> tuple[State, list[Step]]:
    steps = []
    while (before := came[state]) is not None:
        state, step = before
        steps.append(step)
    return state, steps[::-1]


def _situation(trace: Trace, disagreement: Disagreement) -> State:
    """The state in which the step that fails is taken."""
    return trace.states[-1] if disagreement.forbidden or not trace.steps else trace.states[-2]


def _last(trace: Trace, disagreement: Disagreement) -> tuple[Step, ...]:
    return () if disagreement.forbidden else trace.steps[-1:]


def _fewer_refusals(trace: Trace, disagreement: Disagreement) -> list[tuple[Trace, tuple[Step, ...]]]:
    """The trace with each one of the forbidden steps alone, where there are several."""
    forbidden = disagreement.forbidden
    return [(trace, (step,)) for step in forbidden] if len(forbidden) > 1 else []


class _Search:
    """Candidates, replayed until time is up; ``found`` is the disagreement of the best one."""

    def __init__(self, driver: Driver, found: Disagreement, guards: Guards, until: float) -> None:
        self.driver, self.found, self.guards, self.until = driver, found, guards, until

    def fails(self, trace: Trace, forbidden: Sequence[Step]) -> bool:
        """Whether model and system disagree at the end of the trace as they did before."""
        if time.monotonic() > self.until:
            return False
        if not all(self.guards.forbids(trace.states[-1], step) for step in forbidden):
            return False  # without what was left out, the model allows it
        try:
            result = replay(trace, self.driver, forbidden)
        except DriverError:
            self.until = 0.0  # what was found stays found, though the system has not survived it
            return False
        again = result.disagreement
        if again is None or not again.resembles(self.found):
            return False
        at_end = len(trace.steps) if forbidden else len(trace.steps) - 1
        if result.steps < at_end:
            return False
        self.found = again
        return True

    def without_steps(self, trace: Trace) -> Trace:
        """The trace without all that can be left out: first long stretches, at last single steps."""
        size = max(1, len(trace.steps) // 2)
        while True:
            smaller = self._without(trace, size)
            if smaller is not None:
                trace = smaller
            elif size == 1:
                return trace
            else:
                size //= 2

    def _without(self, trace: Trace, size: int) -> Trace | None:
        steps, forbidden = trace.steps, self.found.forbidden
        end = len(steps) if forbidden else len(steps) - 1  # the step that fails stays
        for start in range(max(0, end - size), -1, -1):
            candidate = rebuilt(trace.system, (*steps[:start], *steps[min(start + size, end) :]), trace.states[0])
            if candidate is not None and len(candidate) < len(trace) and self.fails(candidate, forbidden):
                return candidate
        return None
