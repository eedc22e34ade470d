"""What an engine finds out. Engines differ in how they search, never in what they report."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, StrEnum
from pathlib import Path

from onceproof.model.language.declare import RANGE, Property, range_of
from onceproof.model.language.errors import ModelError, OutOfRange
from onceproof.model.language.initials import INITIALLY
from onceproof.model.language.layout import State
from onceproof.model.language.step_arguments import codes_of_arguments
from onceproof.model.language.system import NOTHING_CHOSEN, Arguments, Step, System


class Verdict(StrEnum):
    """Three values, never two: a limit reached is unknown."""

    HOLDS = "holds"
    VIOLATED = "violated"
    UNKNOWN = "unknown"


class StopReason(Enum):
    """Why a search ended before it was complete; the first ones are limits that were asked for."""

    STATES = "states"
    DEPTH = "depth"
    STEPS = "steps"
    SECONDS = "seconds"
    MEMORY = "memory"  # the bytes that a search may use
    SET_SIZE = "set size"  # the largest set of mechanisms that is tried
    SAMPLE = "sample"  # only so many of the paths were asked for
    INTERRUPTED = "interrupted"  # Ctrl-C
    DISK = "disk"  # it has no more room
    OUT_OF_MEMORY = "out of memory"  # the machine had no more
    PROCESS_LOST = "process lost"  # the process that searched died
    NOTHING_TO_JUDGE = "nothing to judge"  # no property applies
    RANGE_LEFT = "range left"  # a step leaves the range of a field: there is no state after it
    BOUND_LEFT = "bound left"  # runs that leave a bound of exploration are not followed
    MODEL_CUT_SHORT = "model cut short"  # the model was not explored completely, so what builds on that is not complete


@dataclass(frozen=True)
class Stop:
    """Why a search ended early, and which limit it reached (None where there is no number to it)."""

    reason: StopReason
    limit: float | None = None

    @property
    def interrupted(self) -> bool:
        """Whether a user ended it with Ctrl-C."""
        return self.reason is StopReason.INTERRUPTED


INTERRUPTED = Stop(StopReason.INTERRUPTED)


@dataclass(frozen=True)
class Departure:
    """The last step of a run, after which there is no state: it would write what a cell of ``field`` cannot hold.

    cell, value: as a person writes them; why: what is wrong with the value, with the place in the model.
    """

    step: Step
    field: str
    cell: str
    value: str
    why: str

    @classmethod
    def by(cls, step: Step, error: OutOfRange) -> Departure:
        """That of a step that failed so."""
        return cls(step, error.field, error.cell, error.value, str(error))

    @property
    def claim(self) -> str:
        """The built-in claim that it violates."""
        return range_of(self.field)


@dataclass(frozen=True)
class Trace:
    """A run: ``states[0]`` is initial, ``steps[i]`` leads from ``states[i]`` to ``states[i + 1]``.

    loop: the position at which the loop starts that the run repeats for ever (its last state equals that one); None
    for a finite run. departure: a last step that leads to no state; None for a run that ends in one.
    """

    system: System
    states: tuple[State, ...]
    steps: tuple[Step, ...]
    loop: int | None = None
    departure: Departure | None = None

    def __len__(self) -> int:
        return len(self.taken)

    def followed_by(self, step: Step) -> Trace:
        """The run with one more step, which must be possible at its end."""
        after = self.system.step(self.states[-1], step)
        if after is None:
            raise ValueError(f"{step} is not possible at the end of the run")
        return replace(self, states=(*self.states, after), steps=(*self.steps, step))

    def begun_in(self, system: System) -> State | None:
        """The initial state of another system that the same choices lead to; None where they lead to none."""
        if system.beginning is None:
            return system.begun(self.start)
        names, reading = self.system.named_arguments(self.start), system.beginning
        try:
            codes = codes_of_arguments(reading.action, reading.choices, system.sizes, names)
        except ModelError:
            return None
        return system.begun(Step(INITIALLY, codes))

    @property
    def start(self) -> Step:
        """What was chosen initially; nothing where nothing is, or where the run begins in another state."""
        return self.system.starts.get(self.states[0], NOTHING_CHOSEN)

    @property
    def taken(self) -> tuple[Step, ...]:
        """All steps, with the one that leads to no state."""
        return self.steps if self.departure is None else (*self.steps, self.departure.step)

    @property
    def faults(self) -> int:
        """How many of the steps are faults."""
        return sum(self.system.model.actions[step.action].fault for step in self.taken)

    @property
    def turns(self) -> int:
        """How often the actor changes from one step to the next."""
        actors = [self.system.actor(step) for step in self.taken]
        return sum(one != other for one, other in itertools.pairwise(actors))


@dataclass(frozen=True)
class Counterexample:
    """A run on which a property is false for these elements: in its last state, or (``eventually``) for ever.

    minimal: in what it is least: "faults, then steps, then changes of actor", say; "" where nothing is promised.
    """

    property: str
    arguments: Arguments
    trace: Trace
    minimal: str = ""


@dataclass
class PropertyResult:
    """What was found out of one property. vacuous: why a "holds" would say nothing ("" where it says something)."""

    name: str
    kind: str  # always, sometimes, eventually, deadlock, range
    verdict: Verdict
    vacuous: str = ""
    counterexample: Counterexample | None = None


def with_bounds(result: CheckResult) -> CheckResult:
    """The result, with counterexamples that say so where they are the least within a bound only."""
    for found in result.properties if result.outside else ():
        if found.counterexample is not None and found.counterexample.minimal:
            least = f"{found.counterexample.minimal}, {result.extent}"
            found.counterexample = replace(found.counterexample, minimal=least)
    return result


def range_left(trace: Trace, minimal: str) -> PropertyResult:
    """The violation that a run with a departure is."""
    assert trace.departure is not None
    claim = trace.departure.claim
    return PropertyResult(claim, RANGE, Verdict.VIOLATED, counterexample=Counterexample(claim, (), trace, minimal))


@dataclass(frozen=True)
class Memory:
    """What an exploration took at its peak.

    bytes: of its states and tables. fingerprints: whether these were kept in place of states. symmetry: whether states
    that differ only in which element is which could count as one. checkpoint: the file that the exploration can be
    continued from; None where there is none. disk: the folder that its states are in; None where they are in memory.
    cluster: whether they were spread over several partitions.
    """

    bytes: int
    fingerprints: bool
    symmetry: bool
    checkpoint: Path | None
    disk: Path | None = None
    cluster: bool = False


@dataclass
class CheckResult:
    """The outcome of an exhaustive exploration (or of one that a limit cut short: ``complete`` is False)."""

    engine: str
    complete: bool
    states: int
    transitions: int
    depth: int  # the most steps that any state needs at least
    seconds: float
    fired: dict[str, int]  # how many transitions each action of the configuration made
    properties: list[PropertyResult]
    stopped: Stop | None = None  # why the search ended early; None where it did not
    faults: frozenset[str] = frozenset()  # which of the actions are faults
    symmetry: str = "none"
    notes: list[str] = field(default_factory=list)
    without_effect: list[str] = field(default_factory=list)  # mechanisms that are off, and make no difference here
    finished_depth: int | None = None  # see ``bound``; None where the exploration was complete
    outside: int = 0  # states beyond a bound of exploration, which are judged, and not among ``states``
    within: str = ""  # the bounds that these are beyond, for people; "" where there is no such state
    levels: list[int] = field(default_factory=list)  # how many states need 0, 1, 2 ... steps at least
    memory: Memory | None = None  # what the compiled engine took; other engines have no limit of memory

    @property
    def exhaustive(self) -> bool:
        """Whether every reachable state was explored: no limit ended the search, and no bound left states out."""
        return self.complete and not self.outside

    @property
    def extent(self) -> str:
        """What a "holds" speaks of, for people: "complete", or "within few_terms"."""
        return f"within {self.within}" if self.outside else "complete"

    @property
    def bound(self) -> int:
        """The steps up to which everything was found and judged: a run that violates something, and is not reported,
        is longer. The last *finished* level counts, not one that a limit ended; -1 where not even the first is.
        """
        return self.depth if self.complete or self.finished_depth is None else max(self.finished_depth, -1)

    @property
    def bounded(self) -> str:
        """What is known where nothing was violated and not everything was explored, for people."""
        return f"no violation up to depth {self.bound}" if self.bound >= 0 else "nothing known yet"

    @property
    def verdict(self) -> Verdict:
        """Violated if any property is, holds if all do and the exploration was complete, else unknown.

        A ``sometimes`` that was never seen is not a violation; it makes the verdict vacuous.
        """
        verdicts = {result.verdict for result in self.properties if result.kind != "sometimes"}
        if Verdict.VIOLATED in verdicts:
            return Verdict.VIOLATED
        return Verdict.UNKNOWN if Verdict.UNKNOWN in verdicts or not self.complete else Verdict.HOLDS

    @property
    def never_fired(self) -> list[str]:
        """The actions that the configuration allows and that no reachable state enables."""
        return [name for name, count in self.fired.items() if not count]

    @property
    def vacuous(self) -> list[str]:
        """Why a "holds" would say less than it seems: one sentence each."""
        found = [f"{result.name}: {result.vacuous}" for result in self.properties if result.vacuous]
        idle = [name for name in self.never_fired if name in self.faults]
        return found + [f"{name}: this fault has a budget but never happens" for name in idle if self.complete]

    def property(self, name: str) -> PropertyResult | None:
        """The result for one property."""
        return next((result for result in self.properties if result.name == name), None)


def unexplored(system: System, claims: Sequence[Property], engine: str, limits: Limits) -> CheckResult:
    """The result of a check that ran out of time while it was still generating code: nothing is known."""
    return CheckResult(
        engine=engine,
        complete=False,
        states=0,
        transitions=0,
        depth=0,
        seconds=limits.max_seconds or 0.0,
        fired=dict.fromkeys(system.actions, 0),
        properties=[PropertyResult(claim.name, claim.kind, Verdict.UNKNOWN) for claim in claims],
        stopped=Stop(StopReason.SECONDS, limits.max_seconds),
        faults=frozenset(name for name, action in system.actions.items() if action.fault),
        notes=["the time was up before the code of the model was generated"],
        finished_depth=-1,
    )


@dataclass(frozen=True)
class Progress:
    """How far a search is; engines report it about once a second. doing: what else than exploring; "" for that.

    network: bytes that went from one partition of the search to another; nodes: the bytes that each of them takes.
    """

    states: int
    queued: int
    depth: int
    seconds: float
    bytes_used: int = 0
    doing: str = ""
    network: int = 0
    nodes: tuple[int, ...] = ()


@dataclass(frozen=True)
class Limits:
    """When to give up (None: never), and whom to tell how far the search is."""

    max_states: int | None = None
    max_depth: int | None = None
    max_seconds: float | None = None
    report: Callable[[Progress], None] | None = None
