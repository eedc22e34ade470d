"""The drivers of the reference system by name, and any other by its command."""

from __future__ import annotations

from collections.abc import Callable

from conformance.core_driver import CoreDriver
from conformance.driver import Driver, DriverError
from conformance.process_driver import ANSWER_SECONDS, ProcessDriver
from model.language.errors import nearest

CORE, PROCESSES, PLATFORM = "core", "processes", "platform"
NAMES = (
    "processes, processes:postgresql://..., platform, platform:postgresql://..., platform:postgresql://...+nats://... "
    "or platform:+nats://..."
)


def in_processes(url: str = "") -> Driver:
    """The reference components in processes of their own, on one SQLite file, or on the PostgreSQL of a URL.

    All rows of that database are deleted at each reset.
    """
    from conformance.processes.core import ProcessCore

    if url:
        return CoreDriver(
            lambda _, settings: ProcessCore(url, settings), "reference components in processes, PostgreSQL"
        )
    return CoreDriver(ProcessCore, "reference components in processes, SQLite")


def on_platform(names: str = "", mutant: str = "") -> Driver:
    """The platform under a gate. names: "" for SQLite, or postgresql://..., then +nats://... for a queue elsewhere.

    All rows of that database are deleted at each reset.
    """
    from conformance.platform.driver import PlatformDriver

    store, plus, queue = names.partition("+")
    return PlatformDriver(store or "sqlite", queue if plus else "store", mutant)


BUILT_IN: dict[str, Callable[[], Driver]] = {CORE: CoreDriver, PROCESSES: in_processes, PLATFORM: on_platform}


def open_driver(name: str = CORE, answer_seconds: float = ANSWER_SECONDS) -> Driver:
    """A driver of the reference system, or a process that a command starts; DriverError where it can't start.

    name: ``core``, ``processes``, ``processes:postgresql://...``, ``platform``, ``platform:postgresql://...``,
    ``platform:postgresql://...+nats://...`` (or ``platform:+nats://...``), or a command.
    answer_seconds: how long a process may take for each answer.
    """
    if name.startswith(f"{PROCESSES}:postgres"):
        return in_processes(name.removeprefix(f"{PROCESSES}:"))
    if name.startswith((f"{PLATFORM}:postgres", f"{PLATFORM}:+nats")):
        return on_platform(name.removeprefix(f"{PLATFORM}:"))
    make = BUILT_IN.get(name)
    if make is not None:
        return make()
    if name.startswith((f"{PROCESSES}:", f"{PLATFORM}:")):
        raise DriverError(f"the driver `{name}` names no store: expected {NAMES}")
    try:
        return ProcessDriver(name, answer_seconds)
    except DriverError as error:
        hint = nearest(name, BUILT_IN)
        raise DriverError(f"{error}{hint}") from None
