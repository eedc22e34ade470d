"""Proof by induction: every claim holds at the start, and every step keeps it, given that all of them held before."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from onceproof.model.checker.agreement.comparison import check_agreement
from onceproof.model.checker.prover.concrete_search import Refutation, refute_on_walks
from onceproof.model.checker.prover.encoding import Conjunct, Encoding, Law, encode
from onceproof.model.checker.prover.solver import Answer, Outcome, Session
from onceproof.model.checker.prover.verification_conditions import VerificationCondition, all_conditions, trivially_kept
from onceproof.model.language.declare import Property
from onceproof.model.language.errors import ConfigError, InternalContradiction, nearest
from onceproof.model.language.model import Config, Model
from onceproof.model.language.system import System

SECONDS_PER_QUERY = 10.0
WALKS = 12  # random runs on which every claim is looked at before the solver is asked
Report = Callable[[int, int], None]  # queries answered, and of how many


class RefutedProof(InternalContradiction):
    """The solver proves a claim that a run of the model refutes.

    refutation: the claim with the run that ends in a state in which it is false.
    """

    def __init__(self, refutation: Refutation) -> None:
        system, found = refutation.trace.system, refutation
        parameters = system.model.properties[found.claim].parameters
        named = zip(parameters, found.arguments, strict=True)
        elements = ", ".join(f"{p.name} = {p.element(a)}" for p, a in named)
        steps = "; ".join(
            f"{step.action}({', '.join(f'{n}={v}' for n, v in system.named_arguments(step).items())})"
            for step in found.trace.steps
        )
        super().__init__(
            f"a fault of onceproof, not a verdict: `{found.claim}` is proved for any size, and is false"
            f"{f' for {elements}' if elements else ''} after {steps or 'no step, at the start'}; please report it"
        )
        self.refutation = refutation


@dataclass
class Stage:
    """The proof of the claims that survive the same faults.

    without: the faults that it leaves out; outcomes: the answers of the last round; rounds: what failed, round after
    round; trivial: how many pairs of an action and a goal need no query; impossible: actions that no state of the
    invariant allows; checks_actions: whether it also shows that no action uses an index that is None.
    """

    without: frozenset[str]
    encoding: Encoding
    goals: list[Conjunct]
    hypotheses: list[Conjunct]
    outcomes: list[Outcome] = field(default_factory=list)
    checks_actions: bool = True
    complete: bool = False  # nothing was left unasked
    rounds: list[list[Outcome]] = field(default_factory=list)
    trivial: int = 0
    impossible: list[str] = field(default_factory=list)

    def assumed(self, outcome: Outcome) -> list[Law | Conjunct]:
        """What the proof of one verification condition rests on: axioms, values of constants, conjuncts."""
        laws = [law for law in self.encoding.laws.values() if law.name in outcome.core]
        return [*laws, *(conjunct for conjunct in self.hypotheses if conjunct.name in outcome.core)]

    def faults(self, config: Config) -> list[str]:
        """The faults that may happen any number of times."""
        return [name for name, left in config.budgets.items() if left != 0 and name not in self.without]

    @property
    def kept(self) -> list[Conjunct]:
        """The goals that were proved."""
        failed = {outcome.query.claim for failures in self.rounds for outcome in failures}
        return [goal for goal in self.goals if goal.name not in failed]


@dataclass
class Proof:
    """What was proved of a model, and what not.

    walked: in how many states of random runs every claim was looked at before a solver was asked; refuted: what was
    false there, with the run. seconds: from the encoding of the model on.
    """

    model: Model
    config: Config
    properties: list[str]
    stages: list[Stage]
    seconds: float = 0.0
    interrupted: bool = False
    walked: int = 0
    refuted: dict[str, Refutation] = field(default_factory=dict)

    @property
    def axioms(self) -> list[Law]:
        """The axioms that are assumed."""
        laws = {law.name: law for stage in self.stages for law in stage.encoding.laws.values() if law.is_axiom}
        return list(laws.values())

    @property
    def outcomes(self) -> list[Outcome]:
        """The answers of the last round of every stage."""
        return [outcome for stage in self.stages for outcome in stage.outcomes]

    def stage_of(self, name: str) -> Stage | None:
        """The stage that proves a claim; None where an interruption came before it."""
        return next((stage for stage in self.stages if any(goal.name == name for goal in stage.goals)), None)

    def answer(self, name: str) -> Answer:
        """Whether a claim was proved; UNKNOWN where the solver gave up on one of its queries."""
        stage = self.stage_of(name)
        if stage is None or not stage.complete:
            return Answer.UNKNOWN
        if any(goal.name == name for goal in stage.kept):
            return Answer.PROVED
        failures = [outcome for failures in stage.rounds for outcome in failures if outcome.query.claim == name]
        return Answer.UNKNOWN if all(f.answer is Answer.UNKNOWN for f in failures) else Answer.REFUTED

    @property
    def proved(self) -> bool:
        """Whether every property asked for was proved, and nothing can go wrong on the way."""
        undefined = any(o.query.kind == "defined" and o.answer is not Answer.PROVED for o in self.outcomes)
        return (
            bool(self.properties)
            and not undefined
            and all(self.answer(name) is Answer.PROVED for name in self.properties)
        )

    @property
    def dropped(self) -> list[str]:
        """The conjuncts of the invariant that are not inductive under this configuration."""
        return [
            goal.name
            for stage in self.stages
            for goal in stage.goals
            if goal.claim.invariant is not None and self.answer(goal.name) is not Answer.PROVED
        ]

    def first_failure(self, name: str) -> Outcome:
        """The query on which a claim that was not proved failed first."""
        rounds = (failures for stage in self.stages for failures in stage.rounds)
        return next(outcome for failures in rounds for outcome in failures if outcome.query.claim == name)


def claims_of(model: Model, config: Config, names: Iterable[str] | None = None) -> list[Property]:
    """The properties to prove (default: all of states and of steps) and the conjuncts of the invariant that apply.

    Raises ConfigError for a name that is not one of these properties, and where there is nothing to prove.
    """
    safety = [claim for claim in model.properties.values() if claim.is_provable]
    wanted = [claim.name for claim in safety if claim.invariant is None] if names is None else list(names)
    for name in wanted:
        claim = model.properties.get(name)
        if claim is None or not claim.is_provable:
            known = [c.name for c in safety]
            what = (
                f"says `{claim.kind}`: what is proved for any size says `always` or `step`"
                if claim
                else "is not a property"
            )
            raise ConfigError(f"`{name}` {what}{nearest(name, known)}", name)
    known_values = config.names()
    conjuncts = [
        claim
        for claim in safety
        if claim.invariant is not None and claim.name not in wanted and claim.applies(known_values)
    ]
    if not wanted and not conjuncts:
        raise ConfigError("the model has no property that says `always` or `step`: nothing to prove")
    return [model.properties[name] for name in wanted] + conjuncts


def unbounded(
    model: Model,
    switches: Mapping[str, bool] | None = None,
    faults: Iterable[str] | None = None,
    parameters: Mapping[str, int] | None = None,
) -> Config:
    """The configuration for a proof: any number of each of these faults (default: of every fault), of no others.

    Sizes mean nothing in a proof. Raises ConfigError for an unknown name.
    """
    sizes = {sort.size_name: 1 for sort in model.sorts.values()}
    return model.configure(sizes, switches, dict.fromkeys(model.faults if faults is None else faults), parameters)


def prove(
    model: Model,
    config: Config,
    names: Iterable[str] | None = None,
    timeout: float = SECONDS_PER_QUERY,
    report: Report | None = None,
    walks: int = WALKS,
) -> Proof:
    """Proves properties (default: all of states and steps) for any size, under any number of each fault of ``config``.

    timeout: seconds after which the solver gives up on one query. A claim that some faults break by what they are
    (``broken_by``) is proved without those. A conjunct that is not inductive is dropped and the rest tried again.
    walks: on how many random runs of a small instance every claim is looked at before the solver is asked.
    Raises ModelError (with the author's line) for what has no meaning for any number of elements, AxiomError where the
    model's own instances violate its axioms, ConfigError for a wrong name, and RefutedProof where a claim is proved
    that a random run refutes.
    """
    began = time.perf_counter()
    claims = claims_of(model, config, names)
    active = {name for name, left in config.budgets.items() if left != 0}
    breakers = {claim.name: claim.broken_by & active for claim in claims}
    asked = [claim.name for claim in claims if claim.invariant is None or claim.name in (names or ())]
    # Where there is nothing but an invariant it is what is to be proved.
    proof = Proof(model, config, asked or [claim.name for claim in claims], [])
    proved: list[str] = []
    check_agreement(System(model, _small(config), axioms=False), claims, unbounded=True)
    for without in sorted(set(breakers.values()), key=lambda faults: (len(faults), sorted(faults))):
        mine = [claim for claim in claims if breakers[claim.name] == without]
        given = [claim for claim in claims if breakers[claim.name] < without and claim.name in proved]
        stage = _stage(model, config, without, mine, given)
        stage.checks_actions = not any(other < without for other in breakers.values())
        proof.stages.append(stage)
        try:
            if walks:
                states, refuted = refute_on_walks(model, stage.encoding.config, mine, walks)
                proof.walked += states
                proof.refuted |= {found.claim: found for found in refuted}
            _induct(stage, timeout, report)
            _confront(stage, proof.refuted)
        except KeyboardInterrupt:
            proof.interrupted = True
            break
        proved += [goal.name for goal in stage.kept]
    proof.seconds = time.perf_counter() - began
    return proof


def _small(config: Config) -> Config:
    """The configuration with two elements of each sort: enough for a reading to differ from a run."""
    return replace(config, sizes=dict.fromkeys(config.sizes, 2))


def _confront(stage: Stage, refuted: Mapping[str, Refutation]) -> None:
    """RefutedProof where a claim was proved that a run refutes."""
    for goal in stage.kept if stage.complete else ():
        if goal.name in refuted:
            raise RefutedProof(refuted[goal.name])


def confront(model: Model, config: Config, proved: Mapping[str, Iterable[str]], walks: int = WALKS) -> None:
    """RefutedProof where a random run of a small instance refutes a claim that a certificate says is proved.

    proved: each claim with the faults that it is proved without.
    """
    for without in sorted({tuple(sorted(faults)) for faults in proved.values()}):
        claims = [model.properties[name] for name, faults in proved.items() if tuple(sorted(faults)) == without]
        _, refuted = refute_on_walks(model, config.with_budgets(**dict.fromkeys(without, 0)), claims, walks)
        for found in refuted:
            raise RefutedProof(found)


def _stage(model: Model, config: Config, without: frozenset[str], mine: list[Property], given: list[Property]) -> Stage:
    encoding = encode(model, config.with_budgets(**dict.fromkeys(without, 0)), [*mine, *given])
    goals = [encoding.conjuncts[claim.name] for claim in mine]
    hypotheses = [encoding.conjuncts[claim.name] for claim in given]
    assumed = [one for one in (*goals, *hypotheses) if not one.of_steps]
    return Stage(without, encoding, goals, assumed, trivial=trivially_kept(encoding, goals))


def _induct(stage: Stage, timeout: float, report: Report | None) -> None:
    """Asks every query; drops what failed, and asks again what was proved from it, until nothing fails."""
    known: dict[tuple[str, str], Outcome] = {}
    while True:
        kept = stage.kept
        names: set[str | None] = {goal.name for goal in kept}
        stage.hypotheses = [c for c in stage.hypotheses if c.name in names or c not in stage.goals]
        still_given = {conjunct.name for conjunct in stage.hypotheses} | set(stage.encoding.laws)
        known = {key: outcome for key, outcome in known.items() if outcome.core <= still_given}
        stage.outcomes = _ask(stage, kept, known, timeout, report)
        failed = [o for o in stage.outcomes if o.answer is not Answer.PROVED and o.query.claim in names]
        if not failed:
            stage.complete = True
            return
        stage.rounds.append(failed)
        known = {(o.query.name, o.query.kind): o for o in stage.outcomes if o.answer is Answer.PROVED}


def _ask(
    stage: Stage,
    goals: list[Conjunct],
    known: dict[tuple[str, str], Outcome],
    timeout: float,
    report: Report | None,
) -> list[Outcome]:
    queries = list(all_conditions(stage.encoding, goals, with_actions=stage.checks_actions))
    by_transition: dict[str, list[VerificationCondition]] = {}
    for query in queries:
        by_transition.setdefault(query.transition.name if query.transition else "", []).append(query)
    outcomes: list[Outcome] = []
    for name, asked in by_transition.items():
        session: Session | None = None
        for query in asked:
            outcome = known.get((query.name, query.kind))
            if outcome is None:
                if session is None:
                    hypotheses = stage.hypotheses if query.assumes else []
                    session = Session(stage.encoding, query.transition, hypotheses, timeout)
                    _note_possible(stage, session, name)
                outcome = session.ask(query)
            outcomes.append(outcome)
            if report:
                report(len(outcomes), len(queries))
    return outcomes


def _note_possible(stage: Stage, session: Session, name: str) -> None:
    if name in stage.encoding.transitions:
        possible = session.possible() is not Answer.REFUTED
        if possible and name in stage.impossible:
            stage.impossible.remove(name)
        if not possible and name not in stage.impossible:
            stage.impossible.append(name)
