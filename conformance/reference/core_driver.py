"""Drives the reference core in this process: one call is one step, and observing is reading its tables and memories."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from onceproof.conformance.driver import (
    Abilities,
    Driver,
    DriverError,
    Observation,
    StepRefused,
    StepUncalled,
    StepUncertain,
)
from onceproof.conformance.reference.mapping import LENIENT, SEEN, UNSEEN, Sight
from onceproof.conformance.reference.scratch import ScratchDirectory
from onceproof.implementation.clock import ManualClock
from onceproof.implementation.errors import NotEnabled, StoreUnavailable
from onceproof.implementation.in_process.core import ACTIONS, Core
from onceproof.implementation.settings import Mechanisms, Settings

MakeCore = Callable[[str, Settings], Core]
ABILITIES = Abilities(
    name="reference core, in process",
    performs=frozenset(ACTIONS),
    observes=frozenset(seen.field for seen in SEEN),
    lenient=LENIENT,
    sources={seen.field: seen.source for seen in SEEN},
    unseen=UNSEEN,
)


def make_core(path: str, settings: Settings) -> Core:
    """The reference core as it is."""
    return Core(path, settings, ManualClock())


def settings_of(setting: Mapping[str, Any]) -> Settings:
    """The core's settings for a configuration of the model; DriverError where it is not a model of the platform."""
    sizes = setting["sizes"]
    if not {"schedulers", "agents", "users", "attempts"} <= sizes.keys():
        raise DriverError(
            f"the reference system is a task platform, not what the model `{setting.get('model', '')}` describes: "
            "name a driver of your own system, --driver COMMAND (conformance/PROTOCOL.md)"
        )
    return Settings(
        schedulers=sizes["schedulers"],
        agents=sizes["agents"],
        users=sizes["users"],
        attempts=sizes["attempts"],
        synchronous="OFF",
        mechanisms=Mechanisms.switched(setting["mechanisms"]),
    )


class CoreDriver(Driver):
    """A driver of the reference core, or of a variant of it (``make``: from a file's path and settings to a core).

    Its database is a file in a scratch directory.
    """

    def __init__(self, make: MakeCore = make_core, name: str = ABILITIES.name) -> None:
        self._make = make
        self._abilities = replace(ABILITIES, name=name)
        self._scratch = ScratchDirectory()
        self._core: Core | None = None
        self._settings: Settings | None = None
        self._made = 0

    def reset(self, setting: Mapping[str, Any]) -> Abilities:
        settings = settings_of(setting)
        if self._core is not None and settings == self._settings:
            try:
                self._core.reset()
            except (StepRefused, StoreUnavailable) as error:
                raise DriverError(f"the system could not be reset: {error}") from None
            return self._abilities
        self._drop()
        self._made += 1
        try:
            self._core = self._make(str(self._scratch.path / f"core{self._made}.db"), settings)
        except StoreUnavailable as error:
            raise DriverError(f"the system could not be started: {error}") from None
        self._settings = settings
        return self._abilities

    @property
    def core(self) -> Core:
        """The core that is driven; DriverError before the first reset."""
        if self._core is None:
            raise DriverError("the core was not reset yet")
        return self._core

    def step(self, action: str, arguments: Mapping[str, str]) -> None:
        try:
            self.core.step(action, **arguments)
        except NotEnabled as refusal:
            raise StepRefused(str(refusal)) from None
        except (StepRefused, StepUncalled, DriverError):
            raise
        except StoreUnavailable as error:
            raise DriverError(f"the core failed at `{action}`: {error}") from None
        except Exception as error:  # whatever a variant of the core raises: what it has done is for observe to say
            raise StepUncertain(f"the core failed with {type(error).__name__}: {error}") from None

    def observe(self) -> Observation:
        sight = Sight(self.core)
        return {seen.field: seen.read(sight) for seen in SEEN}

    def close(self) -> None:
        self._drop()
        self._scratch.close()

    def _drop(self) -> None:
        if self._core is not None:
            self._core.close()
            self._core = None
