"""Why a slice has no explanation: what blocks the next events, and which single change of log or model would help.

Every repair was verified: with it a run explains the slice. The search for repairs is bounded, and says if it gave up.
"""

from __future__ import annotations

import dataclasses
import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from onceproof.conformance.validation.logs import LoggedEvent
from onceproof.conformance.validation.mapping import Rule
from onceproof.conformance.validation.search import Explainer, Explanation, Node, Order
from onceproof.conformance.validation.slices import Named, Slice
from onceproof.conformance.validation.validate import Validator
from onceproof.model.language import Step, System
from onceproof.model.language.arguments import Parameter
from onceproof.model.language.index_sets import cardinality
from onceproof.model.language.layout import State
from onceproof.model.language.reading.result import Chosen

AT_ANY_TIME = (-(2**62), 2**62)
STATES_SHOWN = 3
BRIEFLY = 500  # nodes


@dataclass(frozen=True)
class Blocked:
    """An event that might come next, and a step that would be it; in this state the model does not allow the step."""

    event: LoggedEvent
    step: Step
    state: State


class Kind(Enum):
    """What a repair changes."""

    MECHANISM = "mechanism"
    FAULT = "fault"
    EXTRA = "extra"
    MISSING = "missing"
    ORDER = "order"
    VALUE = "value"


@dataclass(frozen=True)
class Repair:
    """One change that makes the log fit. name: of the mechanism, the fault or the action; event: that is changed.

    parameter, value: whose value should be another, and which (as the model calls it).
    """

    kind: Kind
    name: str
    event: LoggedEvent | None = None
    parameter: str = ""
    value: str = ""


@dataclass
class Diagnosis:
    """blocked: for the farthest states; repairs: verified; gave_up: the search for repairs ended at its limit."""

    explanation: Explanation
    blocked: list[Blocked] = field(default_factory=list)
    states: int = 0
    repairs: list[Repair] = field(default_factory=list)
    gave_up: bool = False


def diagnose(validator: Validator, found: Explanation, max_seconds: float = 10.0) -> Diagnosis:
    """Say why a slice was not explained. max_seconds: for the search for repairs."""
    explainer = validator.explainer(found.slice)
    result = Diagnosis(found, states=len({node.state for node in found.farthest}))
    order = Order(found.slice, round(validator.mapping.clock_error * 1e9))
    for node in _different(found.farthest):
        result.blocked += _blocked(explainer, node, order)
    deadline = time.monotonic() + max_seconds
    waiting = list(_candidates(validator, found, order)) if max_seconds else []
    # A change that helps is found soon; to see that one does not help may take long. So all are tried briefly first.
    for limit in (BRIEFLY, validator.limit):
        left = []
        for repair, part, fixed in waiting:
            if time.monotonic() > deadline:
                left.append((repair, part, fixed))
                continue
            explanation = fixed.explainer(part).explain(part, limit)
            if explanation.explained:
                result.repairs.append(_with_value(repair, explanation))
            elif not explanation.complete:
                left.append((repair, part, fixed))
        waiting = left if limit < validator.limit and not result.repairs else []
        result.gave_up = bool(left)
    return result


def _different(nodes: list[Node]) -> list[Node]:
    """Nodes of different states, as many as are shown; those with the fewest unlogged steps first."""
    found: dict[State, Node] = {}
    for node in sorted(nodes, key=lambda node: node.unlogged):
        found.setdefault(node.state, node)
    return list(found.values())[:STATES_SHOWN]


def _blocked(explainer: Explainer, node: Node, order: Order) -> Iterator[Blocked]:
    """The steps that the next events would be, none of which the model allows."""
    system = explainer.system
    elements = dict(node.elements)
    for _, event in order.next_events(node.positions):
        rule = explainer.mapping.rules.get(event.name)
        if rule is None or rule.action not in system.actions:
            continue
        choices = [_possible(system, p, event.arguments.get(p.name), elements) for p in _parameters(system, rule)]
        reading = system.readings[rule.action]
        steps = [
            Step(rule.action, system.aligned(reading, node.state, arguments))
            for arguments in itertools.islice(itertools.product(*choices), 4)
        ]
        if steps:
            yield Blocked(event, steps[0], node.state)


def _parameters(system: System, rule: Rule) -> tuple[Parameter | Chosen, ...]:
    return system.parameters_of(rule.action)


def _possible(
    system: System, parameter: Parameter | Chosen, value: str | None, known: Mapping[Named, tuple[int, ...]]
) -> Sequence[int]:
    """Which elements a name of the log may stand for: those that it does, its own, or any that no other name has."""
    sort = parameter.sort.__name__
    everything = range(cardinality(parameter.sort, system.sizes))
    if value is None:
        return everything
    if (sort, value) in known:
        return known[sort, value]
    own = [element for element in everything if parameter.element(element) == value]
    if parameter.is_of_values:
        return own
    taken = {element for (other, _), elements in known.items() if other == sort for element in elements}
    return own or [element for element in everything if element not in taken]


def _candidates(validator: Validator, found: Explanation, order: Order) -> Iterator[tuple[Repair, Slice, Validator]]:
    """Changes that may help, the likeliest first."""
    part = found.slice
    near = _near(found, order)
    for event in near:
        yield Repair(Kind.EXTRA, event.name, event), _without(part, event), validator
    for event in near:
        for parameter in event.arguments:
            left = {name: value for name, value in event.arguments.items() if name != parameter}
            yield (
                Repair(Kind.VALUE, event.name, event, parameter),
                _replaced(part, event, dataclasses.replace(event, arguments=left)),
                validator,
            )
        if event.shows:
            yield (
                Repair(Kind.VALUE, event.name, event, "shows"),
                _replaced(part, event, dataclasses.replace(event, shows={})),
                validator,
            )
    for name, rule in validator.mapping.rules.items():
        if rule.action in found.system.actions:
            event = LoggedEvent(name, *AT_ANY_TIME, "missing", {}, {}, "", 0)
            yield Repair(Kind.MISSING, name), Slice(part.key, (*part.streams, (event,)), part.sometimes), validator
    for event in near:
        begin, end = AT_ANY_TIME
        moved = dataclasses.replace(event, begin=begin, end=end, stream="moved")
        alone = _without(part, event)
        yield (
            Repair(Kind.ORDER, event.name, event),
            Slice(alone.key, (*alone.streams, (moved,)), part.sometimes),
            validator,
        )
    yield from _of_the_model(validator, part)


def _of_the_model(validator: Validator, part: Slice) -> Iterator[tuple[Repair, Slice, Validator]]:
    """Each mechanism off that is on, and each fault that the configuration does not allow, once."""
    config = validator.config
    sizes = {name: size for name, size in config.sizes.items() if size}
    for name, on in config.switches.items():
        if on:
            other = validator.model.configure(
                sizes, {**config.switches, name: False}, config.budgets, config.parameters
            )
            yield Repair(Kind.MECHANISM, name), part, _changed(validator, other)
    for name, left in config.budgets.items():
        if left == 0:
            budgets = {**config.budgets, name: 1}
            other = validator.model.configure(sizes, config.switches, budgets, config.parameters)
            yield Repair(Kind.FAULT, name), part, _changed(validator, other)


def _changed(validator: Validator, config: object) -> Validator:
    from onceproof.model.language import Config

    assert isinstance(config, Config)
    return Validator(validator.model, config, validator.mapping, validator.limit)


def _near(found: Explanation, order: Order) -> list[LoggedEvent]:
    """The events around the place where the search ended: the next ones, then those that were explained last."""
    near: dict[int, LoggedEvent] = {}
    for node in _different(found.farthest):
        for _, event in order.next_events(node.positions):
            near.setdefault(id(event), event)
    for move in reversed(found.run):
        if move.event is not None and len(near) < 8:
            near.setdefault(id(move.event), move.event)
    return list(near.values())


def _without(part: Slice, event: LoggedEvent) -> Slice:
    streams = (tuple(each for each in stream if each is not event) for stream in part.streams)
    return Slice(part.key, tuple(stream for stream in streams if stream), part.sometimes)


def _replaced(part: Slice, event: LoggedEvent, other: LoggedEvent) -> Slice:
    streams = tuple(tuple(other if each is event else each for each in stream) for stream in part.streams)
    return Slice(part.key, streams, part.sometimes)


def _with_value(repair: Repair, explanation: Explanation) -> Repair:
    """The repair with the value that the explanation gave: what the log should have said."""
    if repair.kind is not Kind.VALUE or repair.event is None:
        return repair
    for move in explanation.run:
        if move.event is not None and move.event.place == repair.event.place:
            value = explanation.system.named_arguments(move.step).get(repair.parameter, "")
            return dataclasses.replace(repair, value=value)
    return repair
