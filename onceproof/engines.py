"""Which engine explores a spec."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from onceproof.errors import InputError
from onceproof.model.checker.results import CheckResult, Limits
from onceproof.model.language.declare import Property
from onceproof.model.language.system import System

ENGINES = {
    "auto": "plain for small specs, compiled where it pays",
    "plain": "explicit exploration in plain Python, steps generated from the traces",
    "compiled": "the same as machine code, on all processors",
    "direct": "explicit exploration that runs the model's own functions: slow and obvious",
}
# Below this many states, plain exploration is done before the compiled engine has been loaded (about a second).
SMALL_STATES = 15_000
UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
LEAST_MEMORY = 2**20


@dataclass(frozen=True)
class EngineOptions:
    """What a user may ask of an engine. workers: threads; max_memory: bytes; None: as many as there are.

    symmetry: where the compiled engine is used, states that differ only by which element is which count as one.
    fingerprint: keeps a hash of 8 bytes of a state in place of the state. checkpoint, resume: files that a long search
    is kept in every ``checkpoint_seconds``, and goes on from.
    """

    engine: str = "auto"
    workers: int | None = None
    max_memory: int | None = None
    symmetry: bool = False
    fingerprint: bool = False
    checkpoint: Path | None = None
    resume: Path | None = None
    checkpoint_seconds: float = 60.0

    @property
    def compiled_only(self) -> str:
        """The options asked for that only the compiled engine has, for people; "" if there are none."""
        asked = {
            "--workers": self.workers,
            "--max-memory": self.max_memory,
            "--fingerprint": self.fingerprint or None,
            "--checkpoint": self.checkpoint,
            "--resume": self.resume,
        }
        return ", ".join(name for name, value in asked.items() if value is not None)


def parse_size(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """The callback of an option for a size of memory, ``500M`` or ``4G``: its bytes; a usage error for all else."""
    if value is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:I?B)?", value.strip().upper())
    if not found:
        raise click.BadParameter(f"expected a size such as 500M or 4G, found {value!r}", ctx, param)
    size = int(float(found[1]) * UNITS[found[2]])
    if size < LEAST_MEMORY:
        raise click.BadParameter(f"expected at least 1M, found {value!r}", ctx, param)
    return size


def explore(
    system: System, properties: Sequence[Property] | None, limits: Limits, options: EngineOptions
) -> CheckResult:
    """Explore a system with the engine asked for. properties: None for all that apply (and deadlocks).

    InputError where an engine was asked for by name that cannot do it.
    """
    if options.engine in ("plain", "direct"):
        if options.compiled_only:
            raise InputError(f"only the compiled engine has {options.compiled_only}, not `{options.engine}`")
        return _plain(system, properties, limits, options.engine)
    if options.engine == "compiled" or options.compiled_only:
        return _compiled(system, properties, limits, options)
    return _auto(system, properties, limits, options)


def _plain(system: System, properties: Sequence[Property] | None, limits: Limits, engine: str) -> CheckResult:
    from onceproof.model.checker.explicit import engine as plain
    from onceproof.model.checker.ground.steps import TooLarge

    try:
        return plain.check(system, properties, limits, engine)
    except TooLarge as error:
        result = plain.check(system, properties, limits, "direct")
        result.notes.append(f"explored by running the model's functions, without generated code: {error}")
        return result


def _compiled(
    system: System, properties: Sequence[Property] | None, limits: Limits, options: EngineOptions
) -> CheckResult:
    from onceproof.model.checker import compiled

    reason = compiled.why_not(system, properties)
    if reason is None:
        try:
            return _run(system, properties, limits, options)
        except compiled.CannotCompile as error:
            reason = str(error)
    raise InputError(f"the compiled engine cannot check this: {reason} (--engine auto would fall back to plain)")


def _run(system: System, properties: Sequence[Property] | None, limits: Limits, options: EngineOptions) -> CheckResult:
    from onceproof.model.checker import compiled
    from onceproof.model.checker.compiled.checkpoint import CheckpointError

    try:
        return compiled.check(
            system,
            properties,
            limits,
            workers=options.workers,
            max_memory=options.max_memory,
            symmetry=options.symmetry,
            fingerprint=options.fingerprint,
            checkpoint=options.checkpoint,
            resume=options.resume,
            checkpoint_seconds=options.checkpoint_seconds,
        )
    except CheckpointError as error:
        raise InputError(str(error)) from None


def _auto(system: System, properties: Sequence[Property] | None, limits: Limits, options: EngineOptions) -> CheckResult:
    """Plain first: most specs end before anything else could begin. What does not goes to the compiled engine."""
    small = limits.max_states is not None and limits.max_states <= SMALL_STATES
    first = limits if small else dataclasses.replace(limits, max_states=SMALL_STATES)
    result = _plain(system, properties, first, "plain")
    if small or result.stopped != f"--max-states {SMALL_STATES}":
        return result
    from onceproof.model.checker import compiled

    reason = compiled.why_not(system, properties)
    if reason is None:
        try:
            spent = result.seconds
            result = _run(system, properties, limits, options)
            result.seconds += spent
            return result
        except compiled.CannotCompile as error:
            reason = str(error)
        except KeyboardInterrupt:  # before the compiled search began: what plain exploration found is what is known
            result.stopped = "interrupted"
            return result
    result = _plain(system, properties, limits, "plain")
    result.notes.append(f"explored in plain Python: the compiled engine cannot check this: {reason}")
    return result
