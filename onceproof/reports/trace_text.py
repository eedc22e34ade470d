"""A counterexample as lines of text: one line per step, then why the property is false and what prevents it."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from onceproof.explain.explanation import Explanation
from onceproof.explain.steps import ExplainedStep, shown
from onceproof.model.checker.obligations import Demand, demand_of
from onceproof.model.language.declare import Property
from onceproof.reports.style import style

INDENT = "  "
NARROWEST = 56  # columns needed to print changes beside their step


NARROWEST_PAGE = 40  # columns; less is for the terminal to wrap


@dataclass(frozen=True)
class Columns:
    """How wide the columns of the steps are."""

    number: int
    actor: int
    call: int
    total: int


def explanation_lines(explanation: Explanation, again: str, width: int | None = None) -> Iterator[str]:
    """The report. again: the command that reproduces it; width: in columns (default: the terminal's)."""
    width = width or page_width()
    yield from _headline(explanation, width)
    yield ""
    yield from steps(explanation, width)
    if explanation.property:
        yield ""
        yield from _reasons(explanation, width)
    if again:
        yield ""
        yield f"reproduce: {again}"


def page_width() -> int:
    """How wide lines may be, in columns: as wide as the terminal, or 140 without one."""
    return max(NARROWEST_PAGE, shutil.get_terminal_size((140, 24)).columns) if sys.stdout.isatty() else 140


def _headline(explanation: Explanation, width: int) -> Iterator[str]:
    length = f"{counted(len(explanation.trace), 'step')}, {counted(explanation.trace.faults, 'fault')}"
    if not explanation.property:
        yield f"a trace of {explanation.trace.system.model.name}: {length}"
        return
    who = f" for {', '.join(explanation.elements)}" if explanation.elements else ""
    yield style(f"{explanation.property} is violated{who}", fg="red", bold=True)
    yield from wrapped(explanation.about, width)
    minimal = f"; minimal in {explanation.minimal}" if explanation.minimal else ""
    yield f"{INDENT}{length}{minimal}"


def steps(explanation: Explanation, width: int) -> Iterator[str]:
    """One line per step (more where the page is too narrow), with the loop marked."""
    columns = _columns(explanation.steps, width)
    loop = explanation.trace.loop
    if explanation.initially:
        yield from wrapped(f"initially: {initial_text(explanation)}", width)
    if not explanation.steps:
        yield f"{INDENT}no steps: this is {'an' if explanation.initially else 'the'} initial state"
    for step in explanation.steps:
        if loop == step.index - 1:
            yield f"{INDENT}┌─ the loop starts here"
        yield from _step(step, columns)
    if loop is not None:
        if loop == len(explanation.steps):
            yield f"{INDENT}after that nothing more happens, forever"
        else:
            yield f"{INDENT}└─ the loop goes back to step {loop + 1}"


def initial_text(explanation: Explanation) -> str:
    """What was chosen at the start, and what else that gives the cells: ``who=node2 (lit[node2]: yes)``."""
    choices = ", ".join(f"{name}={value}" for name, value in explanation.initially.items())
    cells = ", ".join(f"{label}: {shown(value)}" for label, value in explanation.initial_cells.items())
    return f"{choices} ({cells})" if cells else choices


def step_lines(listed: Sequence[ExplainedStep], width: int) -> Iterator[str]:
    """Steps by themselves, each under its ``index``."""
    columns = _columns(listed, width)
    for step in listed:
        yield from _step(step, columns)


def _columns(listed: Sequence[ExplainedStep], width: int) -> Columns:
    return Columns(
        number=max((len(str(step.index)) for step in listed), default=1),
        actor=max((len(step.actor) for step in listed), default=0),
        call=max((len(step.call) for step in listed), default=0),
        total=width,
    )


def _step(step: ExplainedStep, columns: Columns) -> Iterator[str]:
    mark = style("FAULT", fg="yellow", bold=True) if step.fault else INDENT * 2 + " "
    call = f"{step.call:<{columns.call}}"
    head = f"{INDENT}{step.index:>{columns.number}}  {mark} {step.actor:<{columns.actor}}  "
    indent = 2 + columns.number + 2 + 5 + 1 + columns.actor + 2 + columns.call + 2
    changes = [f"{label}: {shown(before)} → {shown(after)}" for label, (before, after) in step.changed.items()]
    colored = style(call, fg="yellow") if step.fault else call
    if columns.total - indent < NARROWEST:
        # No room beside the call: its changes go on the lines below.
        yield head + (style(step.call, fg="yellow") if step.fault else step.call)
        below = 2 + columns.number + 2 + 6
        yield from (" " * below + line for line in filled(changes, columns.total - below))
        return
    lines = filled(changes, columns.total - indent)
    yield f"{head}{colored}  {lines[0]}" if lines else head + colored.rstrip()
    yield from (" " * indent + line for line in lines[1:])


def filled(parts: list[str], width: int) -> list[str]:
    """The parts joined by commas, in as few lines as possible; a part itself is never broken."""
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + 2 + len(part) < width:
            lines[-1] += f", {part}"
        else:
            lines[-1:] = [lines[-1] + ",", part] if lines else [part]
    return lines


def headings(explanation: Explanation) -> tuple[str, str]:
    """The headings of the reasons why a property applies to the last state, and why it is false there."""
    claim = explanation.trace.system.model.properties.get(explanation.property)
    if explanation.trace.departure is not None:
        return "", f"`{explanation.trace.departure.cell}` leaves its range because"
    if claim is None:
        return "", "this state is a deadlock because"
    if explanation.wrong_step is not None:
        return "", explanation.wrong_step.heading
    if claim.is_liveness:
        return _headings_of_endless(explanation, claim)
    if claim.kind == "step":
        name, last = explanation.property, f"step {len(explanation.trace)}"
        because = "and it is false because" if explanation.given else f"{name} is false of {last} because"
        return f"{name} applies to {last} because", because
    applies = f"{explanation.property} applies to this state because"
    return applies, "and it is false because" if explanation.given else f"{explanation.property} is false because"


def _headings_of_endless(explanation: Explanation, claim: Property) -> tuple[str, str]:
    """The same for a property of runs without end: what this run does not do, and in which state the reasons are."""
    name, last = explanation.property, len(explanation.trace.states) - 1
    if claim.kind == "until" and explanation.trace.loop is None:
        subject = "and it" if explanation.given else name
        return f"{name} begins because", f"{subject} ends too early: in the last state"
    match demand_of(explanation.trace.system, claim):
        case Demand.ONCE:
            return "", f"{name} is true at no time on this run; in the last state"
        case Demand.RESPONSE:
            subject = "and it" if explanation.given else name
            return f"the obligation {name} arises because", f"{subject} is never met; in the last state"
        case Demand.REPEATED:
            return "", f"{name} is not true again after step {explanation.trace.loop or 0}; in the last state"
        case Demand.LASTING:
            at = explanation.at
            where = "in the last state" if at in (None, last) else f"after step {at}" if at else "in the initial state"
            return "", f"{name} is false again and again: {where}"


def _reasons(explanation: Explanation, width: int) -> Iterator[str]:
    given, because = headings(explanation)
    if explanation.given:
        yield style(given, bold=True)
        yield from (f"{INDENT}{reason}" for reason in explanation.given)
    yield style(because, bold=True)
    yield from (f"{INDENT}{reason}" for reason in explanation.because or ["its condition can never be true"])
    if not explanation.preventions:
        yield nothing_to_switch_on(explanation)
    for heading, found in (
        ("what would have prevented it", explanation.prevented_by),
        ("what would not have prevented it", explanation.not_prevented_by),
    ):
        if found:
            yield style(heading, bold=True)
            for prevention in found:
                yield from wrapped(prevention.text, width)


def wrapped(text: str, width: int, indent: str = INDENT) -> list[str]:
    """Prose in lines of this width, indented; continuation lines are indented further."""
    return textwrap.wrap(
        " ".join(text.split()), width, initial_indent=indent, subsequent_indent=INDENT + indent, break_long_words=False
    )


def counted(number: int, what: str) -> str:
    """``2 faults``, ``1 fault``, ``no faults``."""
    return f"{f'{number:,}' if number else 'no'} {what}{'' if number == 1 else 's'}"


def nothing_to_switch_on(explanation: Explanation) -> str:
    """Why there is no mechanism to try."""
    if explanation.trace.system.model.switches:
        return "every mechanism is on: the design itself allows this run"
    return "the model has no mechanisms"
