"""The types of what fixtures give, for the annotations of tests."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from onceproof.conformance.reference.core_driver import CoreDriver
from onceproof.implementation.in_process.core import Core


class Ran(NamedTuple):
    """What a command did: its exit status and what it wrote."""

    status: int
    out: str
    err: str


Command = Callable[..., Ran]  # runs the command line: onceproof("check", path)
Written = Callable[..., Path]  # writes a spec of the lease model: spec("faults: {lease_ends: 1}")
MakeCore = Callable[..., Core]  # builds a core; mechanisms are given as name=False, sizes by their names
OpenCore = Callable[..., CoreDriver]  # opens a driver of the core, or of a variant of it
