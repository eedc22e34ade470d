"""What the commands that drive a system share: their options, the driver that is opened and closed, and progress."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator

import click

from onceproof.api.drivers import opened
from onceproof.conformance.command_driver import ANSWER_SECONDS
from onceproof.conformance.driver import Driver
from onceproof.conformance.drivers import CORE

driver_option = click.option(
    "--driver",
    default=CORE,
    show_default=True,
    metavar="COMMAND",
    help="The system: `core`, the reference in this process; `platform`, the platform as it runs, under a "
    "gate (`platform:STORE+QUEUE`, with URLs as for `serve`, on others than SQLite); or the command of a driver "
    "(conformance/PROTOCOL.md).",
)
answer_option = click.option(
    "--answer-seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=ANSWER_SECONDS,
    show_default=True,
    help="How long the driver may take for an answer.",
)


@contextlib.contextmanager
def driving(name: str, answer_seconds: float) -> Iterator[Driver]:
    """A driver that is closed in the end; what is wrong with it becomes an InputError. SIGTERM counts as Ctrl-C."""
    with ending_on_signals(), opened(name, answer_seconds) as driver:
        yield driver


@contextlib.contextmanager
def ending_on_signals() -> Iterator[None]:
    """Whoever asks the process to end lets it end what it has started: SIGTERM and SIGHUP do what Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard = [number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, _interrupt) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


class StepProgress:
    """How far a cover is, on stderr: a line that renews itself on a terminal, else a line every ten seconds."""

    def __init__(self, title: str, quiet: bool) -> None:
        self.title, self.quiet = title, quiet
        self.terminal = sys.stderr.isatty()
        self._logged = 0.0

    def __call__(self, taken: int, planned: int, seconds: float) -> None:
        """Take a report: steps taken and planned, seconds so far."""
        rate = taken / seconds if seconds else 0.0
        left = f", {(planned - taken) / rate:,.0f} s left" if rate else ""
        text = f"{self.title}: {taken:,} of {planned:,} steps, {rate:,.0f} a second{left}"
        if self.quiet:
            return
        if self.terminal:
            print(f"\r{text}\x1b[K", end="", file=sys.stderr, flush=True)
        elif seconds - self._logged >= 10:
            self._logged = seconds
            print(text, file=sys.stderr, flush=True)

    def wipe(self) -> None:
        """Clear the line."""
        if self.terminal and not self.quiet:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
