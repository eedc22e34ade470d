"""What makes a variant of the reference core: classes that stand in for its own, and small configurations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from onceproof.implementation.clock import ManualClock
from onceproof.implementation.components.agent import Agent
from onceproof.implementation.components.queue import Queue
from onceproof.implementation.components.scheduler import Scheduler
from onceproof.implementation.components.task_store import TaskStore
from onceproof.implementation.in_process.core import Core
from onceproof.implementation.settings import Settings

Patch = Callable[[Core], None]
Part = TypeVar("Part")


@dataclass(frozen=True)
class Mutant:
    """One fault. parts: the classes that stand in for those of the core; patch: what else is changed once it is built.

    sizes, mechanisms and faults: a small configuration of the model in which it shows.
    """

    name: str
    about: str
    parts: Mapping[str, type] = field(default_factory=dict)
    patch: Patch | None = None
    sizes: Mapping[str, int] = field(default_factory=dict)
    mechanisms: Mapping[str, bool] = field(default_factory=dict)
    faults: Mapping[str, int] = field(default_factory=dict)

    def make(self, path: str, settings: Settings) -> Core:
        """A core with this fault."""
        return _MutantCore(self, path, settings)


class _MutantCore(Core):
    def __init__(self, mutant: Mutant, path: str, settings: Settings) -> None:
        self._parts = mutant.parts
        super().__init__(path, settings, ManualClock())
        if mutant.patch is not None:
            mutant.patch(self)

    def make_store(self) -> TaskStore:
        return self._part("store", super().make_store())

    def make_queue(self) -> Queue:
        return self._part("queue", super().make_queue())

    def make_scheduler(self, name: str) -> Scheduler:
        return self._part("scheduler", super().make_scheduler(name))

    def make_agent(self, name: str) -> Agent:
        return self._part("agent", super().make_agent(name))

    def _part(self, name: str, part: Part) -> Part:
        part.__class__ = self._parts.get(name, part.__class__)
        return part


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
RAISES: dict[str, Any] = {
    "sizes": {"schedulers": 1, "agents": 1, "attempts": 2},
    "faults": {"function_failure": 2},
}
