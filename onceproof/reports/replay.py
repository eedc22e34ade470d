"""What `replay` of a trace prints: whether model and system agree, or where they come apart; and the same as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from onceproof.conformance.replay.confirm import Confirmation
from onceproof.conformance.replay.lockstep import Replay
from onceproof.model.checker.results import Trace
from onceproof.reports.conformance import (
    confirmation_json,
    confirmation_lines,
    disagreement_json,
    disagreement_lines,
)


class Agreement(StrEnum):
    """Whether a system does what the model does."""

    AGREES = "agrees"
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

    @property
    def failing(self) -> Trace:
        """The trace up to the step at which model and system come apart."""
        taken = self.result.steps
        return Trace(self.trace.system, self.trace.states[: taken + 2], self.trace.steps[: taken + 1])

    @property
    def verdict(self) -> Agreement:
        """Whether model and system agree."""
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
    elif not quiet:
        yield f"{replayed.name}: agrees in all {len(replayed.trace)} steps, {result.compared} states compared"


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
        **confirmation_json(replayed.confirmation),
        "disagreement": None if found is None else disagreement_json(found, replayed.failing),
    }
