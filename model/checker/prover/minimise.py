"""What of the invariant is really needed: conjuncts left out one by one, as long as what remains is inductive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from onceproof.model.checker.prover.encoding import Conjunct
from onceproof.model.checker.prover.induction import SECONDS_PER_QUERY, Proof, Stage
from onceproof.model.checker.prover.solver import Answer, Outcome, Session

Key = tuple[int, str, str]  # stage, kind and name of a query


@dataclass(frozen=True)
class Needs:
    """Of each conjunct: which action needs it to keep which claim. actions[conjunct][action] is a list of claims."""

    actions: dict[str, dict[str, list[str]]]


def needs(proof: Proof) -> Needs:
    """What each conjunct is used for in a proof, as the solver found it."""
    found: dict[str, dict[str, list[str]]] = {}
    for outcome in proof.outcomes:
        for name in sorted(outcome.core):
            action = outcome.query.transition.name if outcome.query.transition else "any state"
            found.setdefault(name, {}).setdefault(action, []).append(outcome.query.subject)
    return Needs(found)


def minimal_invariant(
    proof: Proof, timeout: float = SECONDS_PER_QUERY, report: Callable[[int, int], None] | None = None
) -> list[str]:
    """The names of a smallest set of conjuncts (no one of them can go) that still proves the properties.

    The properties themselves stay in it. The last ones of the invariant are tried first.
    """
    minimiser = _Minimiser(proof, timeout)
    candidates = [name for name in reversed(minimiser.names) if name not in proof.properties]
    for number, name in enumerate(candidates, 1):
        minimiser.try_without(name)
        if report:
            report(number, len(candidates))
    return minimiser.names


class _Minimiser:
    """A set of conjuncts with the core of every query, kept up to date."""

    def __init__(self, proof: Proof, timeout: float) -> None:
        self.proof, self.timeout = proof, timeout
        self.names = [goal.name for stage in proof.stages for goal in stage.kept]
        self.outcomes: dict[Key, Outcome] = {
            (number, outcome.query.kind, outcome.query.name): outcome
            for number, stage in enumerate(proof.stages)
            for outcome in stage.outcomes
        }

    def try_without(self, name: str) -> bool:
        """Leaves a conjunct out if all that was proved from it can be proved without it."""
        rest = [other for other in self.names if other != name]
        affected = {
            key: outcome
            for key, outcome in self.outcomes.items()
            if name in outcome.core and outcome.query.subject != name
        }
        again = self._asked(affected, set(rest))
        if again is None:
            return False
        self.names = rest
        mine = {key for key, outcome in self.outcomes.items() if outcome.query.subject == name}
        self.outcomes = {key: o for key, o in {**self.outcomes, **again}.items() if key not in mine}
        return True

    def _asked(self, affected: dict[Key, Outcome], names: set[str]) -> dict[Key, Outcome] | None:
        sessions: dict[tuple[int, str], Session] = {}
        found = {}
        for key, outcome in affected.items():
            stage, transition = self.proof.stages[key[0]], outcome.query.transition
            place = (key[0], transition.name if transition else "")
            if place not in sessions:
                sessions[place] = Session(stage.encoding, transition, _given(stage, names), self.timeout)
            found[key] = sessions[place].ask(outcome.query)
            if found[key].answer is not Answer.PROVED:
                return None
        return found


def _given(stage: Stage, names: set[str]) -> list[Conjunct]:
    return [conjunct for conjunct in stage.hypotheses if conjunct.name in names]
