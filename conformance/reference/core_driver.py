"""The driver of the reference core, in this process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from onceproof.conformance.reference.system_driver import ABILITIES, SystemDriver
from onceproof.implementation.clock import ManualClock
from onceproof.implementation.in_process.core import Core
from onceproof.implementation.settings import Settings

MakeCore = Callable[[str, Settings], Core]


def make_core(path: str, settings: Settings) -> Core:
    """The reference core as it is."""
    return Core(path, settings, ManualClock())


class CoreDriver(SystemDriver[Core]):
    """A driver of the reference core, or of a variant of it (``make``: from a file's path and settings to a core)."""

    def __init__(self, make: MakeCore = make_core, name: str = ABILITIES.name) -> None:
        super().__init__(lambda path, settings: make(f"{path}.db", settings), replace(ABILITIES, name=name))
