"""``check`` on compiled code: exploration, then verdicts. See the package for how to call it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import factorial, prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onceproof.model.checker.bounds import names_of_bounds
from onceproof.model.checker.compiled.checkpoint import Checkpoint, digest
from onceproof.model.checker.compiled.codegen.functions import Functions
from onceproof.model.checker.compiled.disk.folder import WITHOUT_SYMMETRY
from onceproof.model.checker.compiled.disk.search import DiskSearch
from onceproof.model.checker.compiled.errors import CannotCompile
from onceproof.model.checker.compiled.fingerprint import FingerprintSearch
from onceproof.model.checker.compiled.kernels.fingerprint import collision_probability
from onceproof.model.checker.compiled.llvm import cache
from onceproof.model.checker.compiled.llvm.machine import Library
from onceproof.model.checker.compiled.memory import HEADROOM, WORD_BYTES, free_memory
from onceproof.model.checker.compiled.search import Failed, Search
from onceproof.model.checker.compiled.verdicts import NeedsWholeGraph, Verdicts, reproduce_failure
from onceproof.model.checker.deadline import OutOfTime, deadline
from onceproof.model.checker.ground.fresh import difference_claims
from onceproof.model.checker.ground.python_code import GeneratedSystem, generated
from onceproof.model.checker.ground.steps import Ground
from onceproof.model.checker.ground.symmetry import Exchange, symmetric_ground
from onceproof.model.checker.results import CheckResult, Limits, Memory, unexplored, with_bounds
from onceproof.model.language.declare import Property
from onceproof.model.language.errors import OutOfRange
from onceproof.model.language.system import System

if TYPE_CHECKING:
    from onceproof.model.checker.partitioned.search import Partitions


@dataclass(frozen=True)
class SearchOptions:
    """How to search: threads, bytes of memory at most (None: most of what is free), whether to use symmetry.

    partitions: where the partitions of the search are; None for one search in this process.
    """

    workers: int
    max_memory: int | None = None
    symmetry: bool = False
    fingerprint: bool = False
    checkpoint: Path | None = None
    resume: Path | None = None
    checkpoint_seconds: float = 60.0
    at_memory_limit: Callable[[int], Path | None] | None = None
    disk: Path | None = None
    partitions: Partitions | None = None


def explore(functions: Functions, limits: Limits, options: SearchOptions, report: dict[str, Any]) -> Search:
    """A search that went as far as the limits allow; ModelError where the model itself fails."""
    if options.partitions:
        return _by_partitions(functions, limits, options.partitions, options, report)
    text = functions.source()
    code, _ = cache.machine_code(text)
    text += f"# from {digest(repr(functions.system.initials))}"
    memory = options.max_memory or int(free_memory() * HEADROOM)
    search: Search
    if options.disk is not None:
        search = DiskSearch(functions, Library(code), options.workers, memory, options.disk, text)
    else:
        kind = FingerprintSearch if options.fingerprint else Search
        search = kind(functions, Library(code), options.workers, memory)
    try:
        _run(search, text, limits, options, report)
    except BaseException:
        search.close()
        raise
    return search


def _run(search: Search, text: str, limits: Limits, options: SearchOptions, report: dict[str, Any]) -> None:
    """The search itself. text: what tells its functions from others."""
    functions = search.functions
    try:
        unfinished = None
        if options.resume:
            unfinished = Checkpoint(options.resume, text).load(search.states, search.capacity)
            search.restore(unfinished)
        else:
            search.begin(limits)
        if options.checkpoint:
            search.checkpoint = Checkpoint(options.checkpoint, text, options.checkpoint_seconds)
        began, began_cpu = time.monotonic(), time.process_time()
        search.run(limits, unfinished)
        if options.at_memory_limit and search.can_be_kept:
            path = options.at_memory_limit(search.count * search.words * WORD_BYTES)
            if path is not None:
                search.keep_in(Checkpoint(path, text))
    except Failed as failed:
        reproduce_failure(functions, failed.state)
    if search.failures:
        with contextlib.suppress(OutOfRange):  # that is a violation, not a failure of the model
            reproduce_failure(functions, search.failing)
    report["search_seconds"] = time.monotonic() - began
    report["search_cpu_seconds"] = time.process_time() - began_cpu
    report["looked_up"] = search.looked_up
    report["bytes"] = search.peak_bytes
    report["state_bytes"] = search.words * WORD_BYTES


def _by_partitions(
    functions: Functions, limits: Limits, partitions: Partitions, options: SearchOptions, report: dict[str, Any]
) -> Search:
    from onceproof.model.checker.partitioned.gathered import explore_partitions

    try:
        search = explore_partitions(functions, limits, partitions, options.workers, options.max_memory)
    except Failed as failed:
        reproduce_failure(functions, failed.state)
    if search.failures:
        try:
            reproduce_failure(functions, search.failing)
        except OutOfRange:
            pass  # that is a violation, not a failure of the model
        except BaseException:
            search.close()
            raise
    report.update(search.report)
    return search


def check(
    system: System,
    properties: Sequence[Property] | None,
    limits: Limits,
    options: SearchOptions,
    report: dict[str, Any],
) -> CheckResult:
    """As ``onceproof.model.checker.compiled.check``."""
    began = time.monotonic()
    claims = list(properties) if properties is not None else system.properties()
    with deadline(limits.max_seconds):
        try:
            search = explore(_functions(system, claims, options), limits, options, report)
        except OutOfTime:
            return unexplored(system, claims, "compiled", limits)
        try:
            _check_alike(search)
            result = _result(search, claims, _verdicts_on(search, limits, options))
            kept = search.checkpoint.path if search.checkpoint else None
            place = options.disk, options.partitions is not None
            result.memory = Memory(search.peak_bytes, search.fingerprints, options.symmetry, kept, *place)
        except NeedsWholeGraph as reason:
            search.close()
            beside = options.disk / WITHOUT_SYMMETRY if options.disk else None
            result = check(system, properties, limits, replace(options, symmetry=False, disk=beside), report)
            result.notes.append(f"{reason}: explored without symmetry reduction")
        finally:
            search.close()
    result.seconds = time.monotonic() - began
    return result


def _check_alike(search: Search) -> None:
    """NeedsWholeGraph where elements of which a ``Fresh`` parameter takes the first were not alike."""
    functions = search.functions
    for claim in functions.unlike:
        if not search.pending >> functions.claims.index(claim) & 1:
            action, parameter = claim.name.split()
            raise NeedsWholeGraph(
                f"`{action}` takes the first `{parameter}` that will do, and some that will do differ"
            )


def _functions(system: System, claims: Sequence[Property], options: SearchOptions) -> Functions:
    """The generated functions of a search."""
    if options.fingerprint and (options.checkpoint or options.resume):
        raise CannotCompile("a checkpoint keeps whole states: not together with fingerprints")
    if options.disk and (options.fingerprint or options.checkpoint or options.resume):
        raise CannotCompile("a search on disk keeps whole states, and itself: not with fingerprints or a checkpoint")
    exchanges: list[Exchange] = []
    ground: Ground | None = None
    liveness = any(claim.is_liveness for claim in claims)
    if options.symmetry and not (liveness and (options.checkpoint or options.resume)):
        ground, exchanges = symmetric_ground(system, claims)
    code = GeneratedSystem(system, ground) if ground else generated(system)
    unlike = difference_claims(system, {one.sort for one in exchanges})
    functions = Functions(code, [*claims, *unlike], exchanges=exchanges)
    functions.unlike = unlike
    if functions.inexact:
        raise CannotCompile(functions.inexact)
    return functions


def _verdicts_on(search: Search, limits: Limits, options: SearchOptions) -> Verdicts:
    if options.partitions is None:
        return Verdicts(search, limits)
    from onceproof.model.checker.partitioned.gathered import GatheredSearch, GatheredVerdicts

    assert isinstance(search, GatheredSearch)
    return GatheredVerdicts(search, limits)


def _result(search: Search, claims: Sequence[Property], verdicts: Verdicts) -> CheckResult:
    """The verdicts on a search, and its numbers."""
    functions = search.functions
    system = functions.system
    if functions.deadlock is not None:
        verdicts.look_for_deadlocks_at_the_last_depth()
    results = [verdicts.of(claim) for claim in claims]
    if search.failures:
        results.append(verdicts.range_left())
    fired = dict.fromkeys(system.actions, 0)
    for step, count in zip(functions.steps, search.fired.tolist(), strict=False):
        fired[step.action] += count
    notes = verdicts.notes
    if isinstance(search, FingerprintSearch):
        chance = collision_probability(search.count)
        size = search.peak_bytes / search.count
        notes.append(
            f"states are known by 64-bit fingerprints: at least one was missed with probability {chance:.1e}; "
            f"{size:.0f} bytes a state were taken at the peak"
        )
    sorts = dict.fromkeys(one.sort for one in functions.exchanges)
    if sorts:
        most = prod(factorial(system.sizes[sort]) for sort in sorts)
        notes.append(f"symmetry reduction: each state represents up to {most}, which differ in which element is which")
    result = CheckResult(
        engine="compiled",
        complete=not search.stopped,
        states=search.count - search.outside,
        transitions=sum(fired.values()),
        depth=len(search.levels) - 1,
        seconds=0.0,
        fired=fired,
        properties=results,
        stopped=verdicts.stopped or search.stopped,
        faults=frozenset(name for name, action in system.actions.items() if action.fault),
        symmetry=", ".join(sort.lower() for sort in sorts) or "none",
        notes=notes,
        finished_depth=verdicts.finished_depth,
        outside=search.outside,
        within=names_of_bounds(system) if search.outside else "",
        levels=[level.size for level in search.levels],
    )
    return with_bounds(result)
