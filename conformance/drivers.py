"""The drivers of the reference system by name, and any other by its command."""

from __future__ import annotations

from collections.abc import Callable

from conformance.core_driver import CoreDriver
from conformance.driver import Driver
from conformance.process_driver import ANSWER_SECONDS, ProcessDriver

CORE, PROCESSES = "core", "processes"


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


BUILT_IN: dict[str, Callable[[], Driver]] = {CORE: CoreDriver, PROCESSES: in_processes}


def open_driver(name: str = CORE, answer_seconds: float = ANSWER_SECONDS) -> Driver:
    """A driver of the reference system, or a process that a command starts; DriverError where it can't start.

    name: ``core``, ``processes``, ``processes:postgresql://...``, or a command.
    answer_seconds: how long a process may take for each answer.
    """
    if name.startswith(f"{PROCESSES}:postgres"):
        return in_processes(name.removeprefix(f"{PROCESSES}:"))
    make = BUILT_IN.get(name)
    return make() if make is not None else ProcessDriver(name, answer_seconds)
