"""The sequence diagram of a trace: participants as columns, and an arrow (or a note) for each step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from onceproof.explain.explanation import Explanation
from onceproof.explain.steps import ExplainedStep
from onceproof.model.language import Step, System
from onceproof.model.language.layout import Place, State


class Shape(Enum):
    """How a line of a diagram is drawn."""

    ARROW = "arrow"  # from source to target
    NOTE = "note"  # something happens at the source alone
    LOST = "lost"  # something between the two is lost, or doubled, on its way


@dataclass(frozen=True)
class Arrow:
    """One line of a diagram. first: of its step, the one that carries the label."""

    step: ExplainedStep
    source: str
    target: str
    shape: Shape
    first: bool


@dataclass(frozen=True)
class Diagram:
    """Participants from left to right, in the order in which they appear, and the arrows from top to bottom."""

    participants: list[str]
    arrows: list[Arrow]


Ends = tuple[str, str, Shape]
LEAST_GAP = 4  # columns between two participants, for an arrow


def diagram(explanation: Explanation) -> Diagram:
    """The sequence diagram of a trace."""
    system = explanation.trace.system
    arrows = []
    for step, taken in zip(explanation.steps, explanation.trace.taken, strict=True):
        before, *following = explanation.trace.states[step.index - 1 : step.index + 1]
        after = following[0] if following else before
        for position, (source, target, shape) in enumerate(_ends(system, taken, before, after)):
            arrows.append(Arrow(step, source, target, shape, position == 0))
    present = dict.fromkeys(name for arrow in arrows for name in (arrow.source, arrow.target))
    return Diagram(list(present), arrows)


def _ends(system: System, step: Step, before: State, after: State) -> list[Ends]:
    """The lines of a step: from the actor to whatever else the step changed.

    What is on a network goes from its sender to its receiver: written, it leaves the actor; cleared, it reached them.
    Where the actor is neither (a fault of the network), something happened to it on its way.
    """
    actor = system.actor(step)
    spoken: dict[Ends, None] = {}
    lost: dict[Ends, None] = {}
    for slot, (place, key) in enumerate(system.layout.labels):
        if before[slot] == after[slot] or place.field is None or place.field.ghost:
            continue
        if not place.field.network:
            owner = _owner(place, key)
            if owner != actor:
                spoken[actor, owner, Shape.ARROW] = None
            continue
        between = _participants(system, place, key)
        others = [name for name in between if name != actor]
        if actor in between and others:
            ends = (actor, others[0]) if after[slot] else (others[0], actor)
            spoken[(*ends, Shape.ARROW)] = None
        elif len(others) == 2:
            lost[others[0], others[1], Shape.LOST] = None
    # A participant that learns of a loss by its own time-out gets no line of its own.
    return list(lost if lost and not actor.endswith(tuple("0123456789")) else spoken) or [(actor, actor, Shape.NOTE)]


def _owner(place: Place, key: tuple[int, ...]) -> str:
    """The owner of a cell: the element that is named as the field's component is, or else the component."""
    component = place.field.component if place.field else place.name
    for sort, index in zip(place.sorts, key, strict=True):
        if sort.__name__.lower() == component:
            return sort.element(index)
    return component


def _participants(system: System, place: Place, key: tuple[int, ...]) -> list[str]:
    """The elements among a cell's indices that take part in a diagram: those of components."""
    components = {f.component for f in system.model.fields.values()}
    return [s.element(i) for s, i in zip(place.sorts, key, strict=True) if s.__name__.lower() in components]


@dataclass(frozen=True)
class Layout:
    """Where the text of a diagram stands. left: width of the step labels, 0 if each has a line of its own."""

    left: int
    width: int
    columns: dict[str, int]
    header: list[str]


def as_text(explanation: Explanation, width: int = 140) -> Iterator[str]:
    """The diagram as lines of text: a column for each participant, time runs down. width: of the page, in columns."""
    drawn = diagram(explanation)
    layout = _layout(drawn, max((len(_label(step)) for step in explanation.steps), default=0) + 2, width)
    yield from layout.header
    loop = explanation.trace.loop
    for arrow in drawn.arrows:
        if arrow.first and loop == arrow.step.index - 1:
            yield "the loop starts here ".ljust(layout.width, "─")
        label = _label(arrow.step) if arrow.first else ""
        if label and not layout.left:
            yield label
            label = ""
        yield (label.ljust(layout.left) + _line(arrow, layout.columns, layout.width)[layout.left :]).rstrip()
    if loop is not None:
        back = "nothing more happens " if loop == len(explanation.steps) else f"the loop goes back to step {loop + 1} "
        yield back.ljust(layout.width, "─")


def _label(step: ExplainedStep) -> str:
    return f"{step.index:>3} {'FAULT ' if step.fault else ''}{step.action}"


def _layout(drawn: Diagram, left: int, width: int) -> Layout:
    """The first of these that fits the page: whole names over their columns, names in turns on two lines, numbers."""
    names = drawn.participants
    parts = {name: name.split("_") for name in names}
    widest = max((len(part) for all_parts in parts.values() for part in all_parts), default=8)
    for gap, turns in ((widest + 1, 1), (widest // 2 + 2, 2)):
        columns = {name: left + gap // 2 + gap * number for number, name in enumerate(names)}
        # In turns the first and last name may stand out at the sides.
        total = left + gap * len(names) + (widest - gap) // 2 * (turns - 1)
        if total <= width:
            return Layout(left, total, columns, list(_header(parts, columns, total, turns)))
    room = left if left + LEAST_GAP * len(names) <= width else 0
    gap = max(LEAST_GAP, min(8, (width - room) // max(1, len(names))))
    columns = {name: room + gap // 2 + gap * number for number, name in enumerate(names)}
    total = room + gap * len(names)
    legend = [f"{number:>3} {name}" for number, name in enumerate(names, start=1)]
    numbered = {name: [str(number)] for number, name in enumerate(names, start=1)}
    return Layout(room, total, columns, [*legend, "", *_header(numbered, columns, total, 1)])


def _header(parts: dict[str, list[str]], columns: dict[str, int], width: int, turns: int) -> Iterator[str]:
    """The names over their columns, one line for each part of a name, aligned at the bottom of their turn."""
    height = max((len(part) for part in parts.values()), default=0)
    for turn in range(turns):
        mine = {name: part for number, (name, part) in enumerate(parts.items()) if (number + turn + 1) % turns == 0}
        for row in range(height):
            line = [" "] * (width + 1)
            for name, part in mine.items():
                position = row - (height - len(part))
                if position >= 0:
                    start = max(0, columns[name] - len(part[position]) // 2)
                    line[start : start + len(part[position])] = part[position]
            text = "".join(line).rstrip()
            if text or turns == 1:
                yield text


def _line(arrow: Arrow, columns: dict[str, int], width: int) -> str:
    line = [" "] * width
    for column in columns.values():
        line[column] = "│"
    start, end = columns[arrow.source], columns[arrow.target]
    low, high = sorted((start, end))
    if arrow.shape is Shape.NOTE:
        line[start] = "✗" if arrow.step.fault else "●"
        return "".join(line)
    dashes = "╌" if arrow.step.fault else "─"
    line[low], line[high] = "├", "┤"
    line[low + 1 : high] = dashes * (high - low - 1)
    if arrow.shape is Shape.LOST:
        line[(low + high) // 2] = "✗"
    else:
        line[end - 1 if end > start else end + 1] = "►" if end > start else "◄"
    return "".join(line)
