"""What the user got wrong, as one line; and the exit statuses of every command."""

from __future__ import annotations

import os
from enum import IntEnum
from pathlib import Path
from typing import Any


class Exit(IntEnum):
    """How a command ends. Anything above 3 says nothing of a model or system."""

    AS_EXPECTED = 0
    VIOLATED = 1  # a property is violated, a system does not conform, an expectation is not met
    WRONG_INPUT = 2
    UNDECIDED = 3  # a limit was reached, or Ctrl-C
    BUG = 70  # a fault of onceproof itself
    PIPE_CLOSED = 141  # whoever reads the output has gone: as a shell says it of a process that SIGPIPE ended


class InputError(Exception):
    """The input is wrong. Its text is one clear line: where, what was found, what was expected, the nearest name."""


class DriverFailed(InputError):
    """A driver went wrong in the middle of a run. trace: the steps until then, the last one included."""

    def __init__(self, text: str, trace: Any) -> None:
        super().__init__(text)
        self.trace = trace


def require_writable(path: Path | None) -> None:
    """InputError where a file to write has no folder, or one that may not be written: said before the work, not after.

    None: nothing is to be written.
    """
    if path is None:
        return
    if not path.parent.is_dir():
        raise InputError(f"{path}: cannot be written: there is no folder {path.parent}")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise InputError(f"{path}: cannot be written: permission denied")
