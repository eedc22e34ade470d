"""Which queries lie in a decidable fragment: no cycle among the sorts that functions and "for all … exists" lead to.

Where every function and every existential under universals leads from sort to sort without a cycle, only finitely many
terms can be built from what a query names. Such a query (effectively propositional, with stratified functions) has a
finite counterexample or none, and a solver can always tell which.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from onceproof.model.checker.prover import sexpr
from onceproof.model.checker.prover.encoding import Conjunct, Encoding, Law, Transition
from onceproof.model.checker.prover.sexpr import Sexpr
from onceproof.model.checker.prover.verification_conditions import VerificationCondition

Edges = set[tuple[str, str]]
Macros = Mapping[str, tuple[tuple[str, ...], Sexpr]]


def in_fragment(encoding: Encoding, query: VerificationCondition, assumed: Iterable[Law | Conjunct]) -> bool:
    """Whether a query with these assumptions is in the decidable fragment."""
    return cycle(edges_of(encoding, query, assumed)) is None


def edges_of(encoding: Encoding, query: VerificationCondition, assumed: Iterable[Law | Conjunct]) -> Edges:
    """From which sorts to which the functions and the nested quantifiers of a query lead."""
    edges = function_edges(encoding)
    for one in assumed:
        _collect(one.formula, True, {}, edges)
    macros = _macros(query.transition) if query.transition else {}
    if query.transition and query.in_step:
        _collect(query.transition.enabled, True, {}, edges)
    _collect(_expanded(query.goal, macros), False, {}, edges)
    return edges


def function_edges(encoding: Encoding) -> Edges:
    """From each argument's sort of a function of the state to the sort of its result."""
    sorts = set(encoding.vocabulary.sorts)
    return {(sort, result) for _, given, result in encoding.vocabulary.functions if result in sorts for sort in given}


def cycle(edges: Edges) -> list[str] | None:
    """A cycle of sorts, or None where there is none."""
    onward: dict[str, set[str]] = {}
    for source, target in edges:
        onward.setdefault(source, set()).add(target)
    done: set[str] = set()

    def search(sort: str, path: list[str]) -> list[str] | None:
        if sort in path:
            return path[path.index(sort) :]
        if sort in done:
            return None
        for target in sorted(onward.get(sort, ())):
            found = search(target, [*path, sort])
            if found:
                return found
        done.add(sort)
        return None

    return next((found for sort in sorted(onward) if (found := search(sort, []))), None)


def _collect(formula: Sexpr, positive: bool, universals: Mapping[str, str], edges: Edges) -> None:
    """Notes the edges of a formula that is asserted (or denied, if not positive) under these universal variables.

    What exists depends on those of them that its formula speaks of, no others.
    """
    if isinstance(formula, str):
        return
    head, *rest = formula
    if head in ("forall", "exists"):
        if (head == "forall") == positive:
            _collect(rest[1], positive, {**universals, **dict(rest[0])}, edges)
        else:
            spoken_of = {universals[name] for name in set(sexpr.symbols(rest[1])) & set(universals)}
            edges.update((source, target) for source in spoken_of for _, target in rest[0])
            _collect(rest[1], positive, universals, edges)
    elif head == "not":
        _collect(rest[0], not positive, universals, edges)
    elif head in ("and", "or"):
        for part in rest:
            _collect(part, positive, universals, edges)
    else:  # an equality or a choice: what is inside counts both ways
        for part in rest:
            if not isinstance(part, str):
                _collect(part, True, universals, edges)
                _collect(part, False, universals, edges)


def _macros(transition: Transition) -> Macros:
    return {u.symbol: (tuple(name for name, _ in u.parameters), u.value) for u in transition.updates}


def _expanded(formula: Sexpr, macros: Macros) -> Sexpr:
    if isinstance(formula, str):
        return macros[formula][1] if formula in macros else formula
    head, *rest = formula
    parts = tuple(_expanded(part, macros) for part in rest)
    if isinstance(head, str) and head in macros:
        names, body = macros[head]
        return sexpr.substitute(body, dict(zip(names, parts, strict=True)))
    return (head, *parts)
