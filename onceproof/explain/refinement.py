"""Why a run is none of an abstract model: what its last step changes there, and which abstract actions come nearest."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from onceproof.explain.reasons import StateView
from onceproof.explain.steps import shown
from onceproof.model.checker.results import Trace
from onceproof.model.language import ModelError, Step
from onceproof.model.language.declare import Property
from onceproof.model.language.errors import OutOfRange
from onceproof.model.language.evaluate import effect_of
from onceproof.model.language.layout import Layout, State
from onceproof.model.language.refinement import Refinement, refinement_of
from onceproof.model.language.showing import call_text

MOST_NEAREST = 3  # abstract actions that are named
MOST_TRIED = 20_000  # of their instances
MOST_CELLS = 16  # of an image that are listed


@dataclass(frozen=True)
class Nearest:
    """An abstract action that comes near to what a step does. missing: conditions of its guard that are false, with
    their values; differs: by cell what it would write there, and what it should."""

    call: str
    missing: list[str]
    differs: dict[str, tuple[Any, Any]]

    @property
    def lines(self) -> list[str]:
        """The same as text."""
        others = ", ".join(
            f"`{cell}` {shown(is_)}, not {shown(wanted)}" for cell, (is_, wanted) in self.differs.items()
        )
        if not self.missing:
            return [f"{self.call} is possible there, but makes {others}"]
        does = f"makes {others}, and" if others else "does just that, but"
        return [f"{self.call} {does} is not possible there:", *(f"  {line}" for line in self.missing)]


@dataclass(frozen=True)
class WrongStep:
    """The end of a run that is none of an abstract model.

    before, after: the images of the last two states, by field as in JSON; None: there is none. changed: by cell what
    differs between them (at the start: between what the abstract model starts with, and the image). concrete: the last
    two states themselves. image: the cells of the first image, as text; cells: of both images, each with its values.
    failure: why the last state has no image. in_two: two abstract steps that together do it.
    """

    model: str
    concrete: tuple[dict[str, Any] | None, dict[str, Any]]
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    changed: dict[str, tuple[Any, Any]]
    number: int
    call: str = ""
    image: list[str] = field(default_factory=list)
    cells: list[tuple[str, str, str]] = field(default_factory=list)
    failure: str = ""
    in_two: str = ""
    nearest: list[Nearest] = field(default_factory=list)

    @property
    def heading(self) -> str:
        """What is wrong, in one line."""
        if not self.number:
            return f"the initial state is not one of {self.model} because"
        return f"step {self.number}, {self.call}, is not a step of {self.model} because"

    @property
    def reasons(self) -> list[str]:
        """Why, a line each."""
        if self.failure and not self.number:
            return [f"the mapping gives it no image: {self.failure}"]
        if self.failure:
            return [f"the mapping gives the state that it leads to no image: {self.failure}"]
        changes = [f"{cell}: {shown(old)} \u2192 {shown(new)}" for cell, (old, new) in self.changed.items()]
        if not self.number:
            starts = (f"`{cell}` starts as {shown(old)}, not {shown(new)}" for cell, (old, new) in self.changed.items())
            return [f"in {self.model}, {', '.join(starts)}"]
        lines = [f"its image changes {', '.join(changes)}", f"from the image {', '.join(self.image)}"]
        if self.in_two:
            lines.append(f"that takes two steps of {self.model}: {self.in_two}")
        for one in self.nearest:
            lines += one.lines
        if not self.nearest and not self.in_two:
            lines.append(f"no action of {self.model} comes near to that")
        return lines

    def as_json(self) -> dict[str, Any]:
        """The same for JSON."""
        return {
            "of": self.model,
            "concrete": {"before": self.concrete[0], "after": self.concrete[1]},
            "abstract": {"before": self.before, "after": self.after},
            "changed": {cell: list(pair) for cell, pair in self.changed.items()},
            "nearest": [
                {
                    "action": one.call,
                    "false": one.missing,
                    "differs": {cell: list(pair) for cell, pair in one.differs.items()},
                }
                for one in self.nearest
            ],
        }


def wrong_step(trace: Trace, claim: Property) -> WrongStep:
    """What is wrong with the last step of a run that violates a refinement; or with its start, where it has no step."""
    refinement = refinement_of(trace.system, claim)
    layout, own = refinement.abstract.layout, trace.system.layout
    number, states = len(trace.steps), trace.states
    before = refinement.image(states[-2]) if number else None
    after = refinement.image(states[-1])
    concrete = own.show(states[-2]) if number else None, own.show(states[-1])
    images = layout.show(before) if before else None, layout.show(after) if after else None
    call = trace.system.call(trace.steps[-1]) if number else ""
    if after is None:
        failure = _failure(refinement, states[-1])
        return WrongStep(refinement.name, concrete, *images, {}, number, call, failure=failure)
    # A start that is none is shown beside the one that differs least from it.
    old = before or min(refinement.abstract.initials, key=lambda one: len(layout.changes(one, after)))
    changed = layout.changes(old, after)
    if before is None:
        return WrongStep(refinement.name, concrete, *images, changed, number)
    return WrongStep(
        refinement.name,
        concrete,
        *images,
        changed,
        number,
        call,
        _listed(layout, before, changed),
        [(c.label, shown(c.show(before)), shown(c.show(after))) for mine in layout.cells.values() for c in mine],
        in_two=_in_two(refinement, before, after),
        nearest=_nearest(refinement, before, after),
    )


def _failure(refinement: Refinement, state: State) -> str:
    try:
        refinement.mapping.image(state)
    except OutOfRange as error:
        return f"`{error.cell}` cannot hold {error.value} ({(error.place or '').rpartition(', ')[2]})"
    raise AssertionError("the state has an image")


def _listed(layout: Layout, image: State, changed: dict[str, tuple[Any, Any]]) -> list[str]:
    """The cells of an image; of a large one those that change and those that are not as at the start."""
    cells = [cell for mine in layout.cells.values() for cell in mine]
    if len(cells) > MOST_CELLS:
        moved = layout.changes(layout.initial, image)
        cells = [cell for cell in cells if cell.label in changed or cell.label in moved]
    more = [] if len(cells) <= MOST_CELLS else [f"and {len(cells) - MOST_CELLS} more"]
    return [f"{cell.label} = {shown(cell.show(image))}" for cell in cells[:MOST_CELLS]] + more


def _in_two(refinement: Refinement, before: State, after: State) -> str:
    abstract = refinement.abstract
    try:
        for first, between in abstract.successors(before):
            if between != before and after in abstract.following(between):
                (second,) = itertools.islice((step for step, end in abstract.successors(between) if end == after), 1)
                return f"{abstract.call(first)}, then {abstract.call(second)}"
    except (ModelError, ValueError):  # an abstract action fails there, or takes another `Fresh` element
        pass
    return ""


def _nearest(refinement: Refinement, before: State, after: State) -> list[Nearest]:
    """The abstract actions that come nearest to a step between two images: by cells that differ, then by what is false.

    One that sets none of what changes right does not come near.
    """
    wanted = len(refinement.abstract.layout.changes(before, after))
    found: list[tuple[int, int, int, Nearest]] = []
    for place, one in enumerate(itertools.islice(_tried(refinement, before, after), MOST_TRIED)):
        if len(one.differs) < wanted or not one.differs:
            found.append((len(one.differs), len(one.missing), place, one))
    return [one for *_, one in sorted(found)[:MOST_NEAREST]]


def _tried(refinement: Refinement, before: State, after: State) -> Iterator[Nearest]:
    """Each abstract action with each of its arguments and choices, by each way through it, held against a step."""
    abstract = refinement.abstract
    layout = abstract.layout
    for name, reading in abstract.readings.items():
        ways = [(path, effect_of(path, layout)) for path in reading.paths]
        choices = list(itertools.product(*reading.codes(abstract.sizes)))
        for arguments, chosen in itertools.product(itertools.chain(*abstract.candidates(name)), choices):
            step = Step(name, (*arguments, *chosen))
            environment = reading.environment(step.arguments)
            view = StateView(layout, before, environment)
            for path, effect in ways:
                guard = (*path.guard, *reading.as_chosen(step.arguments))
                try:
                    end = effect(before, environment)
                    missing = [line for term in guard if not view.holds(term) for line in view.why(term, False)]
                    differs = layout.changes(end, after)
                except IndexError:  # without its guard it may look at what is not there
                    continue
                call = call_text(name, abstract.named_arguments(step), abstract.chosen(step))
                yield Nearest(call, list(dict.fromkeys(missing)), differs)
