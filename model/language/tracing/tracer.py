"""Trace a model function once with symbolic indices: every way through it becomes a guarded update.

A symbolic condition that is asked for its truth forks the trace, and the function is executed again for the other
branch. The bodies of quantifiers, and of loops whose passes have nothing to do with each other, are traced apart, so
that their branches add up instead of multiplying. An index-or-none forks when it is read, so that ``is None`` means
what it means in Python.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from dataclasses import field as attribute
from typing import Any

from onceproof.model.language.declare import Action, Field, Parameter, Property
from onceproof.model.language.errors import MISPLACED, Disabled, ModelError, Vacuous, locate, located
from onceproof.model.language.mode import active
from onceproof.model.language.model import Config, Model
from onceproof.model.language.reading.result import Obligation, Path, TracedAction, TracedProperty, Write, overwritten
from onceproof.model.language.sorts import Choice, Index, Maybe, Sort
from onceproof.model.language.terms import (
    FALSE,
    TRUE,
    Const,
    Eq,
    Not,
    Read,
    Term,
    Var,
    and_,
    deref,
    is_none,
    ite,
    not_,
    or_,
    quantified,
)
from onceproof.model.language.tracing.source_checks import check_source, why_passes_hang_together
from onceproof.model.language.tracing.state import MissingElement, TraceState
from onceproof.model.language.tracing.symbols import Condition, condition_term, python_value, value_term

__all__ = ["Obligation", "Path", "TracedAction", "TracedProperty", "Tracer", "Write", "overwritten"]

MOST_PATHS = 20_000
MOST_DECISIONS = 500


@dataclass
class _Leaf:
    decisions: list[tuple[Term, bool]]
    outcome: str  # done, disabled, vacuous, error
    result: Any = None
    writes: list[Write] = attribute(default_factory=list)


@dataclass
class _Frame:
    prefix: list[bool]
    decisions: list[tuple[Term, bool]] = attribute(default_factory=list)


class Tracer:
    """Reads the functions of one model under one configuration; unbounded: loops stay quantified."""

    def __init__(self, model: Model, config: Config, unbounded: bool = False) -> None:
        self.model, self.config, self.unbounded = model, config, unbounded
        self.sizes = {name: config.sizes[sort.size_name] for name, sort in model.sorts.items()}
        self._frames: list[_Frame] = []
        self._writes: list[Write] = []
        self._obligations: list[Obligation] = []
        self._open_loops = 0
        self._ordered: set[str] = set()
        self._variables = 0
        self._parameters: set[str] = set()
        self._place, self._guard = "", "require"
        self.skips_given = False

    def action(self, action: Action) -> TracedAction:
        """All ways through an action, as its author wrote it; ModelError (with the line) for misuse."""
        self._begin(f"action `{action.name}`", action.function)
        self._guard = "require"
        variables = self._parameter_variables(action.parameters)
        leaves = self._traced(action.function, variables)
        paths = tuple(
            Path(tuple(_literal(*d) for d in leaf.decisions), tuple(leaf.writes))
            for leaf in leaves
            if leaf.outcome == "done"
        )
        return TracedAction(action, variables, paths, tuple(dict.fromkeys(self._obligations)))

    def property(self, claim: Property) -> TracedProperty:
        """The antecedent and the claim of a property as terms; ModelError (with the line) for misuse.

        The claim is true where the antecedent is not, except for ``eventually``: its promise stands by itself.
        """
        self._begin(claim.what, claim.function)
        self._guard = "given"
        variables = self._parameter_variables(claim.parameters)
        leaves = self._traced(claim.function, variables)
        antecedent = _tree(leaves, lambda leaf: FALSE if leaf.outcome == "vacuous" else TRUE)
        if claim.kind == "eventually":
            self.skips_given, self._obligations = True, []
            leaves = self._traced(claim.function, variables)
            self.skips_given = False
        if any(leaf.writes for leaf in leaves):
            raise located("a property must not write", self._place, claim.function)
        try:
            body = _tree(leaves, lambda leaf: TRUE if leaf.outcome != "done" else condition_term(leaf.result))
        except ModelError as error:
            text = f"it must return a condition: {error.message}"
            raise located(text, self._place, claim.function) from None
        missing = tuple(dict.fromkeys(self._obligations))
        return TracedProperty(claim, variables, antecedent, body, missing, frozenset(self._ordered))

    # -- what the symbols and the declarations ask of the tracer

    def decide(self, term: Term) -> bool:
        """Which way the trace goes on where ``term`` decides; remembers it as a fact."""
        if isinstance(term, Not):
            return not self.decide(term.term)
        if isinstance(term, Const):
            return bool(term.code)
        known = self._known(term)
        if known is not None:
            return known
        frame = self._frames[-1]
        position = len(frame.decisions)
        truth = frame.prefix[position] if position < len(frame.prefix) else True
        frame.decisions.append((term, truth))
        if len(frame.decisions) > MOST_DECISIONS:
            raise ModelError(f"more than {MOST_DECISIONS} decisions on one way through it: a loop that need not end?")
        return truth

    def guard(self, condition: Any, what: str) -> bool:
        """The truth of a ``require`` or ``given``; inside a loop there is none."""
        if what != self._guard:
            raise ModelError(MISPLACED[what])
        if self._open_loops:
            raise ModelError("a guard inside a loop: put `require(forall(Sort, lambda x: ...))` before the loop")
        if isinstance(condition, Condition):
            return self.decide(condition.term)
        return bool(condition_term(condition) == TRUE)

    def iterate(self, sort: type[Sort]) -> Iterator[Any]:
        """The elements of a sort. Where passes have nothing to do with each other they are traced apart."""
        bond = why_passes_hang_together(sys._getframe(2))  # the frame below: that of ``SortType.__iter__``
        if self.unbounded and bond:
            raise ModelError(
                f"{bond}, and here {sort.__name__} has any number of elements: say it with `forall` or `exists`"
            )
        if self.unbounded or bond is None:
            return self._passes(sort)
        self._ordered.add(sort.__name__)
        return (python_value(Const(Index(sort), index), self.decide) for index in range(self.sizes[sort.__name__]))

    def _passes(self, sort: type[Sort]) -> Iterator[Any]:
        """The elements of a sort, each given out once for every way through the body of the loop."""
        if self.unbounded:
            elements: list[Term] = [self._variable(sort)]
        else:
            elements = [Const(Index(sort), index) for index in range(self.sizes[sort.__name__])]
        for element in elements:
            prefix: list[bool] | None = []
            merged: list[Write] = []
            mark = len(self._writes)
            while prefix is not None:
                frame = _Frame(prefix)
                self._frames.append(frame)
                self._open_loops += 1
                yield python_value(element, self.decide)
                self._open_loops -= 1
                if self._frames.pop() is not frame:
                    raise ModelError("a loop over a sort was left early")
                condition = and_(*(_literal(*decision) for decision in frame.decisions))
                merged += [_under(write, condition, element) for write in self._writes[mark:]]
                del self._writes[mark:]
                prefix = _next_prefix(frame)
            self._writes += merged
            if isinstance(element, Var):
                self._check_independent(element, merged)

    def size(self, sort: type[Sort]) -> int:
        """How many elements a sort has; ModelError where there may be any number."""
        if self.unbounded:
            raise ModelError(f"here {sort.__name__} has any number of elements: `len` has no value")
        return self.sizes[sort.__name__]

    def quantify(self, universal: bool, sorts: tuple[type[Sort], ...], body: Callable[..., Any]) -> Any:
        """The quantified condition that ``body`` describes."""
        variables = tuple(self._variable(sort) for sort in sorts)
        before = len(self._writes)
        leaves = self._leaves(lambda: body(*(python_value(variable, self.decide) for variable in variables)))
        if len(self._writes) != before or any(leaf.writes for leaf in leaves):
            raise ModelError("a quantifier must not write")
        if any(leaf.outcome in ("disabled", "vacuous") for leaf in leaves):
            raise ModelError("a guard inside a quantifier: return the condition instead")
        term = quantified(universal, variables, _tree(leaves, lambda leaf: condition_term(leaf.result)))
        return python_value(term, self.decide)

    def read(self, declared: Field, indices: tuple[Term, ...]) -> Any:
        """The value of a cell, with what the function itself wrote before."""
        term: Term = Read(declared.name, indices, declared.kind)
        for write in self._writes:
            if write.field == declared.name:
                term = overwritten(write, indices, term)
        if isinstance(declared.kind, Maybe):
            if self.decide(is_none(term)):
                return None
            return python_value(deref(term, declared.kind.sort), self.decide)
        return python_value(term, self.decide)

    def write(self, declared: Field, indices: tuple[Term, ...], value: Any) -> None:
        """Notes a write; ModelError where the value does not fit the field."""
        if declared.constant:
            raise ModelError(f"`{declared.name}` is constant")
        try:
            term = value_term(declared.kind, value)
        except ModelError as error:
            raise ModelError(f"`{declared.name}`: {error.message}") from None
        self._writes.append(Write(declared.name, indices, term))

    # -- inside

    def _begin(self, what: str, function: Callable[..., Any]) -> None:
        self._place = what
        self._obligations, self._variables = [], 0
        self._frames, self._writes, self._open_loops = [], [], 0
        self._ordered = set()
        check_source(function, what)

    def _parameter_variables(self, parameters: tuple[Parameter, ...]) -> tuple[Var, ...]:
        self._parameters = {parameter.name for parameter in parameters}
        return tuple(Var(parameter.name, parameter.sort) for parameter in parameters)

    def _traced(self, function: Callable[..., Any], variables: tuple[Var, ...]) -> list[_Leaf]:
        state = TraceState(self)

        def once() -> Any:
            self._writes = []
            result = function(state, *(python_value(variable, self.decide) for variable in variables))
            if self._open_loops:
                raise ModelError("`break` or `return` inside a loop over a sort")
            return result

        with active(self):
            try:
                return self._leaves(once)
            except RecursionError as error:
                endless = ModelError("a loop that need not end, or a value too deep")
                raise locate(endless.with_traceback(error.__traceback__), self._place, function) from None
            except Exception as error:
                raise locate(error, self._place, function) from None

    def _leaves(self, execute: Callable[[], Any]) -> list[_Leaf]:
        leaves: list[_Leaf] = []
        prefix: list[bool] | None = []
        mark, depth, variables = len(self._writes), len(self._frames), self._variables
        while prefix is not None:
            self._variables = variables  # the same names in every execution, so that facts are recognised
            frame = _Frame(prefix)
            self._frames.append(frame)
            leaf = _Leaf(frame.decisions, "done")
            try:
                leaf.result = execute()
            except Disabled:
                leaf.outcome = "disabled"
            except Vacuous:
                leaf.outcome = "vacuous"
            except MissingElement as error:
                if self._open_loops:
                    raise ModelError(f"{error.message}, inside a loop: test it for None") from None
                leaf.outcome, leaf.result = "error", False
                facts = tuple(_literal(*decision) for f in self._frames for decision in f.decisions)
                self._obligations.append(Obligation(facts, error.message))
            leaf.writes = self._writes[mark:]
            del self._writes[mark:]
            del self._frames[depth:]
            leaves.append(leaf)
            prefix = _next_prefix(frame)
            if len(leaves) > MOST_PATHS:
                raise ModelError(f"more than {MOST_PATHS} ways through it; split it, or quantify instead of branching")
        return leaves

    def _variable(self, sort: type[Sort]) -> Var:
        """A variable of a loop or a quantifier, called as no parameter of the function is."""
        name = ""
        while not name or name in self._parameters:
            self._variables += 1
            name = f"{sort.__name__.lower()}_{self._variables}"
        return Var(name, sort)

    def _known(self, term: Term) -> bool | None:
        excluded = set()
        for frame in self._frames:
            for fact, truth in frame.decisions:
                if fact == term:
                    return truth
                if _same_left(fact, term):
                    if truth:
                        return False
                    excluded.add(fact.right.code)  # type: ignore[union-attr]
        if excluded and isinstance(term, Eq) and isinstance(term.right, Const) and isinstance(term.right.kind, Choice):
            others = set(range(len(term.right.kind.enum))) - {term.right.code}
            if others <= excluded:
                return True
        return None

    def _check_independent(self, element: Var, merged: list[Write]) -> None:
        """In the unbounded reading all passes of a loop happen at once: each must write cells of its own."""
        for write in merged:
            if element not in write.indices:
                raise ModelError(
                    f"a loop over {element.sort.__name__} writes `{write.field}` in every pass, and here there is no "
                    "last one: write it once, outside the loop, under an `exists`"
                )


def _literal(term: Term, truth: bool) -> Term:
    return term if truth else not_(term)


def _next_prefix(frame: _Frame) -> list[bool] | None:
    """The next branch in depth-first order: the last decision that went True goes False."""
    truths = [truth for _, truth in frame.decisions]
    while truths and not truths[-1]:
        truths.pop()
    return [*truths[:-1], False] if truths else None


def _same_left(fact: Term, term: Term) -> bool:
    return (
        isinstance(fact, Eq)
        and isinstance(term, Eq)
        and isinstance(fact.right, Const)
        and isinstance(term.right, Const)
        and fact.left == term.left
    )


def _under(write: Write, condition: Term, element: Term) -> Write:
    binders = (element, *write.binders) if isinstance(element, Var) else write.binders
    return Write(write.field, write.indices, write.value, and_(condition, write.condition), binders)


def _tree(leaves: list[_Leaf], value: Callable[[_Leaf], Term]) -> Term:
    """The decision tree that the leaves (depth first, True first) came from, as one term."""

    def build(part: list[_Leaf], depth: int) -> Term:
        if len(part) == 1 and len(part[0].decisions) == depth:
            return value(part[0])
        term = part[0].decisions[depth][0]
        yes = [leaf for leaf in part if leaf.decisions[depth][1]]
        no = [leaf for leaf in part if not leaf.decisions[depth][1]]
        if not no:
            return build(yes, depth + 1)
        if not yes:
            return build(no, depth + 1)
        return ite(term, build(yes, depth + 1), build(no, depth + 1))

    return build(leaves, 0) if leaves else or_()
