"""The drivers of the reference system by name, and any other by its command."""

from __future__ import annotations

from collections.abc import Callable

from onceproof.conformance.command_driver import ANSWER_SECONDS, ProcessDriver
from onceproof.conformance.driver import Driver, DriverError
from onceproof.conformance.reference.core_driver import CoreDriver
from onceproof.model.language.errors import nearest

CORE, PLATFORM = "core", "platform"
NAMES = "platform, platform:postgresql://..., platform:postgresql://...+nats://... or platform:+nats://..."


def on_platform(names: str = "", mutant: str = "") -> Driver:
    """The platform under a gate. names: "" for SQLite, or postgresql://..., then +nats://... for a queue elsewhere.

    All rows of that database are deleted at each reset.
    """
    from onceproof.conformance.reference.platform.driver import PlatformDriver

    store, plus, queue = names.partition("+")
    return PlatformDriver(store or "sqlite", queue if plus else "store", mutant)


BUILT_IN: dict[str, Callable[[], Driver]] = {CORE: CoreDriver, PLATFORM: on_platform}


def open_driver(name: str = CORE, answer_seconds: float = ANSWER_SECONDS) -> Driver:
    """A driver of the reference system, or a process that a command starts; DriverError where it can't start.

    name: ``core``, ``platform``, ``platform:postgresql://...``, ``platform:postgresql://...+nats://...`` (or
    ``platform:+nats://...``), or a command.
    answer_seconds: how long a process may take for each answer.
    """
    if name.startswith((f"{PLATFORM}:postgres", f"{PLATFORM}:+nats")):
        return on_platform(name.removeprefix(f"{PLATFORM}:"))
    make = BUILT_IN.get(name)
    if make is not None:
        return make()
    if name.startswith(f"{PLATFORM}:"):
        raise DriverError(f"the driver `{name}` names no store: expected {NAMES}")
    try:
        return ProcessDriver(name, answer_seconds)
    except DriverError as error:
        hint = nearest(name, BUILT_IN)
        raise DriverError(f"{error}{hint}") from None
