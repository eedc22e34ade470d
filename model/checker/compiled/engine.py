"""``check`` on compiled code: exploration, then verdicts. See the package for how to call it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import factorial, prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from onceproof.model.checker.compiled import CannotCompile
from onceproof.model.checker.compiled.checkpoint import Checkpoint
from onceproof.model.checker.compiled.codegen.functions import Functions
from onceproof.model.checker.compiled.fingerprint import FingerprintSearch
from onceproof.model.checker.compiled.kernels.batch import FAR
from onceproof.model.checker.compiled.kernels.fingerprint import collision_probability
from onceproof.model.checker.compiled.llvm import cache
from onceproof.model.checker.compiled.llvm.machine import Library
from onceproof.model.checker.compiled.memory import HEADROOM, free_memory
from onceproof.model.checker.compiled.paths import Paths
from onceproof.model.checker.compiled.search import Failed, Search
from onceproof.model.checker.ground.python_code import GeneratedSystem, generated
from onceproof.model.checker.ground.steps import Ground
from onceproof.model.checker.ground.symmetry import Exchange, symmetric_ground
from onceproof.model.checker.results import (
    INTERRUPTED,
    CheckResult,
    Counterexample,
    Limits,
    Progress,
    PropertyResult,
    Verdict,
)
from onceproof.model.language.declare import DEADLOCK, Property
from onceproof.model.language.layout import State
from onceproof.model.language.system import System

if TYPE_CHECKING:
    from onceproof.model.checker.compiled.liveness import LivenessGraph

IDLE = "what it speaks of never happened"


@dataclass(frozen=True)
class Asked:
    """How to search: threads, bytes of memory at most (None: most of what is free), whether to use symmetry."""

    workers: int
    max_memory: int | None = None
    symmetry: bool = False
    fingerprint: bool = False
    checkpoint: Path | None = None
    resume: Path | None = None
    checkpoint_seconds: float = 60.0


def explored(functions: Functions, limits: Limits, asked: Asked, report: dict[str, Any]) -> Search:
    """A search that went as far as the limits allow; ModelError where the model itself fails."""
    text = functions.source()
    code, _ = cache.machine_code(text)
    kind = FingerprintSearch if asked.fingerprint else Search
    search = kind(functions, Library(code), asked.workers, asked.max_memory or int(free_memory() * HEADROOM))
    try:
        unfinished = None
        if asked.resume:
            unfinished = Checkpoint(asked.resume, text).load(search.states, search.capacity)
            search.restore(unfinished)
        else:
            search.begin()
        if asked.checkpoint:
            search.checkpoint = Checkpoint(asked.checkpoint, text, asked.checkpoint_seconds)
        began, began_cpu = time.monotonic(), time.process_time()
        search.run(limits, unfinished)
    except Failed as failed:
        confirm(functions, failed.state)
    report["search_seconds"] = time.monotonic() - began
    report["search_cpu_seconds"] = time.process_time() - began_cpu
    report["looked_up"] = search.looked_up
    report["bytes"] = search.bytes_used
    return search


def confirm(functions: Functions, state: State) -> NoReturn:
    """Runs the model where its trace says that it fails: raises its ModelError, with its place."""
    system = functions.system
    for _ in system.successors(state):
        pass
    for claim, arguments in functions.properties.instances:
        system.holds(claim, state, arguments)
    raise CannotCompile("whether a look at an index that is none happens depends on the order in which a loop runs")


def check(
    system: System,
    properties: Sequence[Property] | None,
    limits: Limits,
    asked: Asked,
    report: dict[str, Any],
) -> CheckResult:
    """As ``onceproof.model.checker.compiled.engine``."""
    began = time.monotonic()
    claims = list(properties) if properties is not None else system.properties()
    exchanges: list[Exchange] = []
    ground: Ground | None = None
    promised = any(claim.kind == "eventually" for claim in claims)
    if asked.symmetry and not (promised and (asked.checkpoint or asked.resume)):
        ground, exchanges = symmetric_ground(system, claims)
    code = GeneratedSystem(system, ground) if ground else generated(system)
    functions = Functions(code, claims, deadlock=properties is None, exchanges=exchanges)
    if functions.inexact:
        raise CannotCompile(functions.inexact)
    if asked.fingerprint and (asked.checkpoint or asked.resume):
        raise CannotCompile("a checkpoint keeps whole states: not together with fingerprints")
    search = explored(functions, limits, asked, report)
    verdicts = _Verdicts(search, limits)
    try:
        results = [verdicts.of(bit, claim) for bit, claim in enumerate(claims)]
    except _ToldApart as claim:
        search.close()
        left = limits.max_seconds and max(limits.max_seconds - (time.monotonic() - began), 0.0)
        again = replace(limits, max_seconds=left)
        result = check(system, properties, again, replace(asked, symmetry=False), report)
        result.notes.append(
            f"states that stand for others do not tell whether `{claim}` holds: explored without symmetry"
        )
        return result
    if functions.ending is not None:
        results.append(verdicts.safety(0, DEADLOCK, DEADLOCK, functions.ending.instances))
    fired = dict.fromkeys(system.actions, 0)
    for step, count in zip(functions.steps, search.fired.tolist(), strict=False):
        fired[step.action] += count
    search.close()
    notes = verdicts.notes
    if asked.fingerprint:
        chance = collision_probability(search.count)
        notes.append(f"states are told apart by 64-bit fingerprints: with probability {chance:.1e} one was overlooked")
    if exchanges:
        most = prod(factorial(system.sizes[sort]) for sort in {one.sort for one in exchanges})
        notes.append(f"by symmetry each state stands for up to {most} that differ only by which element is which")
    return CheckResult(
        engine="compiled",
        complete=not search.stopped,
        states=search.count,
        transitions=sum(fired.values()),
        depth=len(search.levels) - 1,
        seconds=time.monotonic() - began,
        fired=fired,
        properties=results,
        stopped=INTERRUPTED if verdicts.interrupted else search.stopped,
        faults=frozenset(name for name, action in system.actions.items() if action.fault),
        symmetry=", ".join(dict.fromkeys(one.sort.lower() for one in exchanges)) or "none",
        notes=notes,
    )


class _NoRoom(Exception):
    """There is no memory for whole states as deep as a violation that was found with fingerprints."""


class _ToldApart(Exception):
    """A promise (its name is the message) cannot be judged on states that stand for others."""


class _Verdicts:
    """The verdicts on one search."""

    def __init__(self, search: Search, limits: Limits) -> None:
        self.search, self.functions, self.limits = search, search.functions, limits
        self.complete = not search.stopped
        self.interrupted = search.stopped == INTERRUPTED
        self._graph: LivenessGraph | None = None
        self._exact: Search | None = None
        self.notes: list[str] = []

    def of(self, bit: int, claim: Property) -> PropertyResult:
        """The verdict on the claim with this bit."""
        idle = bool(self.search.pending >> bit & 1)
        if claim.kind == "sometimes":
            if not idle:
                return PropertyResult(claim.name, claim.kind, Verdict.HOLDS)
            if not self.complete:
                return PropertyResult(claim.name, claim.kind, Verdict.UNKNOWN)
            return PropertyResult(claim.name, claim.kind, Verdict.VIOLATED, "no reachable state shows it")
        if claim.kind == "always":
            instances = [
                (owner, arguments) for owner, arguments in self.functions.properties.instances if owner is claim
            ]
            return self.safety(bit + 1, claim.name, claim.kind, instances, IDLE if idle and self.complete else "")
        return self._eventually(claim, IDLE if idle else "")

    def _eventually(self, claim: Property, idle: str) -> PropertyResult:
        try:
            if self.complete and not self.interrupted and not self._too_large_for_promises():
                return self._promised(claim, idle)
        except KeyboardInterrupt:
            self.interrupted = True
        return PropertyResult(claim.name, claim.kind, Verdict.UNKNOWN)

    def _promised(self, claim: Property, idle: str) -> PropertyResult:
        if self.functions.exchanges:
            return self._by_symmetry(claim, idle)
        best: Counterexample | None = None
        with self._promises() as promises:
            for number in self._numbers(claim):
                found = promises.broken(claim, number)
                if found and (best is None or _stem(found) < _stem(best)):
                    best = found
        if best:
            return PropertyResult(claim.name, claim.kind, Verdict.VIOLATED, counterexample=best)
        return PropertyResult(claim.name, claim.kind, Verdict.HOLDS, idle)

    def _numbers(self, claim: Property) -> list[int]:
        return [number for number, (owner, _) in enumerate(self.functions.properties.instances) if owner is claim]

    def _by_symmetry(self, claim: Property, idle: str) -> PropertyResult:
        with self._promises() as promises:
            if not promises.surely_kept(self._numbers(claim)):
                raise _ToldApart(claim.name)
        return PropertyResult(claim.name, claim.kind, Verdict.HOLDS, idle)

    def _too_large_for_promises(self) -> bool:
        """Whether there is no way to judge any ``eventually``; notes why."""
        from onceproof.model.checker.compiled.liveness import bytes_needed

        why = ""
        needed, room = bytes_needed(self.search), self.search.max_memory - self.search.bytes_used
        if isinstance(self.search, FingerprintSearch):
            why = "`eventually` needs whole states, not fingerprints"
        elif needed > room:
            why = f"`eventually` needs {needed >> 20:,} MiB; {max(room, 0) >> 20:,} MiB of --max-memory are left"
        if why and why not in self.notes:
            self.notes.append(why)
        return bool(why)

    @contextmanager
    def _promises(self) -> Iterator[LivenessGraph]:
        """The graph, to be asked for promises; ModelError where the model itself fails while it answers."""
        from onceproof.model.checker.compiled.liveness import LivenessGraph, ModelFailed

        try:
            if self._graph is None:
                self._tell("following the steps again for `eventually`")
                self._graph = LivenessGraph(self.search)
            self._tell("looking for runs that keep a promise open")
            yield self._graph
        except ModelFailed as failed:
            confirm(self.functions, failed.state)

    def _tell(self, doing: str) -> None:
        if self.limits.report:
            search = self.search
            seconds = time.monotonic() - search.began
            self.limits.report(Progress(search.count, 0, len(search.levels) - 1, seconds, search.bytes_used, doing))

    def safety(
        self, which: int, name: str, kind: str, instances: Sequence[tuple[Property, tuple[int, ...]]], idle: str = ""
    ) -> PropertyResult:
        """The verdict on what must be true in every state."""
        if int(self.search.best[which]) == FAR:
            return PropertyResult(name, kind, Verdict.HOLDS if self.complete else Verdict.UNKNOWN, idle)
        system = self.functions.system

        def false(state: State) -> list[tuple[int, ...]]:
            return [arguments for claim, arguments in instances if system.holds(claim, state, arguments) is False]

        violates: Callable[[State], bool] = lambda state: bool(false(state))  # noqa: E731
        if which == 0:
            violates = self._stuck(violates)
        try:
            trace, minimal = Paths(self._whole(which)).least(which, violates)
        except _NoRoom:
            return PropertyResult(name, kind, Verdict.VIOLATED)
        found = Counterexample(name, false(trace.states[-1])[0], trace, minimal)
        return PropertyResult(name, kind, Verdict.VIOLATED, counterexample=found)

    def _whole(self, which: int) -> Search:
        """A search that has whole states, at least as deep as the violation; with fingerprints it is made now."""
        if not isinstance(self.search, FingerprintSearch):
            return self.search
        if self._exact is None or int(self._exact.best[which]) != int(self.search.best[which]):
            steps = int(self.search.best[which]) & 0xFFFFFFFF
            fingerprints = self.search
            self._exact = Search(
                self.functions, fingerprints.library, len(fingerprints.workers), fingerprints.max_memory
            )
            self._exact.run(Limits(max_depth=steps + 1))
            if int(self._exact.best[which]) != int(fingerprints.best[which]):
                raise _NoRoom
        return self._exact

    def _stuck(self, unwanted: Callable[[State], bool]) -> Callable[[State], bool]:
        generated, is_fault = self.functions.generated, self.functions.is_fault
        return lambda state: unwanted(state) and all(is_fault[step] for step, _ in generated.successors(state))


def _stem(found: Counterexample) -> tuple[int, int]:
    return found.trace.faults, found.trace.loop or 0
