"""The search for a run that explains the events of a slice: best first, and complete.

A node is how far each stream is explained, a state of the model, and which element each name of the log stands for.
From it leads every step that the model allows: one that explains the next event of some stream, or one of an action
that may go unlogged. Nodes that explain more come first, and among them those with fewer unlogged steps, so that logs
of systems that behave are explained almost straight; nodes that were met are never met again, so that a log without
an explanation is refuted in the end.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from onceproof.conformance.validation.logs import LoggedEvent
from onceproof.conformance.validation.mapping import LogMapping
from onceproof.conformance.validation.slices import Named, Slice
from onceproof.model.checker.ground.python_code import GeneratedSystem
from onceproof.model.language import Step, System
from onceproof.model.language.layout import State
from onceproof.model.language.reading.result import UNMET

Positions = tuple[int, ...]
Elements = tuple[tuple[Named, tuple[int, ...]], ...]  # for each name, the elements it stands for; more once reborn
ANY_NEW = -1  # a name that was reborn may stand for a further element, which is not known yet


@dataclass(frozen=True, slots=True)
class Node:
    """Where a search may be. explained: how many events; unlogged: how many steps left no line."""

    positions: Positions
    state: State
    elements: Elements
    explained: int
    unlogged: int


@dataclass(frozen=True)
class Move:
    """One step of an explanation, and the event that it explains; None for one that left no line."""

    step: Step
    event: LoggedEvent | None


@dataclass
class Explanation:
    """What a search found. explained: a run explains every event.

    complete: all nodes were met, so that "not explained" is certain. run: of the last node, with its states, the
    initial one first. farthest: some nodes that explain the most events.
    """

    slice: Slice
    system: System
    explained: bool
    complete: bool
    nodes: int
    most: int
    run: list[Move] = field(default_factory=list)
    states: list[State] = field(default_factory=list)
    farthest: list[Node] = field(default_factory=list)


@dataclass(frozen=True)
class Explainer:
    """Searches in one configuration of a model. clock_error in nanoseconds."""

    generated: GeneratedSystem
    mapping: LogMapping

    @property
    def system(self) -> System:
        """The model under its configuration."""
        return self.generated.system

    def explain(self, part: Slice, limit: int, tick: Callable[[int], None] | None = None) -> Explanation:
        """Look for a run; limit: how many nodes at most. tick: called now and then with the number of nodes."""
        order = Order(part, round(self.mapping.clock_error * 1e9))
        starts = [Node(tuple(0 for _ in part.streams), state, (), 0, 0) for state in self.system.initials]
        parents: dict[tuple[Any, ...], tuple[tuple[Any, ...] | None, Move | None]]
        parents = {_key(start): (None, None) for start in starts}
        count = itertools.count()
        heap: list[tuple[int, int, int, Node]] = [(0, 0, next(count), start) for start in starts]
        farthest, most = starts[:50], 0
        while heap:
            *_, node = heapq.heappop(heap)
            if node.explained == part.size:
                return self._found(part, True, True, parents, node, [node])
            if len(parents) > limit:
                return self._found(part, False, False, parents, farthest[0], farthest)
            if tick is not None and len(parents) % 1000 == 0:
                tick(len(parents))
            for move, after in self._moves(node, part, order):
                key = _key(after)
                if key in parents:
                    continue
                parents[key] = _key(node), move
                if after.explained > most:
                    most, farthest = after.explained, [after]
                elif after.explained == most and len(farthest) < 50:
                    farthest.append(after)
                heapq.heappush(heap, (-after.explained, after.unlogged, next(count), after))
        return self._found(part, False, True, parents, farthest[0], farthest)

    def _found(
        self,
        part: Slice,
        explained: bool,
        complete: bool,
        parents: Mapping[tuple[Any, ...], tuple[tuple[Any, ...] | None, Move | None]],
        node: Node,
        farthest: list[Node],
    ) -> Explanation:
        run: list[Move] = []
        states: list[State] = []
        key: tuple[Any, ...] | None = _key(node)
        while key is not None:
            states.append(key[1])
            key, move = parents[key]
            if move is not None:
                run.append(move)
        run.reverse()
        states.reverse()
        most = farthest[0].explained
        return Explanation(part, self.system, explained, complete, len(parents), most, run, states, farthest)

    def _moves(self, node: Node, part: Slice, order: Order) -> Iterator[tuple[Move, Node]]:
        """Every way on from a node."""
        waiting = order.next_events(node.positions)
        reborn = [(stream, event) for stream, event in waiting if event.name in self.mapping.reborn]
        for stream, event in reborn:
            yield self._reborn(node, stream, event)
        unlogged = self.mapping.unlogged | self.mapping.sometimes | part.sometimes
        wanted: dict[str, list[tuple[int, LoggedEvent]]] = {}
        for stream, event in waiting:
            rule = self.mapping.rules.get(event.name)
            if rule is not None:
                wanted.setdefault(rule.action, []).append((stream, event))
        for number, after in self.generated.successors(node.state):
            step = self.generated.steps[number]
            for stream, event in wanted.get(step.action, ()):
                elements = self._bind(node.elements, step, event)
                if elements is not None and self._shows(event, elements, step, after):
                    positions = (*node.positions[:stream], node.positions[stream] + 1, *node.positions[stream + 1 :])
                    yield Move(step, event), Node(positions, after, elements, node.explained + 1, node.unlogged)
            if step.action in unlogged:
                yield (
                    Move(step, None),
                    Node(node.positions, after, node.elements, node.explained, node.unlogged + 1),
                )

    def _reborn(self, node: Node, stream: int, event: LoggedEvent) -> tuple[Move, Node]:
        """A name stands for a further element from now on: the event itself is not a step."""
        known = dict(node.elements)
        for name in known:
            if name[1] in event.arguments.values():
                known[name] = (*known[name], ANY_NEW)
        positions = (*node.positions[:stream], node.positions[stream] + 1, *node.positions[stream + 1 :])
        after = Node(positions, node.state, tuple(sorted(known.items())), node.explained + 1, node.unlogged)
        return Move(Step(event.name, ()), event), after

    def _bind(self, elements: Elements, step: Step, event: LoggedEvent) -> Elements | None:
        """Which elements the names stand for if this step is this event; None if it cannot be."""
        parameters = self.system.parameters_of(step.action)
        known: dict[Named, tuple[int, ...]] | None = None
        for parameter, argument in zip(parameters, step.arguments, strict=True):
            value = event.arguments.get(parameter.name)
            if value is None:
                continue
            if argument == UNMET:
                return None  # the log says what was chosen, and on this way nothing is
            if parameter.is_of_values:
                if value != parameter.element(argument):
                    return None
                continue
            sort = parameter.sort.__name__
            named = dict(elements) if known is None else known
            mine = named.get((sort, value), ())
            if argument in mine:
                continue
            if mine and ANY_NEW not in mine:
                return None
            own = [i for i in range(self.system.sizes[sort]) if parameter.element(i) == value]
            if own and not mine and own[0] != argument:
                return None  # the log uses the model's own name of another element
            if any(argument in taken for name, taken in named.items() if name[0] == sort):
                return None
            known = named
            known[sort, value] = (*(each for each in mine if each != ANY_NEW), argument)
        return elements if known is None else tuple(sorted(known.items()))

    def _shows(self, event: LoggedEvent, elements: Elements, step: Step, after: State) -> bool:
        """Whether the state after a step is as the event shows it."""
        if not event.shows:
            return True
        named, known = self.system.named_arguments(step), dict(elements)
        shown = self.system.layout.show(after)
        return all(self._cell(shown, cell, named) == self._value(value, known) for cell, value in event.shows.items())

    def _cell(self, shown: Mapping[str, Any], cell: str, named: Mapping[str, str]) -> Any:
        """A cell such as ``stage[message]``: parameters in brackets stand for the arguments of the step."""
        name, _, rest = cell.partition("[")
        keys = [named.get(key.strip(), key.strip()) for key in rest.rstrip("]").split(",") if key.strip()]
        value = shown.get(name)
        return value.get(",".join(keys)) if keys and isinstance(value, dict) else value

    def _value(self, value: Any, known: Mapping[Named, tuple[int, ...]]) -> Any:
        """A value of the log: where it is the name of an element, that element as the model calls it."""
        for sort, name in known:
            if name == value:
                return self.system.model.sorts[sort].element(known[sort, name][-1])
        return value


def _key(node: Node) -> tuple[Any, ...]:
    return node.positions, node.state, node.elements


class Order:
    """Which events may come next: those that nothing in the log proves to come after another that is still to come."""

    def __init__(self, part: Slice, error: int) -> None:
        self._streams, self._error = part.streams, error

    def next_events(self, positions: Positions) -> list[tuple[int, LoggedEvent]]:
        """The next event of each stream, without those that certainly come after the next one of another stream."""
        heads = [
            (number, stream[position])
            for number, (stream, position) in enumerate(zip(self._streams, positions, strict=True))
            if position < len(stream)
        ]
        return [
            (number, event)
            for number, event in heads
            if not any(self._before(other, event) for n, other in heads if n != number)
        ]

    def _before(self, one: LoggedEvent, other: LoggedEvent) -> bool:
        """Whether the log proves that one event of another stream came first: by vector clocks, or else by time."""
        if one.clock and other.clock:
            keys = {*one.clock, *other.clock}
            less = all(one.clock.get(key, 0) <= other.clock.get(key, 0) for key in keys)
            return less and one.clock != other.clock
        return one.end + self._error < other.begin
