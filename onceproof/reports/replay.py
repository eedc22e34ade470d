"""What `replay` of a trace prints: whether model and system agree, or where they come apart; and the same as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from onceproof.conformance.replay.confirm import Confirmation
from onceproof.conformance.replay.lockstep import Replay
from onceproof.conformance.replay.violation import SeenViolation
from onceproof.model.checker.results import Trace
from onceproof.reports.conformance import (
    confirmation_json,
    confirmation_lines,
    disagreement_json,
    disagreement_lines,
    not_covered_line,
)
from onceproof.reports.style import style
from onceproof.reports.trace_text import counted


class Agreement(StrEnum):
    """Whether a system does what the model does."""

    AGREES = "agrees"
    VIOLATED = "violated"  # it followed a counterexample to its end, where a property is false
    DIFFERS = "differs"
    FLAKY = "flaky"  # the same steps do not always end in the same way
    UNDECIDED = "undecided"  # not all of it was, or could be, compared


def agreement(differs: bool, confirmation: Confirmation, undecided: bool) -> Agreement:
    """The verdict on a comparison of model and system. differs: a disagreement was found."""
    if differs:
        return Agreement.FLAKY if confirmation.flaky else Agreement.DIFFERS
    return Agreement.UNDECIDED if undecided else Agreement.AGREES


@dataclass(frozen=True)
class ReplayedTrace:
    """A trace that was replayed. name: the path of its file, or what it is called."""

    name: str
    trace: Trace
    result: Replay
    confirmation: Confirmation
    violation: SeenViolation | None = None

    @property
    def failing(self) -> Trace:
        """The trace up to the step at which model and system come apart."""
        taken = self.result.steps
        return Trace(self.trace.system, self.trace.states[: taken + 2], self.trace.steps[: taken + 1])

    @property
    def verdict(self) -> Agreement:
        """Whether model and system agree, and what else follows from it."""
        if self.violation is not None and (self.violation.certain or self.violation.runs < self.violation.of):
            return Agreement.VIOLATED if self.violation.certain else Agreement.FLAKY
        return agreement(self.result.disagreement is not None, self.confirmation, bool(self.result.not_performed))


def replay_lines(replayed: ReplayedTrace, again: str, *, quiet: bool) -> Iterator[str]:
    """All that a replay found, for people. again: the command that shows a disagreement again."""
    result = replayed.result
    if result.disagreement is not None:
        yield from confirmation_lines(replayed.confirmation, result.disagreement, replayed.failing)
        yield from disagreement_lines(result.disagreement, replayed.failing, again)
    elif result.not_performed:
        yield (
            f"{replayed.name}: agrees for {result.steps} of {len(replayed.trace)} steps; "
            f"the driver does not perform `{result.not_performed}`"
        )
    elif replayed.violation is not None:
        yield f"{replayed.name}: {violation_text(replayed, replayed.violation)}"
    elif not quiet:
        yield from not_covered_line(result.abilities.replaced)
        yield f"{replayed.name}: agrees in all {len(replayed.trace)} steps, {result.compared} states compared"


def violation_text(replayed: ReplayedTrace, violation: SeenViolation) -> str:
    """What it means that the system followed a counterexample."""
    name, runs = violation.claim, f"{violation.runs} of {violation.of} runs"
    if violation.unseen:
        fields = ", ".join(f"`{field}`" for field in violation.unseen)
        return (
            f"the system took all {counted(len(replayed.trace), 'step')} of the counterexample to {name} in {runs}; "
            f"whether {name} is violated there is not seen: the driver does not observe {fields}"
        )
    how = "confirmed" if violation.certain else "seen"
    return style(f"{name} is violated on the running system, {how} in {runs}", fg="red", bold=True)


def replay_json(replayed: ReplayedTrace) -> dict[str, Any]:
    """The same for machines."""
    result = replayed.result
    found = result.disagreement
    return {
        "trace": replayed.name,
        "verdict": replayed.verdict.value,
        "steps": len(replayed.trace),
        "agreed": result.steps,
        "compared": result.compared,
        "not_performed": result.not_performed or None,
        "violation": None
        if (seen := replayed.violation) is None
        else {
            "property": seen.claim,
            "confirmed": seen.certain,
            "runs": seen.runs,
            "of": seen.of,
            "unseen": list(seen.unseen),
        },
        "not_covered": dict(result.abilities.replaced),
        **confirmation_json(replayed.confirmation),
        "disagreement": None if found is None else disagreement_json(found, replayed.failing),
    }
