"""The compiled engine: the same verdicts and numbers as plain exploration, a hundred times as fast.

from onceproof.model.checker import compiled
reason = compiled.why_not(system)             # None, or what cannot be compiled, for people
result = compiled.check(system)               # a CheckResult, as onceproof.model.checker.explicit.engine.check gives it
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from onceproof.model.checker.compiled.errors import CannotCompile as CannotCompile

if TYPE_CHECKING:
    from pathlib import Path

    from onceproof.model.checker.compiled.random_walk import WalkResult
    from onceproof.model.checker.partitioned.search import Partitions
    from onceproof.model.checker.results import CheckResult, Limits
    from onceproof.model.language.declare import Property
    from onceproof.model.language.system import System


def check(
    system: System,
    properties: Sequence[Property] | None = None,
    limits: Limits | None = None,
    *,
    workers: int | None = None,
    max_memory: int | None = None,
    symmetry: bool = False,
    fingerprint: bool = False,
    checkpoint: Path | None = None,
    resume: Path | None = None,
    checkpoint_seconds: float = 60.0,
    at_memory_limit: Callable[[int], Path | None] | None = None,
    disk: Path | None = None,
    partitions: Partitions | None = None,
    report: dict[str, Any] | None = None,
) -> CheckResult:
    """Explores all reachable states and judges the properties (default: all that apply, and deadlock).

    workers: threads (default: one for each processor that may be used); the results are the same for any number.
    max_memory: bytes for states and table (default: most of what is free); reached, the verdict is unknown.
    symmetry: treats states that differ only by which element is which as one, for sorts that are declared symmetric
        and are so; there are fewer states and transitions then, and the verdicts are the same.
        Where these do not tell whether an ``eventually`` holds, all is explored again without it; with checkpoints,
        such a property is judged without it from the start.
    fingerprint: keeps a hash of 8 bytes instead of each state, which takes at most 12 bytes a state; the notes say how
        likely it is that one was overlooked. ``eventually`` is unknown then, and a violation may come without a run
        where memory is short.
    checkpoint: a file (and one beside it) that the search is kept in every so many seconds, and when a limit ends it.
    resume: such a file, to go on from; it may be the same one. Raises CheckpointError where that cannot be.
    at_memory_limit: called where memory ends a search without a checkpoint, with the bytes that one would take; it
        returns the file that the search is then kept in, or None.
    disk: a folder that states are kept in, so that there may be more of them than memory holds; a search that was
        ended goes on from there. ``eventually`` and refinement are unknown then.
    partitions: where the partitions of the search are, in processes or on machines of their own; the results are the
        same for any number of them.
    report: filled with what the search itself cost: search_seconds, search_cpu_seconds, bytes, state_bytes (of one
        state), looked_up (successors that were looked for in the table; for the others another order of the same steps
        had answered that).
    Raises CannotCompile (see ``why_not``), and ModelError where the model itself fails.
    """
    from onceproof.model.checker.compiled.engine import SearchOptions
    from onceproof.model.checker.compiled.engine import check as run
    from onceproof.model.checker.results import Limits

    threads = workers or len(os.sched_getaffinity(0))
    options = SearchOptions(
        threads,
        max_memory,
        symmetry,
        fingerprint,
        checkpoint,
        resume,
        checkpoint_seconds,
        at_memory_limit,
        disk,
        partitions,
    )
    return run(system, properties, limits or Limits(), options, report if report is not None else {})


def walk(
    system: System,
    properties: Sequence[Property] | None = None,
    *,
    walks: int,
    depth: int = 200,
    seed: int = 0,
    workers: int | None = None,
    max_seconds: float | None = None,
) -> WalkResult:
    """Random walks of at most ``depth`` steps each; ends with the first that makes an ``always`` false.

    A seed gives the same walks, and the same violation, for any number of workers. Raises as ``check`` does.
    """
    from onceproof.model.checker.compiled.random_walk import walk as run

    threads = workers or len(os.sched_getaffinity(0))
    return run(system, properties, walks=walks, depth=depth, seed=seed, workers=threads, max_seconds=max_seconds)


def why_not(system: System, properties: Sequence[Property] | None = None) -> str | None:
    """Why the compiled engine cannot check a system; None where it can."""
    try:
        import llvmlite  # noqa: F401
    except ImportError as error:
        return f"{error.name} is not installed"
    from onceproof.model.checker.compiled.codegen.functions import Functions
    from onceproof.model.checker.ground.python_code import generated
    from onceproof.model.checker.ground.steps import TooLarge

    claims = list(properties) if properties is not None else system.properties()
    try:
        return Functions(generated(system), claims).inexact or None
    except TooLarge as error:
        return str(error)
