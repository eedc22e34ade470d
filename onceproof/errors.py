"""What the user got wrong, as one line; and the exit statuses of every command."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """How a command ends. Anything above 3 is a fault of onceproof itself."""

    AS_EXPECTED = 0
    VIOLATED = 1  # a property is violated, a system does not conform, an expectation is not met
    WRONG_INPUT = 2
    UNDECIDED = 3  # a limit was reached, or Ctrl-C
    BUG = 70


class InputError(Exception):
    """The input is wrong. Its text is one clear line: where, what was found, what was expected, the nearest name."""
