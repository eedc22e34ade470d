"""What a failed proof teaches: the induction step that failed, and whether the claim is false in a reachable state."""

from __future__ import annotations

from dataclasses import dataclass, field

from onceproof.model.checker.prover.concrete_search import Engine, Search, plain_engine, search
from onceproof.model.checker.prover.cti import CounterexampleToInduction, find_cti
from onceproof.model.checker.prover.induction import Proof, Stage
from onceproof.model.checker.prover.solver import Answer, Outcome
from onceproof.model.checker.results import Counterexample

CAUSES_MAX = 6  # conjuncts whose failure is looked into for the sizes that a real counterexample needs


@dataclass
class Diagnosis:
    """Why a property was not proved.

    failure: the induction step that failed, shrunk. real: a run from the start that ends in a violation; None where
    none was found: then the invariant needs strengthening (or a bigger instance). causes: what of the invariant was
    lost before, as (action, conjunct): the steps that no longer keep it.
    """

    property: str
    failure: CounterexampleToInduction | None
    real: Counterexample | None
    searched: Search
    causes: list[tuple[str, str]] = field(default_factory=list)
    gave_up: list[str] = field(default_factory=list)  # queries on which the solver gave up


def diagnose(proof: Proof, seconds: float = 60.0, engine: Engine = plain_engine) -> list[Diagnosis]:
    """A diagnosis for each property that was not proved. seconds: how long to look for real counterexamples."""
    found: list[Diagnosis] = []
    for stage in proof.stages:
        failed = [n for n in proof.properties if proof.answer(n) is not Answer.PROVED and proof.stage_of(n) is stage]
        if failed and stage.complete:
            found += _diagnose(proof, stage, failed, seconds, engine)
    return found


def hypotheses_when(stage: Stage, failure: Outcome) -> list[str]:
    """The conjuncts that were assumed in the round in which a query failed."""
    lost: set[str] = set()
    for failures in stage.rounds:
        if failure in failures:
            break
        lost |= {outcome.query.subject for outcome in failures}
    return [name for name in stage.encoding.conjuncts if name not in lost and _assumed(stage, name)]


def _assumed(stage: Stage, name: str) -> bool:
    return any(goal.name == name and not goal.of_steps for goal in [*stage.goals, *stage.hypotheses])


def _diagnose(proof: Proof, stage: Stage, failed: list[str], seconds: float, engine: Engine) -> list[Diagnosis]:
    first = stage.rounds[0]
    needed: dict[str, int] = {}
    failures: dict[str, CounterexampleToInduction | None] = {}
    mine = [proof.first_failure(name) for name in failed]
    others = [outcome for outcome in first if outcome.query.subject not in failed]
    for outcome in [*mine, *others[:CAUSES_MAX]]:
        given = hypotheses_when(stage, outcome)
        shrunk = find_cti(stage, outcome, given, fewest_facts=outcome in mine)
        failures[outcome.query.subject] = shrunk
        for name, size in (shrunk.sizes if shrunk else {}).items():
            needed[name] = max(size, needed.get(name, 1))
    suspects = [
        transition.name
        for o in first
        if (transition := o.query.transition) and transition.action and transition.action.fault
    ]
    claims = [proof.model.properties[name] for name in failed]
    searched = search(proof.model, stage.encoding.config, claims, needed, suspects, seconds, engine)
    for name in failed:
        if name in proof.refuted and name not in searched.found:
            refuted = proof.refuted[name]
            searched.found[name] = Counterexample(name, refuted.arguments, refuted.trace)
    causes = [
        (outcome.query.transition.name if outcome.query.transition else "", outcome.query.subject)
        for round_failed in stage.rounds
        for outcome in round_failed
        if outcome.query.subject not in failed
    ]
    gave_up = [o.query.name for fs in stage.rounds for o in fs if o.answer is Answer.UNKNOWN]
    return [Diagnosis(name, failures.get(name), searched.found.get(name), searched, causes, gave_up) for name in failed]
