"""The matrix: which mechanisms, under which faults, keep or break which property.

A *case* is one corner of it: some mechanisms off, some faults with a budget of one. One exploration of a case judges
all properties at once; two cases whose systems are the same by content are explored once (``Sharing``).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from onceproof.model.checker.matrix.probes import ProbedSystem, never_seen
from onceproof.model.checker.results import (
    CheckResult,
    Counterexample,
    Limits,
    PropertyResult,
    Stop,
    StopReason,
    Trace,
    Verdict,
)
from onceproof.model.language import Config, ConfigError, Model, ModelError, Step, System, build
from onceproof.model.language.declare import DEADLOCK, LIVENESS, RANGE, SAFETY, Property
from onceproof.model.language.errors import nearest
from onceproof.model.language.refinement import refinement_of
from onceproof.model.language.system import NOTHING_CHOSEN

JUDGED = frozenset({*SAFETY, *LIVENESS, DEADLOCK})  # a "sometimes" cannot be broken
Explore = Callable[[System, Sequence[Property] | None, Limits], CheckResult]


@dataclass(frozen=True, order=True)
class Case:
    """Mechanisms that are off, and faults that may happen once each; both in the order of the model."""

    off: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()

    def __str__(self) -> str:
        off = f"{' and '.join(self.off)} off" if self.off else "all on"
        return f"{off}, {' and '.join(self.faults) or 'no fault'}"


@dataclass(frozen=True)
class Setting:
    """What all cases of a matrix have in common.

    sizes: as the user gives them; where they give none, a fault gets the sizes that it ``needs``. properties: which
    are judged, None for all that apply to a case (and deadlocks). reference: how a user names the model, "" for the
    protocol. parameters: those that are not the model's defaults.
    """

    model: Model
    sizes: Mapping[str, int] = field(default_factory=dict)
    properties: tuple[str, ...] | None = None
    reference: str = ""
    parameters: Mapping[str, int] = field(default_factory=dict)

    def given_sizes(self, case: Case) -> dict[str, int]:
        """The sizes of a case that are not the model's defaults."""
        needed: dict[str, int] = {}
        for fault in case.faults:
            for name, size in self.model.needs.get(fault, {}).items():
                needed[name] = max(size, needed.get(name, 1))
        return {**needed, **self.sizes}

    def config(self, case: Case) -> Config:
        """The configuration of a case: every mechanism on that it does not have off, whatever its default.

        ConfigError where a name is unknown or a size wrong.
        """
        switches = dict.fromkeys(self.model.switches, True) | dict.fromkeys(case.off, False)
        return self.model.configure(self.given_sizes(case), switches, dict.fromkeys(case.faults, 1), self.parameters)

    def system(self, case: Case) -> System:
        """The system of a case."""
        return build(self.model, self.config(case))

    def probed(
        self, case: Case, mechanisms: Iterable[str], compared: Callable[[System], None] | None = None
    ) -> ProbedSystem:
        """The system of a case, which is also asked which of these mechanisms make no difference to it.

        compared: called with the system without each of them, to hold its readings against runs.
        """
        without = {name: self.config(Case((*case.off, name), case.faults)) for name in mechanisms}
        return ProbedSystem(self.model, self.config(case), without, compared)

    @property
    def names(self) -> list[str]:
        """The properties that the matrix is about, in the order of the model (deadlocks last) or as chosen."""
        if self.properties is not None:
            return list(self.properties)
        claims = [p for p in self.model.properties.values() if p.kind in JUDGED and not p.optional]
        return [*(p.name for p in claims), DEADLOCK]

    def claims(self, system: System) -> list[Property]:
        """The properties, of those asked for, that apply to a system."""
        known = system.config.names()
        return [claim for claim in system.properties(self.names) if claim.applies(known)]

    def checked(self) -> Setting:
        """The same, after a look at every name; ConfigError with the nearest valid one."""
        known = [p.name for p in self.model.properties.values() if p.kind in JUDGED]
        for name in self.properties or ():
            if name not in known and name != DEADLOCK:
                kind = self.model.properties[name].kind if name in self.model.properties else ""
                why = f"`{name}` is a property that is {kind} true: it cannot be broken" if kind == "sometimes" else ""
                raise ConfigError(why or f"unknown property `{name}`{nearest(name, [*known, DEADLOCK])}", name)
        self.config(Case())
        return self


@dataclass(frozen=True)
class Finding:
    """What one case says of one property.

    name: the property; vacuous: why a "holds" says nothing. The rest is of the counterexample: what it chooses
    initially, its steps, for which elements the property is false, where the loop of the run starts, in what it is
    least, and whether that is sure (a limit may have hidden a shorter one).
    """

    name: str
    kind: str
    verdict: Verdict
    vacuous: str = ""
    start: Step = NOTHING_CHOSEN
    steps: tuple[Step, ...] = ()
    arguments: tuple[int, ...] = ()
    loop: int | None = None
    faults: int = 0
    minimal: str = ""
    sure: bool = True

    @property
    def broken(self) -> bool:
        """Whether there is a counterexample."""
        return self.verdict is Verdict.VIOLATED

    @property
    def length(self) -> int | None:
        """How many steps the counterexample has."""
        return len(self.steps) if self.broken else None


@dataclass(frozen=True)
class CaseResult:
    """What the exploration of a case found. A property that does not apply to it has no finding.

    shared: another case whose system is the same by content, and which was explored in this one's stead; indifferent:
    mechanisms whose absence would make no difference to it.
    """

    case: Case
    findings: Mapping[str, Finding]
    states: int = 0
    transitions: int = 0
    complete: bool = False
    stopped: Stop | None = None
    seconds: float = 0.0
    engine: str = ""
    shared: Case | None = None
    indifferent: frozenset[str] = frozenset()

    def of(self, name: str) -> Finding | None:
        """What it says of a property; None where that does not apply."""
        return self.findings.get(name)

    @property
    def unknown(self) -> bool:
        """Whether any property is undecided."""
        return any(finding.verdict is Verdict.UNKNOWN for finding in self.findings.values())

    def instead_of(self, case: Case) -> CaseResult:
        """The result of another case, which has the same system."""
        return replace(self, case=case, shared=self.shared or self.case, seconds=0.0, indifferent=frozenset())


def explored(setting: Setting, case: Case, system: System, limits: Limits, explore: Explore) -> CaseResult:
    """Explores one case and judges all properties asked for that apply."""
    names = setting.names
    claims = None if setting.properties is None else setting.claims(system)
    if claims == []:
        return CaseResult(case, {}, complete=True, stopped=Stop(StopReason.NOTHING_TO_JUDGE), engine="none")
    probed = system if isinstance(system, ProbedSystem) else None
    result = explore(system, claims if claims is None or probed is None else [*claims, *probed.questions], limits)
    for left in (p for p in result.properties if p.kind == RANGE):
        raise ModelError(f"`{left.name}` is violated in this case (`check` shows the run): no cell can be judged")
    unseen = [p.name for p in result.properties if p.kind == "sometimes" and p.verdict is Verdict.VIOLATED]
    found = {p.name: _finding(p, result.exhaustive) for p in result.properties if p.name in names}
    unfollowed = Stop(StopReason.BOUND_LEFT) if result.outside and result.verdict is Verdict.UNKNOWN else None
    return CaseResult(
        case,
        {name: found[name] for name in names if name in found},
        result.states,
        result.transitions,
        result.complete,
        result.stopped or unfollowed,
        result.seconds,
        result.engine,
        indifferent=never_seen(probed, unseen) if probed is not None and result.exhaustive else frozenset(),
    )


def not_explored(setting: Setting, case: Case, why: Stop) -> CaseResult:
    """A case of which nothing is known: every property that applies is undecided."""
    config = setting.config(case)
    known = config.names()
    findings = {}
    for name in setting.names:
        claim = setting.model.properties.get(name)
        if claim is None or claim.applies(known):
            findings[name] = Finding(name, claim.kind if claim else DEADLOCK, Verdict.UNKNOWN)
    return CaseResult(case, findings, stopped=why)


def _finding(result: PropertyResult, complete: bool) -> Finding:
    found = result.counterexample
    if found is None:
        return Finding(result.name, result.kind, result.verdict, result.vacuous)
    trace = found.trace
    return Finding(
        name=result.name,
        kind=result.kind,
        verdict=result.verdict,
        start=trace.start,
        steps=trace.steps,
        arguments=tuple(found.arguments),
        loop=trace.loop,
        faults=trace.faults,
        minimal=found.minimal if complete else "",
        sure=complete,
    )


def counterexample(system: System, finding: Finding) -> Counterexample:
    """The counterexample of a finding, stepped through again in the system of its case."""
    first = system.begun(finding.start)
    if first is None:
        raise ValueError(f"there is no initial state like that of the counterexample of {finding.name}")
    states = [first]
    for step in finding.steps:
        after = system.step(states[-1], step)
        if after is None:
            raise ValueError(f"{step.action} is not enabled where the counterexample of {finding.name} takes it")
        states.append(after)
    trace = Trace(system, tuple(states), finding.steps, finding.loop)
    return Counterexample(finding.name, finding.arguments, trace, finding.minimal)


def content(setting: Setting, system: System) -> bytes:
    """A digest of all that an exploration depends on; equal digests mean the same graph and the same verdicts."""
    layout = [(place.name, place.shape, place.cardinality) for place in system.layout.places.values()]
    claims = setting.claims(system)
    # Actions and properties go by their names: what differs between two cases of one model is what was read.
    actions = [(name, t.all_variables, t.paths, t.obligations, t.choices) for name, t in system.readings.items()]
    asked = [(claim.name, system.property_reading(claim)) for claim in claims if claim.kind != "refines"]
    asked_terms = [
        (name, t.variables, t.antecedent, t.body, t.obligations, t.presupposes, t.meanwhile) for name, t in asked
    ]
    refined = [refinement_of(system, claim) for claim in claims if claim.kind == "refines"]
    asked_terms += [one.content for one in refined]
    text = repr((system.initials, layout, actions, asked_terms))
    if re.search(r" at 0x[0-9a-f]{6}", text):
        # Something without a text of its own: two of them can't be compared, so nothing is shared.
        text += repr((system.config.sizes, system.config.switches, system.config.budgets, system.config.parameters))
    return hashlib.sha256(text.encode()).digest()


class Sharing:
    """Which case explores for all that have the same content."""

    def __init__(self) -> None:
        self._first: dict[bytes, Case] = {}

    def first(self, digest: bytes, case: Case) -> Case:
        """The case that explores this content: the first that was asked about."""
        return self._first.setdefault(digest, case)


def cases_of(rows: Iterable[tuple[str, ...]], columns: Iterable[tuple[str, ...]]) -> list[Case]:
    """All cases of a table, row by row."""
    every = list(columns)
    return [Case(off, faults) for off in rows for faults in every]
