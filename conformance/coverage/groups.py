"""Group commits: two actions of one process in one commit, compared after it, and the process dead at each point of it.

A process may do what it finds to do in one transaction. Whatever the order, the state after it must be that after
these actions; and after a death in the middle it is as if none had begun, or as if all were done.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from itertools import count

from onceproof.conformance.coverage.graph import Edge, Graph
from onceproof.conformance.coverage.interruptions import Deaths, Interrupted, unlike_first
from onceproof.conformance.driver import Driver, DriverError, Grouping, Interruption
from onceproof.conformance.replay.confirm import CONFIRMATIONS, Confirmation
from onceproof.conformance.replay.lockstep import Disagreement, Lockstep, Replay
from onceproof.model.checker.results import Trace
from onceproof.model.language.layout import State

TOGETHER = "{actions} were to be one commit, and the state is not that after {done}"
DIED = "its process died in a commit of {actions} (at point {point}): they are neither undone nor done"
Pair = tuple[Edge, Edge]


def group_commits(
    graph: Graph,
    wanted: Collection[int],
    driver: Driver,
    until: float | None = None,
    report: Callable[[int, int, float], None] | None = None,
) -> Interrupted:
    """Try each pair of transitions that one process can take one after the other; stop at the first disagreement.

    DriverError for a driver that cannot, or where no two of these actions came into one commit.
    """
    if not isinstance(driver, Grouping) or not driver.interruptions.groups:
        raise DriverError("this driver cannot have a process do several actions in one commit")
    search = _Groups(graph, driver, driver)
    pairs = search.pairs(unlike_first(graph, wanted))
    found, started = search.found, time.monotonic()
    found.transitions = len(pairs)
    try:
        for position, pair in enumerate(pairs):
            if until is not None and time.monotonic() >= until:
                found.left = dict(Counter(_names(left) for left in pairs[position:]).most_common())
                break
            if report is not None and position % 20 == 0:
                report(position, len(pairs), time.monotonic() - started)
            search.try_pair(pair)
            found.interrupted += 1
    except Disagreement as disagreement:
        found.disagreement, found.trace = disagreement, search.trace
        found.confirmation = search.confirm(disagreement)
    found.seconds = time.monotonic() - started
    if found.disagreement is None and not found.left and not found.points:
        raise DriverError("no two of these actions came into one commit: nothing was tried")
    return found


class _Groups:
    """Has one process do two transitions at once, again and again. trace: the steps up to them, and both."""

    def __init__(self, graph: Graph, driver: Driver, grouping: Grouping) -> None:
        self.graph, self.driver = graph, grouping
        self.lockstep = Lockstep(graph.system, driver)
        self.can = grouping.interruptions
        self.deaths = Deaths(graph.system, set(self.can.deaths.values()))
        self.found = Interrupted(Interruption.GROUP)
        self.trace: Trace | None = None
        self._last: tuple[Pair, int] | None = None

    def pairs(self, numbers: Sequence[int]) -> list[Pair]:
        """Pairs of actions of one process, those of new names first."""
        first: list[Pair] = []
        rest: list[Pair] = []
        seen: set[str] = set()
        for number in numbers:
            edge = self.graph.edges[number]
            for follower in self.graph.leaving[edge.target] if edge.step.action in self.can.groups else ():
                pair = edge, self.graph.edges[follower]
                if pair[1].step.action in self.can.groups and self._process(pair[0]) == self._process(pair[1]):
                    (rest if _names(pair) in seen else first).append(pair)
                    seen.add(_names(pair))
        return [*first, *rest]

    def try_pair(self, pair: Pair) -> None:
        """Do both in one commit, and then once more for each point of it, with a death there."""
        done = self._together(pair)
        if len(done) < len(pair):
            return
        name = _names(pair)
        self.found.points[name] += next(point for point in count() if not self._death(pair, point + 1))

    def confirm(self, disagreement: Disagreement) -> Confirmation:
        """Do it again, some times."""
        assert self._last is not None and self.trace is not None
        pair, point = self._last
        confirmation = Confirmation()
        for _ in range(CONFIRMATIONS):
            again: Disagreement | None = None
            try:
                self._death(pair, point) if point else self._together(pair)
            except Disagreement as other:
                again = other
            except DriverError as error:
                confirmation.unconfirmed = str(error)
                break
            steps = len(self.trace.steps) - (again is not None)
            confirmation.runs.append(Replay(self.trace, steps, 1, again, abilities=self.lockstep.abilities))
        ends = [run.disagreement for run in confirmation.runs]
        confirmation.flaky = not all(other is not None and other.resembles(disagreement) for other in ends)
        return confirmation

    def _process(self, edge: Edge) -> tuple[str, str]:
        """Whose action it is: the fault that its process' death is, and whose name it has among several."""
        return self.can.deaths[edge.step.action], self.lockstep.named(edge.step).get("scheduler", "")

    def _go_to(self, pair: Pair) -> None:
        way = self.graph.way_to(pair[0].source)
        edges = [*(self.graph.edges[number] for number in way), *pair]
        states = (self.graph.states[0], *(self.graph.states[each.target] for each in edges))
        self.trace = Trace(self.graph.system, states, tuple(each.step for each in edges))
        self.lockstep.begin()
        self.lockstep.follow(self.trace.steps[:-2], self.graph.states[pair[0].source])

    def _steps(self, pair: Pair) -> list[tuple[str, dict[str, str]]]:
        return [(edge.step.action, self.lockstep.named(edge.step)) for edge in pair]

    def _together(self, pair: Pair) -> list[int]:
        """Both in one commit, as far as the process does; the places of those that it did."""
        self._last = pair, 0
        self._go_to(pair)
        done = self.driver.group(self._steps(pair))
        said = " and ".join(pair[place].step.action for place in done) or "neither"
        reason = TOGETHER.format(actions=_names(pair), done=said)
        after = self._after(pair, done)
        if after is not None:
            self.lockstep.expect(pair[-1].step, [after], reason)
        return done

    def _after(self, pair: Pair, done: Sequence[int]) -> State | None:
        """The state after these of the two; None where the model does not have the second one alone.

        In one commit nobody sees their order.
        """
        before = self.graph.states[pair[0].source]
        if len(done) == len(pair):
            return self.graph.states[pair[-1].target]
        return dict(self.graph.system.successors(before)).get(pair[done[0]].step) if done else before

    def _death(self, pair: Pair, point: int) -> bool:
        """One death; False where the commit has no such point."""
        self._last = pair, point
        self._go_to(pair)
        steps = self._steps(pair)
        if not self.driver.die_in_group(steps, point):
            return False
        ends = [self.graph.states[pair[0].source], self.graph.states[pair[1].target]]
        fault = self.can.deaths[steps[0][0]]
        states = [self.deaths.after(state, fault, steps[0][1]) for state in ends]
        self.lockstep.expect(pair[-1].step, states, DIED.format(actions=_names(pair), point=point))
        return True


def _names(pair: Pair) -> str:
    return " + ".join(edge.step.action for edge in pair)
