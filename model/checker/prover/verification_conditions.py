"""The verification conditions: each an SMT-LIB script of its own that must have no model.

Substitution, not a second copy of the state: a step defines ``next.stage`` over ``st.stage``; a conjunct after the step
is the conjunct with the names of what the step writes replaced. Where it writes nothing that a conjunct reads, there
is nothing to ask.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from onceproof.model.checker.prover import sexpr
from onceproof.model.checker.prover.encoding import AFTER, Conjunct, Encoding, Transition, Vocabulary
from onceproof.model.checker.prover.formulas import BEFORE
from onceproof.model.checker.prover.sexpr import Sexpr


@dataclass(frozen=True)
class VerificationCondition:
    """What must be shown: ``goal`` follows from the invariant, after the step of ``transition`` if there is one.

    kind: "starts" (it holds initially), "kept" (a step keeps it), "defined" (no index is none where it is used).
    """

    kind: str
    transition: Transition | None
    subject: str  # the conjunct that is to hold, or (``defined``) what could go wrong
    goal: Sexpr

    @property
    def name(self) -> str:
        """``lapse/one_holder``: the action and the conjunct."""
        return f"{self.transition.name if self.transition else 'any state'}/{self.subject}"

    @property
    def assumes(self) -> bool:
        """Whether the invariant may be assumed: everywhere but at the start."""
        return self.kind != "starts"


def renaming(transition: Transition) -> dict[str, str]:
    """The functions of the state that a step gives new values, with the names of those."""
    return {BEFORE + update.symbol.removeprefix(AFTER): update.symbol for update in transition.updates}


def after(transition: Transition, formula: Sexpr) -> Sexpr:
    """What a formula of the state says of the state after a step."""
    return sexpr.rename(formula, renaming(transition))


def conditions_of(
    transition: Transition, goals: Iterable[Conjunct], initial: bool = False
) -> Iterator[VerificationCondition]:
    """What must be shown of one action (or of the start) for all goals; nothing of what it trivially keeps."""
    written = set(renaming(transition))
    for goal in goals:
        if initial or written & goal.reads:
            yield VerificationCondition(
                "starts" if initial else "kept", transition, goal.name, after(transition, goal.formula)
            )


def all_conditions(
    encoding: Encoding, goals: list[Conjunct], with_actions: bool = True
) -> Iterator[VerificationCondition]:
    """Every verification condition of the goals, in order: the start, each action, the claims themselves.

    with_actions: also that no action uses an index that is none.
    """
    yield from conditions_of(encoding.start, goals, initial=True)
    for transition in encoding.transitions.values():
        yield from conditions_of(transition, goals)
        if with_actions:
            yield from (
                VerificationCondition("defined", transition, message, formula)
                for message, formula in transition.obligations
            )
    for goal in goals:
        for message, formula in goal.obligations:
            yield VerificationCondition("defined", None, f"{goal.name}: {message}", formula)


def trivially_kept(encoding: Encoding, goals: list[Conjunct]) -> int:
    """How many pairs of an action and a goal need no query, because the action writes nothing that the goal reads."""
    return sum(
        not (set(renaming(transition)) & goal.reads) for transition in encoding.transitions.values() for goal in goals
    )


def declarations(vocabulary: Vocabulary) -> list[Sexpr]:
    """The commands that declare a model's sorts, values, functions and constants."""
    commands: list[Sexpr] = [("declare-sort", sort, "0") for sort in vocabulary.sorts]
    for name, values in vocabulary.datatypes:
        commands.append(("declare-datatypes", ((name, "0"),), (tuple((value,) for value in values),)))
    commands += [("declare-fun", name, tuple(sorts), result) for name, sorts, result in vocabulary.functions]
    return commands + [("declare-fun", name, (), sort) for name, sort in vocabulary.constants]


def definitions(transition: Transition) -> list[Sexpr]:
    """The commands that declare an action's arguments and define what is enabled and what comes next."""
    commands: list[Sexpr] = [("declare-fun", name, (), sort) for name, sort in transition.constants]
    commands += [("declare-fun", name, sorts, "Bool") for name, sorts in transition.wires]
    for update in transition.updates:
        commands.append(("define-fun", update.symbol, update.parameters, update.result, update.value))
    return [*commands, ("define-fun", "enabled", (), "Bool", transition.enabled)]


def assumption(conjunct: Conjunct) -> Sexpr:
    """The command that assumes a conjunct in the state before the step."""
    return ("assert", conjunct.formula)


def script(encoding: Encoding, query: VerificationCondition, hypotheses: Iterable[Conjunct]) -> str:
    """The whole script of one query, for any SMT-LIB 2 solver: unsat means proved."""
    commands: list[Sexpr] = [("set-logic", "ALL"), *declarations(encoding.vocabulary)]
    if query.transition:
        commands += definitions(query.transition)
    if query.assumes:
        commands += [assumption(conjunct) for conjunct in hypotheses]
    if query.transition:
        commands.append(("assert", "enabled"))
    commands += [("assert", sexpr.negation(query.goal)), ("check-sat",)]
    return "\n".join(sexpr.pretty(command) for command in commands) + "\n"
