"""Actions that are interrupted: at each statement, commit and send a process dies, or its store refuses.

The model takes an action as a whole. A system must do so, too: after a death it is as if the action had not begun, or
as if it was done, before the process died; after a refusal it is as before, memory and all, and the same action is
possible again. The points of an action are found by interrupting it at the first, the second, and so on, until it is
done before it comes to the next.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from itertools import count

from onceproof.conformance.coverage.graph import Edge, Graph
from onceproof.conformance.driver import Driver, DriverError, Interruptible, Interruption, Interruptions
from onceproof.conformance.replay.confirm import CONFIRMATIONS, Confirmation
from onceproof.conformance.replay.lockstep import Disagreement, Lockstep, Replay
from onceproof.model.checker.results import Trace
from onceproof.model.language import Step, System, build
from onceproof.model.language.errors import nearest
from onceproof.model.language.layout import LEFT, State

Report = Callable[[int, int, float], None]  # transitions interrupted, to interrupt, seconds
DIED = "its process died in the middle (at point {point}), and the state is neither that before nor that after"
REFUSED = "the store refused in the middle (at point {point}), and the state is not as before"
LIFE = "the store had refused {points} times, and what was done at last is not what the model does"


@dataclass
class Interrupted:
    """What became of interrupting actions: at how many points, of how many of the transitions that have any.

    points: by action. transitions: how many there are to interrupt, and how many were. left: by action, how many
    were not, for want of time.
    """

    how: Interruption
    points: Counter[str] = field(default_factory=Counter)
    transitions: int = 0
    interrupted: int = 0
    left: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    disagreement: Disagreement | None = None
    trace: Trace | None = None
    confirmation: Confirmation = field(default_factory=Confirmation)

    @property
    def complete(self) -> bool:
        """Whether every point of every transition was tried."""
        return not self.left and self.disagreement is None


class Deaths:
    """What the model makes of a death: the states that its fault leads to, whatever is left of the budgets."""

    def __init__(self, system: System, faults: Collection[str]) -> None:
        self.system = system
        budgets = {name: None if name in faults else left for name, left in system.config.budgets.items()}
        self._open = build(system.model, replace(system.config, budgets=budgets))
        self._cells = sum(place.cells for name, place in system.layout.places.items() if not name.startswith(LEFT))
        self._rest = self._open.layout.initial[self._cells :]
        self._budgets = system.layout.initial[self._cells :]

    def after(self, state: State, fault: str, arguments: dict[str, str]) -> State:
        """The state after the death; the same where the model has no such death there: it would change nothing."""
        for step, after in self._open.successors((*state[: self._cells], *self._rest)):
            if step.action == fault and self._open.named_arguments(step).items() <= arguments.items():
                return (*after[: self._cells], *self._budgets)
        return state

    def mixed(self, before: State, after: State, fields: Collection[str]) -> State:
        """The state after an action, but some fields as before it."""
        mixed = list(after)
        for name in fields:
            for cell in self.system.layout.cells[name]:
                for slot in cell.slots:
                    mixed[slot] = before[slot]
        return tuple(mixed)


def interrupt(
    graph: Graph,
    wanted: Collection[int],
    driver: Driver,
    how: Interruption,
    until: float | None = None,
    report: Report | None = None,
) -> Interrupted:
    """Interrupt each of these transitions at each of its points; stop at the first disagreement, or when time is up.

    DriverError for a driver that cannot.
    """
    if not isinstance(driver, Interruptible):
        raise DriverError(f"this driver cannot interrupt an action by a {how.value}")
    _check_names(graph.system, driver.interruptions)
    search = _Search(graph, driver, driver, how)
    numbers = [n for n in unlike_first(graph, wanted) if search.concerns(graph.edges[n].step)]
    found, started = search.found, time.monotonic()
    found.transitions = len(numbers)
    if not numbers:
        raise DriverError(
            f"this driver can interrupt none of these actions by a {how.value}: nothing to try "
            "(`interruptions` in conformance/PROTOCOL.md)"
        )
    try:
        for position, number in enumerate(numbers):
            if until is not None and time.monotonic() >= until:
                found.left = dict(Counter(graph.edges[n].step.action for n in numbers[position:]).most_common())
                break
            if report is not None and position % 100 == 0:
                report(position, len(numbers), time.monotonic() - started)
            search.try_all_points(graph.edges[number])
            found.interrupted += 1
    except Disagreement as disagreement:
        found.disagreement, found.trace = disagreement, search.trace
        found.confirmation = search.confirm(disagreement)
    found.seconds = time.monotonic() - started
    return found


def _check_names(system: System, can: Interruptions) -> None:
    """DriverError for an action, fault or field that the model lacks."""
    model = system.model
    actions = list(model.actions)
    faults = [name for name, action in model.actions.items() if action.fault]
    named = [("an action", name, actions) for name in (*can.deaths, *can.halves, *can.refusals, *can.forgets)]
    named += [("a fault", name, faults) for name in (*can.deaths.values(), *can.forgets.values()) if name]
    named += [("a field", name, list(model.field_names)) for names in can.halves.values() for name in sorted(names)]
    for what, name, known in named:
        if name not in known:
            hint = nearest(name, known)
            raise DriverError(f"the driver says that it interrupts {what} `{name}`, which the model lacks{hint}")


def unlike_first(graph: Graph, wanted: Collection[int]) -> list[int]:
    """The transitions in an order in which those come first that change something else than all before."""
    fields = [
        (name, slot)
        for name, cells in graph.system.layout.cells.items()
        if not name.startswith(LEFT)
        for cell in cells
        for slot in cell.slots
    ]
    seen: set[tuple[str, frozenset[tuple[str, int, int]]]] = set()
    first: list[int] = []
    rest: list[int] = []
    for number in sorted(wanted):
        edge = graph.edges[number]
        before, after = graph.states[edge.source], graph.states[edge.target]
        changes = frozenset((name, before[s], after[s]) for name, s in fields if before[s] != after[s])
        kind = (edge.step.action, changes)
        (rest if kind in seen else first).append(number)
        seen.add(kind)
    return [*first, *rest]


class _Search:
    """Interrupts one transition after the other. trace: the steps up to the one that is interrupted, and that."""

    def __init__(self, graph: Graph, driver: Driver, interruptible: Interruptible, how: Interruption) -> None:
        self.graph, self.how, self.driver = graph, how, interruptible
        self.lockstep = Lockstep(graph.system, driver)
        self.can = interruptible.interruptions
        self.deaths = Deaths(graph.system, {*self.can.deaths.values(), *self.can.forgets.values()})
        self.found = Interrupted(how)
        self.trace: Trace | None = None
        self._last: tuple[Edge, int] | None = None

    def concerns(self, step: Step) -> bool:
        """Whether the action of a step can be interrupted so."""
        return step.action in (self.can.deaths if self.how is Interruption.DEATH else self.can.refusals)

    def try_all_points(self, edge: Edge) -> None:
        """Interrupt a transition at each of its points."""
        way = self.graph.way_to(edge.source)
        edges = [*(self.graph.edges[number] for number in way), edge]
        states = (self.graph.states[0], *(self.graph.states[each.target] for each in edges))
        self.trace = Trace(self.graph.system, states, tuple(each.step for each in edges))
        points = self._deaths(edge) if self.how is Interruption.DEATH else self._refusals(edge)
        self.found.points[edge.step.action] += points

    def confirm(self, disagreement: Disagreement) -> Confirmation:
        """Do it again, some times."""
        assert self._last is not None and self.trace is not None
        edge, point = self._last
        confirmation = Confirmation()
        for _ in range(CONFIRMATIONS):
            again: Disagreement | None = None
            try:
                self._death(edge, point) if self.how is Interruption.DEATH else self._refusals(edge)
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

    def _go_to(self, edge: Edge) -> None:
        assert self.trace is not None
        self.lockstep.begin()
        self.lockstep.follow(self.trace.steps[:-1], self.graph.states[edge.source])

    def _deaths(self, edge: Edge) -> int:
        return next(point for point in count() if not self._death(edge, point + 1))

    def _death(self, edge: Edge, point: int) -> bool:
        """One death; False where the action has no such point."""
        self._last = (edge, point)
        self._go_to(edge)
        arguments = self.lockstep.named(edge.step)
        if not self.driver.interrupt(edge.step.action, arguments, self.how, point):
            return False
        states = self._possible(self.graph.states[edge.source], self.graph.states[edge.target], edge.step, arguments)
        self.lockstep.expect(edge.step, states, DIED.format(point=point))
        return True

    def _possible(self, before: State, after: State, step: Step, arguments: dict[str, str]) -> list[State]:
        fault = self.can.deaths[step.action]
        states = [before, after]
        if halves := self.can.halves.get(step.action):
            states.append(self.deaths.mixed(before, after, halves))
        if not fault:
            return states
        return [self.deaths.after(state, fault, arguments) for state in states]

    def _refusals(self, edge: Edge) -> int:
        """A refusal at each point in turn, then the action itself; how many points there were."""
        self._go_to(edge)
        before, after = self.graph.states[edge.source], self.graph.states[edge.target]
        arguments, forgets = self.lockstep.named(edge.step), self.can.forgets.get(edge.step.action)
        states = [before] if forgets is None else [self.deaths.after(before, forgets, arguments)]
        for point in count(1):
            self._last = (edge, point)
            if not self.driver.interrupt(edge.step.action, arguments, self.how, point):
                break
            self.lockstep.expect(edge.step, states, REFUSED.format(point=point))
            if states != [before]:
                self._go_to(edge)
        self.lockstep.expect(edge.step, [after], LIFE.format(points=point - 1))
        return point - 1
