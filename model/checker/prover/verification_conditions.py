"""The verification conditions: each an SMT-LIB script of its own that must have no model.

Substitution, not a second copy of the state: a step defines ``next.stage`` over ``st.stage``; a conjunct after the step
is the conjunct with the names of what the step writes replaced. Where it writes nothing that a conjunct reads, there
is nothing to ask.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from onceproof.model.checker.prover import sexpr
from onceproof.model.checker.prover.encoding import AFTER, Conjunct, Move, Reading, Vocabulary
from onceproof.model.checker.prover.formulas import BEFORE
from onceproof.model.checker.prover.sexpr import Sexpr


@dataclass(frozen=True)
class Query:
    """One verification condition. ``goal`` follows from the invariant, after the step of ``move`` if there is one.

    kind: "starts" (it holds initially), "kept" (a step keeps it), "defined" (no index is none where it is used).
    """

    kind: str
    move: Move | None
    subject: str  # the conjunct that is to hold, or (``defined``) what could go wrong
    goal: Sexpr

    @property
    def name(self) -> str:
        """``lapse/one_holder``: the action and the conjunct."""
        return f"{self.move.name if self.move else 'any state'}/{self.subject}"

    @property
    def assumes(self) -> bool:
        """Whether the invariant may be assumed: everywhere but at the start."""
        return self.kind != "starts"


def renaming(move: Move) -> dict[str, str]:
    """The functions of the state that a step gives new values, with the names of those."""
    return {BEFORE + update.symbol.removeprefix(AFTER): update.symbol for update in move.updates}


def after(move: Move, formula: Sexpr) -> Sexpr:
    """What a formula of the state says of the state after a step."""
    return sexpr.rename(formula, renaming(move))


def queries_of(move: Move, goals: Iterable[Conjunct], initial: bool = False) -> Iterator[Query]:
    """What must be shown of one action (or of the start) for all goals; nothing of what it trivially keeps."""
    written = set(renaming(move))
    for goal in goals:
        if initial or written & goal.reads:
            yield Query("starts" if initial else "kept", move, goal.name, after(move, goal.formula))


def all_queries(reading: Reading, goals: list[Conjunct], with_actions: bool = True) -> Iterator[Query]:
    """Every verification condition of the goals, in order: the start, each action, the claims themselves.

    with_actions: also that no action uses an index that is none.
    """
    yield from queries_of(reading.start, goals, initial=True)
    for move in reading.moves.values():
        yield from queries_of(move, goals)
        if with_actions:
            yield from (Query("defined", move, message, formula) for message, formula in move.obligations)
    for goal in goals:
        for message, formula in goal.obligations:
            yield Query("defined", None, f"{goal.name}: {message}", formula)


def kept_trivially(reading: Reading, goals: list[Conjunct]) -> int:
    """How many pairs of an action and a goal need no query, because the action writes nothing that the goal reads."""
    return sum(not (set(renaming(move)) & goal.reads) for move in reading.moves.values() for goal in goals)


def declarations(vocabulary: Vocabulary) -> list[Sexpr]:
    """The commands that declare a model's sorts, values, functions and constants."""
    commands: list[Sexpr] = [("declare-sort", sort, "0") for sort in vocabulary.sorts]
    for name, values in vocabulary.datatypes:
        commands.append(("declare-datatypes", ((name, "0"),), (tuple((value,) for value in values),)))
    commands += [("declare-fun", name, tuple(sorts), result) for name, sorts, result in vocabulary.functions]
    return commands + [("declare-fun", name, (), sort) for name, sort in vocabulary.constants]


def definitions(move: Move) -> list[Sexpr]:
    """The commands that declare an action's arguments and define what is enabled and what comes next."""
    commands: list[Sexpr] = [("declare-fun", name, (), sort) for name, sort in move.constants]
    commands += [("declare-fun", name, sorts, "Bool") for name, sorts in move.wires]
    for update in move.updates:
        commands.append(("define-fun", update.symbol, update.parameters, update.result, update.value))
    return [*commands, ("define-fun", "enabled", (), "Bool", move.enabled)]


def assumption(conjunct: Conjunct) -> Sexpr:
    """The command that assumes a conjunct in the state before the step."""
    return ("assert", conjunct.formula)


def script(reading: Reading, query: Query, hypotheses: Iterable[Conjunct]) -> str:
    """The whole script of one query, for any SMT-LIB 2 solver: unsat means proved."""
    commands: list[Sexpr] = [("set-logic", "ALL"), *declarations(reading.vocabulary)]
    if query.move:
        commands += definitions(query.move)
    if query.assumes:
        commands += [assumption(conjunct) for conjunct in hypotheses]
    if query.move:
        commands.append(("assert", "enabled"))
    commands += [("assert", sexpr.negation(query.goal)), ("check-sat",)]
    return "\n".join(sexpr.pretty(command) for command in commands) + "\n"
