"""The driver of the reference core, in this process."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import replace

from onceproof.conformance.driver import Interruption, StepRefused
from onceproof.conformance.reference.interruptions import DEATHS, INTERRUPTIONS, Died, Points
from onceproof.conformance.reference.system_driver import ABILITIES, SystemDriver
from onceproof.implementation.clock import ManualClock
from onceproof.implementation.errors import NotEnabled
from onceproof.implementation.in_process.actions import LOAD_BALANCER
from onceproof.implementation.in_process.core import Core
from onceproof.implementation.settings import Settings

MakeCore = Callable[[str, Settings], Core]


def make_core(path: str, settings: Settings) -> Core:
    """The reference core as it is."""
    return Core(path, settings, ManualClock())


class CoreDriver(SystemDriver[Core]):
    """A driver of the reference core, or of a variant of it (``make``: from a file's path and settings to a core)."""

    interruptions = INTERRUPTIONS

    def __init__(self, make: MakeCore = make_core, name: str = ABILITIES.name) -> None:
        super().__init__(lambda path, settings: make(f"{path}.db", settings), replace(ABILITIES, name=name))
        self._points = Points()
        self._watched: Core | None = None

    def interrupt(self, action: str, arguments: Mapping[str, str], how: Interruption, point: int) -> bool:
        """Perform an action with an interruption at a point, if it has so many; whether it has."""
        self._watch()
        reads = how is Interruption.REFUSAL and action not in LOAD_BALANCER  # whoever hears of its queue reads, too
        self._points.arm(how, point, reads)
        refused = ""
        try:
            self.system.step(action, **arguments)
        except NotEnabled as error:
            refused = str(error)
        except (Died, Exception):
            pass  # how far it came is for observe to say
        finally:
            interrupted = self._points.disarm()
        if not interrupted and refused:
            raise StepRefused(refused)
        if interrupted and how is Interruption.DEATH:
            self._bury(action, arguments)
        return interrupted

    def _watch(self) -> None:
        """Make points of what this core calls; one that is never interrupted is not slowed by it."""
        core = self.system
        if self._watched is core:
            return
        self._watched = core
        self._points.watch(core.database, "run")
        self._points.watch(core.database, "rows", only=Interruption.REFUSAL, reads=True)
        self._points.watch(core.network, "send_request", "send_reply", "answer", only=Interruption.DEATH)
        self._points.watch(core.ledger, "start", only=Interruption.DEATH)

    def _bury(self, action: str, arguments: Mapping[str, str]) -> None:
        """What was answered has arrived; then the process's memory goes, and its connections break."""
        fault = DEATHS[action]
        if fault == "api_crash" and "submission" in arguments:
            with contextlib.suppress(NotEnabled):
                self.system.step("hear_answer", task=arguments["task"], submission=arguments["submission"])
        if fault:
            named = {name: arguments[name] for name in FAULTY.get(fault, ())}
            with contextlib.suppress(NotEnabled):  # it was down already
                self.system.step(fault, **named)
        if fault == "agent_crash" and "scheduler" in arguments:  # the connection that the request came on breaks, too
            attempt = int(arguments["attempt"].removeprefix("attempt"))
            self.system.schedulers[arguments["scheduler"]].timed_out(arguments["message"], attempt)


FAULTY = {"scheduler_crash": ("scheduler",), "agent_crash": ("agent",)}
