"""Random runs of a system with the engine that suits: plain Python for a few, compiled code for many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from onceproof.model.checker.agreement.comparison import check_agreement
from onceproof.model.checker.bounds import names_of_bounds
from onceproof.model.checker.engines import AUTO, EngineError
from onceproof.model.checker.explicit.random_walk import WalkResult, shortest_along, shortest_departure
from onceproof.model.checker.explicit.random_walk import walk as plain_walk
from onceproof.model.checker.results import INTERRUPTED, Limits, Stop, StopReason
from onceproof.model.language.declare import Property
from onceproof.model.language.system import System

WALKERS = (AUTO, "plain", "compiled")
JUDGED = ("always", "step", "refines", "deadlock")  # the kinds of properties that are judged on the way
PLAIN_RUNS = 20_000  # more than that, and compiling first takes less time


@dataclass(frozen=True)
class WalkOptions:
    """How to walk: so many runs of at most ``depth`` steps each, chosen by ``seed``.

    engine: ``auto``, ``plain`` or ``compiled``; workers: threads of the compiled engine (None: one for each processor).
    limits: only their seconds and their report are used.
    """

    runs: int = 10_000
    depth: int = 100
    seed: int = 0
    engine: str = AUTO
    workers: int | None = None
    limits: Limits = field(default_factory=Limits)


def walk(
    system: System, properties: Sequence[Property] | None = None, options: WalkOptions | None = None
) -> WalkResult:
    """Take random runs until an ``always`` property is violated, or a deadlock is reached, or all are done.

    EngineError where the compiled engine was asked for by name and cannot do this.
    """
    options = options or WalkOptions()
    if options.engine not in WALKERS:
        raise EngineError(f"unknown engine `{options.engine}` for walks; expected one of {', '.join(WALKERS)}")
    claims = system.properties() if properties is None else list(properties)
    check_agreement(system, claims)
    result = _walk(system, properties, claims, options)
    if system.bounds:
        result.notes.append(f"runs end where they leave {names_of_bounds(system)}")
    return result


def _walk(
    system: System, properties: Sequence[Property] | None, claims: Sequence[Property], options: WalkOptions
) -> WalkResult:
    many = options.runs > PLAIN_RUNS or options.workers is not None
    if options.engine == "compiled" or (options.engine == AUTO and many):
        from onceproof.model.checker import compiled

        reason = compiled.why_not(system, properties) or _why_not_compiled(claims)
        if reason is None:
            return _compiled(system, properties, options)
        if options.engine == "compiled":
            raise EngineError(f"the compiled engine cannot walk through this: {reason}")
        result = _plain(system, properties, options)
        result.notes.append(f"walked in plain Python: the compiled engine cannot do this: {reason}")
        return result
    return _plain(system, properties, options)


def _why_not_compiled(claims: Sequence[Property]) -> str | None:
    """What compiled walks cannot judge; None where they can judge all."""
    refined = [f"`{claim.name}`" for claim in claims if claim.kind == "refines"]
    return f"it judges no refinement on a walk ({', '.join(refined)})" if refined else None


def _plain(system: System, properties: Sequence[Property] | None, options: WalkOptions) -> WalkResult:
    return plain_walk(
        system, properties, seed=options.seed, runs=options.runs, depth=options.depth, limits=options.limits
    )


def _compiled(system: System, properties: Sequence[Property] | None, options: WalkOptions) -> WalkResult:
    """By compiled code, which takes millions of steps a second and only estimates how many states it met."""
    from onceproof.model.checker import compiled

    seconds = options.limits.max_seconds
    found = compiled.walk(
        system,
        properties,
        walks=options.runs,
        depth=options.depth,
        seed=options.seed,
        workers=options.workers,
        max_seconds=seconds,
    )
    result = WalkResult(
        options.seed,
        found.walks,
        found.steps,
        found.deepest,
        found.seconds,
        found.distinct,
        engine="compiled",
        exact=False,
    )
    if found.interrupted:
        result.stopped = INTERRUPTED
    elif seconds is not None and found.walks < options.runs and found.violation is None:
        result.stopped = Stop(StopReason.SECONDS, seconds)
    if found.violation is not None:
        result.run, result.length_found = found.walks - 1, len(found.violation.trace)
        result.deepest = max(result.deepest, result.length_found)
        trace = found.violation.trace
        if trace.departure is not None:
            result.violation = shortest_departure(system, trace.states[0], trace.taken)
        else:
            (claim,) = system.properties([found.violation.property])
            result.violation = shortest_along(system, claim, trace.states[0], trace.steps)
    return result
