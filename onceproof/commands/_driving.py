"""What the commands that drive a system share: their options, the driver that is opened and closed, and signals."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import click

from onceproof.api.drivers import opened
from onceproof.commands._traces import TraceTarget
from onceproof.conformance.command_driver import ANSWER_SECONDS
from onceproof.conformance.driver import Driver
from onceproof.conformance.drivers import CORE
from onceproof.errors import DriverFailed, InputError
from onceproof.inputs.specs import Spec
from onceproof.reports.trace_text import counted

AT_ONCE_SECONDS = 1.0
driver_option = click.option(
    "--driver",
    default=CORE,
    show_default=True,
    metavar="COMMAND",
    help="System to drive: `core`, the reference system in this process; `platform`, its real processes "
    "(`platform:STORE+QUEUE` with URLs as for `serve`); or the command of a driver of your own "
    "(conformance/PROTOCOL.md).",
)
answer_option = click.option(
    "--answer-seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=ANSWER_SECONDS,
    show_default=True,
    help="Time limit for an answer of the driver.",
)


junit_option = click.option(
    "--junit", type=click.Path(path_type=Path, dir_okay=False), help="Write a JUnit XML report, for a CI server."
)


@contextlib.contextmanager
def driving(name: str, answer_seconds: float) -> Iterator[Driver]:
    """A driver that is closed in the end; what is wrong with it becomes an InputError. SIGTERM counts as Ctrl-C."""
    with ending_on_signals(), opened(name, answer_seconds) as driver:
        yield driver


@contextlib.contextmanager
def keeping_trace(spec: Spec, target: TraceTarget | None) -> Iterator[None]:
    """A driver that goes wrong in the middle leaves the steps until then, where a file for traces was named."""
    try:
        yield
    except DriverFailed as failed:
        if target is None:
            raise
        path, _ = target.save(spec.source, spec.name, failed.trace)
        where = "" if path is None else f"; {path} has the {counted(len(failed.trace), 'step')} until then"
        raise InputError(f"{failed}{where}") from None


@contextlib.contextmanager
def ending_on_signals() -> Iterator[None]:
    """Whoever asks the process to end lets it end what it has started: SIGTERM and SIGHUP do what Ctrl-C does.

    Some ask twice at once (``timeout`` signals the process, and then its group): that is one request.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard = [number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) is not signal.SIG_IGN]
    asked: list[float] = []

    def interrupt(*_: object) -> None:
        again = bool(asked) and time.monotonic() - asked[-1] < AT_ONCE_SECONDS
        asked.append(time.monotonic())
        if not again:
            raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
