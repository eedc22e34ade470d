"""What is done with lists, records, sets and bags as wholes, in readings for an export."""

from __future__ import annotations

from enum import Enum, auto
from typing import NoReturn


class Operation(Enum):
    """What makes a composite value, or asks something of one; each has a constructor in ``wholes``."""

    CELL = auto()
    LIST = auto()
    APPEND = auto()
    TAIL = auto()
    SLICE = auto()
    JOIN = auto()
    PUT = auto()
    LENGTH = auto()
    ITEM = auto()
    IN_LIST = auto()
    RECORD = auto()
    ATTRIBUTE = auto()
    NONE = auto()
    THERE = auto()
    VALUE = auto()
    NO_MEMBERS = auto()
    ADD = auto()
    DISCARD = auto()
    IN = auto()
    SIZE = auto()
    TIMES = auto()
    PUT_TIMES = auto()
    COUNT = auto()


def refuse(term: object) -> NoReturn:
    """Says that an engine was given a ``Whole``, which it never meets: readings for engines take values apart."""
    raise AssertionError(f"a value as a whole in a reading for an engine: {term!r}")
