"""Interrupts a reference system in the middle of an action: before a statement, a commit, a send, a start.

A death is an exception that nothing catches: an open transaction is rolled back, as a database does for a client that
is gone, and the fault of the model then takes the process's memory. A refusal is what a locked or full store says.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from onceproof.conformance.driver import Interruption, Interruptions
from onceproof.implementation.errors import StoreUnavailable
from onceproof.implementation.in_process.actions import API_SERVER, LOAD_BALANCER, RELAY, RESOURCE_MANAGER, SCHEDULER

NO_DEATH = ("api_crash", "relay_crash", "scheduler_crash", "scheduler_pause", "broker_duplicate", "stale_owner")
NO_STORE = {"scheduler_upgrade", "upgrade_finish"}  # what lapses with a process that ends is not its own doing
BY_AGENT = ("start", "turn_away", "join", "answer", "finish", "function_failure", "forget")
DEATHS = {
    name: fault
    for names, fault in (
        (SCHEDULER, "scheduler_crash"),
        (API_SERVER, "api_crash"),
        (RELAY, "relay_crash"),
        (BY_AGENT, "agent_crash"),
        (LOAD_BALANCER, ""),
        (RESOURCE_MANAGER, ""),
    )
    for name in names
    if name not in NO_DEATH
}
INTERRUPTIONS = Interruptions(
    deaths=DEATHS,
    halves={
        # The note that an attempt is begun is on disk before its function starts: it may be there alone.
        "start": frozenset({"starts"})
    },
    refusals=frozenset(DEATHS) - NO_STORE,
)


class Died(BaseException):
    """The process that performs an action is no more."""


class Points:
    """The points at which an action can be interrupted; at most one is armed.

    What is watched is a point for either kind of interruption, or for one alone.
    """

    def __init__(self) -> None:
        self._left = 0
        self._how = Interruption.DEATH
        self._reads = False

    def watch(self, part: object, *methods: str, only: Interruption | None = None, reads: bool = False) -> None:
        """From now on a call of one of these methods is a point. reads: it is one only where reads are."""
        for method in methods:
            setattr(part, method, self._watched(getattr(part, method), only, reads))

    def arm(self, how: Interruption, point: int, reads: bool) -> None:
        """Interrupt at the n-th point from now. reads: whether a read is a point."""
        self._how, self._left, self._reads = how, point, reads

    def disarm(self) -> bool:
        """Interrupt nothing more; whether something was interrupted."""
        left, self._left = self._left, 0
        return left == 0

    def _watched(self, method: Callable[..., Any], only: Interruption | None, reads: bool) -> Callable[..., Any]:
        def watched(*values: Any, **named: Any) -> Any:
            if self._left and only in (None, self._how) and (self._reads or not reads):
                self._left -= 1
                if not self._left:
                    raise Died if self._how is Interruption.DEATH else StoreUnavailable("interrupted: locked")
            return method(*values, **named)

        return watched
