"""Whether a disagreement comes again: the same trace, replayed several times."""

from __future__ import annotations

from dataclasses import dataclass, field

from onceproof.conformance.driver import Driver, DriverError
from onceproof.conformance.replay.lockstep import Disagreement, Replay, replay
from onceproof.model.checker.results import Trace

CONFIRMATIONS = 3


@dataclass
class Confirmation:
    """What became of a trace each time that it was replayed.

    flaky: not every run ended as the first one. unconfirmed: why the driver could not replay it ("": it could).
    """

    flaky: bool = False
    unconfirmed: str = ""
    runs: list[Replay] = field(default_factory=list)

    @property
    def certain(self) -> bool:
        """Whether it came again each time."""
        return bool(self.runs) and not self.flaky and not self.unconfirmed


def confirm(trace: Trace, disagreement: Disagreement, driver: Driver) -> Confirmation:
    """Replays a trace that ended in a disagreement."""
    found = Confirmation()
    try:
        for _ in range(CONFIRMATIONS):
            found.runs.append(replay(trace, driver, disagreement.forbidden))
    except DriverError as error:
        found.unconfirmed = str(error)
    again = [run.disagreement for run in found.runs]
    found.flaky = not all(other is not None and other.resembles(disagreement) for other in again)
    return found
