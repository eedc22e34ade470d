"""The drivers of the reference system by name, and any other by its command."""

from __future__ import annotations

from collections.abc import Callable

from onceproof.conformance.command_driver import ANSWER_SECONDS, ProcessDriver
from onceproof.conformance.driver import Driver, DriverError
from onceproof.conformance.reference.core_driver import CoreDriver
from onceproof.model.language.errors import nearest

CORE, PLATFORM = "core", "platform"


def on_platform(backends: str = "", mutant: str = "") -> Driver:
    """The platform under a gate. backends: STORE, STORE+QUEUE or +QUEUE as for `serve`; "" for SQLite alone.

    All rows of that database are deleted at each reset.
    """
    from onceproof.conformance.reference.platform.driver import platform_driver

    return platform_driver(backends, mutant)


BUILT_IN: dict[str, Callable[[], Driver]] = {CORE: CoreDriver, PLATFORM: on_platform}


def open_driver(name: str = CORE, answer_seconds: float = ANSWER_SECONDS) -> Driver:
    """A driver of the reference system, or a process that a command starts; DriverError where it can't start.

    name: ``core``, ``platform``, ``platform:STORE``, ``platform:STORE+QUEUE`` or ``platform:+QUEUE`` with URLs as for
    `serve`, or a command. answer_seconds: how long a process may take for each answer.
    """
    make = BUILT_IN.get(name)
    if make is not None:
        return make()
    if name.startswith(f"{PLATFORM}:"):
        return on_platform(name.removeprefix(f"{PLATFORM}:"))
    try:
        return ProcessDriver(name, answer_seconds)
    except DriverError as error:
        hint = nearest(name, BUILT_IN)
        raise DriverError(f"{error}{hint}") from None
