"""The verification conditions: each an SMT-LIB script of its own that must have no model.

Substitution, not a second copy of the state: a step defines ``|next stage|`` over ``|st stage|``; a conjunct after the
step is the conjunct with the names of what the step writes replaced. Where it writes nothing that a conjunct reads,
there is nothing to ask.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from onceproof.model.checker.prover import sexpr
from onceproof.model.checker.prover.encoding import Conjunct, Encoding, Law, Transition, Vocabulary
from onceproof.model.checker.prover.names import AFTER, before_symbol
from onceproof.model.checker.prover.sexpr import Sexpr


@dataclass(frozen=True)
class VerificationCondition:
    """What must be shown: ``goal`` follows from the invariant, after the step of ``transition`` if there is one.

    kind: "starts" (it holds initially), "kept" (a step keeps it), "defined" (no index is none where it is used).
    subject: the claim that is to hold; of kind "defined", whose formula must be defined ("" for an action), and then
    ``number`` says which of its obligations it is (from 1) and ``message`` what would go wrong.
    """

    kind: str
    transition: Transition | None
    subject: str
    goal: Sexpr
    number: int = 0
    message: str = ""

    @property
    def name(self) -> str:
        """``lapse/one_holder``: the action and the conjunct."""
        what = f"{self.subject}: {self.message}" if self.subject and self.message else self.subject or self.message
        return f"{self.transition.name if self.transition else 'any state'}/{what}"

    @property
    def assumes(self) -> bool:
        """Whether the invariant may be assumed: everywhere but at the start."""
        return self.kind != "starts"

    @property
    def in_step(self) -> bool:
        """Whether its transition may be taken to be possible.

        Not where an index of an action is to be shown not to be none: where it is none there is no step.
        """
        return self.transition is not None and (self.kind != "defined" or bool(self.subject))

    @property
    def claim(self) -> str | None:
        """The claim that fails where this does; None where only definedness is at stake."""
        return None if self.kind == "defined" else self.subject


def renaming(transition: Transition) -> dict[str, str]:
    """The functions of the state that a step gives new values, with the names of those."""
    return {before_symbol(update.symbol): update.symbol for update in transition.updates}


def after(transition: Transition, formula: Sexpr) -> Sexpr:
    """What a formula of the state says of the state after a step."""
    return sexpr.rename(formula, renaming(transition))


def of_step(transition: Transition, formula: Sexpr) -> Sexpr:
    """What a formula of two states says of a step: what the step does not write is as it was."""
    new = {update.symbol for update in transition.updates}
    kept = {symbol for symbol in sexpr.symbols(formula) if symbol.startswith(AFTER) and symbol not in new}
    return sexpr.rename(formula, {symbol: before_symbol(symbol) for symbol in kept})


def conditions_of(
    transition: Transition, goals: Iterable[Conjunct], initial: bool = False
) -> Iterator[VerificationCondition]:
    """What must be shown of one action (or of the start) for all goals; nothing of what it trivially keeps."""
    written = set(renaming(transition))
    kind = "starts" if initial else "kept"
    for goal in goals:
        if goal.of_steps:
            if not initial:
                yield VerificationCondition(kind, transition, goal.name, of_step(transition, goal.formula))
                for number, (message, formula) in enumerate(goal.obligations, 1):
                    claimed = of_step(transition, formula)
                    yield VerificationCondition("defined", transition, goal.name, claimed, number, message)
        elif initial or written & goal.reads:
            yield VerificationCondition(kind, transition, goal.name, after(transition, goal.formula))


def all_conditions(
    encoding: Encoding, goals: list[Conjunct], with_actions: bool = True
) -> Iterator[VerificationCondition]:
    """Every verification condition of the goals, in order: the start, each action, the claims themselves.

    with_actions: also that no action and no axiom uses an index that is None.
    """
    yield from conditions_of(encoding.start, goals, initial=True)
    for transition in encoding.transitions.values():
        yield from conditions_of(transition, goals)
        if with_actions:
            yield from _defined(transition, "", transition.obligations)
    for claim in [*(encoding.laws.values() if with_actions else ()), *(goal for goal in goals if not goal.of_steps)]:
        yield from _defined(None, claim.name, claim.obligations)


def _defined(
    transition: Transition | None, subject: str, obligations: Sequence[tuple[str, Sexpr]]
) -> Iterator[VerificationCondition]:
    for number, (message, formula) in enumerate(obligations, 1):
        yield VerificationCondition("defined", transition, subject, formula, number, message)


def trivially_kept(encoding: Encoding, goals: list[Conjunct]) -> int:
    """How many pairs of an action and a goal need no condition, as the action writes nothing that the goal reads."""
    return sum(
        not (goal.of_steps or set(renaming(transition)) & goal.reads)
        for transition in encoding.transitions.values()
        for goal in goals
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


def script(encoding: Encoding, condition: VerificationCondition, assumed: Iterable[Law | Conjunct]) -> str:
    """The whole script of one verification condition, for any SMT-LIB 2 solver: unsat means proved."""
    commands: list[Sexpr] = [("set-logic", "ALL"), *declarations(encoding.vocabulary)]
    if condition.transition:
        commands += definitions(condition.transition)
    commands += [("assert", one.formula) for one in assumed]
    if condition.in_step:
        commands.append(("assert", "enabled"))
    commands += [("assert", sexpr.negation(condition.goal)), ("check-sat",)]
    return "\n".join(sexpr.pretty(command) for command in commands) + "\n"
