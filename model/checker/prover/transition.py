"""An action, or the start, as formulas: when it is enabled, and what every function of the state is after it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from onceproof.model.checker.prover import sexpr
from onceproof.model.checker.prover.formulas import Formulas, applied
from onceproof.model.checker.prover.names import (
    after_symbol,
    argument_symbol,
    index_symbol,
    is_wire,
    none_symbol,
    state_symbol,
    wire_symbol,
)
from onceproof.model.checker.prover.network import (
    Demand,
    absences,
    in_flight,
    kept_writes,
    lossy,
    network_fields,
    presences,
    written_absences,
)
from onceproof.model.checker.prover.sexpr import FALSE, TRUE, Sexpr
from onceproof.model.language.declare import Action, Field
from onceproof.model.language.errors import ModelError
from onceproof.model.language.model import Model
from onceproof.model.language.reading.result import ActionReading, Chosen, Obligation, Path, Write, overwritten
from onceproof.model.language.sorts import Count, Index, Int, Maybe
from onceproof.model.language.terms import FALSE as NEVER
from onceproof.model.language.terms import TRUE as ALWAYS
from onceproof.model.language.terms import Not, Read, Term, Var, and_, constant_of, ite
from onceproof.model.language.traversal import free_variables, rebuilt, walk

START = "initially"


@dataclass(frozen=True)
class Update:
    """What a function of the state is after a step: ``value`` for the arguments that ``parameters`` name."""

    symbol: str
    parameters: tuple[tuple[str, str], ...]
    result: str
    value: Sexpr


@dataclass(frozen=True)
class Transition:
    """An action (or the start, called ``initially``) as formulas.

    constants: its parameters, or what is chosen at the start, each with its sort. wires: what of each network field it
    finds in flight, as relations.
    obligations: what must be true of the state before it, each with what would go wrong.
    """

    name: str
    constants: tuple[tuple[str, str], ...]
    wires: tuple[tuple[str, tuple[str, ...]], ...]
    enabled: Sexpr
    updates: tuple[Update, ...]
    obligations: tuple[tuple[str, Sexpr], ...] = ()
    action: Action | None = None


def start_of(model: Model, formulas: Formulas, reading: ActionReading | None = None) -> Transition:
    """The start: what every field but the constant ones holds at first.

    reading: of the @initial functions, if there are any. What they choose are the arguments of the start.
    """
    first = {name: first_value(declared) for name, declared in model.fields.items() if not declared.constant}
    if reading is None:
        updates = [one for name, value in first.items() for one in updates_of(formulas, model.fields[name], value)]
        return Transition(START, (), (), TRUE, tuple(updates))
    for path in reading.paths:
        _check_passes(path.writes)
    merged, chosen, names = _merged(model, list(reading.paths), ()), dict[Var, Term](), dict[str, str]()
    constants: list[tuple[str, str]] = []
    for choice in reading.choices:
        chosen[choice.variable] = _any_value(choice)
        for symbol, argument, sort in _symbols_of(formulas, choice):
            names[symbol] = argument
            constants.append((argument, sort))
    for obligation in reading.obligations:
        if formulas.of_obligation(_at_start(and_(*obligation.guard), first, chosen)) != FALSE:
            raise ModelError(f"it may fail, and a proof for any size takes a start that cannot: {obligation.message}")
    enabled = formulas.of(_at_start(merged.enabled, first, chosen))
    if enabled == FALSE:
        raise ModelError("there is no initial state, of which nothing could be proved")
    found = []
    for name, value in first.items():
        value = _at_start(merged.values[name], first, chosen) if name in merged.values else value
        found += updates_of(formulas, model.fields[name], value)
    renamed = tuple(replace(update, value=sexpr.rename(update.value, names)) for update in found)
    return Transition(START, tuple(constants), (), sexpr.rename(enabled, names), renamed)


def _any_value(choice: Chosen) -> Read:
    """What is chosen, as a cell that may hold any value of its kind. Of a number the distance from the least one."""
    kind = Count(choice.kind.high - choice.kind.low) if isinstance(choice.kind, Int) else choice.kind
    return Read(f"choice {choice.name}", (), kind)


def _symbols_of(formulas: Formulas, choice: Chosen) -> list[tuple[str, str, str]]:
    """The functions of such a cell, each with what it is called as an argument, and its sort."""
    cell = _any_value(choice)
    found = [(state_symbol(cell.field), argument_symbol(choice.name), formulas.names.kind(cell.kind))]
    if isinstance(cell.kind, Maybe):
        found.append((none_symbol(cell.field), argument_symbol(f"{choice.name} is none"), "Bool"))
    return found


def _at_start(term: Term, first: Mapping[str, Term], chosen: Mapping[Var, Term]) -> Term:
    """A term of the @initial functions, which find in every cell what it is declared to hold at first."""
    known: dict[Term, Term] = {}

    def again(part: Term) -> Term:
        if isinstance(part, Var):
            return chosen.get(part, part)
        if isinstance(part, Read) and part.field in first:
            return first[part.field]
        if part not in known:
            known[part] = rebuilt(part, again)
        return known[part]

    return again(term)


def first_value(declared: Field) -> Term:
    """What every cell of a field holds at first; ModelError where that differs from cell to cell."""
    if callable(declared.init):
        raise ModelError(
            f"`{declared.name}` starts with a function of its indices, which has no meaning for any number of "
            "elements: declare it constant=True (a proof allows what the axioms allow), or give it one `init`"
        )
    code = 0 if declared.init is None else declared.kind.encode(declared.init)
    if isinstance(declared.kind, Index | Maybe) and code > isinstance(declared.kind, Maybe):
        raise ModelError(
            f"`{declared.name}` starts with a certain {declared.kind.sort.__name__}, and only the first one (0) has a "
            "name in a proof for any size: start with that, or with None"
        )
    return constant_of(declared.kind, code)


def cell_of(declared: Field) -> tuple[Var, ...]:
    """Variables for the indices of a field, called as no parameter of a model can be."""
    return tuple(Var(f"{place}.", sort) for place, sort in enumerate(declared.indices, 1))


def updates_of(formulas: Formulas, declared: Field, value: Term) -> list[Update]:
    """The functions of a field after a step that gives its cells, at ``cell_of`` it, this value."""
    cell = cell_of(declared)
    names = {formulas.names.variable(variable): index_symbol(place) for place, variable in enumerate(cell, 1)}
    bound = tuple((names[name], sort) for name, sort in formulas.names.binding(cell))
    kind, symbol = declared.kind, after_symbol(state_symbol(declared.name))
    if isinstance(kind, Maybe):
        none, index = formulas.pair(value)
        if none == TRUE:
            index = applied(state_symbol(declared.name), [name for name, _ in bound])
        found = [
            Update(after_symbol(none_symbol(declared.name)), bound, "Bool", none),
            Update(symbol, bound, formulas.names.sort(kind.sort), index),
        ]
    else:
        result = formulas.number_value(kind, value) if isinstance(kind, Count | Int) else formulas.of(value)
        found = [Update(symbol, bound, formulas.names.kind(kind), result)]
    return [replace(update, value=sexpr.rename(update.value, names)) for update in found]


@dataclass(frozen=True)
class _Merged:
    """All paths of an action as one: when it is enabled, and the new value of each field that it writes."""

    enabled: Term
    values: dict[str, Term]
    obligations: tuple[Obligation, ...]


def transition_of(model: Model, formulas: Formulas, reading: ActionReading) -> Transition:
    """An action as formulas; ModelError where it has no meaning for any number of elements."""
    for choice in reading.choices:
        if not isinstance(choice.kind, Index):
            raise ModelError(
                f"`{choice.name}` is chosen among values that are not the elements of a sort, and a proof for any size "
                "takes elements only: write an action for each of the values"
            )
    for path in reading.paths:
        _check_passes(path.writes)
    paths = [kept_writes(model, path) for path in reading.paths]
    merged = _merged(model, paths, reading.obligations)
    absent = _absences(model, merged)
    if absent:
        obligations = tuple(
            replace(one, guard=tuple(in_flight(part, absent) for part in one.guard)) for one in reading.obligations
        )
        merged = _merged(model, [lossy(model, path, absent) for path in paths], obligations)
    names = {formulas.names.variable(v): argument_symbol(v.name) for v in reading.all_variables}
    updates = [
        replace(update, value=sexpr.rename(update.value, names))
        for name, value in merged.values.items()
        for update in updates_of(formulas, model.fields[name], value)
    ]
    guard = sexpr.rename(formulas.of(merged.enabled), names)
    encoded = map(obligation_encoder(formulas, reading.all_variables), merged.obligations)
    found = tuple((message, sexpr.rename(claim, names)) for message, claim in encoded)
    parts = (guard, *(update.value for update in updates), *(claim for _, claim in found))
    spoken_of = {symbol for part in parts for symbol in sexpr.symbols(part) if is_wire(symbol)}
    wires = tuple(
        (wire_symbol(name), tuple(map(formulas.names.sort, declared.indices)))
        for name, declared in model.fields.items()
        if wire_symbol(name) in spoken_of
    )
    constants = tuple((names[name], sort) for name, sort in formulas.names.binding(reading.all_variables))
    return Transition(reading.action.name, constants, wires, guard, tuple(updates), found, reading.action)


def obligation_encoder(formulas: Formulas, parameters: Iterable[Var] = ()) -> Callable[[Obligation], tuple[str, Sexpr]]:
    """What turns an obligation into its message and the formula that must be true: what is wrong never happens.

    parameters: the variables that stay free; all others are quantified.
    """
    kept = frozenset(parameters)

    def encode(obligation: Obligation) -> tuple[str, Sexpr]:
        wrong = and_(*obligation.guard)
        others = [variable for variable in free_variables(wrong) if variable not in kept]
        others.sort(key=lambda variable: variable.name)
        body = sexpr.negation(formulas.of_obligation(wrong))
        return obligation.message, sexpr.closed("forall", formulas.names.binding(others), body)

    return encode


def _merged(model: Model, paths: list[Path], obligations: tuple[Obligation, ...]) -> _Merged:
    enabled = _decided([(path.guard, ALWAYS) for path in paths], NEVER) if paths else NEVER
    values: dict[str, Term] = {}
    for name in dict.fromkeys(write.field for path in paths for write in path.writes):
        declared = model.fields[name]
        cell = cell_of(declared)
        branches = []
        for path in paths:
            value: Term = Read(name, cell, declared.kind)
            for write in path.writes:
                if write.field == name:
                    value = overwritten(write, cell, value)
            branches.append((path.guard, value))
        values[name] = _decided(branches, None)
    return _Merged(enabled, values, obligations)


def _absences(model: Model, merged: _Merged) -> set[str]:
    """The network fields of which an action asks what is absent."""
    network = network_fields(model)
    if not network:
        return set()
    found = absences(merged.enabled, network, Demand.PRESENCE)
    present = presences(merged.enabled, network)
    for name, value in merged.values.items():
        declared = model.fields[name]
        found |= written_absences(Read(name, cell_of(declared), declared.kind), value, network, present)
    for obligation in merged.obligations:
        found |= absences(and_(*obligation.guard), network, Demand.PRESENCE)
    return found


def _check_passes(writes: tuple[Write, ...]) -> None:
    """Refuses a loop of which one pass reads what another one writes: here all passes happen at once."""
    looped = [write for write in writes if write.binders]
    for one, other in itertools.product(looped, looped):
        shared = [binder for binder in one.binders if binder in other.binders]
        for part in (part for term in (*one.indices, one.condition, one.value) for part in walk(term)):
            if not isinstance(part, Read) or part.field != other.field:
                continue
            for binder in shared:
                if any(w == binder != r for w, r in zip(other.indices, part.indices, strict=True)):
                    raise ModelError(
                        f"a pass of a loop over {binder.sort.__name__} reads `{part.field}` where other passes write "
                        "it: read what it needs before the loop, or make each pass an action of its own"
                    )


def _decided(branches: list[tuple[tuple[Term, ...], Term]], missing: Term | None, depth: int = 0) -> Term:
    """The term of the branch that is taken: branches are guards (alternatives in depth-first order) with a term each.

    missing: the term where no branch is taken; None if that need not be asked.
    """
    if len(branches) == 1 and len(branches[0][0]) == depth:
        return branches[0][1]
    literal = next(guard[depth] for guard, _ in branches)
    positive = literal.term if isinstance(literal, Not) else literal
    yes = [branch for branch in branches if branch[0][depth] == positive]
    no = [branch for branch in branches if branch[0][depth] != positive]
    if missing is None and not (yes and no):
        return _decided(yes or no, missing, depth + 1)
    then = _decided(yes, missing, depth + 1) if yes else missing
    other = _decided(no, missing, depth + 1) if no else missing
    if then is None or other is None:
        raise AssertionError("a branch without a term")
    return ite(positive, then, other)
