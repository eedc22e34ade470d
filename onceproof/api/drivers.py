"""The systems that the API drives: by a driver object, a class of drivers, the name of a driver, or a command."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import cast

from onceproof.conformance.command_driver import ANSWER_SECONDS
from onceproof.conformance.driver import Driver, DriverError
from onceproof.conformance.drivers import open_driver
from onceproof.errors import DriverFailed, InputError

# A Driver; a class of drivers, or any function that makes one; ``core`` or ``platform`` for the reference system of
# this project; or the command of a driver that is a process of its own (conformance/PROTOCOL.md).
DriverSource = Driver | Callable[[], Driver] | str


def make_driver(source: DriverSource, answer_seconds: float = ANSWER_SECONDS) -> Driver:
    """The driver that a source names or makes; DriverError where a command cannot be started."""
    if isinstance(source, str):
        return open_driver(source, answer_seconds)
    if isinstance(source, type) or not hasattr(source, "reset"):
        return cast("Callable[[], Driver]", source)()
    return cast("Driver", source)


@contextlib.contextmanager
def opened(source: DriverSource, answer_seconds: float = ANSWER_SECONDS) -> Iterator[Driver]:
    """A driver that is closed in the end, unless it was given as an object; what is wrong with it is an InputError.

    answer_seconds: how long a process may take for an answer.
    """
    try:
        driver = make_driver(source, answer_seconds)
    except DriverError as error:
        raise InputError(str(error)) from None
    try:
        yield driver
    except DriverError as error:
        if error.trace is not None:
            raise DriverFailed(str(error), error.trace) from None
        raise InputError(str(error)) from None
    finally:
        if driver is not source:
            driver.close()
