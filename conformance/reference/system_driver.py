"""Drives a reference system: one call is one step, and observing is reading its tables and memories."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from onceproof.conformance.driver import (
    Abilities,
    Driver,
    DriverError,
    Observation,
    StepRefused,
    StepUncalled,
    StepUncertain,
    WrongData,
)
from onceproof.conformance.reference.data import misplaced
from onceproof.conformance.reference.mapping import LENIENT, OBSERVED, UNOBSERVED, Snapshot
from onceproof.conformance.reference.scratch import ScratchDirectory
from onceproof.implementation.errors import NotEnabled, StoreUnavailable
from onceproof.implementation.in_process.actions import ACTIONS
from onceproof.implementation.in_process.parts import ReferenceSystem
from onceproof.implementation.settings import Mechanisms, Settings

S = TypeVar("S", bound=ReferenceSystem)
# What no step of a core is about. (The platform's driver has a list of its own.)
REPLACED = {
    "time": "the replay moves the clock; `onceproof storm platform` runs on real time",
    "broken connections": "the network is a list of what was sent; `onceproof storm platform`, with `--on` and a "
    "server, breaks connections",
    "processes": "all components are in one process, and die by being forgotten; `--driver platform` kills real ones",
    "group commits": "each action is a transaction of its own; `--driver platform --group-commits` has two in one",
}
ABILITIES = Abilities(
    name="reference core, in process",
    performs=frozenset(ACTIONS),
    observes=frozenset(observed.field for observed in OBSERVED),
    lenient=LENIENT,
    sources={observed.field: observed.source for observed in OBSERVED},
    unseen=UNOBSERVED,
    replaced=REPLACED,
)


def settings_of(setting: Mapping[str, Any]) -> Settings:
    """A reference system's settings for a configuration of the model; DriverError where it models something else."""
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


class SystemDriver(Driver, Generic[S]):
    """make: a system, from the path that its files begin with and from settings. The path is in a scratch directory.
    told: what users are told beside what is in the system's tables and memories: as of ``misplaced``.

    A system is kept for as long as the settings stay the same, and reset in between.
    """

    def __init__(
        self,
        make: Callable[[str, Settings], S],
        abilities: Abilities = ABILITIES,
        told: Callable[[Snapshot], dict[str, tuple[str, str]]] = lambda snapshot: {},
    ) -> None:
        self._told = told
        self._make = make
        self._abilities = abilities
        self.scratch = ScratchDirectory()
        self._system: S | None = None
        self._settings: Settings | None = None
        self._made = 0

    def reset(self, setting: Mapping[str, Any]) -> Abilities:
        settings = settings_of(setting)
        if self._system is not None and settings == self._settings:
            try:
                self._system.reset()
            except (StepRefused, StoreUnavailable) as error:
                raise DriverError(f"the system could not be reset: {error}") from None
            return self._abilities
        self.drop()
        self._made += 1
        try:
            self._system = self._make(str(self.scratch.path / f"system{self._made}"), settings)
        except StoreUnavailable as error:
            raise DriverError(f"the system could not be started: {error}") from None
        self._settings = settings
        return self._abilities

    @property
    def running(self) -> bool:
        """Whether there is a system now."""
        return self._system is not None

    @property
    def system(self) -> S:
        """The system that is driven; DriverError before the first reset."""
        if self._system is None:
            raise DriverError("the system was not reset yet")
        return self._system

    def step(self, action: str, arguments: Mapping[str, str]) -> None:
        try:
            self.system.step(action, **arguments)
        except NotEnabled as refusal:
            raise StepRefused(str(refusal)) from None
        except (StepRefused, StepUncalled, DriverError):
            raise
        except StoreUnavailable as error:
            raise DriverError(f"the system failed at `{action}`: {error}") from None
        except Exception as error:  # whatever a broken system raises: what it has done is for observe to say
            raise StepUncertain(f"the system failed with {type(error).__name__}: {error}") from None

    def observe(self) -> Observation:
        snapshot = Snapshot(self.system)
        observation = {observed.field: observed.read(snapshot) for observed in OBSERVED}
        wrong = misplaced(snapshot) | self._told(snapshot)
        if wrong:
            raise WrongData(wrong, observation)
        return observation

    def drop(self) -> None:
        """End the system; the next reset makes a new one."""
        if self._system is not None:
            self._system.close()
            self._system = None

    def close(self) -> None:
        self.drop()
        self.scratch.close()
