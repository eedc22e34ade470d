"""z3, asked one verification condition after the other in SMT-LIB text. Slow to import: not before it is needed."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any

import z3

from onceproof.model.checker.prover import sexpr
from onceproof.model.checker.prover.encoding import Conjunct, Encoding, Law, Transition
from onceproof.model.checker.prover.finite import Structure
from onceproof.model.checker.prover.sexpr import Sexpr
from onceproof.model.checker.prover.verification_conditions import VerificationCondition, declarations, definitions

USE = "use "  # before the name of what is assumed, in the names that cores consist of


class Answer(Enum):
    """What a solver says of a verification condition."""

    PROVED = "proved"
    REFUTED = "refuted"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Outcome:
    """The answer to one query. core: the conjuncts and laws that were needed (enough, not always the fewest)."""

    query: VerificationCondition
    answer: Answer
    seconds: float
    core: frozenset[str] = frozenset()


class Session:
    """A solver that knows a model's laws, one transition and some hypotheses, and is asked goal after goal."""

    def __init__(
        self, encoding: Encoding, transition: Transition | None, hypotheses: Sequence[Conjunct], timeout: float
    ) -> None:
        self.encoding, self.transition = encoding, transition
        self._parser = z3.ParserContext()
        commands = declarations(encoding.vocabulary) + (definitions(transition) if transition else [])
        self._parser.from_string("\n".join(map(sexpr.render, commands)))
        self._solver = z3.Solver()
        self._solver.set("timeout", max(1, int(timeout * 1000)))
        assumed: list[Law | Conjunct] = [*encoding.laws.values(), *hypotheses]
        formulas = self._parser.from_string("".join(map(_assertion, (one.formula for one in assumed))))
        for one, formula in zip(assumed, formulas, strict=True):
            self._solver.assert_and_track(formula, _mark(one.name))

    def ask(self, query: VerificationCondition) -> Outcome:
        """Whether the goal of a query follows."""
        began = time.perf_counter()
        self._suppose(_against(query))
        found = self._solver.check()
        core: frozenset[str] = frozenset()
        if found == z3.unsat:
            core = frozenset(used.decl().name().removeprefix(USE) for used in self._solver.unsat_core())
        self._solver.pop()
        return Outcome(query, _answer(found), time.perf_counter() - began, core)

    def possible(self) -> Answer:
        """Whether the transition can happen in some state that the hypotheses allow; REFUTED if in none."""
        self._suppose(["enabled"])
        found = self._solver.check()
        self._solver.pop()
        return Answer.PROVED if found == z3.sat else Answer.REFUTED if found == z3.unsat else Answer.UNKNOWN

    def counterexample(self, query: VerificationCondition, also: Sequence[Sexpr] = ()) -> Structure | None:
        """A state with arguments of the transition in which the goal fails and ``also`` holds, or None."""
        self._suppose([*_against(query), *also])
        structure = None
        if self._solver.check() == z3.sat:
            structure = _structure(self.encoding, self.transition, self._solver.model())
        self._solver.pop()
        return structure

    def allows(self, query: VerificationCondition, also: Sequence[Sexpr]) -> bool:
        """Whether a state (with arguments) is found in which the goal fails and ``also`` holds."""
        self._suppose([*_against(query), *also])
        found = self._solver.check()
        self._solver.pop()
        return bool(found == z3.sat)

    def _suppose(self, formulas: Iterable[Sexpr]) -> None:
        """Asserts formulas until the next ``pop``."""
        self._solver.push()
        for formula in formulas:
            self._solver.add(self._parser.from_string(_assertion(formula))[0])


def _against(query: VerificationCondition) -> list[Sexpr]:
    """What holds where the goal of a query fails."""
    return [*(["enabled"] if query.in_step else []), sexpr.negation(query.goal)]


@lru_cache(maxsize=4096)
def _assertion(formula: Sexpr) -> str:
    """The command that asserts a formula: hypotheses are asserted anew for every action."""
    return f"(assert {sexpr.render(formula)})\n"


@lru_cache(maxsize=4096)
def _mark(name: str) -> Any:
    """The name by which a core says that something assumed was used."""
    return z3.Bool(USE + name)


def _answer(found: Any) -> Answer:
    if found == z3.unsat:
        return Answer.PROVED
    return Answer.REFUTED if found == z3.sat else Answer.UNKNOWN


def _structure(encoding: Encoding, transition: Transition | None, model: Any) -> Structure:
    """A z3 model as a finite structure, elements numbered in the order of their universe."""
    elements: dict[str, list[Any]] = {}
    universes = {f"|{sort.name()}|": list(model.get_universe(sort)) for sort in model.sorts()}
    for sort in encoding.vocabulary.sorts:
        elements[sort] = universes.get(sort, [])
    structure = Structure({sort: max(1, len(found)) for sort, found in elements.items()})
    declared = {f"|{decl.name()}|": decl for decl in model.decls()}
    first = {name: values[0] for name, values in encoding.vocabulary.datatypes}
    wanted = [*encoding.vocabulary.functions, *((name, (), sort) for name, sort in encoding.vocabulary.constants)]
    if transition:
        wanted += [(name, (), sort) for name, sort in transition.constants]
        wanted += [(name, sorts, "Bool") for name, sorts in transition.wires]
    for name, sorts, result in wanted:
        decl = declared.get(name)
        table = {}
        for key in _keys([structure.sizes[sort] for sort in sorts]):
            if decl is None:
                table[key] = False if result == "Bool" else first.get(result, 0)
                continue
            arguments = [elements[sort][number] for sort, number in zip(sorts, key, strict=True)]
            value = model.eval(decl(*arguments), model_completion=True)
            table[key] = _value(value, result, elements)
        structure.tables[name] = table
    return structure


def _keys(sizes: list[int]) -> list[tuple[int, ...]]:
    keys: list[tuple[int, ...]] = [()]
    for size in sizes:
        keys = [(*key, number) for key in keys for number in range(size)]
    return keys


def _value(value: Any, result: str, elements: dict[str, list[Any]]) -> bool | int | str:
    if result == "Bool":
        return bool(z3.is_true(value))
    if result in elements:
        known = [number for number, element in enumerate(elements[result]) if element.eq(value)]
        return known[0] if known else 0
    return f"|{value.decl().name()}|"
