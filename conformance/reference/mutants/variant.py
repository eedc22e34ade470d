"""What makes a variant of the reference core: classes that stand in for its own, and small configurations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from onceproof.conformance.driver import Interruption
from onceproof.implementation.clock import ManualClock
from onceproof.implementation.in_process.core import Classes, Core
from onceproof.implementation.settings import Settings

Patch = Callable[[Core], None]


@dataclass(frozen=True)
class Mutant:
    """One fault. parts: the classes that stand in for those of the core, as `Classes` names them; patch: what else is
    changed once it is built.

    sizes, mechanisms and faults: a small configuration of the model in which it shows. interruptions: what must happen
    in the middle of an action, for it to show.
    """

    name: str
    about: str
    parts: Mapping[str, type] = field(default_factory=dict)
    patch: Patch | None = None
    sizes: Mapping[str, int] = field(default_factory=dict)
    mechanisms: Mapping[str, bool] = field(default_factory=dict)
    faults: Mapping[str, int] = field(default_factory=dict)
    interruptions: tuple[Interruption, ...] = ()

    def make(self, path: str, settings: Settings) -> Core:
        """A core with this fault."""
        core = Core(path, settings, ManualClock(), classes=replace(Classes(), **self.parts))
        if self.patch is not None:
            self.patch(core)
        return core


def patch(part: object, method: str, function: Callable[..., Any]) -> None:
    """Have one part of a core do something else where a method is called."""
    setattr(part, method, function)


def changed(base: type, **attributes: Any) -> type:
    """A class in which some constants or methods are others."""
    return type(f"Broken{base.__name__}", (base,), attributes)


def reworded(base: type, constant: str, old: str, new: str) -> type:
    """A class in which one SQL statement is not quite the same."""
    statement = getattr(base, constant)
    assert old in statement, f"{base.__name__}.{constant} does not contain {old!r}"
    return changed(base, **{constant: statement.replace(old, new)})


ONE_AGENT = {"agents": 1}
AGAIN: dict[str, Any] = {"sizes": {"submissions": 2, "schedulers": 1, "agents": 1}, "faults": {"response_loss": 1}}
CRASH: dict[str, Any] = {"sizes": ONE_AGENT, "faults": {"scheduler_crash": 1}}
PAUSE: dict[str, Any] = {"sizes": ONE_AGENT, "faults": {"scheduler_pause": 1}}
UPGRADE: dict[str, Any] = {"sizes": ONE_AGENT, "faults": {"scheduler_upgrade": 1}}
LOSS: dict[str, Any] = {"sizes": {"schedulers": 1, "agents": 2}, "faults": {"agent_crash": 1}}
RAISES: dict[str, Any] = {
    "sizes": {"schedulers": 1, "agents": 1, "attempts": 2},
    "faults": {"function_failure": 2},
}
