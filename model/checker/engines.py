"""Which engine explores a system: one call that chooses, falls back where an engine cannot, and says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from onceproof.model.checker.agreement.comparison import check_agreement
from onceproof.model.checker.deadline import OutOfTime, check_time, deadline
from onceproof.model.checker.results import INTERRUPTED, CheckResult, Limits, Stop, StopReason
from onceproof.model.language.declare import Property
from onceproof.model.language.errors import nearest
from onceproof.model.language.system import System

AUTO = "auto"
# Below this many states, plain exploration is done before the compiled engine has been loaded (about a second).
SMALL_STATES = 15_000


class EngineError(Exception):
    """What was asked of an engine is not possible; the message says why."""


class CannotCheck(EngineError):
    """The engine that was asked for by name cannot check this system."""

    def __init__(self, engine: str, reason: str) -> None:
        super().__init__(f"the {engine} engine cannot check this: {reason} (the engine `{AUTO}` falls back to plain)")
        self.engine, self.reason = engine, reason


class UnsupportedOptions(EngineError):
    """Options were given that the engine asked for does not have; ``options`` has their names, as in ``Options``."""

    def __init__(self, engine: str, options: Sequence[str]) -> None:
        super().__init__(f"only the compiled engine has {', '.join(options)}, not `{engine}`")
        self.engine, self.options = engine, tuple(options)


@dataclass(frozen=True)
class Options:
    """What may be asked of an exploration. workers: threads; max_memory: bytes; None: as many as there are.

    symmetry: where the compiled engine is used, states that differ only by which element is which count as one.
    fingerprint: keeps a hash of 8 bytes of a state in place of the state. checkpoint, resume: files that a long search
    is kept in every ``checkpoint_seconds``, and continued from. at_memory_limit: asked, where memory ends a search
    without a checkpoint, for a file to keep it in (None: in none); it is told how many bytes that takes. disk: a folder
    that states are kept in, in place of memory.
    ray: the address of a Ray cluster that the search is spread over (``local``: one that is started for it on this
    machine); ``checkpoint`` is a folder then, which all nodes see, so that a node may be lost.
    """

    engine: str = AUTO
    limits: Limits = field(default_factory=Limits)
    workers: int | None = None
    max_memory: int | None = None
    symmetry: bool = False
    fingerprint: bool = False
    checkpoint: Path | None = None
    resume: Path | None = None
    checkpoint_seconds: float = 60.0
    at_memory_limit: Callable[[int], Path | None] | None = None
    disk: Path | None = None
    ray: str | None = None

    @property
    def compiled_only(self) -> list[str]:
        """The options asked for that only the compiled engine has."""
        names = ("workers", "max_memory", "fingerprint", "checkpoint", "resume", "disk", "ray")
        return [name for name in names if getattr(self, name) not in (None, False)]


class Engine(Protocol):
    """An engine of exhaustive exploration. ``about`` describes it in a few words."""

    @property
    def about(self) -> str:
        """What it is, in a few words."""
        ...

    def check(self, system: System, properties: Sequence[Property] | None, options: Options) -> CheckResult:
        """Explore all reachable states and judge the properties (None: all that apply, and deadlock).

        EngineError where the engine cannot do that; ModelError where the model itself fails.
        """
        ...


@dataclass(frozen=True)
class Explicit:
    """Exploration in plain Python. name: ``plain`` generates code, ``direct`` runs the model's own functions."""

    name: str
    about: str

    def check(self, system: System, properties: Sequence[Property] | None, options: Options) -> CheckResult:
        """As the protocol says; the options of the compiled engine are refused."""
        if options.compiled_only:
            raise UnsupportedOptions(self.name, options.compiled_only)
        return _explicit(system, properties, options.limits, self.name)


@dataclass(frozen=True)
class Compiled:
    """Exploration by machine code, on all processors."""

    name: str
    about: str

    def check(self, system: System, properties: Sequence[Property] | None, options: Options) -> CheckResult:
        """As the protocol says; CannotCheck where the system cannot be compiled."""
        found = _compiled(system, properties, options)
        if isinstance(found, str):
            raise CannotCheck(self.name, found)
        return found


@dataclass(frozen=True)
class Automatic:
    """Plain first: most specs end before anything else could begin. What does not goes to the compiled engine."""

    name: str
    about: str

    def check(self, system: System, properties: Sequence[Property] | None, options: Options) -> CheckResult:
        """As the protocol says; a note of the result says why the compiled engine could not be used."""
        if options.compiled_only:
            return ENGINES["compiled"].check(system, properties, options)
        limits = options.limits
        small = limits.max_states is not None and limits.max_states <= SMALL_STATES
        first = _explicit(system, properties, limits if small else replace(limits, max_states=SMALL_STATES), "plain")
        if small or first.stopped is None or first.stopped.reason is not StopReason.STATES:
            return first
        out_of_time = Stop(StopReason.SECONDS, limits.max_seconds)
        if limits.max_seconds is not None:  # what is left of the time
            limits = replace(limits, max_seconds=max(limits.max_seconds - first.seconds, 0.0))
            options = replace(options, limits=limits)
        # Until the compiled search has found more, what plain exploration found is what is known.
        try:
            with deadline(limits.max_seconds):
                check_time()
                found = _compiled(system, properties, options)
        except KeyboardInterrupt:
            first.stopped = INTERRUPTED
            return first
        except OutOfTime:
            first.stopped = out_of_time
            return first
        if isinstance(found, CheckResult):
            found.seconds += first.seconds
            if found.stopped is not None and found.stopped.reason is StopReason.SECONDS:
                found.stopped = first.stopped = out_of_time
                # One state may stand for many there: how deep it came tells more than how many it found.
                return found if found.bound >= first.bound else first
            return found
        result = _explicit(system, properties, limits, "plain")
        result.notes.append(f"explored in plain Python: the compiled engine cannot check this: {found}")
        return result


ENGINES: Mapping[str, Engine] = {
    AUTO: Automatic(AUTO, "plain for small specs, compiled where it pays"),
    "plain": Explicit("plain", "explicit exploration in plain Python, with code generated from the model"),
    "compiled": Compiled("compiled", "the same as machine code, on all processors"),
    "direct": Explicit("direct", "explicit exploration that runs the model's own functions: slow and obvious"),
}


def check(system: System, properties: Sequence[Property] | None = None, options: Options | None = None) -> CheckResult:
    """Explore all reachable states with the engine asked for, and judge the properties.

    properties: None for all that apply, and deadlock. Limits and Ctrl-C end it early: the result says so, with what is
    known by then. EngineError where the engine asked for does not exist or cannot do this.
    """
    options = options or Options()
    engine = ENGINES.get(options.engine)
    if engine is None:
        hint = nearest(options.engine, ENGINES) or f"; expected one of {', '.join(ENGINES)}"
        raise EngineError(f"unknown engine `{options.engine}`{hint}")
    check_agreement(system, system.properties() if properties is None else properties)
    return engine.check(system, properties, options)


def checker(options: Options) -> Callable[[System, Sequence[Property] | None, Limits], CheckResult]:
    """``check`` with these options, as a function of system, properties and limits."""
    engine = ENGINES[options.engine]
    return lambda system, properties, limits: engine.check(system, properties, replace(options, limits=limits))


def _explicit(system: System, properties: Sequence[Property] | None, limits: Limits, engine: str) -> CheckResult:
    from onceproof.model.checker.explicit import engine as explicit
    from onceproof.model.checker.ground.steps import TooLarge

    try:
        return explicit.check(system, properties, limits, engine)
    except TooLarge as error:
        result = explicit.check(system, properties, limits, "direct")
        result.notes.append(f"explored by running the model's functions, without generated code: {error}")
        return result


def _compiled(system: System, properties: Sequence[Property] | None, options: Options) -> CheckResult | str:
    """The result of the compiled engine, or why it cannot check this."""
    from onceproof.model.checker import compiled
    from onceproof.model.checker.compiled.checkpoint import CheckpointError

    reason = compiled.why_not(system, properties)
    if reason is not None:
        return reason
    if options.ray is not None:
        return _on_ray(system, properties, options)
    try:
        return compiled.check(
            system,
            properties,
            options.limits,
            workers=options.workers,
            max_memory=options.max_memory,
            symmetry=options.symmetry,
            fingerprint=options.fingerprint,
            checkpoint=options.checkpoint,
            resume=options.resume,
            checkpoint_seconds=options.checkpoint_seconds,
            at_memory_limit=options.at_memory_limit,
            disk=options.disk,
        )
    except compiled.CannotCompile as error:
        return str(error)
    except CheckpointError as error:
        raise EngineError(str(error)) from None


def _on_ray(system: System, properties: Sequence[Property] | None, options: Options) -> CheckResult | str:
    """The result of a search that is spread over a Ray cluster, or why it cannot check this."""
    from onceproof.model.checker import compiled
    from onceproof.model.checker.compiled.checkpoint import CheckpointError
    from onceproof.model.checker.partitioned.ray_cluster import ClusterError, ray_partitions
    from onceproof.model.checker.partitioned.transport import PartitionLost

    assert options.ray is not None
    for name, given in (("fingerprint", options.fingerprint), ("resume", options.resume), ("disk", options.disk)):
        if given:
            raise EngineError(f"--ray keeps whole states in the memory of its nodes: not together with --{name}")
    try:
        with ray_partitions(options.ray, options.workers, options.max_memory, options.checkpoint) as partitions:
            return compiled.check(
                system,
                properties,
                options.limits,
                workers=options.workers,
                max_memory=options.max_memory,
                symmetry=options.symmetry,
                partitions=partitions,
            )
    except compiled.CannotCompile as error:
        return str(error)
    except PartitionLost as error:
        raise EngineError(f"the cluster was lost before the search began: {error}") from None
    except (ClusterError, CheckpointError) as error:
        raise EngineError(str(error)) from None
